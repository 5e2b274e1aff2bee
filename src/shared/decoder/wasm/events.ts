/**
 * The fast path: events that lie whole in the chunk and are of the usual shape. Of Server-Sent
 * Events that is a `data` line with one JSON object, at most an `event` line before it, and the
 * blank line; of NDJSON a line, of an array an element with one object. The payload is read before
 * its end is known; that the line ends where the object does is checked after it.
 *
 * Whatever else comes is left to sse.ts, ndjson.ts and array.ts, from the first byte of the event.
 * So this path needs to know neither why an event is unusual nor what to make of it.
 */
import {
  CTX_AT,
  CTX_CHUNK,
  CTX_CHUNK_OFFSET,
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_TEMPLATE_MISSES,
  FLAG_FAILED,
  FLAG_HAS_ID,
  FLAG_MARK_DONE,
  PROFILE_DEPTH_MAX,
  PROFILE_EVENT_BYTES_MAX,
  PROFILE_LINE_BYTES_MAX,
  PROFILE_NAME_BYTES_MAX,
  PROFILE_STRICT,
  FRAMING_ARRAY,
  FRAMING_NDJSON,
  FRAMING_SSE,
  PROGRAM_FRAMES,
  PROGRAM_FRAMING,
  PROGRAM_LAST,
  PROGRAM_ROOT,
  STATE_EVENTS,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { modeOf, walk } from './json.ts'
import { learn, wantsToLearn } from './learn.ts'
import { hasEnough } from './output.ts'
import { extract, isPassedOn, passOn } from './payload.ts'
import { blanksEnd, COMMA, CR, LF, lineEnd, OBJECT_START } from './scan.ts'
import { clearFlags, count, countScanned, hasFlags, setFlags } from './state.ts'
import { takeServed } from './template.ts'
import { isPlain } from './type.ts'

/** `event: `, `data: ` and `data:` as little-endian words, the bytes after them masked off. */
const WORD_EVENT: u64 = 0x203a_746e_6576_65
const WORD_DATA_SPACE: u64 = 0x203a_6174_6164
const WORD_DATA: u64 = 0x3a_6174_6164

/** Takes events from a boundary on. Returns where the first begins that it left, or `end`. */
export function takeEvents(ctx: usize, state: usize, at: usize, end: usize): usize {
  const isStrict = load<u8>(load<usize>(ctx, CTX_PROFILE), PROFILE_STRICT) != 0
  const program = load<usize>(ctx, CTX_PROGRAM)
  // A template knows what an event says, and not what it was.
  const mayServe = !isStrict && !isPassedOn(ctx)
  while (!hasEnough(ctx)) {
    if (mayServe && load<usize>(program, PROGRAM_LAST) != 0) {
      at = takeServed(ctx, state, at, end)
      if (at == end || hasEnough(ctx)) break
    }
    const next = takeEvent(ctx, state, at, end)
    // Nothing is left behind of an event that was tried.
    store<u32>(ctx, 0, CTX_NAME_BYTES)
    if (next == 0) break
    at = next
    if (hasFlags(state, FLAG_FAILED)) break
  }
  return at
}

/** Takes the event at `at`. Returns the byte after it; 0 where it is not of the usual shape. */
function takeEvent(ctx: usize, state: usize, at: usize, end: usize): usize {
  const framing = load<u32>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_FRAMING)
  if (framing == FRAMING_SSE) return takeSse(ctx, state, at, end)
  const payload = framing == FRAMING_ARRAY ? separatorEnd(at, end) : at
  if (payload >= end || <u32>load<u8>(payload) != OBJECT_START) return 0
  return takeObject(ctx, state, at, payload, payload, end)
}

/** Past the commas and blanks between two elements. */
function separatorEnd(at: usize, end: usize): usize {
  at = blanksEnd(at, end, false)
  while (at < end && <u32>load<u8>(at) == COMMA) at = blanksEnd(at + 1, end, false)
  return at
}

function takeSse(ctx: usize, state: usize, at: usize, end: usize): usize {
  const data = takeName(ctx, at, end)
  if (data + 8 > end) return 0
  const word = load<u64>(data)
  const hasSpace = (word & 0xffff_ffff_ffff) == WORD_DATA_SPACE
  if (!hasSpace && (word & 0xff_ffff_ffff) != WORD_DATA) return 0
  const payload = data + 5 + <usize>hasSpace
  if (<u32>load<u8>(payload) != OBJECT_START) return 0
  return takeObject(ctx, state, at, data, payload, end)
}

/** Takes an `event` line, if there is one. Returns where the next line begins; `end` gives up. */
function takeName(ctx: usize, at: usize, end: usize): usize {
  if (at + 8 > end || (load<u64>(at) & 0xff_ffff_ffff_ffff) != WORD_EVENT) return at
  const stop = lineEnd(at + 7, end)
  const profile = load<usize>(ctx, CTX_PROFILE)
  const bytesMax = load<u32>(profile, PROFILE_LINE_BYTES_MAX)
  if (stop - at > min(bytesMax, load<u32>(profile, PROFILE_NAME_BYTES_MAX) + 7)) return end
  store<usize>(ctx, at + 7, CTX_NAME)
  store<u32>(ctx, <u32>(stop - at) - 7, CTX_NAME_BYTES)
  return stop + 1 + <usize>(<u32>load<u8>(stop) == CR && <u32>load<u8>(stop, 1) == LF)
}

/** Takes the event from `event` on whose payload begins at `payload`. Returns its end, or 0. */
function takeObject(
  ctx: usize,
  state: usize,
  event: usize,
  data: usize,
  payload: usize,
  end: usize,
): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const profile = load<usize>(ctx, CTX_PROFILE)
  const frames = load<usize>(program, PROGRAM_FRAMES)
  const root = load<usize>(program, PROGRAM_ROOT)
  const depthMax = load<u32>(profile, PROFILE_DEPTH_MAX)
  const blanks = walk(ctx, payload, end, root, frames, depthMax, modeOf(program))
  if (blanks == 0) return 0
  const framing = load<u32>(program, PROGRAM_FRAMING)
  // An element is over with its last byte, a line after the blanks behind it.
  const stop = framing == FRAMING_ARRAY ? load<usize>(ctx, CTX_AT) : blanks
  const next = eventEnd(framing, stop, end)
  // The CR before an LF is a byte of an NDJSON line.
  const line = framing == FRAMING_NDJSON ? next - 1 : stop
  if (next == 0 || line - data > load<u32>(profile, PROFILE_LINE_BYTES_MAX)) return 0
  if (stop - payload > load<u32>(profile, PROFILE_EVENT_BYTES_MAX)) return 0
  // Commas before an element are none of its bytes, lines before the data are.
  const first = framing == FRAMING_ARRAY ? payload : event
  const chunkBytes = first - load<usize>(ctx, CTX_CHUNK)
  store<f64>(state, load<f64>(ctx, CTX_CHUNK_OFFSET) + <f64>chunkBytes, STATE_OFFSET)
  setFlags(state, FLAG_MARK_DONE)
  count(state, STATE_EVENTS)
  count(ctx, CTX_TEMPLATE_MISSES)
  countScanned(ctx, next - event)
  // What is malformed in a name is counted where the name is read, which a template spares.
  const name = load<usize>(ctx, CTX_NAME)
  const isPlainName = isPlain(name, name + load<u32>(ctx, CTX_NAME_BYTES), false)
  if (load<u8>(profile, PROFILE_STRICT) == 0 && isPlainName && wantsToLearn(program)) {
    learn(ctx, event, payload, stop, next)
  }
  if (isPassedOn(ctx)) {
    passOn(ctx, state, payload, stop)
    clearFlags(state, FLAG_HAS_ID)
    if (hasFlags(state, FLAG_FAILED)) return next
  }
  extract(ctx, state, payload, stop, frames, 0)
  return next
}

/** The end of an event whose payload, and the blanks behind it, end at `stop`; 0: it goes on. */
function eventEnd(framing: u32, stop: usize, end: usize): usize {
  if (framing == FRAMING_SSE) return blankLineEnd(stop, end)
  return framing == FRAMING_NDJSON ? recordEnd(stop, end) : stop
}

/** The byte after the line end at `stop`; 0 where there is none. */
function recordEnd(stop: usize, end: usize): usize {
  const feed = stop + <usize>(<u32>load<u8>(stop) == CR)
  return feed < end && <u32>load<u8>(feed) == LF ? feed + 1 : 0
}

/**
 * The end of the blank line after a line that ends at `stop`; 0 where there is none. The LF that
 * the next chunk may begin with after a CR is one more blank line there, which says nothing.
 */
function blankLineEnd(stop: usize, end: usize): usize {
  const word = load<u32>(stop)
  if ((word & 0xffff) == 0x0a0a) return stop + 2 <= end ? stop + 2 : 0
  if ((word & 0xffffff) != 0x0d0a0d || stop + 3 > end) return 0
  return stop + 3 + <usize>(stop + 4 <= end && word >> 24 == LF)
}
