/** Reports of malformed events and passed limits. */
import {
  CTX_PROFILE,
  CTX_STATE,
  CTX_TEXT,
  CTX_TEXT_BYTES,
  FAULT_BYTES_MAX,
  FLAG_FAILED,
  PROFILE_STRICT,
  STATE_FLAGS,
} from '../wasm-layout.ts'
import { release } from './carry.ts'
import { describe } from './host.ts'
import { putRow, textRoom, writeRow } from './output.ts'
import { ROW_ERROR, ROW_FATAL } from './rows.ts'

// By their numbers in faults.ts.
export const FAULT_LINE_TOO_LONG = 0
export const FAULT_EVENT_TOO_LARGE = 1
export const FAULT_BODY_TOO_LARGE = 2
export const FAULT_NO_BUFFER_LINE = 3
export const FAULT_NO_BUFFER_EVENT = 4
export const FAULT_NO_BUFFER_BODY = 5
export const FAULT_NO_BUFFER_ROWS = 6
export const FAULT_HTML = 7
export const FAULT_JSON_DOCUMENT = 8
export const FAULT_TOO_DEEP = 9
export const FAULT_EMPTY = 10
export const FAULT_NOT_JSON = 11
export const FAULT_MALFORMED_UTF8 = 12
export const FAULT_CONCATENATED = 13
export const FAULT_GZIP = 14
export const FAULT_INDEX = 15
export const FAULT_PRELUDE_CRC = 16
export const FAULT_FRAME_CRC = 17
export const FAULT_FRAME_LENGTHS = 18
export const FAULT_FRAME_HEADERS = 19
export const FAULT_NUMBER_TOO_LONG = 20

/** An error after which the stream goes on, unless it is strict. */
export function report(
  ctx: usize,
  fault: i32,
  limit: u32,
  offset: f64,
  at: usize,
  bytes: u32,
): void {
  if (load<u8>(load<usize>(ctx, CTX_PROFILE), PROFILE_STRICT) != 0) {
    fail(ctx, fault, limit, offset, at, bytes)
  } else {
    const out = textRoom(ctx, FAULT_BYTES_MAX)
    if (out == 0) return
    const described = describe(fault, limit, offset, at, bytes, out)
    const length = described & 0xffff
    writeRow(ctx, ROW_ERROR, described >> 16, -1, length)
  }
}

/** The end of the stream. Its row and its text go where room is always kept for them. */
export function fail(ctx: usize, fault: i32, limit: u32, offset: f64, at: usize, bytes: u32): void {
  const used = load<u32>(ctx, CTX_TEXT_BYTES)
  const out = load<usize>(ctx, CTX_TEXT) + used
  const described = describe(fault, limit, offset, at, bytes, out)
  const length = described & 0xffff
  store<u32>(ctx, used + length, CTX_TEXT_BYTES)
  putRow(ctx, ROW_FATAL | (described & 0xffff0000), -1, length)
  release(ctx)
  const state = load<usize>(ctx, CTX_STATE)
  store<u32>(state, load<u32>(state, STATE_FLAGS) | FLAG_FAILED, STATE_FLAGS)
}
