/**
 * Main and worker of the small channel in every interleaving, and the worker dying at every atomic
 * operation, with a successor that main starts. Both sides run the production code; main reads
 * records naively. Each thread ends when all that it expects has come, so a lost wake-up is a
 * deadlock.
 */
import assert from 'node:assert/strict'
import {
  CHUNK_SPACE_WANTED,
  COPY_ID,
  FRAME_BYTE_LENGTH,
  FRAME_BYTES_AT,
  FRAME_DATA,
  FRAME_HEADER_BYTES,
  FRAME_STREAM_ID,
  MAIN_NOTIFIED,
  RECORD_SPACE_WANTED,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  STREAM_COPIES,
  streamId,
} from '../../src/shared/channel-layout.ts'
import type { MainEnd } from '../../src/shared/channel-ends.ts'
import { HEADER_BYTES, PADDING } from '../../src/shared/ring-buffer.ts'
import { FLAG_CONTINUED, ROW_BYTES, ROW_WORDS } from '../../src/shared/rows.ts'
import { add, load, store } from './atomics.ts'
import type { Context, Mortal, Scenario, Thread } from './scenario.ts'
import type { Code } from './code.ts'
import { randomFrom } from './random.ts'
import { CARRY_BYTES, OUTPUT, overwriteUncommitted, SMALL, SMALL_BOUNDS } from './small-channel.ts'
import { expansionOf, ToyDecoder } from './toy-decoder.ts'

// Words of the model's own, where the channel has none.

/** Events for main that it has not handled: doorbells, and ends of workers. */
const EVENTS = 300
/** How many workers have died; or DONE, once all frames are taken. */
const PHASE = 301
const DONE = 100
/** By worker: 1 once it may start. */
const STARTED = 304

const ID = streamId(0, 1)

/** Four records fill the ring, with twenty letters each. */
const LAYOUT = { ...SMALL, recordRing: { ...SMALL.recordRing, capacityBytes: 256 } }
const RECORD_BYTES_MAX = 56

interface Course {
  readonly name: string
  /** Bytes of the stream, a frame each. */
  readonly frames: readonly string[]
  /** How many of them are there before anything begins. Default 0. */
  readonly written?: number
  /** How much longer than its bytes each frame is. Default 0. */
  readonly padBytes?: number
  /** Where a batch ends. Default: where no frame is left. */
  readonly frameBytesMax?: number
  /** Where both rings start, bytes. Default 0. */
  readonly start?: number
  /** Workers that may die, one after the other. */
  readonly deaths: number
}

/** From 496 on, the first frame and record meet padding. */
const COURSES: readonly Course[] = [
  { name: 'an event in two frames', frames: ['a', 'b.'], start: 496, deaths: 0 },
  {
    name: 'no room for the fifth frame',
    frames: ['', '', '', '', 'a.'],
    written: 4,
    padBytes: 105,
    deaths: 0,
  },
  { name: 'one frame', frames: ['a.'], start: 2 ** 31 - 16, deaths: 1 },
  {
    name: 'two batches',
    frames: ['a.', 'b.'],
    written: 2,
    frameBytesMax: 1,
    deaths: 1,
  },
  {
    name: 'an event in two frames',
    frames: ['a', 'b.'],
    written: 2,
    start: 2 ** 32 - 16,
    deaths: 2,
  },
  { name: 'no room for the fifth record', frames: ['a.b.c.d.e.f.g.'], written: 1, deaths: 1 },
]

export function commitScenariosOf(code: Code): Scenario[] {
  return COURSES.map((course) => scenarioOf(code, course))
}

function scenarioOf(code: Code, course: Course): Scenario {
  const { name, frames, start = 0, deaths } = course
  const mortals = Array.from({ length: deaths }, (_, worker): Mortal => {
    return {
      thread: 1 + worker,
      leave: (values) =>
        overwriteUncommitted(values.buffer, randomFrom(start + 1 + worker), LAYOUT),
      // Doorbells on the way are lost.
      exit: [
        [EVENTS, 1],
        [PHASE, worker + 1],
      ],
    }
  })
  const workers = Array.from({ length: deaths + 1 }, (_, worker) => workerOf(code, course, worker))
  return {
    name: `commit: ${name}, from ${start}, ${deaths} deaths anywhere`,
    wordCount: LAYOUT.bytes / 4,
    initial: initialWords(course),
    threads: [mainOf(code, course), ...workers],
    mortals,
    check: ([text]) => assert.equal(text, expectedOf(frames)),
  }
}

/** A stream is open in row 0, frames may be written, and main has been told of something. */
function initialWords(course: Course): [number, number][] {
  const { start = 0, written = 0 } = course
  const words = new Int32Array(LAYOUT.bytes / 4)
  const slot = LAYOUT.commits >> 2
  const { chunkRing, recordRing } = LAYOUT
  for (const index of [slot, slot + 1, chunkRing.tail, recordRing.head]) words[index] = start
  words[(LAYOUT.streams + STREAM_COPIES + COPY_ID) >> 2] = ID
  for (const index of [EVENTS, MAIN_NOTIFIED, STARTED]) words[index] = 1
  writeFrames(words, course, written)
  return [...words.entries()].filter(([, value]) => value !== 0)
}

function writeFrames(words: Int32Array, { frames, padBytes = 0 }: Course, count: number): void {
  const { data, capacityBytes, tail } = LAYOUT.chunkRing
  const bytes = new Uint8Array(words.buffer)
  for (const text of frames.slice(0, count)) {
    const size = sizeOf(text, padBytes)
    const toEnd = capacityBytes - (words[tail]! & (capacityBytes - 1))
    if (size > toEnd) {
      words.set([toEnd, PADDING], (data + capacityBytes - toEnd) >> 2)
      words[tail]! += toEnd
    }
    const at = data + (words[tail]! & (capacityBytes - 1))
    const byteLength = FRAME_HEADER_BYTES + text.length + padBytes
    const frame = [HEADER_BYTES + byteLength, FRAME_DATA, ID, FRAME_HEADER_BYTES, text.length]
    words.set(frame, at >> 2)
    bytes.set(Buffer.from(text), at + HEADER_BYTES + FRAME_HEADER_BYTES)
    words[tail]! += size
  }
}

/** Writes the frames and reads until it has all letters, then until the worker is done. */
function mainOf(code: Code, { frames, padBytes = 0, written = 0, deaths }: Course): Thread {
  const { length } = expectedOf(frames)
  return ({ words, bytes, take, until }) => {
    const end = code.ends.attachMain({ words, bytes }, LAYOUT)
    const { answerDeath, answerDoorbell, releaseAsked, ringBell } = code.wait
    return () => {
      let next = written
      let died = 0
      let text = ''
      const write = (): void => {
        while (next < frames.length && writeFrame(code, end, frames[next]!, padBytes)) next++
      }
      const drain = (): void => {
        while (end.records.next()) text += readRecord(end, end.records.payloadOffset)
        if (releaseAsked(words, RECORD_SPACE_WANTED, end.records)) ringBell(words)
        write()
      }
      const takeOver = (): void => {
        answerDeath(words, drain)
        store(words, STARTED + ++died, 1)
      }
      write()
      while (text.length < length) {
        take(EVENTS)
        if (load(words, PHASE) === died + 1) takeOver()
        else answerDoorbell(words, drain)
      }
      for (let phase = load(words, PHASE); phase !== DONE; phase = load(words, PHASE)) {
        if (phase === died + 1) takeOver()
        else until(PHASE, phase)
      }
      // Those that were not needed end at once.
      while (died < deaths) store(words, STARTED + ++died, 1)
      drain()
      return text
    }
  }
}

function writeFrame(code: Code, end: MainEnd, text: string, padBytes: number): boolean {
  const { words, bytes, chunks } = end
  const { claimOrWant, ringBell } = code.wait
  const byteLength = FRAME_HEADER_BYTES + text.length + padBytes
  const at = claimOrWant(words, CHUNK_SPACE_WANTED, chunks, FRAME_DATA, byteLength)
  if (at < 0) return false
  words[(at + FRAME_STREAM_ID) >> 2] = ID
  words[(at + FRAME_BYTES_AT) >> 2] = FRAME_HEADER_BYTES
  words[(at + FRAME_BYTE_LENGTH) >> 2] = text.length
  bytes.set(Buffer.from(text), at + FRAME_HEADER_BYTES)
  chunks.commit()
  chunks.publish()
  ringBell(words)
  return true
}

/** What the frames decode to, with the full stops. */
function expectedOf(frames: readonly string[]): string {
  const expand = (letter: string): string => letter.toLowerCase().repeat(expansionOf(0))
  return frames.join('').replaceAll(/[A-Z]/g, expand)
}

/** The events of a record, each with its full stop. */
function readRecord({ words, bytes }: MainEnd, at: number): string {
  let text = ''
  const rowCount = words[(at + ROWS_ROW_COUNT) >> 2]!
  let from = at + ROWS_HEADER_BYTES + rowCount * ROW_BYTES
  for (let row = 0; row < rowCount; row++) {
    const word = ((at + ROWS_HEADER_BYTES) >> 2) + ROW_WORDS * row
    const end = from + words[word + 2]!
    for (; from < end; from++) text += String.fromCharCode(bytes[from]!)
    if (((words[word]! >> 8) & FLAG_CONTINUED) === 0) text += '.'
  }
  return text
}

/** Serves until all frames are taken, once those before it have died. */
function workerOf(code: Code, course: Course, number: number): Thread {
  const head = headAfter(course)
  const { frameBytesMax = 1000 } = course
  const bounds = { ...SMALL_BOUNDS, frameBytesMax, recordBytesMax: RECORD_BYTES_MAX }
  return ({ words, bytes, until }: Context) =>
    () => {
      until(STARTED + number, 0)
      if (load(words, PHASE) === DONE) return
      const end = code.ends.attachWorker({ words, bytes }, LAYOUT)
      const slabs = new code.slabs.CarrySlabs({
        at: SMALL.carry,
        bytes: CARRY_BYTES,
        leaseBytesMax: 0,
        grownBytes: CARRY_BYTES,
        grow: () => assert.fail('the toy has no more memory'),
      })
      const decoder = new ToyDecoder({ words, bytes }, slabs, OUTPUT)
      const ring = (): void => void add(words, EVENTS, 1)
      const server = new code.server.ChannelServer(end, decoder, ring, bounds)
      while (end.commits.head !== head) code.wait.workOrWait(words, () => server.turn(), 0)
      store(words, PHASE, DONE)
    }
}

/** Where the chunk ring's head comes to, padding included. */
function headAfter(course: Course): number {
  const { start = 0 } = course
  const words = new Int32Array(LAYOUT.bytes / 4)
  words[LAYOUT.chunkRing.tail] = start
  writeFrames(words, course, course.frames.length)
  return words[LAYOUT.chunkRing.tail]!
}

/** What a frame takes in the ring. */
function sizeOf(text: string, padBytes: number): number {
  return (HEADER_BYTES + FRAME_HEADER_BYTES + text.length + padBytes + 7) & -8
}
