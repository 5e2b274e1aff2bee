import type { StreamLimits } from '../limits.ts'
import type { RowWriter } from '../row-writer.ts'

/** Counters of one stream's decoding; plain integers, for `stats()` and the closing record. */
export interface DecodeCounts {
  /** Bytes taken. */
  bytes: number
  /** Events (SSE), records (NDJSON) decoded, malformed ones included. */
  events: number
  /** Malformed events. */
  malformed: number
  /** SSE comment lines. */
  comments: number
  /** U+FFFD that stand for malformed UTF-8 in what was extracted. */
  replacements: number
  /** SSE `id` and `event` fields that were ignored for their length. */
  ignoredFields: number
}

export interface DecodeOptions {
  readonly limits: StreamLimits
  /** The first malformed event, or malformed UTF-8 in what is extracted, ends the stream. */
  readonly strict: boolean
  /** An SSE event that the end of the source cuts before its blank line counts. Default false. */
  readonly flushIncomplete?: boolean
  /** Each event is written as it was sent, too, before what it says. Default false. */
  readonly raw?: boolean
}

/**
 * One stream's decoder: bytes in, rows out, whatever the chunking.
 *
 * Synchronous and single-threaded. Never throws for input: a malformed event is a ROW_ERROR, a
 * passed limit a ROW_FATAL.
 */
export interface Decoder {
  readonly counts: DecodeCounts
  /** True after ROW_FATAL: further bytes are counted and dropped. */
  readonly failed: boolean
  /** Bytes of an event that has begun and not ended. */
  readonly pendingBytes: number
  /** Decodes a chunk; each event's rows are written on the arrival of its last byte. */
  push(chunk: Uint8Array, rows: RowWriter): void
  /** The source ended. An unfinished event is dropped, as WHATWG has it; a last line is one. */
  end(rows: RowWriter): void
  /** Gives the slabs of an abandoned stream back. Push no more after it. */
  release(): void
}
