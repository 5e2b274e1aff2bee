/**
 * A stream's state and slabs are all that a successor needs: the WASM decoder of a channel dies
 * between and in the middle of chunks, and another one, on the same memory, goes on.
 *
 * What no published state vouches for is overwritten after each death: the decoder's region, and of
 * the slabs all but the bytes that the state tells. test/model lets the protocol around it die.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { broken } from '../src/shared/assert.ts'
import { slabAddress } from '../src/shared/carry-slabs.ts'
import { attachWorker, viewsOf } from '../src/shared/channel-ends.ts'
import {
  CARRY,
  CHANNEL_BYTES,
  CHUNK_RING,
  COPY_STATE,
  createChannelMemory,
  DECODER,
  STREAM_COPIES,
  STREAM_COPY_BYTES,
  STREAM_DIALECT,
  STREAM_TABLE,
} from '../src/shared/channel-layout.ts'
import type { OpenFrame } from '../src/shared/control-protocol.ts'
import type { ChannelDecoder } from '../src/shared/decoder/channel-decoder.ts'
import * as layout from '../src/shared/decoder/wasm-layout.ts'
import { WasmStreams } from '../src/shared/decoder/wasm-streams.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { ROW_BYTES } from '../src/shared/rows.ts'
import { awsChunk, awsEvent } from './aws-frames.ts'
import { byteWise, type Chunks, randomCuts, seeded, testSeed } from './chunking.ts'
import { assertOutput, type Output, outputOf } from './outputs.ts'
import { bodies } from './wasm-arbitraries.ts'
import { optionsOf, plainDecoder, type Setup, wasmModule } from './wasm-host.ts'

const seed = testSeed()
const numRuns = Number(process.env['MILLRACE_RUNS'] ?? 100)
const replay = `MILLRACE_SEED=${seed}`

const { memory, buffer } = createChannelMemory()
const { words, bytes } = viewsOf(buffer)

/** Deaths of one stream, about: each takes a compilation. */
const DEATHS = 6

const ROW = 0
const COPIES: number = STREAM_TABLE + STREAM_COPIES
/** The decoder looks past the last slab, and stops at zeros there. */
const GUARD_BYTES = 256
/** What an own table takes, behind the decoder's state: see wasm-streams.ts. */
const TABLE_SLAB = 80
const TABLE_BYTES = 84

/** No stream of these tests is another decoder's. */
const NOBODY = { slabBytes: 0, leasedBytes: 0 } as ChannelDecoder

/** One stream in a channel of its own, whose worker dies again and again. */
class Mortal {
  deaths = 0
  readonly #options: OpenFrame
  readonly #random: () => number
  /** Whether it dies at a turn of its batch: one in so many. */
  readonly #turns: number
  readonly #seen = new RowWriter()
  #streams: WasmStreams = this.#successor()
  /** The copy that is in force. */
  #live = 0

  constructor(options: OpenFrame, chunkCount: number, random: () => number) {
    this.#options = options
    this.#random = random
    this.#turns = Math.max(3, (2 * chunkCount) / DEATHS)
    bytes.fill(0, STREAM_TABLE + STREAM_DIALECT, COPIES + 2 * STREAM_COPY_BYTES)
    this.#attempt((state) => this.#streams.open(ROW, state, this.#options))
  }

  push(chunk: Uint8Array): void {
    // Where a chunk lies is nothing that a successor could count on.
    const at = CHUNK_RING.data + 1024 + Math.floor(this.#random() * 64)
    bytes.fill(this.#noise(), at - 64, at + chunk.length + 64)
    bytes.set(chunk, at)
    this.#attempt((state) => {
      for (let done = 0; done < chunk.length;) {
        done += this.#streams.decode(ROW, state, at + done, chunk.length - done)
        this.#take()
      }
    })
  }

  /** What all chunks, and the end, have come to. */
  end(): Output {
    this.#attempt((state) => {
      this.#streams.end(ROW, state)
      this.#take()
    })
    const state = this.#copyAt(this.#live) + COPY_STATE
    const counts = this.#streams.counts(ROW, state)
    this.#streams.close(ROW, state)
    this.#streams.settle()
    assert.equal(this.#streams.slabBytes + this.#streams.leasedBytes, 0)
    const { rows, rowCount, text, textBytes, wide, wideBytes } = this.#seen
    return {
      rows: Buffer.from(new Uint8Array(rows.buffer, 0, rowCount * ROW_BYTES)),
      text: Buffer.from(text.subarray(0, textBytes)),
      wide: Buffer.from(wide.subarray(0, wideBytes)),
      counts,
    }
  }

  /** A batch: it is published, or its worker dies first and its successor does it once more. */
  #attempt(batch: (state: number) => void): void {
    const { rowCount, textBytes, wideBytes } = this.#seen
    for (let tries = 0; ; tries++) {
      const from = this.#copyAt(this.#live)
      const to = this.#copyAt(1 - this.#live)
      bytes.copyWithin(to, from, from + STREAM_COPY_BYTES)
      batch(to + COPY_STATE)
      if (tries < 2 && this.#isLast()) {
        Object.assign(this.#seen, { rowCount, textBytes, wideBytes })
        this.#die()
        continue
      }
      this.#live = 1 - this.#live
      if (this.#isLast()) this.#die()
      else this.#streams.settle()
      return
    }
  }

  #isLast(): boolean {
    return this.#random() * this.#turns < 1
  }

  #take(): void {
    this.#seen.append(this.#streams.rows)
    this.#streams.resetRows()
  }

  #die(): void {
    this.deaths++
    const { length } = this.#streams.views.bytes
    assert.equal(length, CHANNEL_BYTES, 'nothing of this is large enough for a lease')
    const kept = this.#vouchedFor().map(([at, size]) => [at, bytes.slice(at, at + size)] as const)
    bytes.fill(this.#noise(), DECODER, CARRY)
    bytes.fill(this.#noise(), CARRY, CHANNEL_BYTES - GUARD_BYTES)
    for (const [at, content] of kept) bytes.set(content, at)
    const other = this.#copyAt(1 - this.#live)
    bytes.fill(this.#noise(), other, other + STREAM_COPY_BYTES)
    this.#streams = this.#successor()
    this.#streams.adopt(ROW, this.#copyAt(this.#live) + COPY_STATE)
  }

  /** Bytes of slabs that the state in force tells of. */
  #vouchedFor(): (readonly [at: number, bytes: number])[] {
    const state = this.#copyAt(this.#live) + COPY_STATE
    const word = (field: number): number => words[(state + field) >> 2]!
    const dataAt = word(layout.STATE_FLAGS) >>> layout.DATA_AT_SHIFT
    const isInComment = (word(layout.STATE_FLAGS) & layout.FLAG_IN_COMMENT) !== 0
    const isSlab = (field: number): boolean => word(field) !== 0
    const spans = [
      [layout.STATE_LINE_SLAB, 0, isInComment ? 0 : word(layout.STATE_LINE_BYTES)],
      [layout.STATE_DATA_SLAB, this.#isSse ? dataAt : 0, word(layout.STATE_DATA_BYTES)],
      [layout.STATE_FIELDS_SLAB, 0, word(layout.STATE_NAME_BYTES) + word(layout.STATE_ID_BYTES)],
      [TABLE_SLAB, 0, word(TABLE_BYTES)],
    ] as const
    return spans
      .filter(([field]) => isSlab(field))
      .map(([field, start, size]) => [slabAddress(word(field)) + start, size])
  }

  get #isSse(): boolean {
    const { dialect } = this.#options
    return (typeof dialect === 'string' ? findDialect(dialect) : dialect).framing === 'sse'
  }

  #successor(): WasmStreams {
    const end = attachWorker(viewsOf(buffer))
    return new WasmStreams(end, memory ?? broken('no memory'), wasmModule, 2 ** 24, NOBODY)
  }

  #copyAt(copy: number): number {
    return COPIES + copy * STREAM_COPY_BYTES
  }

  #noise(): number {
    return Buffer.from('\0 0"{}],\n\xff', 'latin1')[Math.floor(this.#random() * 10)]!
  }
}

let deaths = 0

function assertSurvives(
  dialect: string | Dialect,
  body: Uint8Array,
  chunks: Chunks,
  setup: Setup,
  random: () => number,
): void {
  const table = typeof dialect === 'string' ? findDialect(dialect) : dialect
  const expected = outputOf(plainDecoder(table, setup), [body])
  const mortal = new Mortal({ dialect, ...optionsOf(setup) }, chunks.length, random)
  for (const chunk of chunks) mortal.push(chunk)
  assertOutput(mortal.end(), expected, `${table.name}, ${JSON.stringify(setup)}`)
  deaths += mortal.deaths
}

const setups = fc.record({
  raw: fc.boolean(),
  flushIncomplete: fc.boolean(),
  strict: fc.integer({ min: 0, max: 5 }).map((roll) => roll === 0),
})

const cases = fc.tuple(fc.constantFrom(...DIALECT_NAMES), fc.boolean()).chain(([name, isOwn]) => {
  const table = findDialect(name)
  const dialect = isOwn ? { ...table, name: `my-${name}` } : name
  return fc.record({ dialect: fc.constant(dialect), body: bodies[table.framing] })
})

test(`takeover: any stream of any options survives its decoder's deaths (${replay})`, (t) => {
  deaths = 0
  const run = fc.property(cases, setups, fc.integer(), ({ dialect, body }, setup, own) => {
    const random = seeded(own)
    assertSurvives(dialect, body, randomCuts(body, 1 + 2 ** (random() * 8), random), setup, random)
  })
  fc.assert(run, { seed, numRuns })
  t.diagnostic(`${deaths} deaths`)
  assert.ok(deaths > numRuns)
})

const converse = Buffer.concat([
  awsEvent('messageStart', { role: 'assistant' }),
  awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'caf\u00e9' } }),
  awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: '' } }),
  awsChunk({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'a' } }),
  awsEvent('messageStop', { stopReason: 'end_turn' }),
])
const chat = Buffer.from(
  'event: e\nid: 7\ndata: {"choices":[{"delta":{"content":"a"}}]}\n\n' +
    ': comment\nid: 8\n\ndata: {"choices":[{"delta":\r\ndata: {"content":"b"}}]}\r\n\r\n' +
    'event: last\ndata: {"choices":[{"delta":{"content":"c"}}]}',
)

for (const [dialect, body] of [
  ['bedrock-eventstream', converse],
  ['openai-chat', chat],
] as const) {
  for (const setup of [{}, { raw: true }, { flushIncomplete: true }]) {
    const how = Object.keys(setup).join() || 'no option'
    test(`takeover: ${dialect} with ${how}, byte by byte, survives any deaths (${replay})`, () => {
      const random = seeded(seed)
      for (let turn = 0; turn < 3; turn++) {
        assertSurvives(dialect, body, byteWise(body), setup, random)
      }
    })
  }
}
