/** What a string says, whatever its spelling on the wire; and which event type that is. */
import {
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROGRAM,
  CTX_REPLACED,
  CTX_SCRATCH,
  CTX_TYPE,
  CTX_TYPE_AT,
  CTX_TYPE_END,
  CTX_TYPE_IS_JSON,
  FRAME_PRESENT,
  PROGRAM_ROOT,
  PROGRAM_NAMELESS_TYPE,
  PROGRAM_TYPE_COUNT,
  PROGRAM_TYPE_REF,
  PROGRAM_TYPES,
  REF_BIT,
  REF_SLOT,
  NODE_FRAME,
} from '../wasm-layout.ts'
import { countReplaced } from './output.ts'
import { QUOTE, same } from './scan.ts'
import { normalize, widen } from './text.ts'

/**
 * Whether the text `at` to `end`, the inside of a JSON string or UTF-8, says `text`. Mostly it does
 * where it is spelled the same, and does not where it is not; escapes and malformed bytes need a
 * closer look.
 */
export function isText(
  ctx: usize,
  at: usize,
  end: usize,
  isJson: bool,
  text: usize,
  bytes: u32,
): bool {
  const length = <u32>(end - at)
  if (differsPlainly(at, length, text, bytes)) return false
  if (isPlain(at, end, isJson)) return length == bytes && same(at, text, bytes)
  // No escape is longer than six times what it stands for.
  if (length > bytes * 6) return false
  const scratch = load<usize>(ctx, CTX_SCRATCH)
  const scratchEnd = normalize(at, end, scratch, isJson)
  return scratchEnd - scratch == bytes && same(scratch, text, bytes)
}

/** Whether the two differ in some of the first 16 bytes, and nothing before that needs decoding. */
function differsPlainly(at: usize, length: u32, text: usize, bytes: u32): bool {
  const block = v128.load(at)
  const equal = i8x16.bitmask(i8x16.eq(block, v128.load(text)))
  const coded = i8x16.bitmask(v128.or(block, i8x16.eq(block, i8x16.splat(0x5c))))
  const place: u32 = ctz(~equal | coded | 0x10000)
  return place < min(length, bytes) && ((coded >> place) & 1) == 0 && place < 16
}

/** Neither an escape nor anything beyond ASCII. */
export function isPlain(at: usize, end: usize, isJson: bool): bool {
  const backslashes = i8x16.splat(isJson ? 0x5c : -1)
  for (; at < end; at += 16) {
    const bytes = v128.load(at)
    const stops = i8x16.bitmask(v128.or(bytes, i8x16.eq(bytes, backslashes)))
    const left = min<usize>(end - at, 16)
    if ((stops & ((1 << (<i32>left)) - 1)) != 0) return false
  }
  return true
}

/** Finds the type of the payload whose values are in `frames`: its own, or the event's name. */
export function findType(ctx: usize, frames: usize): void {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const root = load<usize>(program, PROGRAM_ROOT)
  const frame = frames + load<u32>(root, NODE_FRAME)
  const ref = program + PROGRAM_TYPE_REF
  if ((load<u64>(frame, FRAME_PRESENT) & load<u64>(ref, REF_BIT)) != 0) {
    const slot = frames + load<u32>(ref, REF_SLOT)
    const at = load<usize>(slot)
    const end = load<usize>(slot, 4)
    if (<u32>load<u8>(at) == QUOTE && end - at > 2) {
      setType(ctx, program, at + 1, end - 1, true)
      return
    }
  }
  const name = load<usize>(ctx, CTX_NAME)
  const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
  if (nameBytes != 0) {
    setType(ctx, program, name, name + nameBytes, false)
    if (isPlain(name, name + nameBytes, false)) return
    widen(ctx, name, name + nameBytes, load<usize>(ctx, CTX_SCRATCH), false)
    countReplaced(ctx, load<u32>(ctx, CTX_REPLACED))
    return
  }
  store<u32>(ctx, load<u32>(program, PROGRAM_NAMELESS_TYPE), CTX_TYPE)
  store<usize>(ctx, 0, CTX_TYPE_AT)
  store<usize>(ctx, 0, CTX_TYPE_END)
  store<u32>(ctx, 0, CTX_TYPE_IS_JSON)
}

function setType(ctx: usize, program: usize, at: usize, end: usize, isJson: bool): void {
  store<usize>(ctx, at, CTX_TYPE_AT)
  store<usize>(ctx, end, CTX_TYPE_END)
  store<u32>(ctx, isJson, CTX_TYPE_IS_JSON)
  const count = load<u32>(program, PROGRAM_TYPE_COUNT)
  const table = load<usize>(program, PROGRAM_TYPES)
  const bytes = <u32>(end - at)
  let type: u32 = 0
  if (isPlain(at, end, isJson)) {
    for (let known = table; type < count; type++, known += 8) {
      if (load<u32>(known, 4) == bytes && same(load<usize>(known), at, bytes)) break
    }
  } else {
    for (let known = table; type < count; type++, known += 8) {
      if (isText(ctx, at, end, isJson, load<usize>(known), load<u32>(known, 4))) break
    }
  }
  // One that no rule names is the last.
  store<u32>(ctx, type, CTX_TYPE)
}
