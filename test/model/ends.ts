/** What the scenarios are made of: two small rings, numbered messages, and each side's loop. */
import assert from 'node:assert/strict'
import { CHUNK_SPACE_WANTED, RECORD_SPACE_WANTED } from '../../src/shared/channel-layout.ts'
import type * as ring from '../../src/shared/ring-buffer.ts'
import { add } from './atomics.ts'
import type { Context } from './scenario.ts'
import type { Code } from './code.ts'

export const TYPE = 1
export const PAYLOAD_BYTES = 8
const RING_BYTES = 64

/** Posted to main and not yet received. */
export const PORT = 224
export const CHUNKS: ring.RingLayout = layoutOf(0)
export const RECORDS: ring.RingLayout = layoutOf(1)
export const WORD_COUNT: number = (RECORDS.data + RING_BYTES) / 4

/** Main's end of the chunk ring: sends the messages after `sent`; returns 0, or CLOSED. */
export function sender(code: Code, sent: number, last: number) {
  return (context: Context): (() => number) => {
    const { words } = context
    const chunks = new code.ring.Producer(words, CHUNKS)
    const { claimOrWant, ringBell } = code.wait
    return () => {
      let message = sent
      let outcome = 0
      const sendAll = () => {
        while (message < last) {
          outcome = claimOrWant(words, CHUNK_SPACE_WANTED, chunks, TYPE, PAYLOAD_BYTES)
          if (outcome < 0) return
          write(words, outcome, ++message)
          chunks.commit()
          chunks.publish()
          ringBell(words)
        }
        outcome = 0
      }
      sendAll()
      answer(code, context, sendAll, () => outcome !== code.ring.BACKPRESSURED)
      return outcome
    }
  }
}

/** The worker's end of the chunk ring: returns how many it has received, all in order. */
export function receiver(code: Code, last: number, spinChecks: number) {
  return ({ words }: Context): (() => number) => {
    const chunks = new code.ring.Consumer(words, CHUNKS)
    return () => {
      let received = 0
      const work = () => {
        const before = received
        received = readAll(words, chunks, received)
        if (code.wait.releaseAsked(words, CHUNK_SPACE_WANTED, chunks)) post(code, words)
        return received > before
      }
      serve(code, words, work, () => received === last, spinChecks)
      return received
    }
  }
}

/** Main's end of the record ring: returns how many it has received, all in order. */
export function drainer(code: Code, last: number) {
  return (context: Context): (() => number) => {
    const { words } = context
    const records = new code.ring.Consumer(words, RECORDS)
    const { releaseAsked, ringBell } = code.wait
    return () => {
      let received = 0
      const drain = () => {
        received = readAll(words, records, received)
        if (releaseAsked(words, RECORD_SPACE_WANTED, records)) ringBell(words)
      }
      answer(code, context, drain, () => received === last)
      return received
    }
  }
}

/** Worker: works and waits until done. */
export function serve(
  code: Code,
  words: Int32Array,
  work: () => boolean,
  isDone: () => boolean,
  spinChecks: number = 0,
): void {
  while (!isDone()) code.wait.workOrWait(words, work, spinChecks)
}

/** Main: answers doorbells until done. */
function answer(
  code: Code,
  { words, take }: Context,
  drain: () => void,
  isDone: () => boolean,
): void {
  while (!isDone()) {
    take(PORT)
    code.wait.answerDoorbell(words, drain)
  }
}

/** Worker: posts a doorbell to main, unless one is under way. */
export function post(code: Code, words: Int32Array): void {
  if (code.wait.doorbellNeeded(words)) add(words, PORT, 1)
}

/** Writes message number n: two words that hold n. */
export function write(words: Int32Array, at: number, message: number): void {
  assert.ok(at > 0, `no room: ${at}`)
  words[at >> 2] = message
  words[(at >> 2) + 1] = message
}

/** Reads all there are; `received` is the number of the last one, returns the new last. */
export function readAll(words: Int32Array, consumer: ring.Consumer, received: number): number {
  let last = received
  while (consumer.next()) last = readCurrent(words, consumer, last)
  return last
}

export function readCurrent(words: Int32Array, consumer: ring.Consumer, received: number): number {
  assert.equal(consumer.type, TYPE, 'a record of another type')
  assert.equal(consumer.payloadBytes, PAYLOAD_BYTES, 'a record of another length')
  const at = consumer.payloadOffset >> 2
  const message = words[at]!
  assert.equal(message, received + 1, 'a message lost, doubled or out of order')
  assert.equal(words[at + 1], message, 'a torn message')
  return message
}

function layoutOf(nth: number): ring.RingLayout {
  const tail = 160 + nth * 4
  const data = 1024 + nth * RING_BYTES
  return {
    tail,
    producerClosed: tail + 1,
    head: tail + 2,
    consumerClosed: tail + 3,
    data,
    capacityBytes: RING_BYTES,
  }
}

export function startAt({ tail, head }: ring.RingLayout, position: number): [number, number][] {
  return [
    [tail, position | 0],
    [head, position | 0],
  ]
}

/** A ring that holds messages 1 to `count`, from `position`, none of them past the wrap. */
export function fillFrom(
  layout: ring.RingLayout,
  position: number,
  count: number,
): [number, number][] {
  const words: [number, number][] = startAt(layout, position)
  words[0] = [layout.tail, position + 16 * count]
  for (let message = 1; message <= count; message++) {
    const at = (layout.data + position + 16 * (message - 1)) >> 2
    words.push([at, 8 + PAYLOAD_BYTES], [at + 1, TYPE], [at + 2, message], [at + 3, message])
  }
  return words
}
