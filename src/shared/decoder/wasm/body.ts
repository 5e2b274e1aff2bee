/**
 * Bodies that are no event stream: what comes in its place when a request fails is a JSON document,
 * or the HTML page of a proxy. The first byte tells, byte order mark and blanks apart.
 */
import {
  CTX_NAME_BYTES,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_STATE,
  DEPTH_CAP,
  FLAG_FAILED,
  FLAG_IS_HTML,
  FLAG_IS_JSON,
  FLAG_IS_STREAM,
  FLAG_MARK_OVER,
  FRAMING_AWS,
  FRAMING_SSE,
  MARK_BYTES_SHIFT,
  PROFILE_DEPTH_MAX,
  PROFILE_EVENT_BYTES_MAX,
  PROGRAM_FRAMES,
  PROGRAM_FRAMING,
  PROGRAM_IS_TEXT,
  PROGRAM_ROOT,
  STATE_BYTES,
  STATE_DATA_BYTES,
  STATE_DATA_SLAB,
  STATE_EVENTS,
  STATE_FLAGS,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { PRELUDE_BYTES } from './aws.ts'
import { append, placeOf } from './carry.ts'
import {
  fail,
  FAULT_BODY_TOO_LARGE,
  FAULT_GZIP,
  FAULT_HTML,
  FAULT_JSON_DOCUMENT,
  FAULT_NO_BUFFER_BODY,
} from './failure.ts'
import { walk, WALK_AGAIN } from './json.ts'
import { extract, refuse, takeJson } from './payload.ts'
import { ARRAY_END, ARRAY_START, blanksEnd, COMMA, OBJECT_START } from './scan.ts'
import { clearFlags, count, hasFlags, setFlags } from './state.ts'

/** First bytes of an HTML page that its report carries. */
const EXCERPT_BYTES_MAX: u32 = 64
/** A byte order mark as a little-endian word. */
const MARK: u32 = 0xbfbbef
/** How gzip begins; no text does. */
const GZIP_FIRST: u32 = 0x1f
const GZIP_SECOND: u32 = 0x8b
/** Its first byte has come: one byte of a mark, and no more, which by itself tells a stream. */
const GZIP_BEGUN: u32 = FLAG_MARK_OVER | (1 << MARK_BYTES_SHIFT)

/**
 * Finds out what the body is. Returns the byte that told, or `end` where none did. One that is
 * gzip fails the stream.
 */
export function sniff(ctx: usize, state: usize, at: usize, end: usize): usize {
  const framing = load<u32>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_FRAMING)
  // The first frame has failed by then, or it is one.
  const left = framing == FRAMING_AWS ? PRELUDE_BYTES - <u32>load<f64>(state, STATE_BYTES) : -1
  const stop = end - at > left ? at + left : end
  const isOver = end - at >= left
  for (; at < stop; at++) {
    const byte: u32 = load<u8>(at)
    const inMark = !hasFlags(state, FLAG_MARK_OVER)
    const markBytes = (load<u32>(state, STATE_FLAGS) >> MARK_BYTES_SHIFT) & 3
    if (inMark && markBytes == 0 && byte == GZIP_FIRST) {
      setFlags(state, GZIP_BEGUN)
      continue
    }
    if (!inMark && markBytes == 1) {
      if (byte == GZIP_SECOND) fail(ctx, FAULT_GZIP, 0, 0, 0, 0)
      else setFlags(state, FLAG_IS_STREAM)
      return at
    }
    if (inMark && markBytes < 3 && byte == ((MARK >> (markBytes * 8)) & 0xff)) {
      store<u32>(state, load<u32>(state, STATE_FLAGS) + (1 << MARK_BYTES_SHIFT), STATE_FLAGS)
      continue
    }
    setFlags(state, FLAG_MARK_OVER)
    const isMarkCut = inMark && (markBytes == 1 || markBytes == 2)
    if (!isMarkCut && blanksEnd(at, at + 1, false) != at) continue
    setFlags(state, isMarkCut ? FLAG_IS_STREAM : kindOf(ctx, byte))
    return at
  }
  if (isOver) setFlags(state, FLAG_IS_STREAM)
  return end
}

/** A stream that is JSON itself is not told from a document. */
function kindOf(ctx: usize, byte: u32): u32 {
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (load<u32>(program, PROGRAM_IS_TEXT) != 0) return FLAG_IS_STREAM
  if (byte == 0x3c) return FLAG_IS_HTML
  const framing = load<u32>(program, PROGRAM_FRAMING)
  const isOther = framing == FRAMING_SSE || framing == FRAMING_AWS
  return isOther && (byte | 0x20) == OBJECT_START ? FLAG_IS_JSON : FLAG_IS_STREAM
}

/** Keeps what came of the body: a JSON document whole, of a page the first bytes. */
export function keepBody(ctx: usize, state: usize, at: usize, end: usize): void {
  const isHtml = hasFlags(state, FLAG_IS_HTML)
  const had = load<u32>(state, STATE_DATA_BYTES)
  const came = <u32>(end - at)
  const bytes = isHtml ? min(came, EXCERPT_BYTES_MAX - had) : came
  const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_EVENT_BYTES_MAX)
  const offset = load<f64>(state, STATE_OFFSET)
  if (had + bytes > bytesMax) {
    fail(ctx, FAULT_BODY_TOO_LARGE, bytesMax, offset, 0, 0)
  } else if (!append(state, STATE_DATA_SLAB, had, at, bytes)) {
    fail(ctx, FAULT_NO_BUFFER_BODY, 0, offset, 0, 0)
  } else {
    store<u32>(state, had + bytes, STATE_DATA_BYTES)
    if (isHtml && had + bytes == EXCERPT_BYTES_MAX) endBody(ctx, state)
  }
}

/** Takes a body that is over. */
export function endBody(ctx: usize, state: usize): void {
  const at = placeOf(load<u32>(state, STATE_DATA_SLAB))
  const bytes = load<u32>(state, STATE_DATA_BYTES)
  const offset = load<f64>(state, STATE_OFFSET)
  if (hasFlags(state, FLAG_IS_HTML)) {
    fail(ctx, FAULT_HTML, 0, offset, at, bytes)
    return
  }
  count(state, STATE_EVENTS)
  store<u32>(ctx, 0, CTX_NAME_BYTES)
  if (<u32>load<u8>(at) == ARRAY_START) takeItems(ctx, state, at, at + bytes)
  else takeJson(ctx, state, at, at + bytes, false)
  if (!hasFlags(state, FLAG_FAILED)) fail(ctx, FAULT_JSON_DOCUMENT, 0, offset, at, bytes)
}

/** A JSON document may be a list of payloads: so some servers answer when not asked to stream. */
function takeItems(ctx: usize, state: usize, data: usize, end: usize): void {
  const depthMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_DEPTH_MAX)
  if (walk(ctx, data, end, 0, 0, depthMax, 0) != end) {
    refuse(ctx, state, data, end)
    return
  }
  if (<u32>load<u8>(blanksEnd(data + 1, end, false)) == ARRAY_END) return
  const program = load<usize>(ctx, CTX_PROGRAM)
  const frames = load<usize>(program, PROGRAM_FRAMES)
  const root = load<usize>(program, PROGRAM_ROOT)
  const second = walk(ctx, data + 1, end, root, frames, DEPTH_CAP, WALK_AGAIN)
  extract(ctx, state, data, end, frames, second)
}
