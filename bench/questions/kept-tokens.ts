import { createMillrace, type Millrace } from '../../src/main/index.ts'
import { median } from '../../stress-tests/memory.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { makeFixture, streamOf, type Chunk, type Fixture } from '../fixtures.ts'
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

/** Bodies in a stream: the heap's own ups and downs, some 100 KB, are little beside so much. */
const ROUNDS = 8

/** Reads a whole stream and returns all that its consumer keeps. */
type Keep = (mill: Millrace, fixture: Fixture, chunks: readonly Chunk[]) => Promise<Kept>

interface Kept {
  readonly things: readonly unknown[]
  readonly tokens: number
}

const WAYS: readonly { readonly what: string; readonly keep: Keep }[] = [
  { what: 'millrace, batches kept', keep: keepBatches },
  { what: 'millrace, strings kept', keep: keepStrings },
  { what: 'eventsource-parser + JSON.parse, strings kept', keep: keepBaseline },
]

async function answer(context: Context): Promise<Answer> {
  const mill = await createMillrace({ workers: 1 })
  const rows: Row[] = []
  try {
    for (const name of context.fixtures) {
      const fixture = makeFixture(name, context.fixtureSize)
      for (const { what, keep } of WAYS) {
        context.progress(`${name}: ${what}`)
        rows.push(await measure(mill, fixture, what, keep, context.runs))
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

async function measure(
  mill: Millrace,
  fixture: Fixture,
  what: string,
  keep: Keep,
  runs: number,
): Promise<Row> {
  const tokens = fixture.tokens.length * ROUNDS
  const chunks = streamOf(fixture, ROUNDS)
  const bodyTextBytes = fixture.tokens.reduce((sum, token) => sum + Buffer.byteLength(token), 0)
  const textBytes = bodyTextBytes * ROUNDS
  const retained: number[] = []
  // The first time compiles code and grows pools, which is not the consumer's.
  for (let run = 0; run <= runs; run++) {
    const bytes = await retainedBytes(async () => {
      const kept = await keep(mill, fixture, chunks)
      if (kept.tokens !== tokens) throw new Error(`${what}: kept ${kept.tokens} tokens`)
      return kept.things
    })
    if (run > 0) retained.push(bytes)
  }
  const bytes = median(retained)
  return {
    what,
    fixture: fixture.name,
    'text B/token': textBytes / tokens,
    'retained B/token': bytes / tokens,
    'retained / text': bytes / textBytes,
  }
}

async function keepBatches(mill: Millrace, { dialect }: Fixture, chunks: readonly Chunk[]) {
  const things = []
  let tokens = 0
  for await (const batch of mill.decode(chunks, { dialect, accumulate: false }).batches()) {
    things.push(batch)
    for (let at = 0; at < batch.length; at++) if (batch.textLength(at) > 0) tokens++
  }
  return { things, tokens }
}

async function keepStrings(mill: Millrace, { dialect }: Fixture, chunks: readonly Chunk[]) {
  const things: string[] = []
  const sink = new Sink(things)
  const stream = mill.decode(chunks, { dialect, accumulate: false })
  for await (const batch of stream.batches()) deliver(batch, sink)
  return { things, tokens: things.length }
}

async function keepBaseline(_: Millrace, { dialect }: Fixture, chunks: readonly Chunk[]) {
  const things: string[] = []
  decodeByHand(dialect, chunks, new Sink(things))
  return { things, tokens: things.length }
}
