/**
 * Every failure that a caller can meet, as one class with a stable `code`.
 *
 * Match on `code`, never on `message` or `instanceof`: messages carry the numbers of the case and
 * may be reworded, and two copies of the package may be loaded at once.
 */

/** What went wrong. The contract: codes are added, never renamed. */
export type ErrorCode =
  // misuse, thrown at once
  | 'OPTION_INVALID'
  | 'DIALECT_UNKNOWN'
  | 'DIALECT_INVALID'
  | 'STREAM_USED'
  | 'WRITE_AFTER_END'
  | 'WRITE_BACKPRESSURED'
  | 'MILLRACE_CLOSED'
  | 'TOO_MANY_STREAMS'
  // the source
  | 'HTTP_STATUS'
  | 'BODY_MISSING'
  | 'BODY_USED'
  | 'CONTENT_TYPE'
  | 'SOURCE_FAILED'
  | 'TIMEOUT'
  // the bytes
  | 'EVENT_MALFORMED'
  | 'DURATION_EXCEEDED'
  | 'EVENT_CONCATENATED'
  | 'FRAME_CORRUPT'
  | 'NOT_A_STREAM'
  | 'DIALECT_UNRECOGNIZED'
  | 'LINE_TOO_LONG'
  | 'EVENT_TOO_LARGE'
  | 'JSON_NUMBER_TOO_LONG'
  | 'JSON_TOO_DEEP'
  | 'BUFFERS_EXHAUSTED'
  | 'STREAM_TRUNCATED'
  | 'PROVIDER_ERROR'
  | 'FINAL_TOO_LARGE'
  // the machinery
  | 'STREAM_ABORTED'
  | 'STREAM_POISONED'
  | 'WORKER_EXITED'
  | 'CONTROL_TIMEOUT'

/** Numbers and names of the case, for programs: the message says the same in words. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * An error with a stable {@link ErrorCode}.
 *
 * @example
 * try { await stream.final() } catch (error) {
 *   if (error instanceof MillraceError && error.code === 'STREAM_TRUNCATED') keep(error.details)
 * }
 */
export class MillraceError extends Error {
  override readonly name: string = 'MillraceError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}
