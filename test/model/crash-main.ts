/**
 * Main's side of a play, small and obvious: it writes the frames of a script, reads records
 * naively, and takes over after a death. In the end it knows what must have come.
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
  RECORD_CLOSED,
  RECORD_SPACE_WANTED,
  ROWS_CONSUMED_BYTES,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  rowOf,
  STREAM_ABORT,
  generationOf,
  streamId,
  streamWord,
} from '../../src/shared/channel-layout.ts'
import { type OpenFrame, packFrame } from '../../src/shared/control-protocol.ts'
import { STREAM_LIMITS_DEFAULT, type StreamLimits } from '../../src/shared/limits.ts'
import { FLAG_CONTINUED, ROW_BYTES, ROW_FATAL, ROW_TEXT, ROW_WORDS } from '../../src/shared/rows.ts'
import type { ServerStats } from '../../src/workers/channel-server.ts'
import type { Code } from './code.ts'
import { SMALL } from './small-channel.ts'
import { expansionOf } from './toy-decoder.ts'

/**
 * What main does, in order. `unwanted` sets the abort word, ahead of the ABORT frame; `full` goes
 * on once the worker has waited for room, or has died.
 */
export type Step = readonly [
  what: 'open' | 'data' | 'end' | 'abort' | 'unwanted' | 'full',
  stream: number,
  text?: string,
]

/** Frames that main writes, and records that it reads, at a time. */
export interface MainPlan {
  readonly script: readonly Step[]
  readonly writes: number
  readonly reads: number
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

const TYPES = { open: FRAME_OPEN, data: FRAME_DATA, end: FRAME_END, abort: FRAME_ABORT }

export class MainSide {
  readonly bytes: Uint8Array
  /** Doorbells on the way. */
  posted = 0
  /** The worker has waited for room, or has died. */
  wasFull = false
  readonly #code: Code
  readonly #words: Int32Array
  readonly #plan: MainPlan
  readonly #end: MainEnd
  readonly #streams: Stream[] = []
  /** By row: the stream that has it. */
  readonly #rows: (Stream | null)[] = [null, null, null, null]
  #next = 0
  #generation = 0
  #hasMore = false

  constructor(code: Code, words: Int32Array, plan: MainPlan) {
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
    const payload = what === 'open' ? packFrame(optionsOf(stream)) : Buffer.from(text)
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
      const word = ((at + ROWS_HEADER_BYTES) >> 2) + row * ROW_WORDS
      const head = words[word]!
      const length = words[word + 2]!
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

  check(stats: ServerStats, mayBePoisoned: boolean): void {
    assert.equal(this.#next, this.#plan.script.length, 'frames could not be written')
    for (const stream of this.#streams) checkStream(stream, mayBePoisoned)
    assert.deepEqual([stats.streamsOpen, stats.slabBytes], [0, 0], 'something is held')
  }
}

function checkStream(stream: Stream, mayBePoisoned: boolean): void {
  const { sent, wholesome, rows, fatal, closed, unwanted, refunded } = stream
  assert.ok(closed, 'a stream was not closed')
  const expected = eventsOf(sent, stream.id)
  const poisonous = isPoisonous(sent)
  if (!mayBePoisoned && !unwanted) assert.equal(fatal, poisonous, 'poison is not found')
  if (fatal || unwanted) {
    assert.deepEqual(rows, expected.slice(0, rows.length), 'other tokens than were sent')
    if (poisonous && !mayBePoisoned && !unwanted) {
      assert.ok(
        rows.length >= eventsOf(wholesome, stream.id).length,
        'less than came before the poison',
      )
    }
  } else {
    assert.deepEqual(rows, expected, 'other tokens than were sent')
    assert.equal(stream.partial, '', 'a value without its end')
  }
  if (!fatal) assert.equal(refunded, sent.length, 'other credit than was spent')
}

/** Each stream is decoded in a way of its own. */
function optionsOf({ id }: Stream): OpenFrame {
  // The toy reads the last alone; all that there are would not fit its ring.
  const { lineBytesMax, eventBytesMax } = STREAM_LIMITS_DEFAULT
  const limits = { lineBytesMax, eventBytesMax, jsonDepthMax: generationOf(id) } as StreamLimits
  return { dialect: 'sse', strict: false, limits }
}

/** What a stream's bytes say: the toy's dialect once more, without a decoder. */
function eventsOf(sent: string, id: number): string[] {
  const expansion = expansionOf(generationOf(id))
  const events = sent.split('.').slice(0, -1)
  return events.map((event) =>
    event.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase().repeat(expansion)),
  )
}

function isPoisonous(sent: string): boolean {
  return sent.slice(0, sent.lastIndexOf('.') + 1).includes('!')
}
