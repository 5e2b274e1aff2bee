/**
 * The meaning of a payload: the dialect's rules, in the table's order, over the values that the
 * walk noted. The plain decoder's extractor does the same over a tree.
 */
import {
  CONDITION_HOLDS,
  CONDITION_REF,
  CONDITION_SIZE,
  CONDITION_VALUE_COUNT,
  CONDITION_VALUES,
  CTX_INDEX_AT,
  CTX_INDEX_END,
  CTX_INDEX_MAX,
  CTX_PAYLOAD_END,
  CTX_PROGRAM,
  CTX_STATE,
  CTX_TYPE,
  CTX_TYPE_AT,
  CTX_TYPE_END,
  CTX_TYPE_IS_JSON,
  DEPTH_CAP,
  END_NAME,
  END_NAME_BYTES,
  FORM_BLOCK_STOP,
  FORM_SCOPE,
  FORM_TOOL,
  FORM_VALUE,
  FRAME_FIRST,
  FRAME_PRESENT,
  FRAME_SECOND,
  LIST_ALWAYS,
  LIST_BY_BIT,
  LIST_BY_TYPE,
  LIST_NAMES,
  LIST_RULES,
  NODE_FRAME,
  PROGRAM_ROOT,
  PROGRAM_RULES,
  REF_BIT,
  REF_SIZE,
  RULE_CONDITION_COUNT,
  RULE_CONDITIONS,
  RULE_FLAGS,
  RULE_FORM,
  RULE_KIND,
  RULE_POSITION,
  RULE_SHAPE,
  RULE_SKIP_EMPTY,
  SCOPE_CHOICE,
  SCOPE_ELEMENT,
  SCOPE_FRAME,
  SCOPE_INDEX,
  SCOPE_IS_EACH,
  SCOPE_RULES,
  SHAPE_DELTA,
  SHAPE_WORD,
  STATE_SAID_ID,
  STATE_SAID_MODEL,
  STATE_SAID_TEXT,
  VALUE_AS,
  VALUE_AS_BYTES,
  VALUE_REF_COUNT,
  VALUE_REFS,
  VALUE_ROW,
  WANTED_BYTES,
  WANTED_KIND,
  WANTED_SIZE,
  WANTED_TEXT,
} from '../wasm-layout.ts'
import { walk, WALK_AGAIN } from './json.ts'
import { countReplaced, writeRow, writeText } from './output.ts'
import {
  ROW_BLOCK_STOP,
  ROW_ID,
  ROW_MODEL,
  ROW_PROVIDER_ERROR,
  ROW_REFUSAL,
  ROW_ROLE,
  ROW_TERMINATOR,
  ROW_TEXT,
} from './rows.ts'
import { COMMA, QUOTE } from './scan.ts'
import { writeTool } from './tools.ts'
import { isText } from './type.ts'
import { find, hasShape, indexOfDigits } from './values.ts'

/** As in dialect.ts. */
const CHOICE_MAX: u32 = 65_535
const INDEX_MAX: u32 = 0x7fff_ffff
/** Choices from here on have no bit: what is sent once per choice is sent each time. */
export const CHOICES_TOLD_APART: u32 = 16
/** Bits of id and model: any was sent, even an empty one; one that is not empty was. */
export const ANY_NAME: u32 = 0
export const GOOD_NAME: u32 = 1

/** Runs the program's rules over the payload that is noted in `frames`. */
export function runAll(ctx: usize, frames: usize): void {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const frame = frames + load<u32>(load<usize>(program, PROGRAM_ROOT), NODE_FRAME)
  run(ctx, frames, load<usize>(program, PROGRAM_RULES), frame, 0, -1)
}

/** Runs the rules of a scope over its frame: those that something present concerns, in order. */
function run(ctx: usize, frames: usize, list: usize, frame: usize, choice: u32, index: i32): void {
  let rules = rulesFor(ctx, list, frame)
  if (hasNames(ctx)) rules &= ~load<u64>(list, LIST_NAMES)
  for (; rules != 0; rules &= rules - 1) {
    const rule = load<usize>(list + ((<usize>ctz(rules)) << 2), LIST_RULES)
    if (load<u32>(rule, RULE_CONDITION_COUNT) != 0 && !holds(ctx, frames, rule, frame)) continue
    const form: i32 = load<u8>(rule, RULE_FORM)
    if (form == FORM_VALUE) writeValue(ctx, frames, rule, frame, choice, index)
    else if (form == FORM_SCOPE) enter(ctx, frames, rule, frame, choice, index)
    else write(ctx, frames, rule, frame, choice, index)
  }
}

/** Whether id and model were sent, each. */
function hasNames(ctx: usize): bool {
  const state = load<usize>(ctx, CTX_STATE)
  const said: u32 = load<u16>(state, STATE_SAID_ID) & load<u16>(state, STATE_SAID_MODEL)
  return (said & (1 << GOOD_NAME)) != 0
}

/** A bit for each rule of the list that may have something to do. */
export function rulesFor(ctx: usize, list: usize, frame: usize): u64 {
  const byBit = load<usize>(list, LIST_BY_BIT)
  let rules = load<u64>(list, LIST_ALWAYS)
  for (let bits = load<u64>(frame, FRAME_PRESENT); bits != 0; bits &= bits - 1) {
    rules |= load<u64>(byBit + ((<usize>ctz(bits)) << 3))
  }
  const byType = load<usize>(list, LIST_BY_TYPE)
  return rules & load<u64>(byType + (load<u32>(ctx, CTX_TYPE) << 3))
}

/** Whether the rule's conditions hold. */
export function holds(ctx: usize, frames: usize, rule: usize, frame: usize): bool {
  let left = load<u32>(rule, RULE_CONDITION_COUNT)
  let condition = load<usize>(rule, RULE_CONDITIONS)
  for (; left > 0; left--, condition += CONDITION_SIZE) {
    if (!meets(ctx, frames, condition, frame)) return false
  }
  return true
}

function meets(ctx: usize, frames: usize, condition: usize, frame: usize): bool {
  const wantsOne = load<u32>(condition, CONDITION_HOLDS) != 0
  const slot = find(frames, condition + CONDITION_REF, frame)
  if (slot == 0) return !wantsOne
  const at = load<usize>(slot) + 1
  const end = load<usize>(slot, 4) - 1
  const kind: u32 = load<u8>(at - 1)
  let wanted = load<usize>(condition, CONDITION_VALUES)
  for (let count = load<u32>(condition, CONDITION_VALUE_COUNT); count > 0; count--) {
    if (kind == load<u32>(wanted, WANTED_KIND)) {
      const text = load<usize>(wanted, WANTED_TEXT)
      const bytes = load<u32>(wanted, WANTED_BYTES)
      if (kind != QUOTE || isText(ctx, at, end, true, text, bytes)) return wantsOne
    }
    wanted += WANTED_SIZE
  }
  return !wantsOne
}

function enter(
  ctx: usize,
  frames: usize,
  rule: usize,
  outer: usize,
  choice: u32,
  index: i32,
): void {
  if (load<u32>(rule, SCOPE_IS_EACH) == 0) {
    enterOne(ctx, frames, rule, outer, choice, index, -1)
    return
  }
  const frame = frames + load<u32>(rule, SCOPE_FRAME)
  let at = load<usize>(frame, FRAME_FIRST)
  if (at == 0) return
  if (load<usize>(frame, FRAME_SECOND) == 0) {
    enterOne(ctx, frames, rule, frame, choice, index, 0)
    return
  }
  const element = load<usize>(rule, SCOPE_ELEMENT)
  const end = load<usize>(ctx, CTX_PAYLOAD_END)
  for (let position = 0; ; position++) {
    at = walk(ctx, at, end, element, frames, DEPTH_CAP, WALK_AGAIN)
    enterOne(ctx, frames, rule, frame, choice, index, position)
    if (<u32>load<u8>(at) != COMMA) return
    at++
  }
}

export function choiceOf(ctx: usize, frames: usize, rule: usize, frame: usize, outer: u32): u32 {
  if (load<u64>(rule, SCOPE_CHOICE + REF_BIT) == 0) return outer
  return <u32>max(indexAt(ctx, frames, rule + SCOPE_CHOICE, frame, CHOICE_MAX), 0)
}

export function indexOf(
  ctx: usize,
  frames: usize,
  rule: usize,
  frame: usize,
  outer: i32,
  position: i32,
): i32 {
  if (load<u8>(rule, RULE_FLAGS) & RULE_POSITION) return position
  if (load<u64>(rule, SCOPE_INDEX + REF_BIT) == 0) return outer
  return indexAt(ctx, frames, rule + SCOPE_INDEX, frame, INDEX_MAX)
}

/** -1 where there is none. The first value that cannot be one is noted: the event is malformed. */
function indexAt(ctx: usize, frames: usize, ref: usize, frame: usize, max: u32): i32 {
  const slot = find(frames, ref, frame)
  if (slot == 0) return -1
  const at = load<usize>(slot)
  const end = load<usize>(slot, 4)
  const index = indexOfDigits(at, end, max)
  if (index >= 0 || load<u32>(ctx, CTX_INDEX_MAX) != 0) return index
  store<usize>(ctx, at, CTX_INDEX_AT)
  store<usize>(ctx, end, CTX_INDEX_END)
  store<u32>(ctx, max, CTX_INDEX_MAX)
  return index
}

function enterOne(
  ctx: usize,
  frames: usize,
  rule: usize,
  frame: usize,
  outerChoice: u32,
  outerIndex: i32,
  position: i32,
): void {
  const choice = choiceOf(ctx, frames, rule, frame, outerChoice)
  const index = indexOf(ctx, frames, rule, frame, outerIndex, position)
  run(ctx, frames, load<usize>(rule, SCOPE_RULES), frame, choice, index)
}

/** Writes what a rule finds; no scope. */
export function write(
  ctx: usize,
  frames: usize,
  rule: usize,
  frame: usize,
  choice: u32,
  index: i32,
): void {
  const form: i32 = load<u8>(rule, RULE_FORM)
  if (form == FORM_VALUE) writeValue(ctx, frames, rule, frame, choice, index)
  else if (form == FORM_TOOL) writeTool(ctx, frames, rule, frame, choice, index)
  else if (form == FORM_BLOCK_STOP) writeRow(ctx, ROW_BLOCK_STOP, choice, index, 0)
  else writeEnd(ctx, rule, choice, index)
}

function writeEnd(ctx: usize, rule: usize, choice: u32, index: i32): void {
  const name = load<usize>(rule, END_NAME)
  const at = name != 0 ? name : load<usize>(ctx, CTX_TYPE_AT)
  const end = name != 0 ? name + load<u32>(rule, END_NAME_BYTES) : load<usize>(ctx, CTX_TYPE_END)
  const isJson = name == 0 && load<u32>(ctx, CTX_TYPE_IS_JSON) != 0
  const replaced = writeText(ctx, ROW_TERMINATOR, choice, index, at, end, isJson)
  // What is malformed in an event's name was counted when that was found to be the type.
  if (isJson) countReplaced(ctx, replaced)
}

/** The first of the rule's values that has the rule's shape and is not empty. */
function writeValue(
  ctx: usize,
  frames: usize,
  rule: usize,
  frame: usize,
  choice: u32,
  index: i32,
): void {
  const kind: u32 = load<u8>(rule, RULE_KIND)
  if (kind >= ROW_ID && kind <= ROW_ROLE && isDone(ctx, kind, choice)) return
  const shape: i32 = load<u8>(rule, RULE_SHAPE)
  let ref = load<usize>(rule, VALUE_REFS)
  let isEmpty = false
  for (let count = load<u32>(rule, VALUE_REF_COUNT); count > 0; count--, ref += REF_SIZE) {
    const slot = find(frames, ref, frame)
    if (slot == 0) continue
    const at = load<usize>(slot)
    const end = load<usize>(slot, 4)
    if (!hasShape(at, end, shape)) continue
    if (shape > SHAPE_WORD) {
      writeRaw(ctx, rule, choice, kind == ROW_PROVIDER_ERROR ? -1 : index, at, end)
      return
    }
    if (end - at > 2) {
      say(ctx, kind, choice)
      const row = load<u32>(rule, VALUE_ROW)
      countReplaced(ctx, writeText(ctx, row, choice, index, at + 1, end - 1, true))
      return
    }
    isEmpty = true
  }
  if (!isEmpty || load<u8>(rule, RULE_FLAGS) & RULE_SKIP_EMPTY) return
  const isName = kind == ROW_ID || kind == ROW_MODEL
  if (shape != SHAPE_DELTA && !isName) return
  const bit = isName ? ANY_NAME : choice
  if (bit >= CHOICES_TOLD_APART || (said(ctx, kind) & (1 << bit)) == 0) {
    setSaid(ctx, kind, bit)
    writeRow(ctx, kind, choice, index, 0)
  }
}

/** Writes a value as it was sent, or the one word that the rule has for any. */
function writeRaw(ctx: usize, rule: usize, choice: u32, index: i32, at: usize, end: usize): void {
  const kind: u32 = load<u8>(rule, RULE_KIND)
  const word = load<usize>(rule, VALUE_AS)
  if (word == 0) {
    countReplaced(ctx, writeText(ctx, kind, choice, index, at, end, false))
    return
  }
  const bytes = load<u32>(rule, VALUE_AS_BYTES)
  if (bytes == 0) return
  say(ctx, kind, choice)
  writeText(ctx, kind, choice, index, word, word + bytes, false)
}

/** Whether a rule for what is sent once has nothing left to send. */
function isDone(ctx: usize, kind: u32, choice: u32): bool {
  const bit = kind == ROW_ROLE ? choice : GOOD_NAME
  return bit < CHOICES_TOLD_APART && (said(ctx, kind) & (1 << bit)) != 0
}

/** Notes that a value that is not empty is sent, for those kinds that remember it. */
function say(ctx: usize, kind: u32, choice: u32): void {
  if (kind <= ROW_REFUSAL || kind == ROW_ROLE) {
    setSaid(ctx, kind, choice)
  } else if (kind == ROW_ID || kind == ROW_MODEL) {
    setSaid(ctx, kind, ANY_NAME)
    setSaid(ctx, kind, GOOD_NAME)
  }
}

/** The mask of such a kind: what was sent of it. */
function said(ctx: usize, kind: u32): u32 {
  return load<u16>(placeOfSaid(ctx, kind))
}

function setSaid(ctx: usize, kind: u32, bit: u32): void {
  if (bit >= CHOICES_TOLD_APART) return
  const place = placeOfSaid(ctx, kind)
  store<u16>(place, <u16>(<u32>load<u16>(place) | (1 << bit)))
}

function placeOfSaid(ctx: usize, kind: u32): usize {
  const state = load<usize>(ctx, CTX_STATE)
  return kind < ROW_ID
    ? state + STATE_SAID_TEXT + (kind - ROW_TEXT) * 2
    : state + STATE_SAID_ID + (kind - ROW_ID) * 2
}
