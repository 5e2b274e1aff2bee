/**
 * A JSON array that is sent piece by piece: one payload an element, each with its last byte. The
 * plain decoder's array framer says what that means, down to bytes that are no JSON.
 *
 * An object that lies whole in the chunk is walked where it is, see events.ts: where a walk ends is
 * where the brackets close. What comes here is cut, or unusual: of that only brackets and strings
 * are followed, each byte once.
 */
import {
  CTX_CHUNK,
  CTX_CHUNK_OFFSET,
  CTX_PROFILE,
  CTX_STATE,
  FLAG_ESCAPED,
  FLAG_IN_ARRAY,
  FLAG_IN_STRING,
  FLAG_MARK_DONE,
  FLAG_OPEN,
  PROFILE_EVENT_BYTES_MAX,
  STATE_DEPTH,
  STATE_LINE_BYTES,
  STATE_LINE_SLAB,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { append, freeSlab, placeOf } from './carry.ts'
import { fail, FAULT_EVENT_TOO_LARGE, FAULT_NO_BUFFER_EVENT } from './failure.ts'
import { takePayload } from './payload.ts'
import {
  ARRAY_END,
  ARRAY_START,
  BACKSLASH,
  blanksEnd,
  COMMA,
  OBJECT_END,
  OBJECT_START,
  QUOTE,
} from './scan.ts'
import { clearFlags, countScanned, hasFlags, setFlags } from './state.ts'

/** Takes an element, or what lies between two. Returns the byte after what it took. */
export function takeElement(ctx: usize, at: usize, end: usize): usize {
  const state = load<usize>(ctx, CTX_STATE)
  let next = at
  if (!hasFlags(state, FLAG_OPEN)) {
    at = skipBetween(state, at, end)
    if (at == end) return end
    open(ctx, state, at)
    next = at + 1
  }
  const stop = follow(state, next, end)
  const isOver = stop <= end
  const had = load<u32>(state, STATE_LINE_BYTES)
  const bytes = had + <u32>((isOver ? stop : end) - at)
  countScanned(ctx, (isOver ? stop : end) - at)
  const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_EVENT_BYTES_MAX)
  if (bytes > bytesMax) {
    fail(ctx, FAULT_EVENT_TOO_LARGE, bytesMax, load<f64>(state, STATE_OFFSET), 0, 0)
    return end
  }
  if (isOver && had == 0) {
    clearFlags(state, FLAG_OPEN)
    takePayload(ctx, state, at, stop)
    return stop
  }
  if (!append(state, STATE_LINE_SLAB, had, at, bytes - had)) {
    fail(ctx, FAULT_NO_BUFFER_EVENT, 0, load<f64>(state, STATE_OFFSET), 0, 0)
    return end
  }
  store<u32>(state, bytes, STATE_LINE_BYTES)
  if (!isOver) return end
  takeKept(ctx, state)
  return stop
}

/** The source ended: that ends a number or a word, and drops whatever else is unfinished. */
export function endElements(ctx: usize, state: usize): void {
  if (!hasFlags(state, FLAG_OPEN) || hasFlags(state, FLAG_IN_STRING)) return
  if (load<u32>(state, STATE_DEPTH) == 0) takeKept(ctx, state)
}

/** Takes the element that was put together in a slab. */
function takeKept(ctx: usize, state: usize): void {
  const data = placeOf(load<u32>(state, STATE_LINE_SLAB))
  const bytes = load<u32>(state, STATE_LINE_BYTES)
  clearFlags(state, FLAG_OPEN)
  store<u32>(state, 0, STATE_LINE_BYTES)
  takePayload(ctx, state, data, data + bytes)
  freeSlab(state, STATE_LINE_SLAB)
}

/** Skips what lies between elements, and the array's own brackets. */
function skipBetween(state: usize, at: usize, end: usize): usize {
  for (; at < end; at++) {
    const byte: u32 = load<u8>(at)
    if (blanksEnd(at, at + 1, false) != at) continue
    if (!hasFlags(state, FLAG_MARK_DONE)) {
      if (byte == 0xef || byte == 0xbb || byte == 0xbf) continue
      setFlags(state, FLAG_MARK_DONE)
    }
    if (!hasFlags(state, FLAG_IN_ARRAY)) {
      if (byte != ARRAY_START) break
      setFlags(state, FLAG_IN_ARRAY)
    } else if (byte == ARRAY_END) clearFlags(state, FLAG_IN_ARRAY)
    else if (byte != COMMA) break
  }
  return at
}

/** Begins the element whose first byte is at `at`. */
function open(ctx: usize, state: usize, at: usize): void {
  const byte: u32 = load<u8>(at)
  const offset = load<f64>(ctx, CTX_CHUNK_OFFSET) + <f64>(at - load<usize>(ctx, CTX_CHUNK))
  store<f64>(state, offset, STATE_OFFSET)
  store<u32>(state, (byte | 0x20) == OBJECT_START ? 1 : 0, STATE_DEPTH)
  setFlags(state, byte == QUOTE ? FLAG_OPEN | FLAG_IN_STRING : FLAG_OPEN)
}

/** The end of the open element; past `end` where it goes on there. */
function follow(state: usize, at: usize, end: usize): usize {
  let depth = load<u32>(state, STATE_DEPTH)
  while (at < end) {
    if (hasFlags(state, FLAG_IN_STRING)) {
      at = followString(state, at, end)
      if (depth == 0 && !hasFlags(state, FLAG_IN_STRING)) return at
      continue
    }
    const byte: u32 = load<u8>(at)
    if (byte == QUOTE) setFlags(state, FLAG_IN_STRING)
    else if ((byte | 0x20) == OBJECT_START) depth++
    else if ((byte | 0x20) == OBJECT_END) {
      if (depth > 0 && --depth == 0) {
        store<u32>(state, 0, STATE_DEPTH)
        return at + 1
      }
      if (depth == 0 && byte == ARRAY_END && hasFlags(state, FLAG_IN_ARRAY)) return at
    } else if (depth == 0 && (byte == COMMA || blanksEnd(at, at + 1, false) != at)) return at
    at++
  }
  store<u32>(state, depth, STATE_DEPTH)
  return end + 1
}

/** Goes on inside a string: past its quote, which ends it, or to `end`. */
function followString(state: usize, at: usize, end: usize): usize {
  if (hasFlags(state, FLAG_ESCAPED)) {
    clearFlags(state, FLAG_ESCAPED)
    at++
  }
  while (at < end) {
    const bytes = v128.load(at)
    const quotes = i8x16.eq(bytes, i8x16.splat(<i8>QUOTE))
    const stops = i8x16.bitmask(v128.or(quotes, i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH))))
    at += ctz(stops | 0x10000)
    if (stops == 0 || at >= end) continue
    if (<u32>load<u8>(at) == QUOTE) {
      clearFlags(state, FLAG_IN_STRING)
      return at + 1
    }
    if (at + 1 == end) setFlags(state, FLAG_ESCAPED)
    at += 2
  }
  return end
}
