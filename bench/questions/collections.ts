import * as library from '../../src/main/index.ts'
import type { Millrace } from '../../src/main/index.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { makeFixture, streamOf } from '../fixtures.ts'
import { deliver } from '../millrace.ts'
import { withPlanted, type Plant } from '../planted.ts'
import { Sink } from '../sink.ts'

export const collectionsBench: Bench = {
  name: 'collections',
  question: 'Does the worker collect garbage while a million tokens pass?',
  notMeasured: 'the main thread, whose strings are garbage of its consumer',
  run: answer,
}

/** Keeps 8 bytes of every row that the worker sends. */
const LEAK: Plant = {
  path: 'workers/channel-server.js',
  from: 'this.#records.write(this.#currentId, consumedBytes, this.#decoder.rows);',
  to: `
    const { rowCount } = this.#decoder.rows;
    for (let row = 0; row < rowCount; row++) (globalThis.leak ??= []).push(row + 0.5);
    this.#records.write(this.#currentId, consumedBytes, this.#decoder.rows);`,
}

/** Bodies of the chat fixture: a million tokens. */
const ROUNDS = 70
/** Tokens first, that code is compiled and buffers have their size. */
const WARM_UP_ROUNDS = 7

async function answer(context: Context): Promise<Answer> {
  context.progress('as it ships')
  const clean = await measure(library, context)
  context.progress('with a leak of 8 bytes a token')
  const leaking = await withPlanted([LEAK], async (planted) => measure(planted, context))
  return {
    rows: [rowOf('as it ships', clean), rowOf('with a leak of 8 bytes a token', leaking)],
    bars: { collections: clean.collections, 'leak-caught': leaking.collections },
  }
}

interface Measured {
  readonly tokens: number
  readonly collections: number
}

async function measure(
  { createMillrace }: Pick<typeof library, 'createMillrace'>,
  { size, fixtureSize }: Context,
): Promise<Measured> {
  const mill = await createMillrace({ workers: 1 })
  const fixture = makeFixture('chat', fixtureSize)
  const { dialect } = fixture
  // Keeps the worker's task, and with it its counters, from ending in between.
  const holding = mill.open({ dialect })
  const pass = async (rounds: number): Promise<number> => {
    const sink = new Sink()
    const stream = mill.decode(streamOf(fixture, rounds), { dialect, accumulate: false })
    for await (const batch of stream.batches()) deliver(batch, sink)
    return sink.tokens
  }
  const [warmUp, rounds] = size === 'tiny' ? [1, 1] : [WARM_UP_ROUNDS, ROUNDS]
  try {
    await pass(warmUp)
    const before = await collectionsOf(mill)
    const tokens = await pass(rounds)
    return { tokens, collections: (await collectionsOf(mill)) - before }
  } finally {
    holding.cancel()
    await mill.close()
  }
}

/** Each asking gives the worker's event loop a turn; V8's reports take some five to get through. */
const ASKINGS = 50

async function collectionsOf(mill: Millrace): Promise<number> {
  let collections = 0
  for (let asked = 0; asked < ASKINGS; asked++) {
    const { workers } = await mill.stats()
    collections = workers[0]!.collections
  }
  return collections
}

function rowOf(what: string, { tokens, collections }: Measured): Row {
  return { what, tokens, collections }
}
