/**
 * Main and worker of one small channel, by turns on one thread, where the worker may die at every
 * write to the shared memory, atomic or plain. Between two writes nothing is different for those
 * who come after it, so no other place need be tried.
 *
 * Main's side is small and obvious: it writes the frames of a script, reads records naively, and
 * takes over after a death. The worker's side is the production code.
 */
import assert from 'node:assert/strict'
import type { MainEnd } from '../../src/shared/channel-ends.ts'
import {
  CHUNK_SPACE_WANTED,
  CLOSED_STREAM_ID,
  FRAME_ABORT,
  FRAME_BYTE_LENGTH,
  FRAME_BYTES_AT,
  FRAME_DATA,
  FRAME_END,
  FRAME_HEADER_BYTES,
  FRAME_OPEN,
  FRAME_STREAM_ID,
  FRAME_WATCH,
  RECORD_CLOSED,
  RECORD_SPACE_WANTED,
  ROWS_CONSUMED_BYTES,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  rowOf,
  STREAM_ABORT,
  streamId,
  streamWord,
} from '../../src/shared/channel-layout.ts'
import { packFrame } from '../../src/shared/control-protocol.ts'
import { STREAM_LIMITS_DEFAULT } from '../../src/shared/limits.ts'
import { FLAG_CONTINUED, ROW_BYTES, ROW_FATAL, ROW_TEXT } from '../../src/shared/rows.ts'
import type { ChannelServer } from '../../src/workers/channel-server.ts'
import { type Machine, play } from './atomics.ts'
import type { Code } from './code.ts'
import { CARRY_BYTES, OUTPUT, overwriteLeft, SMALL, SMALL_BOUNDS } from './small-channel.ts'
import { EXPANSION, Poisoned, ToyDecoder } from './toy-decoder.ts'

/**
 * What main does, in order. `unwanted` sets the abort word, ahead of the ABORT frame; `full` goes on
 * once the worker has waited for room, or has died.
 */
export type Step = readonly [
  what: 'open' | 'data' | 'end' | 'abort' | 'unwanted' | 'full',
  stream: number,
  text?: string,
]

export interface Play {
  readonly script: readonly Step[]
  /** Frames that main writes, and records that it reads, before the worker goes on. */
  readonly writes: number
  readonly reads: number
  /** By life: the worker dies instead of its n-th write in that life; Infinity: not so. */
  readonly deaths: readonly number[]
  readonly seed: number
}

export interface Played {
  /** By life: how many writes it had come to. */
  readonly writes: readonly number[]
  /** How many of the planned deaths it came to. */
  readonly deaths: number
}

class Killed extends Error {}

/** Plays to the end. Throws an AssertionError if anything is lost, doubled, torn or stuck. */
export function playThrough(code: Code, plan: Play): Played {
  return new Rig(code, plan).run()
}

/** Knows which frame is being decoded. */
class WatchedDecoder extends ToyDecoder {
  frame: string | null = null
  #isOver = false

  override open(row: number): void {
    this.#begin(`the OPEN of row ${row}`)
    super.open(row)
    this.#isOver = true
  }

  override decode(row: number, state: number, at: number, byteLength: number): number {
    this.#begin(`the frame of row ${row} up to ${at + byteLength}`)
    const taken = super.decode(row, state, at, byteLength)
    this.#isOver = true
    return taken
  }

  override end(row: number): void {
    this.#begin(`the END of row ${row}`)
    super.end(row)
    this.#isOver = true
  }

  /** Something else is written. */
  returned(): void {
    if (this.#isOver) this.frame = null
  }

  #begin(frame: string): void {
    this.frame = frame
    this.#isOver = false
  }
}

/** In place of a word's index: something else is written. */
const NO_WORD = -1

const TURNS_MAX = 2000
const LIVES_MAX = 20

class Rig {
  readonly #code: Code
  readonly #plan: Play
  readonly #buffer = new ArrayBuffer(SMALL.bytes)
  readonly #words = new Int32Array(this.#buffer)
  readonly #main: MainSide
  /** By life that has ended. */
  readonly #lives: number[] = []
  /** By planned death: the frame that was being decoded, or `null`. */
  readonly #diedOf: (string | null)[] = []
  #decoder!: WatchedDecoder
  #isDead = false
  #writes = 0
  #inWorker = false

  constructor(code: Code, plan: Play) {
    this.#code = code
    this.#plan = plan
    play(this.#machine())
    this.#main = new MainSide(code, this.#words, plan)
  }

  run(): Played {
    let server = this.#worker()
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const mainDid = this.#main.step()
      let workerDid = true
      if (server !== null) workerDid = this.#alive(() => server!.turn()) ?? false
      if (this.#isDead) {
        this.#takeOver()
        server = this.#worker()
        continue
      }
      if (mainDid || workerDid) continue
      this.#main.check(server!.stats(), this.#mayBePoisoned())
      return { writes: [...this.#lives, this.#writes], deaths: this.#diedOf.length }
    }
    throw new assert.AssertionError({ message: 'it does not come to an end' })
  }

  #worker(): ChannelServer | null {
    this.#writes = 0
    this.#isDead = false
    return this.#alive(() => {
      const views = { words: this.#guarded(this.#words), bytes: this.#guarded(this.#main.bytes) }
      const end = this.#code.ends.attachWorker(views, SMALL)
      const region = { at: SMALL.carry, bytes: CARRY_BYTES, leaseBytesMax: 0 }
      const carry = new this.#code.slabs.CarrySlabs({
        ...region,
        grownBytes: CARRY_BYTES,
        grow: () => assert.fail('the toy has no more memory'),
      })
      this.#decoder = new WatchedDecoder(views, carry, OUTPUT)
      const ring = (): void => void this.#main.posted++
      return new this.#code.server.ChannelServer(end, this.#decoder, ring, SMALL_BOUNDS)
    })
  }

  #alive<T>(action: () => T): T | null {
    this.#inWorker = true
    try {
      return action()
    } catch (error) {
      if (error instanceof Killed) this.#diedOf.push(this.#decoder.frame)
      else if (!(error instanceof Poisoned)) throw error
      this.#lives.push(this.#writes)
      this.#isDead = true
      return null
    } finally {
      this.#inWorker = false
    }
  }

  #takeOver(): void {
    assert.ok(this.#lives.length < LIVES_MAX, 'the worker dies again and again')
    const random = randomFrom(this.#plan.seed + 7919 * this.#lives.length)
    overwriteLeft(this.#buffer, random)
    this.#main.takeOver()
  }

  /** Whether planned deaths may have made a frame look poisonous. */
  #mayBePoisoned(): boolean {
    const frames = this.#diedOf.filter((frame) => frame !== null)
    return new Set(frames).size < frames.length
  }

  #write(index: number): void {
    if (!this.#inWorker) return
    this.#writes++
    // That decoding is over is itself a write.
    if (index !== FRAME_WATCH) this.#decoder.returned()
    if (this.#writes === this.#plan.deaths[this.#lives.length]) throw new Killed()
  }

  #machine(): Machine {
    const words = this.#words
    const update = (index: number, after: number): number => {
      this.#write(index)
      const before = words[index]!
      words[index] = after
      return before
    }
    return {
      load: (_, index) => words[index]!,
      store: (_, index, value) => void update(index, value),
      add: (_, index, value) => update(index, words[index]! + value),
      exchange: (_, index, value) => update(index, value),
      compareExchange: (_, index, expected, value) =>
        update(index, words[index] === expected ? value : words[index]!),
      wait: (_, index, expected) => {
        this.#inWorker = false
        this.#main.wasFull = true
        while (words[index] === expected) {
          assert.ok(this.#main.step(), 'the worker waits for ever')
        }
        this.#inWorker = true
        return 'ok'
      },
      notify: () => 0,
    }
  }

  /** The same view, on which every write is one that the worker may die at. */
  #guarded<T extends Int32Array | Uint8Array>(view: T): T {
    const write = this.#write.bind(this)
    return new Proxy(view, {
      get(target, key) {
        const value = Reflect.get(target, key, target) as unknown
        if (typeof value !== 'function') return value
        const method = value as (...args: unknown[]) => unknown
        const writes = key === 'copyWithin' || key === 'fill' || key === 'set'
        return (...args: unknown[]) => {
          if (writes) write(NO_WORD)
          return method.apply(target, args)
        }
      },
      set(target, key, value: number) {
        write(target instanceof Int32Array ? Number(key) : NO_WORD)
        target[Number(key)] = value
        return true
      },
    })
  }
}

/** What main knows of a stream. */
interface Stream {
  readonly id: number
  readonly number: number
  sent: string
  /** What was sent before the frame that makes a poisonous event whole. */
  wholesome: string
  refunded: number
  readonly rows: string[]
  partial: string
  fatal: boolean
  closed: boolean
  unwanted: boolean
}

const OPTIONS = { dialect: 'sse', strict: false, limits: STREAM_LIMITS_DEFAULT }
const TYPES = { open: FRAME_OPEN, data: FRAME_DATA, end: FRAME_END, abort: FRAME_ABORT }

class MainSide {
  readonly bytes: Uint8Array
  /** Doorbells on the way. */
  posted = 0
  /** The worker has waited for room, or has died. */
  wasFull = false
  readonly #code: Code
  readonly #words: Int32Array
  readonly #plan: Play
  readonly #end: MainEnd
  readonly #streams: Stream[] = []
  /** By row: the stream that has it. */
  readonly #rows: (Stream | null)[] = [null, null, null, null]
  #next = 0
  #generation = 0
  #hasMore = false

  constructor(code: Code, words: Int32Array, plan: Play) {
    this.#code = code
    this.#words = words
    this.bytes = new Uint8Array(words.buffer)
    this.#plan = plan
    this.#end = code.ends.attachMain({ words, bytes: this.bytes }, SMALL)
  }

  /** Writes a little and reads a little; false where there was nothing to do. */
  step(): boolean {
    let did = this.#writeFrames()
    if (this.posted > 0 || this.#hasMore) {
      did = true
      this.posted = Math.max(0, this.posted - 1)
      this.#code.wait.answerDoorbell(this.#words, () => this.#drain())
    }
    return did
  }

  takeOver(): void {
    // Doorbells of the dead may be lost.
    this.posted = 0
    this.wasFull = true
    this.#code.wait.answerDeath(this.#words, () => this.#drain())
  }

  #writeFrames(): boolean {
    let written = 0
    while (written < this.#plan.writes && this.#next < this.#plan.script.length) {
      if (!this.#do(this.#plan.script[this.#next]!)) break
      this.#next++
      written++
    }
    return written > 0
  }

  #do([what, number, text = '']: Step): boolean {
    if (what === 'full') return this.wasFull
    if (what === 'open' && this.#rows[number] !== null) return false
    const stream = what === 'open' ? this.#newStream(number) : this.#streamOf(number)
    if (what === 'unwanted') {
      stream.unwanted = true
      this.#code.wait.ringBell(this.#words)
      this.#words[streamWord(number, STREAM_ABORT, SMALL.streams)] = 1
      return true
    }
    const payload = what === 'open' ? packFrame(OPTIONS) : Buffer.from(text)
    if (!this.#frame(stream.id, TYPES[what], payload)) return false
    if (what === 'open') {
      this.#rows[number] = stream
      this.#streams.push(stream)
    }
    stream.sent += text
    if (!isPoisonous(stream.sent)) stream.wholesome = stream.sent
    return true
  }

  #frame(id: number, type: number, payload: Uint8Array): boolean {
    const { chunks } = this.#end
    const bytes = FRAME_HEADER_BYTES + payload.length
    const at = this.#code.wait.claimOrWant(this.#words, CHUNK_SPACE_WANTED, chunks, type, bytes)
    if (at < 0) return false
    this.#words[(at + FRAME_STREAM_ID) >> 2] = id
    this.#words[(at + FRAME_BYTES_AT) >> 2] = FRAME_HEADER_BYTES
    this.#words[(at + FRAME_BYTE_LENGTH) >> 2] = payload.length
    this.bytes.set(payload, at + FRAME_HEADER_BYTES)
    chunks.commit()
    chunks.publish()
    this.#code.wait.ringBell(this.#words)
    return true
  }

  #newStream(number: number): Stream {
    const generation = ++this.#generation
    this.#words[streamWord(number, STREAM_ABORT, SMALL.streams)] = 0
    const id = streamId(number, generation)
    const begun = { sent: '', wholesome: '', refunded: 0, rows: [], partial: '' }
    return { id, number, ...begun, fatal: false, closed: false, unwanted: false }
  }

  #streamOf(number: number): Stream {
    return this.#rows[number] ?? assert.fail(`the script uses stream ${number} before it is open`)
  }

  #drain(): void {
    const { records } = this.#end
    let read = 0
    while (read < this.#plan.reads && records.next()) {
      read++
      this.#record(records.type, records.payloadOffset)
    }
    this.#hasMore = read === this.#plan.reads
    const { releaseAsked, ringBell } = this.#code.wait
    if (releaseAsked(this.#words, RECORD_SPACE_WANTED, records)) ringBell(this.#words)
  }

  #record(type: number, at: number): void {
    const id = this.#words[(at + CLOSED_STREAM_ID) >> 2]!
    const stream = this.#rows[rowOf(id)] ?? null
    assert.ok(stream !== null && stream.id === id, `a record of stream ${id}, which is not open`)
    if (type === RECORD_CLOSED) {
      stream.closed = true
      this.#rows[stream.number] = null
    } else {
      this.#readRows(stream, at)
    }
  }

  #readRows(stream: Stream, at: number): void {
    const words = this.#words
    const rowCount = words[(at + ROWS_ROW_COUNT) >> 2]!
    stream.refunded += words[(at + ROWS_CONSUMED_BYTES) >> 2]!
    let text = at + ROWS_HEADER_BYTES + rowCount * ROW_BYTES
    for (let row = 0; row < rowCount; row++) {
      const head = words[((at + ROWS_HEADER_BYTES) >> 2) + row * 4]!
      const length = words[((at + ROWS_HEADER_BYTES) >> 2) + row * 4 + 3]!
      const piece = Buffer.from(this.bytes.subarray(text, text + length)).toString('latin1')
      text += length
      const isContinued = ((head >> 8) & FLAG_CONTINUED) !== 0
      if ((head & 0xff) === ROW_FATAL) {
        assert.ok(!stream.fatal, 'a stream fails twice')
        stream.fatal = !isContinued
        continue
      }
      assert.equal(head & 0xff, ROW_TEXT, 'a row of another kind')
      assert.ok(!stream.fatal, 'a row after the failure')
      stream.partial += piece
      if (isContinued) continue
      stream.rows.push(stream.partial)
      stream.partial = ''
    }
  }

  check(stats: ReturnType<ChannelServer['stats']>, mayBePoisoned: boolean): void {
    assert.equal(this.#next, this.#plan.script.length, 'frames could not be written')
    for (const stream of this.#streams) checkStream(stream, mayBePoisoned)
    assert.deepEqual([stats.streamsOpen, stats.slabBytes], [0, 0], 'something is held')
  }
}

function checkStream(stream: Stream, mayBePoisoned: boolean): void {
  const { sent, wholesome, rows, fatal, closed, unwanted, refunded } = stream
  assert.ok(closed, 'a stream was not closed')
  const expected = eventsOf(sent)
  const poisonous = isPoisonous(sent)
  if (!mayBePoisoned && !unwanted) assert.equal(fatal, poisonous, 'poison is not found')
  if (fatal || unwanted) {
    assert.deepEqual(rows, expected.slice(0, rows.length), 'other tokens than were sent')
    if (poisonous && !mayBePoisoned && !unwanted) {
      assert.ok(rows.length >= eventsOf(wholesome).length, 'less than came before the poison')
    }
  } else {
    assert.deepEqual(rows, expected, 'other tokens than were sent')
    assert.equal(stream.partial, '', 'a value without its end')
  }
  if (!fatal) assert.equal(refunded, sent.length, 'other credit than was spent')
}

/** What a stream's bytes say: the toy's dialect once more, without a decoder. */
function eventsOf(sent: string): string[] {
  const events = sent.split('.').slice(0, -1)
  return events.map((event) =>
    event.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase().repeat(EXPANSION)),
  )
}

function isPoisonous(sent: string): boolean {
  return sent.slice(0, sent.lastIndexOf('.') + 1).includes('!')
}

/** xorshift32. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
