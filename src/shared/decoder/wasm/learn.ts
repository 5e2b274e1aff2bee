/**
 * Learning templates from events that were walked.
 *
 * The skeleton of an event is what lies outside its scalars. Events of one skeleton share a
 * template; a scalar that was not the same in all of them is a hole. So a template begins without
 * any, and every event that it should have matched and did not makes it more tolerant.
 */
import {
  CTX_PROGRAM,
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_SPANS,
  NAME_BYTES_SAFE,
  NUMBER_BYTES_SAFE,
  PROGRAM_DEBT,
  PROGRAM_HITS,
  PROGRAM_HITS_THEN,
  PROGRAM_ORDER,
  PROGRAM_SKIPPED,
  PROGRAM_TEMPLATE_COUNT,
  SPANS_MAX,
} from '../wasm-layout.ts'
import {
  TEMPLATE_BYTES,
  TEMPLATE_EVENT,
  TEMPLATE_LEAD,
  TEMPLATE_NAME,
  TEMPLATE_NAME_BYTES,
  TEMPLATE_NEXT,
  TEMPLATE_TAIL,
  TEMPLATE_EVENT_BYTES_MAX,
  TEMPLATE_SKELETON_BYTES,
  TEMPLATE_SPANS,
  TEMPLATE_SPAN_COUNT,
  TEMPLATE_SPAN_HOLE,
  TEMPLATE_SPAN_SIZE,
} from '../wasm-template-layout.ts'
import { build } from './build.ts'
import {
  blanksEnd,
  COLON,
  MINUS,
  numberEnd,
  OBJECT_END,
  QUOTE,
  same,
  SPACE,
  stringEnd,
  TAB,
  ZERO,
} from './scan.ts'
import { DEBT_MAX, follow } from './template.ts'

/** What learning costs: about as much as so many hits save. */
const COST: u32 = 3
/** In debt for more than DEBT_MAX, one event in so many is learnt from. */
const SKIPS: u32 = 64

/**
 * Whether to learn from the next event that no template serves: not where that brings nothing.
 */
export function wantsToLearn(program: usize): bool {
  if (load<u32>(program, PROGRAM_TEMPLATE_COUNT) == 0) return false
  const hits = load<u32>(program, PROGRAM_HITS)
  const gained = hits - load<u32>(program, PROGRAM_HITS_THEN)
  const debt = load<u32>(program, PROGRAM_DEBT)
  const left = debt - min(debt, gained)
  store<u32>(program, hits, PROGRAM_HITS_THEN)
  store<u32>(program, left, PROGRAM_DEBT)
  if (left <= DEBT_MAX) return true
  const skipped = load<u32>(program, PROGRAM_SKIPPED) + 1
  store<u32>(program, skipped, PROGRAM_SKIPPED)
  return (skipped & (SKIPS - 1)) == 0
}

/**
 * Learns from the event at `event`, which was walked just now: its payload begins at `payload`, its
 * last line ends at `stop`, and the blank line at `end`.
 */
export function learn(ctx: usize, event: usize, payload: usize, stop: usize, end: usize): void {
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (end - event > <usize>TEMPLATE_EVENT_BYTES_MAX) return
  // What some stream's limits may refuse, no template serves.
  if (load<u32>(ctx, CTX_NAME_BYTES) > <u32>NAME_BYTES_SAFE) return
  // Three bytes are a CRLF and a CR whose LF is yet to come.
  if (end - stop == 3) return
  const spans = load<usize>(ctx, CTX_SPANS)
  const count = findSpans(spans, payload, stop)
  if (count == 0) return
  store<u32>(program, load<u32>(program, PROGRAM_DEBT) + COST, PROGRAM_DEBT)
  let template = findSkeleton(program, event, end, spans, count)
  if (template != 0) {
    widen(template, spans, count)
  } else {
    const order = load<usize>(program, PROGRAM_ORDER)
    template = load<usize>(order + ((load<u32>(program, PROGRAM_TEMPLATE_COUNT) - 1) << 2))
    begin(template, event, end, spans, count)
    const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
    const name: usize = nameBytes == 0 ? 0 : load<usize>(ctx, CTX_NAME) - event
    store<usize>(template, template + TEMPLATE_EVENT + name, TEMPLATE_NAME)
    store<u32>(template, nameBytes, TEMPLATE_NAME_BYTES)
    store<usize>(template, payload - event, TEMPLATE_LEAD)
    store<usize>(template, end - stop, TEMPLATE_TAIL)
  }
  if (build(ctx, program, template)) follow(program, template)
  else store<u32>(template, 0, TEMPLATE_BYTES)
}

/**
 * Lists the scalars of an object that is known to be well-formed, keys apart: first byte and the
 * byte after the last. The list ends with two that may be empty: the blanks before the object's
 * last byte, and those after it. Returns how many; 0 where there are too many, or one too long.
 */
function findSpans(spans: usize, object: usize, end: usize): u32 {
  let span = spans
  const last = spans + (SPANS_MAX - 2) * 8
  let close = object
  for (let at = object; at < end; at++) {
    const byte: u32 = load<u8>(at)
    const start = at
    if (byte == OBJECT_END) close = at
    if (byte == QUOTE) {
      at = stringEnd(at + 1, end)
      if (<u32>load<u8>(blanksEnd(at + 1, end, false)) == COLON) continue
      span = addSpan(span, start + 1, at)
    } else if (byte - ZERO < 10 || byte == MINUS) {
      span = addSpan(span, start, numberEnd(at, end))
      at = load<usize>(span - 4) - 1
      if (at - start >= <usize>NUMBER_BYTES_SAFE) return 0
    } else continue
    if (span == last) return 0
  }
  let gap = close
  while (<u32>load<u8>(gap - 1) == SPACE || <u32>load<u8>(gap - 1) == TAB) gap--
  span = addSpan(span, gap, close)
  span = addSpan(span, close + 1, end)
  return <u32>(span - spans) >> 3
}

function addSpan(span: usize, start: usize, end: usize): usize {
  store<usize>(span, start)
  store<usize>(span, end, 4)
  return span + 8
}

/** The template of the event's skeleton, 0 where there is none. */
function findSkeleton(program: usize, at: usize, end: usize, spans: usize, count: u32): usize {
  const bytes = skeletonBytes(at, end, spans, count)
  let place = load<usize>(program, PROGRAM_ORDER)
  for (let left = load<u32>(program, PROGRAM_TEMPLATE_COUNT); left > 0; left--, place += 4) {
    const template = load<usize>(place)
    if (load<u32>(template, TEMPLATE_BYTES) == 0) continue
    if (load<u32>(template, TEMPLATE_SPAN_COUNT) != count) continue
    if (load<u32>(template, TEMPLATE_SKELETON_BYTES) != bytes) continue
    if (hasSkeleton(template, at, end, spans, count)) return template
  }
  return 0
}

function skeletonBytes(at: usize, end: usize, spans: usize, count: u32): u32 {
  let bytes = <u32>(end - at)
  for (let span = spans; count > 0; count--, span += 8) {
    bytes -= load<u32>(span, 4) - load<u32>(span)
  }
  return bytes
}

function hasSkeleton(template: usize, at: usize, end: usize, spans: usize, count: u32): bool {
  let own = template + TEMPLATE_SPANS
  let ownAt = template + TEMPLATE_EVENT
  for (let span = spans; count > 0; count--, span += 8, own += TEMPLATE_SPAN_SIZE) {
    const bytes = load<usize>(span) - at
    if (load<usize>(own) - ownAt != bytes || !same(ownAt, at, bytes)) return false
    at = load<usize>(span, 4)
    ownAt = load<usize>(own, 4)
  }
  // The sums of all are equal, so the rest is as long.
  return same(ownAt, at, end - at)
}

/** Makes holes of the scalars that are not what they were. */
function widen(template: usize, spans: usize, count: u32): void {
  let own = template + TEMPLATE_SPANS
  for (let span = spans; count > 0; count--, span += 8, own += TEMPLATE_SPAN_SIZE) {
    const bytes = load<u32>(span, 4) - load<u32>(span)
    const isSame =
      load<u32>(own, 4) - load<u32>(own) == bytes && same(load<u32>(own), load<u32>(span), bytes)
    if (!isSame) store<u32>(own, 1, TEMPLATE_SPAN_HOLE)
  }
}

/** Starts a template anew, without holes. */
function begin(template: usize, at: usize, end: usize, spans: usize, count: u32): void {
  const copy = template + TEMPLATE_EVENT
  memory.copy(copy, at, end - at)
  store<u32>(template, <u32>(end - at), TEMPLATE_BYTES)
  store<usize>(template, template, TEMPLATE_NEXT)
  store<u32>(template, count, TEMPLATE_SPAN_COUNT)
  store<u32>(template, skeletonBytes(at, end, spans, count), TEMPLATE_SKELETON_BYTES)
  let own = template + TEMPLATE_SPANS
  for (let span = spans; count > 0; count--, span += 8, own += TEMPLATE_SPAN_SIZE) {
    store<usize>(own, load<usize>(span) - at + copy)
    store<usize>(own, load<usize>(span, 4) - at + copy, 4)
    store<u32>(own, 0, TEMPLATE_SPAN_HOLE)
  }
}
