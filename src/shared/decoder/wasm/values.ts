/** Values that a walk noted in frames, as rules ask for them. */
import {
  FRAME_PRESENT,
  REF_BIT,
  REF_SLOT,
  SHAPE_ERROR,
  SHAPE_LIST,
  SHAPE_OBJECT,
  SHAPE_WORD,
} from '../wasm-layout.ts'
import { ARRAY_START, blanksEnd, OBJECT_START, QUOTE, ZERO } from './scan.ts'

/** The slot of a referenced value, 0 where it is absent. */
export function find(frames: usize, ref: usize, frame: usize): usize {
  const isPresent = (load<u64>(frame, FRAME_PRESENT) & load<u64>(ref, REF_BIT)) != 0
  return isPresent ? frames + load<u32>(ref, REF_SLOT) : 0
}

/** What a value says as an index: a number of digits only, up to `max`; else -1. */
export function indexOfDigits(at: usize, end: usize, max: u32): i32 {
  let index: u64 = 0
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - ZERO
    if (digit > 9) return -1
    index = index * 10 + digit
    if (index > <u64>max) return -1
  }
  return <i32>index
}

/** Whether a value is of the shape that a rule asks for. */
export function hasShape(at: usize, end: usize, shape: i32): bool {
  const byte: u32 = load<u8>(at)
  if (shape <= SHAPE_WORD) return byte == QUOTE
  if (shape == SHAPE_OBJECT) return byte == OBJECT_START
  if (shape == SHAPE_LIST) return byte == ARRAY_START && !isBare(at, end)
  if (shape == SHAPE_ERROR) return byte == OBJECT_START || (byte == QUOTE && end - at > 2)
  // SHAPE_ANY: a null was never noted.
  return true
}

/** Whether a container is empty. */
export function isBare(at: usize, end: usize): bool {
  return blanksEnd(at + 1, end, false) == end - 1
}
