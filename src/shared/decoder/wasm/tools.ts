/** Fragments of tool calls. */
import {
  RULE_FLAGS,
  RULE_HAS_PARTS,
  RULE_SKIP_EMPTY,
  SHAPE_LIST,
  TOOL_ARGUMENTS,
  TOOL_ID,
  TOOL_INPUT,
  TOOL_KIND,
  TOOL_NAME,
  TOOL_PARTS,
} from '../wasm-layout.ts'
import { countReplaced, writeRow, writeText } from './output.ts'
import {
  ROW_TOOL_ARGUMENTS,
  ROW_TOOL_ID,
  ROW_TOOL_INPUT,
  ROW_TOOL_KIND,
  ROW_TOOL_NAME,
  ROW_TOOL_PARTS,
} from './rows.ts'
import { OBJECT_START, QUOTE } from './scan.ts'
import { find, hasShape, isBare } from './values.ts'

/** Writes a fragment of a tool call, if there is one: see ROW_TOOL_ID of the library. */
export function writeTool(
  ctx: usize,
  frames: usize,
  rule: usize,
  frame: usize,
  choice: u32,
  index: i32,
): void {
  const kind = findString(frames, rule + TOOL_KIND, frame)
  const id = findString(frames, rule + TOOL_ID, frame)
  const name = findString(frames, rule + TOOL_NAME, frame)
  const fragment = find(frames, rule + TOOL_ARGUMENTS, frame)
  const isString = fragment != 0 && <u32>load<u8>(load<usize>(fragment)) == QUOTE
  const whole = isWhole(fragment) ? fragment : findInput(frames, rule, frame)
  const parts = findParts(frames, rule, frame)
  if ((kind | id | name | whole | parts) == 0 && !isString) return
  writeWord(ctx, ROW_TOOL_KIND, choice, index, kind)
  writeWord(ctx, ROW_TOOL_ID, choice, index, id)
  writeWord(ctx, ROW_TOOL_NAME, choice, index, name)
  if (whole != 0) {
    const at = load<usize>(whole)
    const end = load<usize>(whole, 4)
    countReplaced(ctx, writeText(ctx, ROW_TOOL_INPUT, choice, index, at, end, false))
  } else if (isString) {
    const at = load<usize>(fragment) + 1
    const end = load<usize>(fragment, 4) - 1
    countReplaced(ctx, writeText(ctx, ROW_TOOL_ARGUMENTS, choice, index, at, end, true))
  } else if (parts != 0) {
    const at = load<usize>(parts)
    const end = load<usize>(parts, 4)
    countReplaced(ctx, writeText(ctx, ROW_TOOL_PARTS, choice, index, at, end, false))
  } else {
    const hasParts = load<u8>(rule, RULE_FLAGS) & RULE_HAS_PARTS
    writeRow(ctx, hasParts ? ROW_TOOL_PARTS : ROW_TOOL_ARGUMENTS, choice, index, 0)
  }
}

/** The slot of the parts of a tool's arguments: an array that is not empty, else 0. */
function findParts(frames: usize, rule: usize, frame: usize): usize {
  const slot = find(frames, rule + TOOL_PARTS, frame)
  return slot != 0 && hasShape(load<usize>(slot), load<usize>(slot, 4), SHAPE_LIST) ? slot : 0
}

/** The slot of a string that is not empty, else 0. */
function findString(frames: usize, ref: usize, frame: usize): usize {
  const slot = find(frames, ref, frame)
  if (slot == 0) return 0
  const at = load<usize>(slot)
  return <u32>load<u8>(at) == QUOTE && load<usize>(slot, 4) - at > 2 ? slot : 0
}

function writeWord(ctx: usize, kind: u32, choice: u32, index: i32, slot: usize): void {
  if (slot == 0) return
  const at = load<usize>(slot) + 1
  const end = load<usize>(slot, 4) - 1
  countReplaced(ctx, writeText(ctx, kind, choice, index, at, end, true))
}

/** An object or array. */
function isWhole(slot: usize): bool {
  return slot != 0 && (<u32>load<u8>(load<usize>(slot)) | 0x20) == OBJECT_START
}

/** The slot of the whole of a tool's arguments: a container, or a string that is not empty. */
function findInput(frames: usize, rule: usize, frame: usize): usize {
  const slot = find(frames, rule + TOOL_INPUT, frame)
  if (slot == 0) return 0
  const at = load<usize>(slot)
  const byte: u32 = load<u8>(at)
  const isEmptyObject = byte == OBJECT_START && isBare(at, load<usize>(slot, 4))
  if (isEmptyObject && load<u8>(rule, RULE_FLAGS) & RULE_SKIP_EMPTY) return 0
  return isWhole(slot) ? slot : findString(frames, rule + TOOL_INPUT, frame)
}
