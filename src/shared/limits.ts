/**
 * Every bound of the library, with its unit, in one place. The sizes of a channel's regions, which
 * bound what they hold, are in channel-layout.ts.
 *
 * Passing a limit of a stream is a typed error for that stream and costs the others nothing. The
 * defaults suit text streams; recordings of image models hold lines of 2 MB.
 */

import type { ErrorCode } from './errors.ts'

const KIB = 1024
const MIB: number = 1024 * KIB
const GIB: number = 1024 * MIB

// ---- options -------------------------------------------------------------------------------

/** What an option that is an integer may be, and what it is where it is not given. */
export interface Range {
  readonly min: number
  readonly max: number
  readonly fallback: number
}

/** Worker threads of a Millrace. */
export const WORKERS: Range = { min: 1, max: 64, fallback: 1 }

/** What unfinished events may take beyond a channel's own memory, bytes a worker. */
export const BUFFERED_BYTES: Range = { min: MIB, max: 2 * GIB, fallback: 256 * MIB }

/** Input of a stream in flight, bytes. Four frames: worker and caller each have one in hand. */
export const WINDOW_BYTES: Range = { min: KIB, max: 16 * MIB, fallback: 256 * KIB }

/** The longest wait for a source's next bytes, ms; 0 is none. A timer takes no more. */
export const TIMEOUT_MS: Range = { min: 0, max: 2 ** 31 - 1, fallback: 60_000 }

/** The longest that a source may take, ms; 0 is none. */
export const DURATION_MS: Range = { min: 0, max: 2 ** 31 - 1, fallback: 3_600_000 }

/** Most text that `final()` keeps, bytes. */
export const FINAL_BYTES: Range = { min: KIB, max: GIB, fallback: 16 * MIB }

/** Bounds on what one stream may make the decoder hold. All integers. */
export interface StreamLimits {
  /** Longest line, bytes, without its line end. `LINE_TOO_LONG` beyond. Default 4 MiB. */
  readonly lineBytesMax: number
  /** Longest event: the sum of its data lines, bytes. `EVENT_TOO_LARGE` beyond. Default 4 MiB. */
  readonly eventBytesMax: number
  /** Deepest JSON nesting. `JSON_TOO_DEEP` beyond. Default 64. */
  readonly jsonDepthMax: number
  /** Longest JSON number, bytes. `JSON_NUMBER_TOO_LONG` beyond. Default 64. */
  readonly jsonNumberBytesMax: number
  /** Longest SSE `event` value, bytes; a longer one is ignored and counted. Default 256. */
  readonly eventNameBytesMax: number
  /** Longest SSE `id` value, bytes; a longer one is ignored and counted. Default 1,024. */
  readonly eventIdBytesMax: number
}

export const STREAM_LIMITS_DEFAULT: StreamLimits = {
  lineBytesMax: 4 * MIB,
  eventBytesMax: 4 * MIB,
  jsonDepthMax: 64,
  jsonNumberBytesMax: 64,
  eventNameBytesMax: 256,
  eventIdBytesMax: 1024,
}

/** Hard caps on {@link StreamLimits}: what an option may ask for at most. */
export const STREAM_LIMITS_CAP: StreamLimits = {
  lineBytesMax: 64 * MIB,
  eventBytesMax: 64 * MIB,
  jsonDepthMax: 1024,
  jsonNumberBytesMax: 1024,
  eventNameBytesMax: 1024,
  eventIdBytesMax: 8192,
}

/** The least that an option may ask for of {@link StreamLimits}. */
export const STREAM_LIMITS_LEAST: StreamLimits = {
  lineBytesMax: 256,
  eventBytesMax: 256,
  jsonDepthMax: 1,
  jsonNumberBytesMax: 32,
  eventNameBytesMax: 64,
  eventIdBytesMax: 64,
}

const LIMIT_PASSED: Readonly<Partial<Record<ErrorCode, keyof StreamLimits>>> = {
  LINE_TOO_LONG: 'lineBytesMax',
  EVENT_TOO_LARGE: 'eventBytesMax',
  JSON_TOO_DEEP: 'jsonDepthMax',
  JSON_NUMBER_TOO_LONG: 'jsonNumberBytesMax',
}

/** The limit that an error says was passed, by its name: for `details`. */
export function limitPassed(code: ErrorCode, limits: StreamLimits): Partial<StreamLimits> {
  const name = LIMIT_PASSED[code]
  return name === undefined ? {} : { [name]: limits[name] }
}

// ---- what a stream may make us keep --------------------------------------------------------

/** Events that `auto` looks at before it gives up: pings and the like tell nothing. */
export const DETECTION_EVENTS_MAX = 64

/** First bytes of a malformed event that its error carries. */
export const EXCERPT_BYTES_MAX = 64

/** Tool calls of one stream that are open at once; one more ends the oldest. */
export const OPEN_TOOL_CALLS_MAX = 1024

/** Values that one call's arguments may come in, where they come one by one; more are ignored. */
export const TOOL_PARTS_MAX = 65_536

/** Fields that a usage object keeps where one is merged from several; others are ignored. */
export const USAGE_FIELDS_MAX = 64

/** Bytes of a refused body that its error carries, and how long they are waited for, ms. */
export const BODY_EXCERPT_BYTES_MAX = 512
export const BODY_EXCERPT_MS_MAX = 1000

// ---- time ----------------------------------------------------------------------------------

/**
 * How long a source may take to end by itself after the protocol's end, ms. A body read to its end
 * leaves its connection reusable; a cancelled one costs the next request a new connection.
 */
export const SOURCE_LINGER_MS = 500

/**
 * How long a loop may live on what is ready at once before it yields to the event loop, ms: it
 * runs in microtasks alone, and would keep timers and sockets waiting.
 */
export const BUSY_MS_MAX = 5

/** How long a worker's task outlives its last stream, ms: a next one soon finds it warm. */
export const TASK_LINGER_MS = 50

/** Longest wait for a worker's answer to a control call, ms; `CONTROL_TIMEOUT` beyond. */
export const CALL_MS_MAX = 10_000

// ---- workers -------------------------------------------------------------------------------

/** Longest stretch of a source in one frame, bytes: an eighth of the ring, so that two overlap. */
export const FRAME_BYTES_MAX: number = 64 * KIB

/**
 * Workers that die one after the other without publishing anything. A frame that kills takes two,
 * and the third ends its stream; beyond that it is no frame.
 */
export const FRUITLESS_RUNS_MAX = 5
