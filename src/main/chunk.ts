import { MillraceError } from '../shared/errors.ts'

const encoder = new TextEncoder()

/** What a caller wrote, as bytes. @throws {MillraceError} `OPTION_INVALID`. */
export function chunkBytes(chunk: Uint8Array | string): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return encoder.encode(chunk)
  const given = chunk === null ? 'null' : typeof chunk
  throw new MillraceError('OPTION_INVALID', `chunk must be a Uint8Array or string, not ${given}`, {
    option: 'chunk',
  })
}
