/** NDJSON: one payload a line. The plain decoder's line framer says what that means. */
import {
  CTX_CHUNK,
  CTX_CHUNK_OFFSET,
  CTX_PROFILE,
  CTX_STATE,
  FLAG_MARK_DONE,
  PROFILE_LINE_BYTES_MAX,
  STATE_LINE_BYTES,
  STATE_LINE_SLAB,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { append, freeSlab, placeOf } from './carry.ts'
import { fail, FAULT_LINE_TOO_LONG, FAULT_NO_BUFFER_LINE } from './failure.ts'
import { takePayload } from './payload.ts'
import { blanksEnd, CR, LF } from './scan.ts'
import { countScanned, hasFlags, setFlags } from './state.ts'

/** A byte order mark as a little-endian word. */
const MARK: u32 = 0xbfbbef

/** Takes the line that begins at `at`, or goes on there. Returns where the next one begins. */
export function takeRecord(ctx: usize, at: usize, end: usize): usize {
  const state = load<usize>(ctx, CTX_STATE)
  const begun = load<u32>(state, STATE_LINE_BYTES)
  const stop = feedEnd(at, end)
  const bytes = begun + <u32>(stop - at)
  countScanned(ctx, stop - at)
  if (begun == 0) {
    const offset = load<f64>(ctx, CTX_CHUNK_OFFSET) + <f64>(at - load<usize>(ctx, CTX_CHUNK))
    store<f64>(state, offset, STATE_OFFSET)
  }
  const offset = load<f64>(state, STATE_OFFSET)
  const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_LINE_BYTES_MAX)
  if (bytes > bytesMax) {
    fail(ctx, FAULT_LINE_TOO_LONG, bytesMax, offset, 0, 0)
    return end
  }
  if (begun == 0 && stop < end) {
    takeWhole(ctx, state, at, stop)
    return stop + 1
  }
  if (!append(state, STATE_LINE_SLAB, begun, at, <u32>(stop - at))) {
    fail(ctx, FAULT_NO_BUFFER_LINE, 0, offset, 0, 0)
    return end
  }
  store<u32>(state, bytes, STATE_LINE_BYTES)
  if (stop == end) return end
  endRecord(ctx, state)
  return stop + 1
}

/** Takes the line that was put together in a slab, if there is one: it is over. */
export function endRecord(ctx: usize, state: usize): void {
  const bytes = load<u32>(state, STATE_LINE_BYTES)
  if (bytes == 0) return
  const line = placeOf(load<u32>(state, STATE_LINE_SLAB))
  store<u32>(state, 0, STATE_LINE_BYTES)
  takeWhole(ctx, state, line, line + bytes)
  freeSlab(state, STATE_LINE_SLAB)
}

function takeWhole(ctx: usize, state: usize, line: usize, end: usize): void {
  let at = line
  if (!hasFlags(state, FLAG_MARK_DONE)) {
    setFlags(state, FLAG_MARK_DONE)
    if (end - at >= 3 && (load<u32>(at) & 0xffffff) == MARK) {
      at += 3
      store<f64>(state, load<f64>(state, STATE_OFFSET) + 3, STATE_OFFSET)
    }
  }
  // A line that is blank is none; of others a CR before the LF is not part.
  if (blanksEnd(at, end, false) == end) return
  takePayload(ctx, state, at, <u32>load<u8>(end - 1) == CR ? end - 1 : end)
}

/** The first LF, or `end`. */
function feedEnd(at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const ends = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(<i8>LF)))
    if (ends == 0) continue
    at += ctz(ends)
    return at < end ? at : end
  }
  return end
}
