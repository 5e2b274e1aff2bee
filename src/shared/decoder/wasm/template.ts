/**
 * Templates: lexing without reading.
 *
 * Consecutive events of a stream are the same, byte for byte, but for a few scalars: the token, a
 * number that counts, random padding. A template holds the bytes that stay the same, the literals,
 * and between them holes, where a string's inside, a number or a run of blanks may be any. An event
 * that matches, from the first byte of its first line to its blank line, is the event that the
 * template was learnt from, with other scalars in the holes. So a walk would note the very same
 * values, and the template has them noted already: in frames of its own, where slots point into its
 * own copy of that event, but for those that a hole fills.
 *
 * What a hit saves is the walk, and the rules that cannot say anything: the steps are what is left
 * of them. Most steps pass one string on; the others run their rule, as ever.
 *
 * Templates are a cache: they may be lost at any time between two events.
 */
import {
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_ROW_COUNT,
  CTX_ROWS,
  CTX_ROWS_MAX,
  CTX_TEMPLATE_HITS,
  CTX_TEXT,
  CTX_TEXT_BYTES,
  CTX_TEXT_BYTES_MAX,
  CTX_TYPE,
  CTX_TYPE_AT,
  CTX_TYPE_END,
  CTX_TYPE_IS_JSON,
  CTX_WIDE_BYTES,
  CTX_WIDE_BYTES_MAX,
  FAULT_BYTES_MAX,
  FLAG_MARK_DONE,
  NUMBER_BYTES_SAFE,
  PROFILE_DEPTH_MAX,
  PROFILE_EVENT_BYTES_MAX,
  PROFILE_LINE_BYTES_MAX,
  PROGRAM_DEBT,
  PROGRAM_HITS,
  PROGRAM_LAST,
  PROGRAM_ORDER,
  PROGRAM_TEMPLATE_COUNT,
  STATE_EVENTS,
} from '../wasm-layout.ts'
import {
  HOLE_BLANKS,
  HOLE_NUMBER,
  HOLE_STRING,
  PATCH_DISTANCE,
  PATCH_PIECE,
  PATCH_SIZE,
  PATCH_WORD,
  PIECE_BYTES,
  PIECE_FOUND,
  PIECE_HOLE,
  PIECE_LITERAL,
  PIECE_SIZE,
  PIECE_SLOT,
  STEP_CHOICE,
  STEP_FRAME,
  STEP_INDEX,
  STEP_ONCE,
  STEP_ROW,
  STEP_RULE,
  STEP_SAID,
  STEP_SAYS,
  STEP_SIZE,
  STEP_SLOT,
  STEPS_UNKNOWN,
  TEMPLATE_BYTES,
  TEMPLATE_DEPTH,
  TEMPLATE_FRAMES,
  TEMPLATE_HAS_RULES,
  TEMPLATE_LAST_PIECE,
  TEMPLATE_LEAD,
  TEMPLATE_NAME,
  TEMPLATE_NAME_BYTES,
  TEMPLATE_NEXT,
  TEMPLATE_PATCH_COUNT,
  TEMPLATE_PATCHES,
  TEMPLATE_PIECES,
  TEMPLATE_RULE_COUNT,
  TEMPLATE_STEP_COUNT,
  TEMPLATE_STEPS,
  TEMPLATE_TAIL,
  TEMPLATE_TYPE,
  TEMPLATE_TYPE_AT,
  TEMPLATE_TYPE_END,
  TEMPLATE_TYPE_IS_JSON,
} from '../wasm-template-layout.ts'
import { countReplaced, hasEnough, wideRoom, writeText } from './output.ts'
import { runAll, write } from './rules.ts'
import { gapEnd, numberEnd, QUOTE, same, shortEscapesEnd, stringEnd, stringStops } from './scan.ts'
import { countScanned, setFlags } from './state.ts'
import { narrow } from './text.ts'
import { findType } from './type.ts'
import { indexOfDigits } from './values.ts'

/** Templates that an event is held against at most: each may read all of it. */
const TRIES_MAX: u32 = 4
/** In debt for more than this, templates are not worth the search: see learn.ts. */
export const DEBT_MAX: u32 = 96
/** Rows that a rule with one value for each path writes at most: those of a tool. */
const RULE_ROWS_MAX: u32 = 4
const ROW_BYTES: u32 = 12

/**
 * Takes events from a boundary on, as many as templates serve. Returns where the first begins that
 * none does.
 *
 * Not for streams that are strict: rows written here are not taken back.
 */
export function takeServed(ctx: usize, state: usize, start: usize, end: usize): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const profile = load<usize>(ctx, CTX_PROFILE)
  const depthMax = load<u32>(profile, PROFILE_DEPTH_MAX)
  const lineBytesMax = load<u32>(profile, PROFILE_LINE_BYTES_MAX)
  const bytesMax = min(lineBytesMax, load<u32>(profile, PROFILE_EVENT_BYTES_MAX))
  let last = load<usize>(program, PROGRAM_LAST)
  let hits: u32 = 0
  let at = start
  while (last != 0 && !hasEnough(ctx)) {
    // What followed it last time is most likely to follow it now.
    let template = load<usize>(last, TEMPLATE_NEXT)
    let stop = match(template, at, end, depthMax, true)
    if (stop == 0) {
      store<usize>(program, last, PROGRAM_LAST)
      template = findOther(ctx, program, at, end, depthMax, template)
      if (template == 0) break
      stop = match(template, at, end, depthMax, true)
      follow(program, template)
    }
    // An event that is shorter than every limit exceeds none. One that is not may, or may not.
    if (stop - at > bytesMax || !hasRoom(ctx, template, <u32>(stop - at))) break
    extractServed(ctx, state, template)
    last = template
    at = stop
    hits++
  }
  if (hits == 0) return at
  store<usize>(program, last, PROGRAM_LAST)
  setFlags(state, FLAG_MARK_DONE)
  store<u32>(state, load<u32>(state, STATE_EVENTS) + hits, STATE_EVENTS)
  countHits(ctx, program, hits)
  countScanned(ctx, at - start)
  return at
}

function countHits(ctx: usize, program: usize, hits: u32): void {
  store<u32>(program, load<u32>(program, PROGRAM_HITS) + hits, PROGRAM_HITS)
  store<u32>(ctx, load<u32>(ctx, CTX_TEMPLATE_HITS) + hits, CTX_TEMPLATE_HITS)
}

/** Another template that the event matches, 0 where there is none: those that served latest. */
function findOther(
  ctx: usize,
  program: usize,
  at: usize,
  end: usize,
  depthMax: u32,
  tried: usize,
): usize {
  const order = load<usize>(program, PROGRAM_ORDER)
  const tries = load<u32>(program, PROGRAM_DEBT) > DEBT_MAX ? 0 : TRIES_MAX
  const count = min(load<u32>(program, PROGRAM_TEMPLATE_COUNT), tries)
  for (let index: u32 = 0; index < count; index++) {
    const template = load<usize>(order + (index << 2))
    countScanned(ctx, min(load<usize>(template, TEMPLATE_BYTES), end - at))
    if (template != tried && match(template, at, end, depthMax, true) != 0) return template
  }
  return 0
}

/** Makes a template the successor of the one that served last, and the first of all to be tried. */
export function follow(program: usize, template: usize): void {
  const last = load<usize>(program, PROGRAM_LAST)
  if (last != 0) store<usize>(last, template, TEMPLATE_NEXT)
  store<usize>(program, template, PROGRAM_LAST)
  let moved = template
  for (let place = load<usize>(program, PROGRAM_ORDER); ; place += 4) {
    const here = load<usize>(place)
    store<usize>(place, moved)
    if (here == template) return
    moved = here
  }
}

/** Takes a payload whose event was put together elsewhere. False where no template serves it. */
export function takeServedPayload(ctx: usize, state: usize, at: usize, end: usize): bool {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const last = load<usize>(program, PROGRAM_LAST)
  if (last == 0) return false
  const template = load<usize>(last, TEMPLATE_NEXT)
  const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
  if (load<u32>(template, TEMPLATE_NAME_BYTES) != nameBytes) return false
  if (!same(load<usize>(template, TEMPLATE_NAME), load<usize>(ctx, CTX_NAME), nameBytes)) {
    return false
  }
  const depthMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_DEPTH_MAX)
  // An empty payload may well lie at address 0, which is also what no match is.
  if (at == end || match(template, at, end, depthMax, false) != end) return false
  if (!hasRoom(ctx, template, <u32>(end - at))) return false
  extractServed(ctx, state, template)
  store<usize>(program, template, PROGRAM_LAST)
  countHits(ctx, program, 1)
  countScanned(ctx, end - at)
  return true
}

/**
 * Matches a template against an event at `start`, or only against its payload. Returns the byte
 * after it, 0 where they differ.
 */
function match(template: usize, start: usize, end: usize, depthMax: u32, isEvent: bool): usize {
  if (load<u32>(template, TEMPLATE_BYTES) == 0) return 0
  if (load<u32>(template, TEMPLATE_DEPTH) > depthMax) return 0
  let at = start
  let piece = template + TEMPLATE_PIECES
  const last = load<usize>(template, TEMPLATE_LAST_PIECE)
  let lead: usize = isEvent ? 0 : load<usize>(template, TEMPLATE_LEAD)
  const tail: usize = isEvent ? 0 : load<usize>(template, TEMPLATE_TAIL)
  while (true) {
    const literal = load<usize>(piece, PIECE_LITERAL) + lead
    let bytes = load<usize>(piece, PIECE_BYTES) - lead
    if (piece == last) bytes -= tail
    if (at + bytes > end || !isLiteral(literal, at, bytes)) return 0
    store<usize>(piece, at - lead, PIECE_FOUND)
    at += bytes
    if (piece == last) return at
    lead = 0
    const hole = at
    const slot = load<usize>(piece, PIECE_SLOT)
    const kind = load<u32>(piece, PIECE_HOLE)
    if (kind == HOLE_STRING) {
      const stops = stringStops(v128.load(at)) | (stringStops(v128.load(at, 16)) << 16)
      at += ctz(stops)
      if (stops == 0 || <u32>load<u8>(at) != QUOTE) {
        if (stops == 0) at = hole + 32
        if (at + 64 <= end) at = shortEscapesEnd(at)
        if (<u32>load<u8>(at) != QUOTE) at = stringEnd(at, end)
        if (at == 0) return 0
      }
      store<usize>(slot, hole - 1)
      store<usize>(slot, at + 1, 4)
    } else if (kind != HOLE_BLANKS) {
      at = numberEnd(at, end)
      if (at == 0 || at - hole > <usize>NUMBER_BYTES_SAFE) return 0
      if (kind != HOLE_NUMBER && indexOfDigits(hole, at, kind) < 0) return 0
      store<usize>(slot, hole)
      store<usize>(slot, at, 4)
    } else at = gapEnd(at, end)
    piece += PIECE_SIZE
  }
}

/** Compares without a branch for each block: nearly all literals match. */
function isLiteral(literal: usize, at: usize, bytes: usize): bool {
  if (bytes < 16) {
    const equal = i8x16.bitmask(i8x16.eq(v128.load(literal), v128.load(at)))
    return (~equal & ((1 << (<i32>bytes)) - 1)) == 0
  }
  // The last block may overlap the one before.
  const last = literal + bytes - 16
  const distance = at - literal
  let differs = v128.xor(v128.load(last), v128.load(last + distance))
  for (; literal < last; literal += 16) {
    differs = v128.or(differs, v128.xor(v128.load(literal), v128.load(literal + distance)))
  }
  return !v128.any_true(differs)
}

/** Whether the rows of a hit fit, whatever the holes hold; each rule may pass all of it on. */
function hasRoom(ctx: usize, template: usize, bytes: u32): bool {
  const rules = load<u32>(template, TEMPLATE_RULE_COUNT)
  const rows = load<u32>(ctx, CTX_ROW_COUNT) + rules * RULE_ROWS_MAX + 1
  const textBytes = load<u32>(ctx, CTX_TEXT_BYTES) + rules * (bytes + 16) + FAULT_BYTES_MAX
  const wideBytes = load<u32>(ctx, CTX_WIDE_BYTES) + rules * wideRoom(bytes)
  return (
    rows < load<u32>(ctx, CTX_ROWS_MAX) &&
    textBytes < load<u32>(ctx, CTX_TEXT_BYTES_MAX) &&
    wideBytes < load<u32>(ctx, CTX_WIDE_BYTES_MAX)
  )
}

/** Writes the rows of an event that a template has matched. */
function extractServed(ctx: usize, state: usize, template: usize): void {
  let patch = template + TEMPLATE_PATCHES
  for (let left = load<u32>(template, TEMPLATE_PATCH_COUNT); left > 0; left--) {
    const found = load<usize>(load<usize>(patch, PATCH_PIECE), PIECE_FOUND)
    store<usize>(load<usize>(patch, PATCH_WORD), found + load<usize>(patch, PATCH_DISTANCE))
    patch += PATCH_SIZE
  }
  const count = load<u32>(template, TEMPLATE_STEP_COUNT)
  if (count == STEPS_UNKNOWN) {
    runRules(ctx, template)
    return
  }
  if (load<u32>(template, TEMPLATE_HAS_RULES) != 0) {
    store<u32>(ctx, load<u32>(template, TEMPLATE_TYPE), CTX_TYPE)
    store<usize>(ctx, load<usize>(template, TEMPLATE_TYPE_AT), CTX_TYPE_AT)
    store<usize>(ctx, load<usize>(template, TEMPLATE_TYPE_END), CTX_TYPE_END)
    store<u32>(ctx, load<u32>(template, TEMPLATE_TYPE_IS_JSON), CTX_TYPE_IS_JSON)
  }
  let step = template + TEMPLATE_STEPS
  for (let left = count; left > 0; left--, step += STEP_SIZE) takeStep(ctx, state, template, step)
}

function takeStep(ctx: usize, state: usize, template: usize, step: usize): void {
  const slot = load<usize>(step, STEP_SLOT)
  if (slot == 0) {
    writeStep(ctx, template, step)
    return
  }
  const place = state + load<u16>(step, STEP_SAID)
  const said: u32 = load<u16>(place)
  if ((said & <u32>load<u16>(step, STEP_ONCE)) != 0) return
  const at = load<usize>(slot) + 1
  const bytes = load<usize>(slot, 4) - 1 - at
  if (bytes == 0) {
    // Whether that says anything is the rule's to know.
    writeStep(ctx, template, step)
    return
  }
  store<u16>(place, <u16>(said | <u32>load<u16>(step, STEP_SAYS)))
  const used = load<u32>(ctx, CTX_TEXT_BYTES)
  const out = load<usize>(ctx, CTX_TEXT) + used
  const stops = copyStops(at, out) | (copyStops(at + 16, out + 16) << 16)
  const row = load<u64>(step, STEP_ROW)
  const isPlain = bytes < 32 && (stops & ((1 << (<i32>bytes)) - 1)) == 0
  const outEnd = isPlain ? out + bytes : narrow(at, at + bytes, out, true)
  if (outEnd == 0) {
    const choice = <u32>row >> 16
    const index = <i32>(row >> 32)
    countReplaced(ctx, writeText(ctx, <u32>row & 0xffff, choice, index, at, at + bytes, true))
    return
  }
  const rows = load<u32>(ctx, CTX_ROW_COUNT)
  const target = load<usize>(ctx, CTX_ROWS) + rows * ROW_BYTES
  store<u64>(target, row)
  store<u32>(target, <u32>(outEnd - out), 8)
  store<u32>(ctx, rows + 1, CTX_ROW_COUNT)
  store<u32>(ctx, used + <u32>(outEnd - out), CTX_TEXT_BYTES)
}

/** Copies 16 bytes. Returns a bit for each that narrow text does not have as it is. */
function copyStops(at: usize, out: usize): i32 {
  const text = v128.load(at)
  v128.store(out, text)
  return i8x16.bitmask(v128.or(text, i8x16.eq(text, i8x16.splat(0x5c))))
}

/** Runs a rule that its conditions are known to allow. */
function writeStep(ctx: usize, template: usize, step: usize): void {
  const rule = load<usize>(step, STEP_RULE)
  const frame = load<usize>(step, STEP_FRAME)
  const choice = load<u32>(step, STEP_CHOICE)
  write(ctx, template + TEMPLATE_FRAMES, rule, frame, choice, load<i32>(step, STEP_INDEX))
}

function runRules(ctx: usize, template: usize): void {
  store<usize>(ctx, load<usize>(template, TEMPLATE_NAME), CTX_NAME)
  store<u32>(ctx, load<u32>(template, TEMPLATE_NAME_BYTES), CTX_NAME_BYTES)
  findType(ctx, template + TEMPLATE_FRAMES)
  runAll(ctx, template + TEMPLATE_FRAMES)
  store<u32>(ctx, 0, CTX_NAME_BYTES)
}
