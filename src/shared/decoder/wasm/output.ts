/** Rows, and their text in one of two areas: see rows.ts of the library for what they look like. */
import {
  AREA_ROWS,
  AREA_TEXT,
  AREA_WIDE,
  CTX_OUT_OF_ROOM,
  CTX_REPLACED,
  CTX_ROW_COUNT,
  CTX_ROWS,
  CTX_ROWS_ENOUGH,
  CTX_ROWS_MAX,
  CTX_STATE,
  CTX_TEXT,
  CTX_TEXT_BYTES,
  CTX_TEXT_BYTES_ENOUGH,
  CTX_TEXT_BYTES_MAX,
  CTX_WIDE,
  CTX_WIDE_BYTES,
  CTX_WIDE_BYTES_ENOUGH,
  CTX_WIDE_BYTES_MAX,
  FAULT_BYTES_MAX,
  STATE_REPLACEMENTS,
} from '../wasm-layout.ts'
import { grow } from './host.ts'
import { FLAG_WIDE } from './rows.ts'
import { narrow, widen } from './text.ts'

const ROW_BYTES: u32 = 12

/** Enough for one batch. */
export function hasEnough(ctx: usize): bool {
  return (
    load<u32>(ctx, CTX_ROW_COUNT) >= load<u32>(ctx, CTX_ROWS_ENOUGH) ||
    load<u32>(ctx, CTX_TEXT_BYTES) >= load<u32>(ctx, CTX_TEXT_BYTES_ENOUGH) ||
    load<u32>(ctx, CTX_WIDE_BYTES) >= load<u32>(ctx, CTX_WIDE_BYTES_ENOUGH)
  )
}

/** A place for `bytes` bytes of narrow text and 16 more; 0 where there is no room to be had. */
export function textRoom(ctx: usize, bytes: u32): usize {
  const used = load<u32>(ctx, CTX_TEXT_BYTES)
  const wanted = used + bytes + 16
  if (wanted + FAULT_BYTES_MAX > load<u32>(ctx, CTX_TEXT_BYTES_MAX)) {
    if (!grow(AREA_TEXT, wanted + FAULT_BYTES_MAX)) {
      store<u32>(ctx, 1, CTX_OUT_OF_ROOM)
      return 0
    }
  }
  return load<usize>(ctx, CTX_TEXT) + used
}

/** Adds a row whose text, if any, was written to the end of the narrow text. */
export function writeRow(ctx: usize, kind: u32, choice: u32, index: i32, units: u32): void {
  if (!hasRowRoom(ctx)) return
  store<u32>(ctx, load<u32>(ctx, CTX_TEXT_BYTES) + units, CTX_TEXT_BYTES)
  putRow(ctx, kind | (choice << 16), index, units)
}

/** Room for a row, and for one more: the report of a failure. */
function hasRowRoom(ctx: usize): bool {
  const count = load<u32>(ctx, CTX_ROW_COUNT)
  if (count + 1 < load<u32>(ctx, CTX_ROWS_MAX)) return true
  if (grow(AREA_ROWS, (count + 2) * ROW_BYTES)) return true
  store<u32>(ctx, 1, CTX_OUT_OF_ROOM)
  return false
}

/** Adds a row where there is room for it. */
export function putRow(ctx: usize, head: u32, index: i32, units: u32): void {
  const count = load<u32>(ctx, CTX_ROW_COUNT)
  const row = load<usize>(ctx, CTX_ROWS) + count * ROW_BYTES
  store<u32>(row, head)
  store<i32>(row, index, 4)
  store<u32>(row, units, 8)
  store<u32>(ctx, count + 1, CTX_ROW_COUNT)
}

/**
 * Adds a row with the text `at` to `end`: the inside of a JSON string, or plain UTF-8. Returns how
 * many U+FFFD stand in it for malformed input.
 */
export function writeText(
  ctx: usize,
  kind: u32,
  choice: u32,
  index: i32,
  at: usize,
  end: usize,
  isJson: bool,
): u32 {
  const out = textRoom(ctx, <u32>(end - at))
  if (out == 0) return 0
  const outEnd = narrow(at, end, out, isJson)
  if (outEnd == 0) return writeWide(ctx, kind, choice, index, at, end, isJson)
  writeRow(ctx, kind, choice, index, <u32>(outEnd - out))
  return 0
}

function writeWide(
  ctx: usize,
  kind: u32,
  choice: u32,
  index: i32,
  at: usize,
  end: usize,
  isJson: bool,
): u32 {
  if (!hasRowRoom(ctx)) return 0
  const used = load<u32>(ctx, CTX_WIDE_BYTES)
  const wanted = used + wideRoom(<u32>(end - at))
  if (wanted > load<u32>(ctx, CTX_WIDE_BYTES_MAX) && !grow(AREA_WIDE, wanted)) {
    store<u32>(ctx, 1, CTX_OUT_OF_ROOM)
    return 0
  }
  const out = load<usize>(ctx, CTX_WIDE) + used
  const bytes = <u32>(widen(ctx, at, end, out, isJson) - out)
  store<u32>(ctx, used + bytes, CTX_WIDE_BYTES)
  putRow(ctx, kind | (FLAG_WIDE << 8) | (choice << 16), index, bytes >> 1)
  return load<u32>(ctx, CTX_REPLACED)
}

/** Room that so many bytes of text may need as UTF-16. */
export function wideRoom(bytes: u32): u32 {
  return bytes * 2 + 32
}

/** Notes U+FFFD that {@link writeText} put in what was extracted. */
export function countReplaced(ctx: usize, replaced: u32): void {
  if (replaced == 0) return
  const state = load<usize>(ctx, CTX_STATE)
  store<u32>(state, load<u32>(state, STATE_REPLACEMENTS) + replaced, STATE_REPLACEMENTS)
}
