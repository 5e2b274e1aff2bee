/**
 * Templates: lexing without reading.
 *
 * Consecutive events of a stream are the same, byte for byte, but for a few scalars: the token, a
 * number that counts, random padding. A template holds the bytes that stay the same, the literals,
 * and between them holes, where a string's inside, a number or a run of blanks may be any. A
 * payload that matches from its first byte to its last is the payload that the template was learnt
 * from with other scalars in the holes. So the walk would note the very same values, and the
 * template has them noted already: in frames of its own, where slots point into its own copy of
 * that payload, but for those that a hole fills.
 *
 * What a hit saves is the walk, and the rules that cannot say anything: the steps are what is left
 * of them. Each step is done as ever.
 *
 * Templates are a cache: they may be lost, or be another's, at any time between two payloads.
 */
import {
  CTX_PROGRAM,
  CTX_SCANNED,
  CTX_TEMPLATE_HITS,
  CTX_TYPE,
  CTX_TYPE_AT,
  CTX_TYPE_END,
  CTX_TYPE_IS_JSON,
  HOLE_NUMBER,
  HOLE_STRING,
  NODE_FRAME,
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
  PROGRAM_HITS,
  PROGRAM_LAST,
  PROGRAM_ORDER,
  PROGRAM_ROOT,
  PROGRAM_RULES,
  PROGRAM_RULES_END,
  PROGRAM_TEMPLATE_COUNT,
  STEP_CHOICE,
  STEP_FRAME,
  STEP_INDEX,
  STEP_RULE,
  STEP_SIZE,
  STEPS_UNKNOWN,
  TEMPLATE_BYTES,
  TEMPLATE_DEPTH,
  TEMPLATE_FRAMES,
  TEMPLATE_HAS_TYPE,
  TEMPLATE_NEXT,
  TEMPLATE_PATCH_COUNT,
  TEMPLATE_PATCHES,
  TEMPLATE_PIECE_COUNT,
  TEMPLATE_PIECES,
  TEMPLATE_STEP_COUNT,
  TEMPLATE_STEPS,
  TEMPLATE_TYPE,
  TEMPLATE_TYPE_AT,
  TEMPLATE_TYPE_END,
} from '../wasm-layout.ts'
import { holds, run, write } from './rules.ts'
import { blanksEnd, numberEnd, QUOTE, stringEnd, stringStops } from './scan.ts'
import { findType } from './type.ts'

/** Templates that a payload is held against at most: each may read all of it. */
const TRIES_MAX = 4

/** A rule in a step whose type and conditions are to be checked. */
export const STEP_CHECKED: usize = 1

/**
 * The template that the payload at `at` matches, 0 where none does. Its last piece then tells where
 * the payload ends, see {@link endOf}.
 */
export function findTemplate(ctx: usize, at: usize, end: usize, depthMax: u32): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const last = load<usize>(program, PROGRAM_LAST)
  if (last == 0) return 0
  // What followed it last time, then itself, then those that served before.
  const next = load<usize>(last, TEMPLATE_NEXT)
  if (tries(ctx, next, at, end, depthMax)) return next
  if (last != next && tries(ctx, last, at, end, depthMax)) return last
  const order = load<usize>(program, PROGRAM_ORDER)
  const count = min<u32>(load<u32>(program, PROGRAM_TEMPLATE_COUNT), TRIES_MAX)
  for (let index: u32 = 0; index < count; index++) {
    const template = load<usize>(order + (index << 2))
    if (template == next || template == last) continue
    if (tries(ctx, template, at, end, depthMax)) return template
  }
  return 0
}

function tries(ctx: usize, template: usize, at: usize, end: usize, depthMax: u32): bool {
  if (load<u32>(template, TEMPLATE_BYTES) == 0) return false
  if (load<u32>(template, TEMPLATE_DEPTH) > depthMax) return false
  const stop = match(template, at, end)
  const scanned = stop != 0 ? stop - at : load<u32>(template, TEMPLATE_BYTES)
  store<f64>(ctx, load<f64>(ctx, CTX_SCANNED) + <f64>scanned, CTX_SCANNED)
  return stop != 0
}

/** Notes that a template served: it is the first to be tried after the one before it. */
export function serve(ctx: usize, template: usize): void {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const last = load<usize>(program, PROGRAM_LAST)
  store<u32>(ctx, load<u32>(ctx, CTX_TEMPLATE_HITS) + 1, CTX_TEMPLATE_HITS)
  store<u32>(program, load<u32>(program, PROGRAM_HITS) + 1, PROGRAM_HITS)
  if (template == last && load<usize>(last, TEMPLATE_NEXT) == template) return
  follow(program, template)
}

/** Makes a template the last one that served, and the successor of the one before. */
export function follow(program: usize, template: usize): void {
  const last = load<usize>(program, PROGRAM_LAST)
  if (last != 0) store<usize>(last, template, TEMPLATE_NEXT)
  store<usize>(program, template, PROGRAM_LAST)
  const order = load<usize>(program, PROGRAM_ORDER)
  // To the front of those that served; the others move up.
  let moved = template
  for (let place = order; ; place += 4) {
    const here = load<usize>(place)
    store<usize>(place, moved)
    if (here == template) return
    moved = here
  }
}

/** Where the payload ends that a template has matched. */
export function endOf(template: usize): usize {
  const count = load<u32>(template, TEMPLATE_PIECE_COUNT)
  const piece = template + TEMPLATE_PIECES + (count - 1) * PIECE_SIZE
  return load<usize>(piece, PIECE_FOUND) + load<u32>(piece, PIECE_BYTES)
}

/** Matches a template against the bytes at `at`. Returns the end of the match, or 0. */
function match(template: usize, start: usize, end: usize): usize {
  let at = start
  let piece = template + TEMPLATE_PIECES
  const last = piece + (load<u32>(template, TEMPLATE_PIECE_COUNT) - 1) * PIECE_SIZE
  while (true) {
    const literal = load<usize>(piece, PIECE_LITERAL)
    const bytes = load<usize>(piece, PIECE_BYTES)
    if (at + bytes > end || !isLiteral(literal, at, bytes)) return 0
    store<usize>(piece, at, PIECE_FOUND)
    at += bytes
    if (piece == last) return at
    const hole = at
    const kind = load<u32>(piece, PIECE_HOLE)
    const slot = load<usize>(piece, PIECE_SLOT)
    if (kind == HOLE_STRING) {
      const stops = stringStops(v128.load(at))
      at += ctz(stops)
      if (stops == 0 || <u32>load<u8>(at) != QUOTE) {
        at = stringEnd(hole, end)
        if (at == 0) return 0
      }
      store<usize>(slot, hole - 1)
      store<usize>(slot, at + 1, 4)
    } else if (kind == HOLE_NUMBER) {
      at = numberEnd(at, end)
      if (at == 0) return 0
      store<usize>(slot, hole)
      store<usize>(slot, at, 4)
    } else {
      at = blanksEnd(at, end, true)
    }
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

/** Writes the rows of a payload that a template has matched. */
export function extractMatched(ctx: usize, template: usize): void {
  const frames = template + TEMPLATE_FRAMES
  let patch = template + TEMPLATE_PATCHES
  for (let left = load<u32>(template, TEMPLATE_PATCH_COUNT); left > 0; left--) {
    const found = load<usize>(load<usize>(patch, PATCH_PIECE), PIECE_FOUND)
    store<usize>(load<usize>(patch, PATCH_WORD), found + load<usize>(patch, PATCH_DISTANCE))
    patch += PATCH_SIZE
  }
  if (load<u32>(template, TEMPLATE_HAS_TYPE) != 0) {
    store<u32>(ctx, load<u32>(template, TEMPLATE_TYPE), CTX_TYPE)
    store<usize>(ctx, load<usize>(template, TEMPLATE_TYPE_AT), CTX_TYPE_AT)
    store<usize>(ctx, load<usize>(template, TEMPLATE_TYPE_END), CTX_TYPE_END)
    store<u32>(ctx, 1, CTX_TYPE_IS_JSON)
  } else findType(ctx, frames)
  const count = load<u32>(template, TEMPLATE_STEP_COUNT)
  if (count == STEPS_UNKNOWN) runAll(ctx, frames)
  else takeSteps(ctx, template, frames, count)
}

function takeSteps(ctx: usize, template: usize, frames: usize, count: u32): void {
  let step = template + TEMPLATE_STEPS
  for (; count > 0; count--, step += STEP_SIZE) {
    const checked = load<usize>(step, STEP_RULE)
    const rule = checked & ~STEP_CHECKED
    const frame = load<usize>(step, STEP_FRAME)
    if (rule != checked && !holds(ctx, frames, rule, frame)) continue
    write(ctx, frames, rule, frame, load<u32>(step, STEP_CHOICE), load<i32>(step, STEP_INDEX))
  }
}

function runAll(ctx: usize, frames: usize): void {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const frame = frames + load<u32>(load<usize>(program, PROGRAM_ROOT), NODE_FRAME)
  const rules = load<usize>(program, PROGRAM_RULES)
  run(ctx, frames, rules, load<usize>(program, PROGRAM_RULES_END), frame, 0, -1)
}
