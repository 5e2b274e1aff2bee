import { MillraceError } from '../shared/errors.ts'

/** What providers put into their errors, `null` where this one did not. */
export interface ProviderErrorFields {
  readonly message: string | null
  readonly type: string | null
  /** A number at some, a word at others. */
  readonly code: string | number | null
  /** All that was sent. */
  readonly raw: unknown
}

/**
 * The provider's own error as ours: code `PROVIDER_ERROR`, {@link ProviderErrorFields} as details.
 *
 * @param isOutside - It came on a bare line, in no event: `outsideProtocol` in the details.
 * @param requestId - What the provider calls the request, to be asked about it: in the details.
 */
export function providerError(
  raw: unknown,
  isOutside: boolean,
  requestId: string | null,
): MillraceError {
  const fields = { ...fieldsOf(raw), ...(requestId !== null && { requestId }) }
  const message = `provider error: ${fields.message ?? JSON.stringify(raw)}`
  return new MillraceError('PROVIDER_ERROR', message, { ...fields, outsideProtocol: isOutside })
}

function fieldsOf(raw: unknown): ProviderErrorFields {
  if (typeof raw !== 'object' || raw === null) {
    return { message: String(raw), type: null, code: null, raw }
  }
  const { message, type: sent, code, status } = raw as Record<string, unknown>
  // Google's word for the type is the status.
  const type = sent ?? status
  return {
    message: typeof message === 'string' ? message : null,
    type: typeof type === 'string' ? type : null,
    code: typeof code === 'string' || typeof code === 'number' ? code : null,
    raw,
  }
}
