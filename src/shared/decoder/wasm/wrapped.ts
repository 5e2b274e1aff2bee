/**
 * Payloads in a wrapping: JSON that holds the real payload as base64 in a string. The wrapping has
 * a program of its own, with nothing to it but where that string is: see wasm-program.ts. What it
 * holds is decoded into a slab, for as long as that payload takes.
 */
import {
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROFILE,
  CTX_PROGRAM,
  NODE_FRAME,
  PROFILE_DEPTH_MAX,
  PROGRAM_FRAMES,
  PROGRAM_ONE_VALUE,
  PROGRAM_ROOT,
  PROGRAM_TYPE_REF,
  PROGRAM_WRAPPED_TYPE,
  PROGRAM_WRAPPED_TYPE_BYTES,
  PROGRAM_WRAPPING,
  SLACK_BYTES,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { decodeBase64 } from './base64.ts'
import { placeOf } from './carry.ts'
import { fail, FAULT_NO_BUFFER_EVENT } from './failure.ts'
import { allocate, free } from './host.ts'
import { walk } from './json.ts'
import { afterMark, refuse, takeJson } from './payload.ts'
import { QUOTE } from './scan.ts'
import { countScanned } from './state.ts'
import { normalize } from './text.ts'
import { isText } from './type.ts'
import { find } from './values.ts'

/** Whether the payload at hand holds another: its event's name says so. */
export function isWrapped(ctx: usize): bool {
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (load<usize>(program, PROGRAM_WRAPPING) == 0) return false
  const name = load<usize>(ctx, CTX_NAME)
  const end = name + load<u32>(ctx, CTX_NAME_BYTES)
  const type = load<usize>(program, PROGRAM_WRAPPED_TYPE)
  return isText(ctx, name, end, false, type, load<u32>(program, PROGRAM_WRAPPED_TYPE_BYTES))
}

/** Takes what a payload holds. The type of that is its own. */
export function takeWrapped(ctx: usize, state: usize, at: usize, end: usize): void {
  const text = findText(ctx, at, end)
  if (text == 0) {
    refuse(ctx, state, at, end)
    return
  }
  const start = load<usize>(text) + 1
  const stop = load<usize>(text, 4) - 1
  const bytes = <u32>(stop - start)
  let slab = allocate(bytes + SLACK_BYTES)
  let length = slab == 0 ? -1 : decodeBase64(start, stop, placeOf(slab))
  if (length < 0 && slab != 0 && hasBackslash(start, stop)) {
    free(slab)
    slab = allocate(bytes * 3 + SLACK_BYTES)
    if (slab != 0) length = decodeEscaped(start, stop, placeOf(slab))
  }
  countScanned(ctx, bytes)
  if (slab == 0) {
    fail(ctx, FAULT_NO_BUFFER_EVENT, 0, load<f64>(state, STATE_OFFSET), 0, 0)
    return
  }
  if (length < 0) refuse(ctx, state, at, end)
  else takeInner(ctx, state, placeOf(slab), placeOf(slab) + length)
  free(slab)
}

/** Some letter is spelled as an escape: `/` is by many servers. */
function decodeEscaped(start: usize, stop: usize, out: usize): i32 {
  return decodeBase64(out, normalize(start, stop, out, true), out)
}

function takeInner(ctx: usize, state: usize, at: usize, end: usize): void {
  store<u32>(ctx, 0, CTX_NAME_BYTES)
  const program = load<usize>(ctx, CTX_PROGRAM)
  takeJson(ctx, state, at, end, load<u32>(program, PROGRAM_ONE_VALUE) != 0)
}

/** The slot of the string in a wrapping; 0 where that is no JSON, or has none there. */
function findText(ctx: usize, at: usize, end: usize): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const wrapping = load<usize>(program, PROGRAM_WRAPPING)
  const root = load<usize>(wrapping, PROGRAM_ROOT)
  const frames = load<usize>(wrapping, PROGRAM_FRAMES)
  const depthMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_DEPTH_MAX)
  // The walk notes keys in the program at hand: those of the payload inside are others.
  store<usize>(ctx, wrapping, CTX_PROGRAM)
  const after = walk(ctx, afterMark(at, end), end, root, frames, depthMax, 0)
  store<usize>(ctx, program, CTX_PROGRAM)
  countScanned(ctx, end - at)
  if (after != end) return 0
  const slot = find(frames, wrapping + PROGRAM_TYPE_REF, frames + load<u32>(root, NODE_FRAME))
  return slot != 0 && <u32>load<u8>(load<usize>(slot)) == QUOTE ? slot : 0
}

function hasBackslash(at: usize, end: usize): bool {
  for (; at < end; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0x5c)))
    if (found != 0) return at + ctz(found) < end
  }
  return false
}
