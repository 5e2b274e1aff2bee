/**
 * The decoder as WebAssembly: every function takes the address of a context, and what it needs lies
 * there. wasm-layout.ts says what lies where.
 */
import {
  CTX_CHUNK,
  CTX_CHUNK_OFFSET,
  CTX_NAME_BYTES,
  CTX_OUT_OF_ROOM,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_STATE,
  FLAG_AFTER_CR,
  FLAG_ENDED,
  FLAG_FAILED,
  FLAG_IN_ARRAY,
  FLAG_IS_HTML,
  FLAG_IS_JSON,
  FLAG_IS_STREAM,
  FLAG_OPEN,
  FRAMING_ARRAY,
  FRAMING_NDJSON,
  FRAMING_SSE,
  PROFILE_FLUSH,
  PROFILE_PROGRAM,
  PROGRAM_FRAMING,
  PROGRAM_IS_FAST,
  STATE_BYTES,
  STATE_FLAGS,
  STATE_LINE_BYTES,
  STATE_OFFSET,
} from '../wasm-layout.ts'
import { endElements, takeElement } from './array.ts'
import { takeFrame } from './aws.ts'
import { endBody, keepBody, sniff } from './body.ts'
import { keep, release as releaseSlabs, resume } from './carry.ts'
import { takeEvents } from './events.ts'
import { fail, FAULT_NO_BUFFER_EVENT, FAULT_NO_BUFFER_ROWS } from './failure.ts'
import { endRecord, takeRecord } from './ndjson.ts'
import { hasEnough } from './output.ts'
import { LF } from './scan.ts'
import { endLines, takeLine } from './sse.ts'
import { clearFlags, hasFlags, setFlags } from './state.ts'

/**
 * Decodes the bytes `at` to `end` of a stream. Returns how far it came: all the way, or to the
 * event boundary where there was enough output for one batch.
 */
export function push(ctx: usize, profile: usize, state: usize, at: usize, end: usize): usize {
  begin(ctx, profile, state, at)
  const stop = hasFlags(state, FLAG_FAILED) ? end : take(ctx, state, at, end)
  store<f64>(state, load<f64>(state, STATE_BYTES) + <f64>(stop - at), STATE_BYTES)
  return stop
}

/** The source ended: what that completes; a body that is no stream is reported. */
export function finish(ctx: usize, profile: usize, state: usize): void {
  begin(ctx, profile, state, 0)
  if (!hasFlags(state, FLAG_FAILED)) {
    if (hasFlags(state, FLAG_IS_JSON | FLAG_IS_HTML)) endBody(ctx, state)
    else endStream(ctx, state)
    checkRoom(ctx, state)
  }
  releaseSlabs(ctx)
}

/** Gives the slabs of an abandoned stream back. */
export function release(ctx: usize, state: usize): void {
  store<usize>(ctx, state, CTX_STATE)
  releaseSlabs(ctx)
}

/** Copies inside the memory: output to wherever it is published. */
export function copy(target: usize, source: usize, bytes: usize): void {
  memory.copy(target, source, bytes)
}

function begin(ctx: usize, profile: usize, state: usize, at: usize): void {
  store<usize>(ctx, state, CTX_STATE)
  store<usize>(ctx, profile, CTX_PROFILE)
  store<usize>(ctx, load<usize>(profile, PROFILE_PROGRAM), CTX_PROGRAM)
  store<usize>(ctx, at, CTX_CHUNK)
  store<f64>(ctx, load<f64>(state, STATE_BYTES), CTX_CHUNK_OFFSET)
}

function take(ctx: usize, state: usize, at: usize, end: usize): usize {
  if (!hasFlags(state, FLAG_IS_STREAM | FLAG_IS_JSON | FLAG_IS_HTML)) {
    const told = sniff(ctx, state, at, end)
    if (hasFlags(state, FLAG_FAILED)) return end
    if (hasFlags(state, FLAG_IS_JSON | FLAG_IS_HTML)) {
      releaseSlabs(ctx)
      const offset = load<f64>(ctx, CTX_CHUNK_OFFSET) + <f64>(told - at)
      store<f64>(state, offset, STATE_OFFSET)
      at = told
    }
  }
  if (hasFlags(state, FLAG_IS_JSON | FLAG_IS_HTML)) {
    keepBody(ctx, state, at, end)
    checkRoom(ctx, state)
    return end
  }
  return takeStream(ctx, state, at, end)
}

function takeStream(ctx: usize, state: usize, at: usize, end: usize): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  const framing = load<u32>(program, PROGRAM_FRAMING)
  if (framing == FRAMING_SSE) resume(ctx)
  else store<u32>(ctx, 0, CTX_NAME_BYTES)
  const isFast = load<u32>(program, PROGRAM_IS_FAST) != 0
  while (at < end) {
    if (hasFlags(state, FLAG_AFTER_CR)) {
      clearFlags(state, FLAG_AFTER_CR)
      if (<u32>load<u8>(at) == LF) {
        at++
        continue
      }
    }
    if (!hasFlags(state, FLAG_OPEN) && load<u32>(state, STATE_LINE_BYTES) == 0) {
      if (hasEnough(ctx)) break
      const isReady = framing != FRAMING_ARRAY || hasFlags(state, FLAG_IN_ARRAY)
      if (isFast && isReady && !hasFlags(state, FLAG_ENDED)) {
        const stop = takeEvents(ctx, state, at, end)
        if (stop != at) {
          at = stop
          if (hasFlags(state, FLAG_FAILED)) return end
          continue
        }
      }
    }
    if (framing == FRAMING_SSE) at = takeLine(ctx, at, end)
    else if (framing == FRAMING_NDJSON) at = takeRecord(ctx, at, end)
    else if (framing == FRAMING_ARRAY) at = takeElement(ctx, at, end)
    else at = takeFrame(ctx, at, end)
    checkRoom(ctx, state)
    if (hasFlags(state, FLAG_FAILED)) return end
  }
  if (framing == FRAMING_SSE && !keep(ctx))
    fail(ctx, FAULT_NO_BUFFER_EVENT, 0, load<f64>(state, STATE_OFFSET), 0, 0)
  return at
}

/** What the end of the source completes. */
function endStream(ctx: usize, state: usize): void {
  const framing = load<u32>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_FRAMING)
  const profile = load<usize>(ctx, CTX_PROFILE)
  store<u32>(ctx, 0, CTX_NAME_BYTES)
  if (framing == FRAMING_NDJSON) endRecord(ctx, state)
  else if (framing == FRAMING_ARRAY) endElements(ctx, state)
  else if (framing == FRAMING_SSE && load<u8>(profile, PROFILE_FLUSH) != 0) {
    resume(ctx)
    endLines(ctx, state)
  }
}

/** A row that there was no room for ends the stream. Those of an event have their own check. */
function checkRoom(ctx: usize, state: usize): void {
  if (load<u32>(ctx, CTX_OUT_OF_ROOM) == 0) return
  store<u32>(ctx, 0, CTX_OUT_OF_ROOM)
  if (hasFlags(state, FLAG_FAILED)) return
  fail(ctx, FAULT_NO_BUFFER_ROWS, 0, load<f64>(state, STATE_OFFSET), 0, 0)
}
