/**
 * Making of an event, and the spans in it that are holes, what matching needs: literal pieces, the
 * slots that holes fill, and the steps that are left of the rules.
 */
import {
  CONDITION_REF,
  CONDITION_SIZE,
  CTX_NAME,
  CTX_TYPE,
  CTX_TYPE_AT,
  CTX_TYPE_END,
  CTX_TYPE_IS_JSON,
  DEPTH_CAP,
  FORM_SCOPE,
  FORM_VALUE,
  FRAME_FIRST,
  FRAME_PRESENT,
  FRAME_SECOND,
  LIST_RULES,
  NODE_FRAME,
  PROGRAM_ELEMENTS,
  PROGRAM_ELEMENT_COUNT,
  PROGRAM_FRAMES_BYTES,
  PROGRAM_ROOT,
  PROGRAM_RULES,
  PROGRAM_SLOTS,
  PROGRAM_SLOT_COUNT,
  PROGRAM_TYPE_REF,
  PROGRAM_WRITER_COUNT,
  REF_BIT,
  REF_SIZE,
  REF_SLOT,
  RULE_CONDITIONS,
  RULE_CONDITION_COUNT,
  RULE_FORM,
  RULE_KIND,
  RULE_SHAPE,
  SCOPE_CHOICE,
  SCOPE_FRAME,
  SCOPE_INDEX,
  SCOPE_IS_EACH,
  SCOPE_RULES,
  SHAPE_WORD,
  SLOT_BIT,
  SLOT_ENTRY_SIZE,
  SLOT_FRAME,
  SLOT_INDEX_MAX,
  SLOT_OFFSET,
  SLOT_UNREAD,
  STATE_SAID_ID,
  STATE_SAID_ROLE,
  STATE_SAID_TEXT,
  VALUE_REFS,
  VALUE_REF_COUNT,
  VALUE_ROW,
} from '../wasm-layout.ts'
import {
  HOLES_MAX,
  HOLE_BLANKS,
  HOLE_NUMBER,
  HOLE_STRING,
  PATCHES_MAX,
  PATCH_DISTANCE,
  PATCH_PIECE,
  PATCH_SIZE,
  PATCH_WORD,
  PIECE_BYTES,
  PIECE_HOLE,
  PIECE_LITERAL,
  PIECE_SIZE,
  PIECE_SLOT,
  STEPS_MAX,
  STEPS_UNKNOWN,
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
  TEMPLATE_BYTES,
  TEMPLATE_DEPTH,
  TEMPLATE_EVENT,
  TEMPLATE_FRAMES,
  TEMPLATE_HAS_RULES,
  TEMPLATE_LAST_PIECE,
  TEMPLATE_LEAD,
  TEMPLATE_NAME,
  TEMPLATE_PATCHES,
  TEMPLATE_PATCH_COUNT,
  TEMPLATE_PIECES,
  TEMPLATE_RULE_COUNT,
  TEMPLATE_SPANS,
  TEMPLATE_SPAN_COUNT,
  TEMPLATE_SPAN_HOLE,
  TEMPLATE_SPAN_SIZE,
  TEMPLATE_STEPS,
  TEMPLATE_STEP_COUNT,
  TEMPLATE_TAIL,
  TEMPLATE_TYPE,
  TEMPLATE_TYPE_AT,
  TEMPLATE_TYPE_END,
  TEMPLATE_TYPE_IS_JSON,
} from '../wasm-template-layout.ts'
import { modeOf, walk } from './json.ts'
import { ROW_ID, ROW_MODEL, ROW_REFUSAL, ROW_ROLE, ROW_TEXT } from './rows.ts'
import {
  ANY_NAME,
  CHOICES_TOLD_APART,
  choiceOf,
  GOOD_NAME,
  holds,
  indexOf,
  rulesFor,
} from './rules.ts'
import { ARRAY_END, OBJECT_END, OBJECT_START, QUOTE, stringEnd } from './scan.ts'
import { findType } from './type.ts'
import { indexOfDigits } from './values.ts'

/** Makes of an event and its spans what matching needs. False where it is none for a template. */
export function build(ctx: usize, program: usize, template: usize): bool {
  const event = template + TEMPLATE_EVENT
  const end = event + load<u32>(template, TEMPLATE_BYTES)
  const payload = event + load<usize>(template, TEMPLATE_LEAD)
  const payloadEnd = end - load<usize>(template, TEMPLATE_TAIL)
  const frames = template + TEMPLATE_FRAMES
  const root = load<usize>(program, PROGRAM_ROOT)
  memory.fill(frames, 0, load<u32>(program, PROGRAM_FRAMES_BYTES))
  walk(ctx, payload, payloadEnd, root, frames, DEPTH_CAP, modeOf(program))
  if (!isSingle(program, frames) || !cut(template, event, end)) return false
  store<u32>(template, depthOf(payload, payloadEnd), TEMPLATE_DEPTH)
  store<u32>(template, 0, TEMPLATE_PATCH_COUNT)
  let entry = load<usize>(program, PROGRAM_SLOTS)
  for (let left = load<u32>(program, PROGRAM_SLOT_COUNT); left > 0; left--) {
    const present = load<u64>(frames + load<u32>(entry, SLOT_FRAME), FRAME_PRESENT)
    const slot = frames + load<u32>(entry, SLOT_OFFSET)
    if ((present & load<u64>(entry, SLOT_BIT)) != 0) {
      const indexMax = load<u32>(entry, SLOT_INDEX_MAX)
      if (!connect(template, slot) || !fixIndex(template, slot, indexMax)) return false
    }
    entry += SLOT_ENTRY_SIZE
  }
  store<u32>(template, 0, TEMPLATE_STEP_COUNT)
  store<u32>(template, 0, TEMPLATE_HAS_RULES)
  const frame = frames + load<u32>(root, NODE_FRAME)
  const rules = load<usize>(program, PROGRAM_RULES)
  const isKnown =
    fixType(ctx, program, template, frame) && addSteps(ctx, template, rules, frame, 0, -1)
  if (!isKnown) store<u32>(template, STEPS_UNKNOWN, TEMPLATE_STEP_COUNT)
  const steps = load<u32>(template, TEMPLATE_STEP_COUNT)
  const writers = load<u32>(program, PROGRAM_WRITER_COUNT)
  store<u32>(template, isKnown ? steps : writers, TEMPLATE_RULE_COUNT)
  return true
}

/** Whether no array that is read has a second element: the frames have no room for one. */
function isSingle(program: usize, frames: usize): bool {
  let element = load<usize>(program, PROGRAM_ELEMENTS)
  for (let left = load<u32>(program, PROGRAM_ELEMENT_COUNT); left > 0; left--, element += 4) {
    if (load<u32>(frames + load<u32>(element), FRAME_SECOND) != 0) return false
  }
  return true
}

/** Cuts the event into literals and holes. False where there are too many. */
function cut(template: usize, event: usize, end: usize): bool {
  const count = load<u32>(template, TEMPLATE_SPAN_COUNT)
  let piece = template + TEMPLATE_PIECES
  let span = template + TEMPLATE_SPANS
  let literal = event
  let holes: u32 = 0
  for (let index: u32 = 0; index < count; index++, span += TEMPLATE_SPAN_SIZE) {
    if (load<u32>(span, TEMPLATE_SPAN_HOLE) == 0) continue
    if (++holes > <u32>HOLES_MAX) return false
    const start = load<usize>(span)
    const isString = <u32>load<u8>(start - 1) == QUOTE
    // The last two spans are blanks: see endSpans in json.ts.
    const kind = index + 2 >= count ? HOLE_BLANKS : isString ? HOLE_STRING : HOLE_NUMBER
    store<usize>(piece, literal, PIECE_LITERAL)
    store<usize>(piece, start - literal, PIECE_BYTES)
    store<u32>(piece, kind, PIECE_HOLE)
    store<usize>(piece, template + TEMPLATE_FRAMES + SLOT_UNREAD, PIECE_SLOT)
    literal = load<usize>(span, 4)
    piece += PIECE_SIZE
  }
  store<usize>(piece, literal, PIECE_LITERAL)
  store<usize>(piece, end - literal, PIECE_BYTES)
  store<usize>(template, piece, TEMPLATE_LAST_PIECE)
  return true
}

function depthOf(at: usize, end: usize): u32 {
  let depth: u32 = 0
  let deepest: u32 = 0
  for (; at < end; at++) {
    const byte: u32 = load<u8>(at)
    if (byte == QUOTE) at = stringEnd(at + 1, end)
    else if ((byte | 0x20) == OBJECT_START) deepest = max(deepest, ++depth)
    else if (byte == OBJECT_END || byte == ARRAY_END) depth--
  }
  return deepest
}

/**
 * Connects a slot with what fills it: a hole, or the event at hand, where a container has holes
 * inside. Else the slot stays as it is, on the template's own event. False where there are too
 * many to patch.
 */
function connect(template: usize, slot: usize): bool {
  const start = load<usize>(slot)
  const end = load<usize>(slot, 4)
  let hasHole = false
  const last = load<usize>(template, TEMPLATE_LAST_PIECE)
  for (let piece = template + TEMPLATE_PIECES; piece != last; piece += PIECE_SIZE) {
    const hole = load<usize>(piece, PIECE_LITERAL) + load<usize>(piece, PIECE_BYTES)
    const kind = load<u32>(piece, PIECE_HOLE)
    const isOwn =
      (kind == HOLE_STRING && start == hole - 1) || (kind == HOLE_NUMBER && start == hole)
    if (isOwn) {
      store<usize>(piece, slot, PIECE_SLOT)
      return true
    }
    hasHole = hasHole || (start < hole && hole < end)
  }
  return !hasHole || (addPatch(template, slot, start, 0) && addPatch(template, slot + 4, end, 1))
}

/**
 * Sees to it that a slot for a choice or index, which has a largest one, holds nothing else in any
 * event that matches: what cannot be one makes its event malformed.
 */
function fixIndex(template: usize, slot: usize, indexMax: u32): bool {
  if (indexMax == 0) return true
  if (indexOfDigits(load<usize>(slot), load<usize>(slot, 4), indexMax) < 0) return false
  const last = load<usize>(template, TEMPLATE_LAST_PIECE)
  for (let piece = template + TEMPLATE_PIECES; piece != last; piece += PIECE_SIZE) {
    if (load<usize>(piece, PIECE_SLOT) == slot) store<u32>(piece, indexMax, PIECE_HOLE)
  }
  return true
}

/**
 * Has a slot's word point to `at` of the event at hand, which `before` bytes before is literal.
 */
function addPatch(template: usize, word: usize, at: usize, before: usize): bool {
  const count = load<u32>(template, TEMPLATE_PATCH_COUNT)
  if (count == <u32>PATCHES_MAX) return false
  let piece = template + TEMPLATE_PIECES
  while (at - before >= load<usize>(piece, PIECE_LITERAL) + load<usize>(piece, PIECE_BYTES)) {
    piece += PIECE_SIZE
  }
  const patch = template + TEMPLATE_PATCHES + count * PATCH_SIZE
  store<usize>(patch, word, PATCH_WORD)
  store<usize>(patch, piece, PATCH_PIECE)
  store<usize>(patch, at - load<usize>(piece, PIECE_LITERAL), PATCH_DISTANCE)
  store<u32>(template, count + 1, TEMPLATE_PATCH_COUNT)
  return true
}

/** Whether a hole fills the slot. */
function isHole(template: usize, slot: usize): bool {
  const last = load<usize>(template, TEMPLATE_LAST_PIECE)
  for (let piece = template + TEMPLATE_PIECES; piece != last; piece += PIECE_SIZE) {
    if (load<usize>(piece, PIECE_SLOT) == slot) return true
  }
  return false
}

/** Whether a referenced value is the same in all events that match: absent, or literal. */
function isFixed(template: usize, ref: usize, frame: usize): bool {
  if ((load<u64>(frame, FRAME_PRESENT) & load<u64>(ref, REF_BIT)) == 0) return true
  return !isHole(template, template + TEMPLATE_FRAMES + load<u32>(ref, REF_SLOT))
}

/** Notes the type of the event. False where a hole tells it. */
function fixType(ctx: usize, program: usize, template: usize, frame: usize): bool {
  // A type may lie in the event's name: in the template's copy of it.
  const name = load<usize>(ctx, CTX_NAME)
  store<usize>(ctx, load<usize>(template, TEMPLATE_NAME), CTX_NAME)
  findType(ctx, template + TEMPLATE_FRAMES)
  store<usize>(ctx, name, CTX_NAME)
  store<u32>(template, load<u32>(ctx, CTX_TYPE), TEMPLATE_TYPE)
  store<usize>(template, load<usize>(ctx, CTX_TYPE_AT), TEMPLATE_TYPE_AT)
  store<usize>(template, load<usize>(ctx, CTX_TYPE_END), TEMPLATE_TYPE_END)
  store<u32>(template, load<u32>(ctx, CTX_TYPE_IS_JSON), TEMPLATE_TYPE_IS_JSON)
  return isFixed(template, program + PROGRAM_TYPE_REF, frame)
}

/**
 * Adds steps for those rules of a scope that may find something. False where that cannot be told
 * beforehand, or there are too many.
 */
function addSteps(
  ctx: usize,
  template: usize,
  list: usize,
  frame: usize,
  choice: u32,
  index: i32,
): bool {
  for (let rules = rulesFor(ctx, list, frame); rules != 0; rules &= rules - 1) {
    const rule = load<usize>(list + ((<usize>ctz(rules)) << 2), LIST_RULES)
    if (!hasFixedConditions(template, rule, frame)) return false
    if (!holds(ctx, template + TEMPLATE_FRAMES, rule, frame)) continue
    const isAdded =
      load<u8>(rule, RULE_FORM) == FORM_SCOPE
        ? addScope(ctx, template, rule, frame, choice, index)
        : addStep(template, rule, frame, choice, index)
    if (!isAdded) return false
  }
  return true
}

/** Whether what the rule's conditions look at is the same in all events that match. */
function hasFixedConditions(template: usize, rule: usize, frame: usize): bool {
  let condition = load<usize>(rule, RULE_CONDITIONS)
  for (let left = load<u32>(rule, RULE_CONDITION_COUNT); left > 0; left--) {
    if (!isFixed(template, condition + CONDITION_REF, frame)) return false
    condition += CONDITION_SIZE
  }
  return true
}

function addScope(
  ctx: usize,
  template: usize,
  rule: usize,
  outer: usize,
  outerChoice: u32,
  outerIndex: i32,
): bool {
  const frames = template + TEMPLATE_FRAMES
  const isEach = load<u32>(rule, SCOPE_IS_EACH) != 0
  const frame = isEach ? frames + load<u32>(rule, SCOPE_FRAME) : outer
  if (isEach && load<usize>(frame, FRAME_FIRST) == 0) return true
  const choiceRef = rule + SCOPE_CHOICE
  const indexRef = rule + SCOPE_INDEX
  if (!isFixed(template, choiceRef, frame) || !isFixed(template, indexRef, frame)) return false
  const choice = choiceOf(ctx, frames, rule, frame, outerChoice)
  const index = indexOf(ctx, frames, rule, frame, outerIndex, 0)
  return addSteps(ctx, template, load<usize>(rule, SCOPE_RULES), frame, choice, index)
}

function addStep(template: usize, rule: usize, frame: usize, choice: u32, index: i32): bool {
  const count = load<u32>(template, TEMPLATE_STEP_COUNT)
  if (count == <u32>STEPS_MAX) return false
  const step = template + TEMPLATE_STEPS + count * STEP_SIZE
  store<usize>(step, 0, STEP_SLOT)
  if (isStringRule(rule)) {
    const slot = findString(template, rule, frame)
    // No value is a string now, so none ever is.
    if (slot == 0) return true
    addString(step, rule, slot, choice, index)
  } else store<u32>(template, 1, TEMPLATE_HAS_RULES)
  store<usize>(step, rule, STEP_RULE)
  store<usize>(step, frame, STEP_FRAME)
  store<u32>(step, choice, STEP_CHOICE)
  store<i32>(step, index, STEP_INDEX)
  store<u32>(template, count + 1, TEMPLATE_STEP_COUNT)
  return true
}

/** Whether a rule passes a string on. */
function isStringRule(rule: usize): bool {
  return load<u8>(rule, RULE_FORM) == FORM_VALUE && <i32>load<u8>(rule, RULE_SHAPE) <= SHAPE_WORD
}

/** The slot of the first of the rule's values that is a string, 0 where none is. */
function findString(template: usize, rule: usize, frame: usize): usize {
  const present = load<u64>(frame, FRAME_PRESENT)
  let ref = load<usize>(rule, VALUE_REFS)
  for (let left = load<u32>(rule, VALUE_REF_COUNT); left > 0; left--, ref += REF_SIZE) {
    const slot = template + TEMPLATE_FRAMES + load<u32>(ref, REF_SLOT)
    const isPresent = (present & load<u64>(ref, REF_BIT)) != 0
    if (isPresent && <u32>load<u8>(load<usize>(slot)) == QUOTE) return slot
  }
  return 0
}

/** What the rule does with a string that is not empty: see writeValue in rules.ts. */
function addString(step: usize, rule: usize, slot: usize, choice: u32, index: i32): void {
  const kind: u32 = load<u8>(rule, RULE_KIND)
  const bit: u32 = choice < CHOICES_TOLD_APART ? 1 << choice : 0
  let said: u32 = STATE_SAID_TEXT
  let once: u32 = 0
  let says: u32 = 0
  if (kind == ROW_ID || kind == ROW_MODEL) {
    said = STATE_SAID_ID + (kind - ROW_ID) * 2
    once = 1 << GOOD_NAME
    says = (1 << ANY_NAME) | once
  } else if (kind == ROW_ROLE) {
    said = STATE_SAID_ROLE
    once = bit
    says = bit
  } else if (kind <= ROW_REFUSAL) {
    said = STATE_SAID_TEXT + (kind - ROW_TEXT) * 2
    says = bit
  }
  const row = load<u32>(rule, VALUE_ROW) | (choice << 16)
  store<u64>(step, ((<u64>(<u32>index)) << 32) | <u64>row, STEP_ROW)
  store<usize>(step, slot, STEP_SLOT)
  store<u16>(step, <u16>said, STEP_SAID)
  store<u16>(step, <u16>once, STEP_ONCE)
  store<u16>(step, <u16>says, STEP_SAYS)
}
