/** One thread's accesses to shared words, in order, as a list of sentences. */
import assert from 'node:assert/strict'
import {
  BATCH,
  BELL,
  CHUNK_SPACE_WANTED,
  MAIN_NOTIFIED,
  PARKED,
} from '../../src/shared/channel-layout.ts'
import type * as commit from '../../src/shared/commit.ts'
import type * as ring from '../../src/shared/ring-buffer.ts'
import type * as wait from '../../src/shared/wait-strategy.ts'
import { type Machine, play } from './atomics.ts'
import { ModuleLoader } from './load-module.ts'

const loader = new ModuleLoader({
  'shared/ring-buffer': [],
  'shared/wait-strategy': [],
  'shared/commit': [],
})

/** The production modules, on atomics that are recorded. */
export const recordedRing: typeof ring = (await loader.load('shared/ring-buffer')) as typeof ring
export const recordedWait: typeof wait = (await loader.load('shared/wait-strategy')) as typeof wait
export const recordedCommit: typeof commit = (await loader.load('shared/commit')) as typeof commit

/** Type of the records that `put` writes. */
export const TYPE = 7
const LAYOUT = {
  tail: 160,
  producerClosed: 161,
  head: 192,
  consumerClosed: 193,
  data: 1024,
  capacityBytes: 64,
}
/** What the log calls the words that it knows. */
const NAMES: Readonly<Record<number, string>> = {
  [BATCH]: 'BATCH',
  [BELL]: 'BELL',
  [PARKED]: 'PARKED',
  [MAIN_NOTIFIED]: 'MAIN_NOTIFIED',
  [CHUNK_SPACE_WANTED]: 'WANTED',
  [LAYOUT.tail]: 'tail',
  [LAYOUT.producerClosed]: 'producerClosed',
  [LAYOUT.head]: 'head',
  [LAYOUT.consumerClosed]: 'consumerClosed',
}

export interface Recording {
  /** Plain accesses through this view are recorded too, atomic ones wherever they go. */
  readonly words: Int32Array
  readonly log: string[]
  /** What `wait` answers, after it was recorded. */
  waitOutcome: 'ok' | 'not-equal' | 'timed-out'
}

/** Plays the machine from now on, for {@link recordedRing} and {@link recordedWait}. */
export function recordAccesses(wordCount: number): Recording {
  const values = new Int32Array(wordCount)
  const log: string[] = []
  const nameOf = (index: number) => NAMES[index] ?? `word ${index}`
  const words = new Proxy(values, {
    get: (_, index) => {
      if (index === 'copyWithin') return values.copyWithin.bind(values)
      log.push(`read ${nameOf(Number(index))}`)
      return values[Number(index)]
    },
    set: (_, index, value: number) => {
      log.push(`write ${nameOf(Number(index))} ${value}`)
      values[Number(index)] = value
      return true
    },
  })
  const recording: Recording = { words, log, waitOutcome: 'ok' }
  play(machineOf(values, nameOf, recording))
  return recording
}

export interface RecordedRing extends Recording {
  producer: ring.Producer
  consumer: ring.Consumer
}

/** A ring of 64 bytes whose next access is the first one in the log. */
export function recordRing(): RecordedRing {
  const recording = recordAccesses((LAYOUT.data + LAYOUT.capacityBytes) / 4)
  const producer = new recordedRing.Producer(recording.words, LAYOUT)
  const consumer = new recordedRing.Consumer(recording.words, LAYOUT)
  recording.log.length = 0
  return { ...recording, producer, consumer }
}

/** What `action` added to the log. */
export function during(log: string[], action: () => unknown): string[] {
  log.length = 0
  action()
  return log.slice()
}

/** Commits one record, its payload left as it is. */
export function put({ producer }: RecordedRing, payloadBytes: number): void {
  assert.ok(producer.claim(TYPE, payloadBytes) > 0)
  producer.commit()
}

function machineOf(
  values: Int32Array,
  nameOf: (index: number) => string,
  recording: Recording,
): Machine {
  const { log } = recording
  const update = (what: string, index: number, value: number, after: number) => {
    log.push(`${what} ${nameOf(index)} ${value}`)
    const before = values[index]!
    values[index] = after
    return before
  }
  return {
    load: (_, index) => {
      log.push(`load ${nameOf(index)}`)
      return values[index]!
    },
    store: (_, index, value) => void update('store', index, value, value),
    add: (_, index, value) => update('add', index, value, values[index]! + value),
    exchange: (_, index, value) => update('exchange', index, value, value),
    compareExchange: (_, index, expected, value) =>
      update('compareExchange', index, value, values[index] === expected ? value : values[index]!),
    wait: (_, index, expected, msMax) => {
      log.push(`wait ${nameOf(index)} ${expected} for ${msMax} ms`)
      return recording.waitOutcome
    },
    notify: (_, index, count) => {
      log.push(`notify ${nameOf(index)} ${count}`)
      return 1
    },
  }
}
