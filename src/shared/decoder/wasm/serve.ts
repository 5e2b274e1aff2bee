/**
 * Payloads that are taken out of frames: a template that serves one is looked for by the payload
 * alone, and learnt from it and the name before it.
 */
import {
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_PROGRAM,
  PROGRAM_DEBT,
  PROGRAM_LAST,
  PROGRAM_ORDER,
  PROGRAM_TEMPLATE_COUNT,
} from '../wasm-layout.ts'
import { TEMPLATE_BYTES, TEMPLATE_NEXT } from '../wasm-template-layout.ts'
import { learn, wantsToLearn } from './learn.ts'
import { OBJECT_START } from './scan.ts'
import { countScanned } from './state.ts'
import { DEBT_MAX, follow, takeServedPayload } from './template.ts'
import { isPlain } from './type.ts'

/** Templates that a payload is held against at most, beside the one that is expected. */
const TRIES_MAX: u32 = 4

/** Takes a payload that some template serves: the one expected, or one that served lately. */
export function takeServedByAny(ctx: usize, state: usize, at: usize, end: usize): bool {
  if (takeServedPayload(ctx, state, at, end)) return true
  const program = load<usize>(ctx, CTX_PROGRAM)
  const last = load<usize>(program, PROGRAM_LAST)
  if (last == 0 || load<u32>(program, PROGRAM_DEBT) > DEBT_MAX) return false
  const expected = load<usize>(last, TEMPLATE_NEXT)
  const order = load<usize>(program, PROGRAM_ORDER)
  const count = min(load<u32>(program, PROGRAM_TEMPLATE_COUNT), TRIES_MAX)
  for (let index: u32 = 0; index < count; index++) {
    const template = load<usize>(order + (index << 2))
    if (template == expected) continue
    countScanned(ctx, min<usize>(load<usize>(template, TEMPLATE_BYTES), end - at))
    store<usize>(last, template, TEMPLATE_NEXT)
    if (!takeServedPayload(ctx, state, at, end)) continue
    store<usize>(program, last, PROGRAM_LAST)
    follow(program, template)
    return true
  }
  store<usize>(last, expected, TEMPLATE_NEXT)
  return false
}

/** Learns from a payload that was walked just now: one object, from its first byte on. */
export function learnPayload(ctx: usize, at: usize, end: usize): void {
  if (<u32>load<u8>(at) != OBJECT_START || !wantsToLearn(load<usize>(ctx, CTX_PROGRAM))) return
  const name = load<usize>(ctx, CTX_NAME)
  const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
  // What is malformed in a name is counted where the name is read, which a template spares.
  if (!isPlain(name, name + nameBytes, false)) return
  learn(ctx, nameBytes != 0 ? name : at, at, end, end)
}
