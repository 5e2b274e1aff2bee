/**
 * One thread of ring-stress.test.ts: the producer or the consumer of one ring, with real parking.
 *
 * Both threads derive record n from the seed, so the consumer knows every word that it must find.
 */
import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { CHUNK_SPACE_WANTED, CHUNK_TAIL, CHUNK_TAIL_CLOSED } from '../src/shared/channel-layout.ts'
import { Consumer, HEADER_BYTES, Producer, type RingLayout } from '../src/shared/ring-buffer.ts'
import {
  claimOrWant,
  releaseAsked,
  ringBell,
  TIMED_OUT,
  workOrWait,
} from '../src/shared/wait-strategy.ts'

export const CONTROL_BYTES = 4096
/** The consumer's words. In a channel its position has none, since a commit tells it. */
export const HEAD: number = CHUNK_TAIL + 32
const HEAD_CLOSED: number = HEAD + 1

export interface StressTask {
  readonly role: 'producer' | 'consumer'
  readonly records: number
  readonly seed: number
  readonly capacityBytes: number
  /** Control words that the consumer waits on, then the ring's data. */
  readonly channel: SharedArrayBuffer
  /** Control words that the producer waits on. */
  readonly back: SharedArrayBuffer
}

export interface StressReport {
  readonly records: number
  /** Sum of all payload words, modulo 2^32. */
  readonly checksum: number
  /** Waits that the safety timeout ended. */
  readonly timeouts: number
}

/** xorshift32: a stream of words that both threads agree on. */
function randomFrom(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state
  }
}

/** Seven of eight are short; the others up to as long as a record may be. */
function lengthFrom(random: number, payloadBytesMax: number): number {
  const range = (random & 7) === 0 ? payloadBytesMax : Math.min(24, payloadBytesMax)
  return (random >>> 3) % (range + 1)
}

function typeFrom(random: number): number {
  return 1 + (random & 127)
}

function layoutOf(capacityBytes: number): RingLayout {
  return {
    tail: CHUNK_TAIL,
    producerClosed: CHUNK_TAIL_CLOSED,
    head: HEAD,
    consumerClosed: HEAD_CLOSED,
    data: CONTROL_BYTES,
    capacityBytes,
  }
}

function produce({ records, seed, capacityBytes, channel, back }: StressTask): StressReport {
  const words = new Int32Array(channel)
  const own = new Int32Array(back)
  const producer = new Producer(words, layoutOf(capacityBytes))
  const random = randomFrom(seed)
  let next = random()
  let sent = 0
  let checksum = 0
  let timeouts = 0
  const publish = () => {
    if (producer.publish()) ringBell(words)
  }
  const work = () => {
    const before = sent
    while (sent < records) {
      const payloadBytes = lengthFrom(next, producer.payloadBytesMax)
      const at = claimOrWant(words, CHUNK_SPACE_WANTED, producer, typeFrom(next), payloadBytes)
      if (at < 0) break
      const end = (at + payloadBytes) >> 2
      for (let index = at >> 2; index < end; index++) {
        const word = random()
        words[index] = word
        checksum = (checksum + word) | 0
      }
      producer.commit()
      sent++
      if ((next & 48) === 0) publish()
      next = random()
    }
    publish()
    return sent > before
  }
  while (sent < records) if (workOrWait(own, work) === TIMED_OUT) timeouts++
  producer.close()
  ringBell(words)
  return { records: sent, checksum, timeouts }
}

function consume({ seed, capacityBytes, channel, back }: StressTask): StressReport {
  const words = new Int32Array(channel)
  const other = new Int32Array(back)
  const consumer = new Consumer(words, layoutOf(capacityBytes))
  const random = randomFrom(seed)
  const payloadBytesMax = capacityBytes / 4 - HEADER_BYTES
  let next = random()
  let received = 0
  let checksum = 0
  let timeouts = 0
  let ended = false
  const check = () => {
    if (consumer.type !== typeFrom(next)) assert.fail(`type of record ${received}`)
    if (consumer.payloadBytes !== lengthFrom(next, payloadBytesMax)) {
      assert.fail(`length of record ${received}`)
    }
    const end = (consumer.payloadOffset + consumer.payloadBytes) >> 2
    for (let index = consumer.payloadOffset >> 2; index < end; index++) {
      const word = words[index]!
      if (word !== random()) assert.fail(`payload of record ${received}`)
      checksum = (checksum + word) | 0
    }
    received++
    next = random()
  }
  const work = () => {
    const before = received
    while (consumer.next()) {
      check()
      if ((received & 15) === 0 && releaseAsked(words, CHUNK_SPACE_WANTED, consumer)) {
        ringBell(other)
      }
    }
    if (releaseAsked(words, CHUNK_SPACE_WANTED, consumer)) ringBell(other)
    ended = consumer.drained
    return ended || received > before
  }
  const isEnded = () => ended
  while (!isEnded()) if (workOrWait(words, work) === TIMED_OUT) timeouts++
  return { records: received, checksum, timeouts }
}

if (parentPort !== null) {
  const task = workerData as StressTask
  parentPort.postMessage(task.role === 'producer' ? produce(task) : consume(task))
}
