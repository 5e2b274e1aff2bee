import {
  createDecoder,
  createMillrace,
  type Millrace,
  type TokenBatch,
} from '../../src/main/index.ts'
import { median } from '../../stress-tests/memory.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import {
  BODY_EVENTS,
  makeFixture,
  streamOf,
  type Chunk,
  type FixtureName,
  type FixtureSize,
} from '../fixtures.ts'
import type { FixtureDialect } from '../fixtures/parts.ts'
import { deliver } from '../millrace.ts'
import { retainedBytes } from '../retained-bytes.ts'
import { decodeByHand } from '../rivals/by-hand.ts'
import { Sink } from '../sink.ts'

export const keptTokensBench: Bench = {
  name: 'kept-tokens',
  question: 'How much heap does a consumer hold that keeps every token, of their text in UTF-8?',
  notMeasured: "the consumer's own array; garbage, which is collected before the heap is read",
  run: answer,
}

/**
 * A stream is as long as so many bodies: the heap's own ups and downs, some 100 KB, are little
 * beside so much. No event is sent twice, since a text that returns would be one string.
 */
const BODIES = 8

/** Who keeps few batches keeps one in so many. */
const SPARSE = 100

/** Bytes of a packet: what a stream that is read at once makes a batch of. */
const PACKET_BYTES = 1460

interface Stream {
  readonly name: FixtureName
  readonly dialect: FixtureDialect
  readonly chunks: readonly Chunk[]
  /** What each token has in UTF-8. */
  readonly tokenBytes: Uint32Array
}

/** Reads a whole stream and returns all that its consumer keeps. */
type Keep = (mill: Millrace, stream: Stream) => Promise<Kept>

interface Kept {
  readonly things: readonly unknown[]
  readonly tokens: number
  /** Of the tokens that are kept, in UTF-8. */
  readonly textBytes: number
}

const WAYS: readonly { readonly what: string; readonly keep: Keep }[] = [
  { what: 'millrace, batches kept', keep: keepBatches },
  { what: 'millrace, strings kept', keep: keepStrings },
  { what: 'millrace, one batch in 100 kept', keep: keepFewBatches },
  { what: 'eventsource-parser + JSON.parse, strings kept', keep: keepBaseline },
]

async function answer(context: Context): Promise<Answer> {
  const mill = await createMillrace({ workers: 1 })
  const rows: Row[] = []
  try {
    for (const name of context.fixtures) {
      const stream = makeStream(name, context.fixtureSize)
      for (const { what, keep } of WAYS) {
        context.progress(`${name}: ${what}`)
        rows.push(await measure(mill, stream, what, keep, context.runs))
      }
    }
  } finally {
    await mill.close()
  }
  const worst = (way: number): number =>
    Math.max(
      ...rows
        .filter(({ what }) => what === WAYS[way]!.what)
        .map((row) => Number(row['retained / text'])),
    )
  return { rows, bars: { 'kept-batches': worst(0), 'kept-strings': worst(1) } }
}

function makeStream(name: FixtureName, { events = BODY_EVENTS, ...size }: FixtureSize): Stream {
  const fixture = makeFixture(name, { ...size, events: events * BODIES })
  const { dialect, tokens } = fixture
  const tokenBytes = Uint32Array.from(tokens, (token) => Buffer.byteLength(token))
  return { name, dialect, chunks: streamOf(fixture, 1), tokenBytes }
}

async function measure(
  mill: Millrace,
  stream: Stream,
  what: string,
  keep: Keep,
  runs: number,
): Promise<Row> {
  const retained: number[] = []
  let tokens = 0
  let textBytes = 0
  // The first time compiles code and grows pools, which is not the consumer's.
  for (let run = 0; run <= runs; run++) {
    const bytes = await retainedBytes(async () => {
      const kept = await keep(mill, stream)
      tokens = kept.tokens
      textBytes = kept.textBytes
      return kept.things
    })
    if (run > 0) retained.push(bytes / textBytes)
  }
  const ratio = median(retained)
  return {
    what,
    fixture: stream.name,
    'text B/token': textBytes / tokens,
    'retained B/token': (ratio * textBytes) / tokens,
    'retained / text': ratio,
  }
}

async function keepBatches(mill: Millrace, { dialect, chunks, tokenBytes }: Stream) {
  const keeper = new BatchKeeper(tokenBytes, 1)
  const stream = mill.decode(chunks, { dialect, accumulate: false })
  for await (const batch of stream.batches()) keeper.take(batch)
  return keeper.kept()
}

// Inline, where a packet is a batch: a worker's batches are as large as main was late.
async function keepFewBatches(_: Millrace, { dialect, chunks, tokenBytes }: Stream) {
  const keeper = new BatchKeeper(tokenBytes, SPARSE)
  const decoder = createDecoder({ dialect })
  for (const packet of packetsOf(chunks)) keeper.take(decoder.push(packet))
  keeper.take(decoder.end())
  return keeper.kept()
}

/** Keeps one batch in so many, and knows what is in it. */
class BatchKeeper {
  readonly #tokenBytes: Uint32Array
  readonly #oneIn: number
  readonly #things: TokenBatch[] = []
  #batches = 0
  #seen = 0
  #tokens = 0
  #textBytes = 0

  constructor(tokenBytes: Uint32Array, oneIn: number) {
    this.#tokenBytes = tokenBytes
    this.#oneIn = oneIn
  }

  take(batch: TokenBatch): void {
    const from = this.#seen
    for (let at = 0; at < batch.length; at++) if (batch.textLength(at) > 0) this.#seen++
    if (++this.#batches % this.#oneIn !== 0) return
    this.#things.push(batch)
    this.#tokens += this.#seen - from
    this.#textBytes += sumOf(this.#tokenBytes.subarray(from, this.#seen))
  }

  kept(): Kept {
    checkCount(this.#seen, this.#tokenBytes)
    return { things: this.#things, tokens: this.#tokens, textBytes: this.#textBytes }
  }
}

async function keepStrings(mill: Millrace, { dialect, chunks, tokenBytes }: Stream) {
  const things: string[] = []
  const sink = new Sink(things)
  const stream = mill.decode(chunks, { dialect, accumulate: false })
  for await (const batch of stream.batches()) deliver(batch, sink)
  return allOf(things, tokenBytes)
}

async function keepBaseline(_: Millrace, { dialect, chunks, tokenBytes }: Stream) {
  const things: string[] = []
  decodeByHand(dialect, chunks, new Sink(things))
  return allOf(things, tokenBytes)
}

function allOf(things: readonly string[], tokenBytes: Uint32Array): Kept {
  checkCount(things.length, tokenBytes)
  return { things, tokens: things.length, textBytes: sumOf(tokenBytes) }
}

function checkCount(tokens: number, { length }: Uint32Array): void {
  if (tokens !== length) throw new Error(`${tokens} tokens came of ${length}`)
}

function sumOf(numbers: Uint32Array): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function* packetsOf(chunks: readonly Chunk[]): Generator<Chunk> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PACKET_BYTES) {
      yield chunk.slice(at, at + PACKET_BYTES)
    }
  }
}
