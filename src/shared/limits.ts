/**
 * Every bound of the library, with its unit, in one place.
 *
 * Passing a limit of a stream is a typed error for that stream and costs the others nothing. The
 * defaults suit text streams; recordings of image models hold lines of 2 MB.
 */

/** Bounds on what one stream may make the decoder hold. All integers. */
export interface StreamLimits {
  /** Longest line, bytes, without its line end. `LINE_TOO_LONG` beyond. Default 4 MiB. */
  readonly lineBytesMax: number
  /** Longest event: the sum of its data lines, bytes. `EVENT_TOO_LARGE` beyond. Default 4 MiB. */
  readonly eventBytesMax: number
  /** Deepest JSON nesting. `JSON_TOO_DEEP` beyond. Default 64. */
  readonly jsonDepthMax: number
}

export const STREAM_LIMITS_DEFAULT: StreamLimits = {
  lineBytesMax: 4 * 1024 * 1024,
  eventBytesMax: 4 * 1024 * 1024,
  jsonDepthMax: 64,
}

/** Hard caps on {@link StreamLimits}: what an option may ask for at most. */
export const STREAM_LIMITS_CAP: StreamLimits = {
  lineBytesMax: 64 * 1024 * 1024,
  eventBytesMax: 64 * 1024 * 1024,
  jsonDepthMax: 1024,
}

/** Longest SSE `id` and `event` value, bytes; a longer one is ignored and counted. */
export const EVENT_ID_BYTES_MAX = 1024
export const EVENT_NAME_BYTES_MAX = 256

/** First bytes of a malformed event that its error carries. */
export const EXCERPT_BYTES_MAX = 64

/** Tool calls of one stream that are open at once; one more ends the oldest. */
export const OPEN_TOOL_CALLS_MAX = 1024

/** Values that one call's arguments may come in, where they come one by one; more are ignored. */
export const TOOL_PARTS_MAX = 65_536

/** Fields that a usage object keeps where one is merged from several; others are ignored. */
export const USAGE_FIELDS_MAX = 64
