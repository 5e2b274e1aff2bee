/**
 * AWS event streams: frames of headers and a payload, with a CRC over the prelude and one over all.
 * The plain decoder's framer says what that means.
 *
 * A frame that lies whole in the chunk is read where it is, else it is put together in a slab. Its
 * prelude is checked once that is there, since it tells how long the rest will be; all of it, in
 * one pass, once it is whole.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
import {
  CTX_CHUNK,
  CTX_CHUNK_OFFSET,
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_REPLACED,
  CTX_ROW_COUNT,
  CTX_STATE,
  CTX_TEXT_BYTES,
  CTX_WIDE_BYTES,
  FLAG_ENDED,
  PROFILE_DEPTH_MAX,
  PROFILE_EVENT_BYTES_MAX,
  HEADERS_BYTES_MAX,
  PROGRAM_CRC,
  PROGRAM_HEADERS,
  PROGRAM_HEADERS_BYTES,
  PROGRAM_HEADERS_NAME_AT,
  PROGRAM_HEADERS_NAME_BYTES,
  STATE_EVENTS,
  STATE_LINE_BYTES,
  STATE_LINE_SLAB,
  STATE_OFFSET,
  STATE_REPLACEMENTS,
} from '../wasm-layout.ts'
import { append, freeSlab, placeOf } from './carry.ts'
import { CRC_START, crcOf } from './crc.ts'
import {
  fail,
  FAULT_EVENT_TOO_LARGE,
  FAULT_FRAME_CRC,
  FAULT_FRAME_HEADERS,
  FAULT_FRAME_LENGTHS,
  FAULT_NO_BUFFER_EVENT,
  FAULT_PRELUDE_CRC,
} from './failure.ts'
import { exception } from './host.ts'
import { countReplaced, textRoom, writeText } from './output.ts'
import { settle, takePayload } from './payload.ts'
import { ROW_PROVIDER_ERROR } from './rows.ts'
import { same } from './scan.ts'
import { count, countScanned, hasFlags } from './state.ts'

/** Total length, length of the headers, CRC of those two: 32 bits each, big-endian. */
export const PRELUDE_BYTES: u32 = 12
const CRC_BYTES: u32 = 4
const FRAME_BYTES_MIN: u32 = PRELUDE_BYTES + CRC_BYTES

/** Types of a header's value whose length is told by two bytes before it. */
const TYPE_BYTES: u32 = 6
const TYPE_STRING: u32 = 7
/** The last type. */
const TYPE_UUID: u32 = 9

/** What a frame is, by its `:message-type`; or that its headers are not whole. */
const IS_EVENT = 0
const IS_EXCEPTION = 1
const IS_ERROR = 2
const IS_BROKEN = 3

// Names of headers and what one says: the first and the last eight bytes, as little-endian words.
const EVENT_TYPE: u64 = 0x742d_746e_6576_653a
const EVENT_TYPE_LAST: u64 = 0x6570_7974_2d74_6e65
const MESSAGE_TYPE: u64 = 0x6567_6173_7365_6d3a
const MESSAGE_TYPE_LAST: u64 = 0x6570_7974_2d65_6761
const EXCEPTION_TYPE: u64 = 0x6974_7065_6378_653a
const EXCEPTION_TYPE_LAST: u64 = 0x6570_7974_2d6e_6f69
const ERROR_CODE: u64 = 0x632d_726f_7272_653a
const ERROR_CODE_LAST: u64 = 0x6564_6f63_2d72_6f72
const ERROR_MESSAGE: u64 = 0x6d2d_726f_7272_653a
const ERROR_MESSAGE_LAST: u64 = 0x6567_6173_7365_6d2d
const EXCEPTION: u64 = 0x6f69_7470_6563_7865
const EXCEPTION_LAST: u64 = 0x6e6f_6974_7065_6378
/** `erro`. */
const ERRO: u32 = 0x6f72_7265

/** Takes the frame that begins at `at`, or goes on there. Returns the byte after what it took. */
export function takeFrame(ctx: usize, at: usize, end: usize): usize {
  const state = load<usize>(ctx, CTX_STATE)
  if (load<u32>(state, STATE_LINE_BYTES) != 0) return goOn(ctx, state, at, end)
  const chunkBytes = at - load<usize>(ctx, CTX_CHUNK)
  store<f64>(state, load<f64>(ctx, CTX_CHUNK_OFFSET) + <f64>chunkBytes, STATE_OFFSET)
  if (end - at >= PRELUDE_BYTES) {
    const total = takePrelude(ctx, state, at)
    if (total == 0) return end
    if (end - at >= total) {
      takeWhole(ctx, state, at, total)
      return at + total
    }
  }
  keepFrame(ctx, state, at, end)
  return end
}

/** Goes on with a frame that began in an earlier chunk: to the end of its prelude, or its own. */
function goOn(ctx: usize, state: usize, at: usize, end: usize): usize {
  const begun = load<u32>(state, STATE_LINE_BYTES)
  const isPrelude = begun < PRELUDE_BYTES
  const wanted = isPrelude ? PRELUDE_BYTES : wordAt(placeOf(load<u32>(state, STATE_LINE_SLAB)))
  const stop = at + min<usize>(wanted - begun, end - at)
  if (!keepFrame(ctx, state, at, stop)) return end
  if (load<u32>(state, STATE_LINE_BYTES) < wanted) return end
  const frame = placeOf(load<u32>(state, STATE_LINE_SLAB))
  if (isPrelude) return takePrelude(ctx, state, frame) == 0 ? end : stop
  store<u32>(state, 0, STATE_LINE_BYTES)
  takeWhole(ctx, state, frame, wanted)
  freeSlab(state, STATE_LINE_SLAB)
  return stop
}

/** Keeps bytes of a frame until the rest of it comes. False where no slab is to be had. */
function keepFrame(ctx: usize, state: usize, at: usize, end: usize): bool {
  const begun = load<u32>(state, STATE_LINE_BYTES)
  const bytes = <u32>(end - at)
  if (!append(state, STATE_LINE_SLAB, begun, at, bytes)) {
    fail(ctx, FAULT_NO_BUFFER_EVENT, 0, load<f64>(state, STATE_OFFSET), 0, 0)
    return false
  }
  store<u32>(state, begun + bytes, STATE_LINE_BYTES)
  return true
}

/** Checks a prelude. Returns the length of its frame; 0 where the stream has failed. */
function takePrelude(ctx: usize, state: usize, prelude: usize): u32 {
  if (!checkCrc(ctx, state, FAULT_PRELUDE_CRC, prelude, PRELUDE_BYTES)) return 0
  const total = wordAt(prelude)
  const offset = load<f64>(state, STATE_OFFSET)
  const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_EVENT_BYTES_MAX)
  if (total < FRAME_BYTES_MIN || wordAt(prelude + 4) > total - FRAME_BYTES_MIN) {
    fail(ctx, FAULT_FRAME_LENGTHS, total, offset, 0, 0)
    return 0
  }
  if (total <= bytesMax) return total
  fail(ctx, FAULT_EVENT_TOO_LARGE, bytesMax, offset, 0, 0)
  return 0
}

/** Whether the last four bytes are the CRC of those before; else the stream has failed. */
function checkCrc(ctx: usize, state: usize, fault: i32, at: usize, bytes: u32): bool {
  const tables = load<usize>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_CRC)
  const sent = at + bytes - CRC_BYTES
  const crc = ~crcOf(tables, CRC_START, at, sent)
  countScanned(ctx, bytes)
  if (crc == wordAt(sent)) return true
  fail(ctx, fault, crc, load<f64>(state, STATE_OFFSET), sent, CRC_BYTES)
  return false
}

/** Takes a frame whose prelude was checked. */
function takeWhole(ctx: usize, state: usize, frame: usize, total: u32): void {
  if (!checkCrc(ctx, state, FAULT_FRAME_CRC, frame, total)) return
  const headers = frame + PRELUDE_BYTES
  const payload = headers + wordAt(frame + 4)
  const end = frame + total - CRC_BYTES
  const kind = recallHeaders(ctx, headers, payload)
  if (kind == IS_BROKEN) {
    fail(ctx, FAULT_FRAME_HEADERS, 0, load<f64>(state, STATE_OFFSET), 0, 0)
  } else if (kind == IS_EVENT) {
    takePayload(ctx, state, payload, end)
  } else {
    count(state, STATE_EVENTS)
    if (hasFlags(state, FLAG_ENDED)) return
    const isError = kind == IS_ERROR
    const type = isError
      ? findHeader(headers, payload, 11, ERROR_CODE, ERROR_CODE_LAST)
      : findHeader(headers, payload, 15, EXCEPTION_TYPE, EXCEPTION_TYPE_LAST)
    const data = isError
      ? findHeader(headers, payload, 14, ERROR_MESSAGE, ERROR_MESSAGE_LAST)
      : spanOf(payload, end)
    takeException(ctx, state, type, data, isError)
  }
}

/** The same of headers that are those of an earlier event, byte for byte, without reading them. */
function recallHeaders(ctx: usize, at: usize, end: usize): i32 {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const known = load<usize>(program, PROGRAM_HEADERS)
  const bytes = <u32>(end - at)
  if (bytes == load<u32>(program, PROGRAM_HEADERS_BYTES) && same(at, known, bytes)) {
    store<usize>(ctx, at + load<u32>(program, PROGRAM_HEADERS_NAME_AT), CTX_NAME)
    store<u32>(ctx, load<u32>(program, PROGRAM_HEADERS_NAME_BYTES), CTX_NAME_BYTES)
    return IS_EVENT
  }
  const kind = readHeaders(ctx, at, end)
  const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
  if (kind == IS_EVENT && nameBytes != 0 && bytes <= <u32>HEADERS_BYTES_MAX) {
    memory.copy(known, at, bytes)
    store<u32>(program, bytes, PROGRAM_HEADERS_BYTES)
    store<u32>(program, <u32>(load<usize>(ctx, CTX_NAME) - at), PROGRAM_HEADERS_NAME_AT)
    store<u32>(program, nameBytes, PROGRAM_HEADERS_NAME_BYTES)
  }
  return kind
}

/** Reads all headers: notes the event's name, and tells what the frame is. */
function readHeaders(ctx: usize, at: usize, end: usize): i32 {
  let kind = IS_EVENT
  store<u32>(ctx, 0, CTX_NAME_BYTES)
  while (at < end) {
    const value = valueAt(at, end)
    const next = headerEnd(at, end)
    if (next == 0) return IS_BROKEN
    if (isNamed(at, 11, EVENT_TYPE, EVENT_TYPE_LAST)) {
      store<usize>(ctx, value, CTX_NAME)
      store<u32>(ctx, <u32>(next - value), CTX_NAME_BYTES)
    } else if (isNamed(at, 13, MESSAGE_TYPE, MESSAGE_TYPE_LAST)) {
      kind = kindOf(value, next)
    }
    at = next
  }
  return kind
}

/** The value of the last such header that is a string, as a span; an empty one without any. */
function findHeader(at: usize, end: usize, bytes: u32, first: u64, last: u64): u64 {
  let found: u64 = 0
  while (at < end) {
    const next = headerEnd(at, end)
    if (isNamed(at, bytes, first, last)) found = spanOf(valueAt(at, end), next)
    at = next
  }
  return found
}

/** An address, and in the upper half how many bytes lie there. */
function spanOf(at: usize, end: usize): u64 {
  return <u64>at | ((<u64>(end - at)) << 32)
}

/** Where a header's value begins; past `end` where it does not. */
function valueAt(header: usize, end: usize): usize {
  const type = header + 1 + <usize>load<u8>(header)
  if (type >= end) return end + 1
  return hasLength(load<u8>(type)) ? type + 3 : type + 1
}

/** The byte after a header; 0 where it is not whole, or of no known type. */
function headerEnd(header: usize, end: usize): usize {
  const value = valueAt(header, end)
  if (value > end) return 0
  const at = header + 1 + <usize>load<u8>(header)
  const type: u32 = load<u8>(at)
  if (type > TYPE_UUID) return 0
  const bytes = hasLength(type)
    ? ((<usize>load<u8>(at, 1)) << 8) | <usize>load<u8>(at, 2)
    : fixedBytes(type)
  return value + bytes <= end ? value + bytes : 0
}

function hasLength(type: u32): bool {
  return type == TYPE_BYTES || type == TYPE_STRING
}

/** Booleans have none; a byte, 16, 32 and 64 bits; a time; a UUID. */
function fixedBytes(type: u32): usize {
  if (type < 2) return 0
  if (type < TYPE_BYTES) return 1 << (type - 2)
  return type == TYPE_UUID ? 16 : 8
}

/** Whether a header is a string of that name, which is `bytes` long. */
function isNamed(header: usize, bytes: u32, first: u64, last: u64): bool {
  if (<u32>load<u8>(header) != bytes || load<u64>(header, 1) != first) return false
  const end = header + 1 + bytes
  return load<u64>(end - 8) == last && <u32>load<u8>(end) == TYPE_STRING
}

function kindOf(value: usize, end: usize): i32 {
  const bytes = end - value
  if (bytes == 5 && load<u32>(value) == ERRO && <u32>load<u8>(value, 4) == 0x72) return IS_ERROR
  if (bytes != 9 || load<u64>(value) != EXCEPTION) return IS_EVENT
  return load<u64>(value, 1) == EXCEPTION_LAST ? IS_EXCEPTION : IS_EVENT
}

/** Writes the provider's failure: its type, and the payload or the message that came with it. */
function takeException(ctx: usize, state: usize, type: u64, data: u64, isError: bool): void {
  const rows = load<u32>(ctx, CTX_ROW_COUNT)
  const textBytes = load<u32>(ctx, CTX_TEXT_BYTES)
  const wideBytes = load<u32>(ctx, CTX_WIDE_BYTES)
  const replacements = load<u32>(state, STATE_REPLACEMENTS)
  const typeBytes = <u32>(type >> 32)
  const at = <usize>data
  const bytes = <u32>(data >> 32)
  // A byte becomes six at most, and what is put around them is short.
  const room = (typeBytes + bytes) * 6 + 64
  const out = textRoom(ctx, room * 2)
  if (out != 0) {
    const depthMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_DEPTH_MAX)
    const said = out + room
    const length = exception(<usize>type, typeBytes, at, bytes, isError, depthMax, said)
    countReplaced(ctx, load<u32>(ctx, CTX_REPLACED))
    writeText(ctx, ROW_PROVIDER_ERROR, 0, -1, said, said + length, false)
  }
  settle(ctx, at, at + bytes, rows, textBytes, wideBytes, replacements)
}

/** A word of the frame: they are big-endian. */
function wordAt(at: usize): u32 {
  return bswap<u32>(load<u32>(at))
}
