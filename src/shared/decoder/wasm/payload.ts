/** What a payload says, as rows; or why it is refused, as one. */
import {
  CTX_ID,
  CTX_ID_BYTES,
  CTX_INDEX_MAX,
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_OUT_OF_ROOM,
  CTX_PAYLOAD_END,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_REFUSAL,
  CTX_REPLACED,
  CTX_ROW_COUNT,
  CTX_STATE,
  CTX_TEMPLATE_MISSES,
  CTX_TEXT_BYTES,
  CTX_WIDE_BYTES,
  DEPTH_CAP,
  FLAG_ENDED,
  FLAG_FAILED,
  FLAG_HAS_ID,
  FRAMING_AWS,
  PROFILE_DEPTH_MAX,
  PROFILE_NUMBER_BYTES_MAX,
  PROFILE_RAW,
  PROFILE_STRICT,
  PROGRAM_FRAMES,
  PROGRAM_FRAMING,
  PROGRAM_IS_TEXT,
  PROGRAM_ONE_VALUE,
  PROGRAM_ROOT,
  PROGRAM_SENTINEL_COUNT,
  PROGRAM_SENTINELS,
  STATE_EVENTS,
  STATE_MALFORMED,
  STATE_OFFSET,
  STATE_REPLACEMENTS,
  STATE_SAID_MODEL,
  STATE_SAID_TEXT,
} from '../wasm-layout.ts'
import {
  fail,
  FAULT_CONCATENATED,
  FAULT_EMPTY,
  FAULT_INDEX,
  FAULT_MALFORMED_UTF8,
  FAULT_NO_BUFFER_ROWS,
  FAULT_NOT_JSON,
  FAULT_NUMBER_TOO_LONG,
  FAULT_TOO_DEEP,
  report,
} from './failure.ts'
import { quote } from './host.ts'
import { NUMBER_TOO_LONG, TOO_DEEP, walk, WALK_AGAIN } from './json.ts'
import { countReplaced, textRoom, writeRow, writeText } from './output.ts'
import {
  ROW_EVENT_DATA,
  ROW_EVENT_ID,
  ROW_EVENT_NAME,
  ROW_PROVIDER_ERROR,
  ROW_TERMINATOR,
} from './rows.ts'
import { runAll } from './rules.ts'
import { ARRAY_END, blanksEnd, COMMA, OBJECT_START, same } from './scan.ts'
import { count, countScanned, hasFlags, setFlags } from './state.ts'
import { learnPayload, takeServedByAny } from './serve.ts'
import { takeServedPayload } from './template.ts'
import { widen } from './text.ts'
import { findType } from './type.ts'
import { isWrapped, takeWrapped } from './wrapped.ts'

/** Index of a provider's error that came on a bare `error:` line, see ROW_PROVIDER_ERROR. */
const OUTSIDE_PROTOCOL = 0

/** Takes the payload of an event that is over. */
export function takePayload(ctx: usize, state: usize, at: usize, end: usize): void {
  count(state, STATE_EVENTS)
  if (isPassedOn(ctx)) passOn(ctx, state, at, end)
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (load<u32>(program, PROGRAM_IS_TEXT) != 0) return
  if (hasFlags(state, FLAG_ENDED | FLAG_FAILED) || takeSentinel(ctx, state, at, end)) return
  if (isWrapped(ctx)) takeWrapped(ctx, state, at, end)
  else takeJson(ctx, state, at, end, load<u32>(program, PROGRAM_ONE_VALUE) != 0)
}

/** Whether events are passed on as they were sent: there is no more to them, or it was asked. */
export function isPassedOn(ctx: usize): bool {
  const isText = load<u32>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_IS_TEXT)
  return (isText | load<u8>(load<usize>(ctx, CTX_PROFILE), PROFILE_RAW)) != 0
}

/** Passes an event on as it was sent: its name, its id, its payload. */
export function passOn(ctx: usize, state: usize, at: usize, end: usize): void {
  const rows = load<u32>(ctx, CTX_ROW_COUNT)
  const textBytes = load<u32>(ctx, CTX_TEXT_BYTES)
  const wideBytes = load<u32>(ctx, CTX_WIDE_BYTES)
  const replacements = load<u32>(state, STATE_REPLACEMENTS)
  const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
  const name = load<usize>(ctx, CTX_NAME)
  if (nameBytes > 0) {
    countReplaced(ctx, writeText(ctx, ROW_EVENT_NAME, 0, -1, name, name + nameBytes, false))
  }
  if (hasFlags(state, FLAG_HAS_ID)) {
    const id = load<usize>(ctx, CTX_ID)
    const idEnd = id + load<u32>(ctx, CTX_ID_BYTES)
    countReplaced(ctx, writeText(ctx, ROW_EVENT_ID, 0, -1, id, idEnd, false))
  }
  countReplaced(ctx, writeText(ctx, ROW_EVENT_DATA, 0, -1, at, end, false))
  settle(ctx, at, end, rows, textBytes, wideBytes, replacements)
}

function takeSentinel(ctx: usize, state: usize, at: usize, end: usize): bool {
  const program = load<usize>(ctx, CTX_PROGRAM)
  let sentinel = load<usize>(program, PROGRAM_SENTINELS)
  for (let left = load<u32>(program, PROGRAM_SENTINEL_COUNT); left > 0; left--, sentinel += 8) {
    const bytes = load<u32>(sentinel, 4)
    if (end - at != bytes || !same(at, load<usize>(sentinel), bytes)) continue
    setFlags(state, FLAG_ENDED)
    writeText(ctx, ROW_TERMINATOR, 0, -1, at, end, false)
    return true
  }
  return false
}

/** Takes a payload of one JSON value, or of several objects one after the other unless `isOne`. */
export function takeJson(ctx: usize, state: usize, data: usize, end: usize, isOne: bool): void {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const profile = load<usize>(ctx, CTX_PROFILE)
  const isStrict = load<u8>(profile, PROFILE_STRICT) != 0
  const isFramed = load<u32>(program, PROGRAM_FRAMING) == FRAMING_AWS
  if (!isStrict) {
    const isServed = isFramed
      ? takeServedByAny(ctx, state, data, end)
      : takeServedPayload(ctx, state, data, end)
    if (isServed) return
  }
  const at = afterMark(data, end)
  const frames = load<usize>(program, PROGRAM_FRAMES)
  const depthMax = load<u32>(profile, PROFILE_DEPTH_MAX)
  let after = walk(ctx, at, end, load<usize>(program, PROGRAM_ROOT), frames, depthMax, 0)
  const second: usize = after == 0 || after == end ? 0 : after
  if (second != 0 && !isObject(at, end)) after = 0
  while (after != 0 && after != end) {
    after = isObject(after, end) ? walk(ctx, after, end, 0, frames, depthMax, 0) : 0
  }
  count(ctx, CTX_TEMPLATE_MISSES)
  countScanned(ctx, end - data)
  if (after == 0) refuse(ctx, state, data, end)
  else if (isOne && second != 0) refuseSeveral(ctx, state, data, end)
  else {
    if (isFramed && !isStrict && second == 0) learnPayload(ctx, data, end)
    extract(ctx, state, data, end, frames, second)
  }
}

/** Past a byte order mark. */
export function afterMark(at: usize, end: usize): usize {
  return end - at >= 3 && (load<u32>(at) & 0xffffff) == 0xbfbbef ? at + 3 : at
}

function isObject(at: usize, end: usize): bool {
  const start = blanksEnd(at, end, false)
  return start < end && <u32>load<u8>(start) == OBJECT_START
}

/**
 * Writes the rows of a payload of which `frames` has the first value. `second` is where that ends
 * and another begins, perhaps after a comma; 0 where there is but one.
 */
export function extract(
  ctx: usize,
  state: usize,
  data: usize,
  end: usize,
  frames: usize,
  second: usize,
): void {
  const rows = load<u32>(ctx, CTX_ROW_COUNT)
  const textBytes = load<u32>(ctx, CTX_TEXT_BYTES)
  const wideBytes = load<u32>(ctx, CTX_WIDE_BYTES)
  const replacements = load<u32>(state, STATE_REPLACEMENTS)
  const said = load<u64>(state, STATE_SAID_TEXT)
  const moreSaid = load<u32>(state, STATE_SAID_MODEL)
  store<u32>(ctx, 0, CTX_INDEX_MAX)
  store<usize>(ctx, end, CTX_PAYLOAD_END)
  extractOne(ctx, frames)
  const root = load<usize>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_ROOT)
  for (let at = second; at != 0 && at != end;) {
    const byte: u32 = load<u8>(at)
    if (byte == ARRAY_END) break
    at = walk(ctx, byte == COMMA ? at + 1 : at, end, root, frames, DEPTH_CAP, WALK_AGAIN)
    extractOne(ctx, frames)
  }
  const indexMax = load<u32>(ctx, CTX_INDEX_MAX)
  if (indexMax == 0 || load<u32>(ctx, CTX_OUT_OF_ROOM) != 0) {
    settle(ctx, data, end, rows, textBytes, wideBytes, replacements)
    return
  }
  takeBack(ctx, rows, textBytes, wideBytes)
  store<u32>(state, replacements, STATE_REPLACEMENTS)
  store<u64>(state, said, STATE_SAID_TEXT)
  store<u32>(state, moreSaid, STATE_SAID_MODEL)
  count(state, STATE_MALFORMED)
  const offset = load<f64>(state, STATE_OFFSET)
  report(ctx, FAULT_INDEX, indexMax, offset, data, <u32>(end - data))
}

/** Forgets the rows since there were so many. */
function takeBack(ctx: usize, rows: u32, textBytes: u32, wideBytes: u32): void {
  store<u32>(ctx, rows, CTX_ROW_COUNT)
  store<u32>(ctx, textBytes, CTX_TEXT_BYTES)
  store<u32>(ctx, wideBytes, CTX_WIDE_BYTES)
}

function extractOne(ctx: usize, frames: usize): void {
  findType(ctx, frames)
  runAll(ctx, frames)
}

/**
 * Ends the rows of an event: undoes them where there was no room for all, or where malformed UTF-8
 * is an error and some was met. The counts tell what was there before.
 */
export function settle(
  ctx: usize,
  at: usize,
  end: usize,
  rows: u32,
  textBytes: u32,
  wideBytes: u32,
  replacements: u32,
): void {
  const state = load<usize>(ctx, CTX_STATE)
  const isOutOfRoom = load<u32>(ctx, CTX_OUT_OF_ROOM) != 0
  if (!isOutOfRoom) {
    if (load<u32>(state, STATE_REPLACEMENTS) == replacements) return
    if (load<u8>(load<usize>(ctx, CTX_PROFILE), PROFILE_STRICT) == 0) return
  }
  takeBack(ctx, rows, textBytes, wideBytes)
  store<u32>(ctx, 0, CTX_OUT_OF_ROOM)
  const offset = load<f64>(state, STATE_OFFSET)
  if (isOutOfRoom) {
    fail(ctx, FAULT_NO_BUFFER_ROWS, 0, offset, 0, 0)
  } else {
    count(state, STATE_MALFORMED)
    fail(ctx, FAULT_MALFORMED_UTF8, 0, offset, at, <u32>(end - at))
  }
}

export function refuse(ctx: usize, state: usize, at: usize, end: usize): void {
  count(state, STATE_MALFORMED)
  const offset = load<f64>(state, STATE_OFFSET)
  const bytes = <u32>(end - at)
  const profile = load<usize>(ctx, CTX_PROFILE)
  const refusal = load<u32>(ctx, CTX_REFUSAL)
  if (refusal == TOO_DEEP) {
    report(ctx, FAULT_TOO_DEEP, load<u32>(profile, PROFILE_DEPTH_MAX), offset, at, bytes)
  } else if (refusal == NUMBER_TOO_LONG) {
    const numberMax = load<u32>(profile, PROFILE_NUMBER_BYTES_MAX)
    report(ctx, FAULT_NUMBER_TOO_LONG, numberMax, offset, at, bytes)
  } else report(ctx, bytes == 0 ? FAULT_EMPTY : FAULT_NOT_JSON, 0, offset, at, bytes)
}

function refuseSeveral(ctx: usize, state: usize, at: usize, end: usize): void {
  count(state, STATE_MALFORMED)
  report(ctx, FAULT_CONCATENATED, 0, load<f64>(state, STATE_OFFSET), at, <u32>(end - at))
}

/** Some servers end a stream with a bare line `error: {…}`, which WHATWG has a client ignore. */
export function takeStray(ctx: usize, at: usize, end: usize): void {
  const state = load<usize>(ctx, CTX_STATE)
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (at == end || hasFlags(state, FLAG_ENDED)) return
  if (load<u32>(program, PROGRAM_IS_TEXT) != 0) return
  const depthMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_DEPTH_MAX)
  const start = afterMark(at, end)
  const after = walk(ctx, start, end, 0, 0, depthMax, 0)
  if (after == end && isObject(start, end)) {
    const kind = ROW_PROVIDER_ERROR
    countReplaced(ctx, writeText(ctx, kind, 0, OUTSIDE_PROTOCOL, at, end, false))
    return
  }
  const bytes = <u32>(end - at)
  const out = textRoom(ctx, bytes * 6 + 32)
  if (out == 0) return
  widen(ctx, at, end, out, false)
  countReplaced(ctx, load<u32>(ctx, CTX_REPLACED))
  const quoted = quote(at, bytes, out)
  writeRow(ctx, ROW_PROVIDER_ERROR, 0, OUTSIDE_PROTOCOL, quoted)
}
