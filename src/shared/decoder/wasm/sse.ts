/**
 * Server-Sent Events, line by line: every shape of them, cut anywhere.
 *
 * A line that lies whole in the chunk is looked at in place, else it is put together in a slab. So
 * is the data of an event with several data lines. At the end of the chunk what is open moves into
 * slabs; until then its parts are addresses, wherever they point.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
import {
  CTX_CHUNK,
  CTX_CHUNK_OFFSET,
  CTX_DATA,
  CTX_ID,
  CTX_ID_BYTES,
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROFILE,
  CTX_STATE,
  DATA_AT_SHIFT,
  FLAG_AFTER_CR,
  FLAG_HAS_DATA,
  FLAG_HAS_ID,
  FLAG_IN_COMMENT,
  FLAG_MARK_DONE,
  FLAG_OPEN,
  PROFILE_EVENT_BYTES_MAX,
  PROFILE_ID_BYTES_MAX,
  PROFILE_LINE_BYTES_MAX,
  PROFILE_NAME_BYTES_MAX,
  STATE_COMMENTS,
  STATE_DATA_BYTES,
  STATE_DATA_SLAB,
  STATE_FLAGS,
  STATE_IGNORED_FIELDS,
  STATE_LINE_BYTES,
  STATE_LINE_SLAB,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { append, dropData, freeSlab, keepFields, placeOf, reserve, setDataAt } from './carry.ts'
import {
  fail,
  FAULT_EVENT_TOO_LARGE,
  FAULT_LINE_TOO_LONG,
  FAULT_NO_BUFFER_EVENT,
  FAULT_NO_BUFFER_LINE,
} from './failure.ts'
import { clearFlags, count, countScanned, hasFlags, setFlags } from './state.ts'
import { isPassedOn, takePayload, takeStray } from './payload.ts'
import { COLON, CR, lineEnd, SPACE } from './scan.ts'

/** `data`, `even` and `erro` as little-endian words. */
const WORD_DATA: u32 = 0x61746164
const WORD_EVEN: u32 = 0x6e657665
const WORD_ERRO: u32 = 0x6f727265

/** Takes the line that begins at `at`, or goes on there. Returns where the next one begins. */
export function takeLine(ctx: usize, at: usize, end: usize): usize {
  const state = load<usize>(ctx, CTX_STATE)
  const begun = load<u32>(state, STATE_LINE_BYTES)
  const stop = lineEnd(at, end)
  const bytes = begun + <u32>(stop - at)
  countScanned(ctx, stop - at)
  const chunkBytes = at - load<usize>(ctx, CTX_CHUNK)
  const offset = load<f64>(ctx, CTX_CHUNK_OFFSET) + <f64>chunkBytes - <f64>begun
  const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_LINE_BYTES_MAX)
  if (bytes > bytesMax) {
    failAt(ctx, FAULT_LINE_TOO_LONG, bytesMax, offset)
    return end
  }
  if (stop == end) {
    keepLine(ctx, state, at, end, offset)
    return end
  }
  if (<u32>load<u8>(stop) == CR) setFlags(state, FLAG_AFTER_CR)
  if (begun == 0) {
    takeWhole(ctx, state, at, stop, offset)
    return stop + 1
  }
  takeKept(ctx, state, begun, at, stop, offset)
  return stop + 1
}

/** The source ended where an event counts without its blank line, and a line without its end. */
export function endLines(ctx: usize, state: usize): void {
  const begun = load<u32>(state, STATE_LINE_BYTES)
  const offset = load<f64>(ctx, CTX_CHUNK_OFFSET) - <f64>begun
  if (begun > 0) takeKept(ctx, state, begun, 0, 0, offset)
  // Of a stream that has failed nothing is left to end.
  endEvent(ctx, state)
}

/** Takes a line of which `begun` bytes were kept, and the last are those from `at` to `end`. */
function takeKept(ctx: usize, state: usize, begun: u32, at: usize, end: usize, offset: f64): void {
  store<u32>(state, 0, STATE_LINE_BYTES)
  if (hasFlags(state, FLAG_IN_COMMENT)) {
    clearFlags(state, FLAG_IN_COMMENT)
    setFlags(state, FLAG_MARK_DONE)
    count(state, STATE_COMMENTS)
  } else if (append(state, STATE_LINE_SLAB, begun, at, <u32>(end - at))) {
    const line = placeOf(load<u32>(state, STATE_LINE_SLAB))
    takeWhole(ctx, state, line, line + begun + (end - at), offset)
    if (!keepFields(ctx, state)) failAt(ctx, FAULT_NO_BUFFER_EVENT, 0, offset)
    freeSlab(state, STATE_LINE_SLAB)
  } else failAt(ctx, FAULT_NO_BUFFER_LINE, 0, offset)
}

/** Keeps the start of a line until the rest of it comes; of a comment only its length. */
function keepLine(ctx: usize, state: usize, at: usize, end: usize, offset: f64): void {
  const begun = load<u32>(state, STATE_LINE_BYTES)
  const bytes = <u32>(end - at)
  if (begun == 0 && <u32>load<u8>(at) == COLON) setFlags(state, FLAG_IN_COMMENT)
  const isKept =
    hasFlags(state, FLAG_IN_COMMENT) || append(state, STATE_LINE_SLAB, begun, at, bytes)
  if (isKept) store<u32>(state, begun + bytes, STATE_LINE_BYTES)
  else failAt(ctx, FAULT_NO_BUFFER_LINE, 0, offset)
}

function takeWhole(ctx: usize, state: usize, line: usize, end: usize, lineOffset: f64): void {
  let at = line
  let offset = lineOffset
  if (!hasFlags(state, FLAG_MARK_DONE)) {
    setFlags(state, FLAG_MARK_DONE)
    if (end - at >= 3 && (load<u32>(at) & 0xffffff) == 0xbfbbef) {
      at += 3
      offset += 3
    }
  }
  if (at == end) {
    endEvent(ctx, state)
    return
  }
  if (<u32>load<u8>(at) == COLON) {
    count(state, STATE_COMMENTS)
    return
  }
  if (!hasFlags(state, FLAG_OPEN)) {
    store<f64>(state, offset, STATE_OFFSET)
    setFlags(state, FLAG_OPEN)
  }
  takeField(ctx, state, at, end)
}

function takeField(ctx: usize, state: usize, at: usize, end: usize): void {
  const word = load<u32>(at)
  if (word == WORD_DATA && isName(at, 4, end)) {
    takeData(ctx, state, valueOf(at + 4, end), end)
  } else if (word == WORD_EVEN && <u32>load<u8>(at, 4) == 0x74 && isName(at, 5, end)) {
    takeName(ctx, state, valueOf(at + 5, end), end)
  } else if ((word & 0xffff) == 0x6469 && isName(at, 2, end)) {
    takeId(ctx, state, valueOf(at + 2, end), end)
  } else if (word == WORD_ERRO && <u32>load<u8>(at, 4) == 0x72 && isName(at, 5, end)) {
    takeStray(ctx, valueOf(at + 5, end), end)
  }
}

/** Whether the field's name ends after `bytes` bytes. */
function isName(at: usize, bytes: usize, end: usize): bool {
  return at + bytes == end || (at + bytes < end && <u32>load<u8>(at + bytes) == COLON)
}

/** The field's value, from the end of its name: past the colon, and one space. */
function valueOf(at: usize, end: usize): usize {
  if (at == end) return end
  return at + 1 < end && <u32>load<u8>(at, 1) == SPACE ? at + 2 : at + 1
}

function takeName(ctx: usize, state: usize, at: usize, end: usize): void {
  if (end - at > load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_NAME_BYTES_MAX)) {
    count(state, STATE_IGNORED_FIELDS)
    return
  }
  store<usize>(ctx, at, CTX_NAME)
  store<u32>(ctx, <u32>(end - at), CTX_NAME_BYTES)
}

/** An id matters where events are passed on. */
function takeId(ctx: usize, state: usize, at: usize, end: usize): void {
  for (let byte = at; byte < end; byte++) {
    if (load<u8>(byte) == 0) return
  }
  if (end - at > load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_ID_BYTES_MAX)) {
    count(state, STATE_IGNORED_FIELDS)
    return
  }
  if (!isPassedOn(ctx)) return
  store<usize>(ctx, at, CTX_ID)
  store<u32>(ctx, <u32>(end - at), CTX_ID_BYTES)
  setFlags(state, FLAG_HAS_ID)
}

function takeData(ctx: usize, state: usize, at: usize, end: usize): void {
  const had = load<u32>(state, STATE_DATA_BYTES)
  const isFirst = !hasFlags(state, FLAG_HAS_DATA)
  const bytes = <u32>(end - at) + <u32>!isFirst
  const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_EVENT_BYTES_MAX)
  setFlags(state, FLAG_HAS_DATA)
  if (had + bytes > bytesMax) {
    failAt(ctx, FAULT_EVENT_TOO_LARGE, bytesMax, 0)
    return
  }
  const line = load<u32>(state, STATE_LINE_SLAB)
  if (!isFirst) {
    if (!joinData(ctx, state, at, end)) {
      failAt(ctx, FAULT_NO_BUFFER_EVENT, 0, 0)
      return
    }
  } else if (line != 0 && bytes > 0) {
    // The line was put together in a slab: that slab becomes the data's.
    store<u32>(state, line, STATE_DATA_SLAB)
    store<u32>(state, 0, STATE_LINE_SLAB)
    setDataAt(state, <u32>(at - placeOf(line)))
  }
  if (isFirst) store<usize>(ctx, at, CTX_DATA)
  store<u32>(state, had + bytes, STATE_DATA_BYTES)
}

/** Appends an LF and one more line to the data, wherever that was so far. */
function joinData(ctx: usize, state: usize, at: usize, end: usize): bool {
  const had = load<u32>(state, STATE_DATA_BYTES)
  if (load<u32>(state, STATE_DATA_SLAB) == 0) {
    setDataAt(state, 0)
    if (!append(state, STATE_DATA_SLAB, 0, load<usize>(ctx, CTX_DATA), had)) return false
  }
  const dataAt = load<u32>(state, STATE_FLAGS) >> DATA_AT_SHIFT
  const room = reserve(state, STATE_DATA_SLAB, dataAt + had, <u32>(end - at) + 1)
  if (room == 0) return false
  store<u8>(room, 0x0a)
  memory.copy(room + 1, at, end - at)
  store<usize>(ctx, room - had, CTX_DATA)
  return true
}

/** A blank line: dispatches the event if it has data, and forgets its name in any case. */
function endEvent(ctx: usize, state: usize): void {
  clearFlags(state, FLAG_OPEN)
  if (hasFlags(state, FLAG_HAS_DATA)) {
    const data = load<usize>(ctx, CTX_DATA)
    takePayload(ctx, state, data, data + load<u32>(state, STATE_DATA_BYTES))
    dropData(state)
    clearFlags(state, FLAG_HAS_ID)
  }
  store<u32>(ctx, 0, CTX_NAME_BYTES)
}

/** Ends the stream over the open event, or else over the line at `offset`. */
function failAt(ctx: usize, fault: i32, limit: u32, offset: f64): void {
  const state = load<usize>(ctx, CTX_STATE)
  const open = load<f64>(state, STATE_OFFSET)
  fail(ctx, fault, limit, hasFlags(state, FLAG_OPEN) ? open : offset, 0, 0)
}
