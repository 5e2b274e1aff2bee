/** Noting values in frames, where the rules look for them: see json.ts. */
import {
  FRAME_FIRST,
  FRAME_PRESENT,
  FRAME_SECOND,
  NODE_BIT,
  NODE_EACH_BIT,
  NODE_ELEMENT,
  NODE_FRAME,
  NODE_KEEP,
  NODE_SLOT,
} from '../wasm-layout.ts'

/** Notes a leaf. */
export function note(node: usize, frames: usize, start: usize, end: usize): void {
  const frame = frames + load<u32>(node, NODE_FRAME)
  const kept = load<u64>(frame, FRAME_PRESENT) & load<u64>(node, NODE_KEEP)
  store<u64>(frame, kept | load<u64>(node, NODE_BIT), FRAME_PRESENT)
  const slot = frames + load<u32>(node, NODE_SLOT)
  store<u32>(slot, start)
  store<u32>(slot, end, 4)
}

export function noteNull(node: usize, frames: usize): void {
  const frame = frames + load<u32>(node, NODE_FRAME)
  const kept = load<u64>(frame, FRAME_PRESENT) & load<u64>(node, NODE_KEEP)
  store<u64>(frame, kept, FRAME_PRESENT)
}

/** Notes an array. Returns the node of its first element, 0 where nobody reads that. */
export function noteArray(node: usize, frames: usize, start: usize): usize {
  note(node, frames, start, start)
  const element = load<usize>(node, NODE_ELEMENT)
  if (element == 0) return 0
  const frame = frames + load<u32>(node, NODE_FRAME)
  const present = load<u64>(frame, FRAME_PRESENT) | load<u64>(node, NODE_EACH_BIT)
  store<u64>(frame, present, FRAME_PRESENT)
  store<u64>(frames + load<u32>(element, NODE_FRAME), 0, FRAME_FIRST)
  return element
}

/** Notes where the first element of an array begins, whose node is `element`. */
export function noteFirst(element: usize, frames: usize, at: usize): void {
  store<usize>(frames + load<u32>(element, NODE_FRAME), at, FRAME_FIRST)
}

/** Notes where the second element of an array begins. */
export function noteSecond(node: usize, frames: usize, at: usize): void {
  const element = load<usize>(node, NODE_ELEMENT)
  if (element == 0) return
  const frame = frames + load<u32>(element, NODE_FRAME)
  if (load<usize>(frame, FRAME_SECOND) == 0) store<usize>(frame, at, FRAME_SECOND)
}
