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
  CTX_UNITS,
  CTX_WIDE,
  CTX_WIDE_BYTES,
  CTX_WIDE_BYTES_MAX,
  FAULT_BYTES_MAX,
  STATE_REPLACEMENTS,
} from '../wasm-layout.ts'
import { grow } from './host.ts'
import { FLAG_WIDE } from './rows.ts'
import { LONE_STOPS, transcode, transcodeWide } from './text.ts'

const ROW_BYTES: u32 = 16

/** Enough for one batch. */
export function hasEnough(ctx: usize): bool {
  return (
    load<u32>(ctx, CTX_ROW_COUNT) >= load<u32>(ctx, CTX_ROWS_ENOUGH) ||
    load<u32>(ctx, CTX_TEXT_BYTES) >= load<u32>(ctx, CTX_TEXT_BYTES_ENOUGH)
  )
}

/** A place to write `bytes` bytes of text and 16 more; 0 where there is no room to be had. */
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

/** Adds a row whose text, if any, was written to the end of the text area. */
export function writeRow(
  ctx: usize,
  kind: u32,
  choice: u32,
  index: i32,
  units: u32,
  bytes: u32,
): void {
  if (!hasRowRoom(ctx)) return
  store<u32>(ctx, load<u32>(ctx, CTX_TEXT_BYTES) + bytes, CTX_TEXT_BYTES)
  putRow(ctx, kind | (choice << 16), index, units, bytes)
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
export function putRow(ctx: usize, head: u32, index: i32, units: u32, bytes: u32): void {
  const count = load<u32>(ctx, CTX_ROW_COUNT)
  const row = load<usize>(ctx, CTX_ROWS) + count * ROW_BYTES
  store<u32>(row, head)
  store<i32>(row, index, 4)
  store<u32>(row, units, 8)
  store<u32>(row, bytes, 12)
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
  const bytes = <u32>(end - at)
  const out = textRoom(ctx, bytes * 3)
  if (out == 0) return 0
  if (!copyPlain(at, out, bytes, isJson)) {
    return writeAnyText(ctx, kind, choice, index, at, end, isJson, out)
  }
  if (!hasRowRoom(ctx)) return 0
  store<u32>(ctx, load<u32>(ctx, CTX_TEXT_BYTES) + bytes, CTX_TEXT_BYTES)
  putRow(ctx, kind | (choice << 16), index, bytes, bytes)
  return 0
}

/** Copies text that needs no change: ASCII without escapes. False at the first other byte. */
function copyPlain(at: usize, out: usize, bytes: u32, isJson: bool): bool {
  const backslashes = i8x16.splat(isJson ? 0x5c : -1)
  let left = bytes
  while (true) {
    const block = v128.load(at)
    v128.store(out, block)
    const stops = i8x16.bitmask(v128.or(block, i8x16.eq(block, backslashes)))
    if (left <= 16) return (stops & ((1 << left) - 1)) == 0
    if (stops != 0) return false
    at += 16
    out += 16
    left -= 16
  }
}

function writeAnyText(
  ctx: usize,
  kind: u32,
  choice: u32,
  index: i32,
  at: usize,
  end: usize,
  isJson: bool,
  out: usize,
): u32 {
  const outEnd = transcode(ctx, at, end, out, isJson, LONE_STOPS)
  if (outEnd == 0) return writeWide(ctx, kind, choice, index, at, end)
  writeRow(ctx, kind, choice, index, load<u32>(ctx, CTX_UNITS), <u32>(outEnd - out))
  return load<u32>(ctx, CTX_REPLACED)
}

function writeWide(ctx: usize, kind: u32, choice: u32, index: i32, at: usize, end: usize): u32 {
  if (!hasRowRoom(ctx)) return 0
  const used = load<u32>(ctx, CTX_WIDE_BYTES)
  const wanted = used + <u32>(end - at) * 2
  if (wanted > load<u32>(ctx, CTX_WIDE_BYTES_MAX) && !grow(AREA_WIDE, wanted)) {
    store<u32>(ctx, 1, CTX_OUT_OF_ROOM)
    return 0
  }
  const out = load<usize>(ctx, CTX_WIDE) + used
  const bytes = <u32>(transcodeWide(ctx, at, end, out) - out)
  store<u32>(ctx, used + bytes, CTX_WIDE_BYTES)
  putRow(ctx, kind | (FLAG_WIDE << 8) | (choice << 16), index, bytes >> 1, bytes)
  return load<u32>(ctx, CTX_REPLACED)
}

/** Notes U+FFFD that {@link writeText} put in what was extracted. */
export function countReplaced(ctx: usize, replaced: u32): void {
  if (replaced == 0) return
  const state = load<usize>(ctx, CTX_STATE)
  store<u32>(state, load<u32>(state, STATE_REPLACEMENTS) + replaced, STATE_REPLACEMENTS)
}
