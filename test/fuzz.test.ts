/**
 * Differential fuzz: streams of every dialect and framing, made by grammar and then spoilt, through
 * the WASM decoder in any chunking, against what the plain one makes of them uncut.
 *
 * `npm run test:fuzz -- --only grammar` runs it for as long as one likes. Case `n` of a run has
 * seed `seed + n`, and the seed alone makes it: the one that a failure names replays it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { byteWise, type Chunks, everySplit, randomCuts, seeded } from './chunking.ts'
import { benchOf, Budget, failureOf, replayable } from './fuzzing.ts'
import { assertOutput, differenceOf, outputOf, passingOutputOf } from './outputs.ts'
import { anyBytes, bodies, nearly } from './wasm-arbitraries.ts'
import { dialect as madeUp } from './wasm-dialects.ts'
import { plainDecoder, type Setup, wasmDecoder } from './wasm-host.ts'

const budget = new Budget('fuzz', 1_000_000)

const CHUNKINGS_PER_CASE = 40

const FRAMINGS = ['sse', 'ndjson', 'json-array', 'aws-eventstream'] as const

const known: readonly Dialect[] = DIALECT_NAMES.map(findDialect)

/** A provider's table, or one that no provider has. */
const dialects: fc.Arbitrary<Dialect> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...known) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(madeUp, fc.constantFrom(...FRAMINGS))
      .map(([dialect, framing]) => ({ ...dialect, framing })),
  },
)

const bounds: fc.Arbitrary<Setup> = fc.constantFrom<Setup>(
  {},
  {},
  {},
  { strict: true },
  { limits: { lineBytesMax: 120, eventBytesMax: 100, jsonDepthMax: 3 } },
  { limits: { jsonNumberBytesMax: 32, eventNameBytesMax: 64, eventIdBytesMax: 64 } },
)

const wishes: fc.Arbitrary<Setup> = fc.constantFrom<Setup>(
  {},
  {},
  { flushIncomplete: true },
  { raw: true },
  { raw: true, flushIncomplete: true },
)

const setups: fc.Arbitrary<Setup> = fc
  .tuple(bounds, wishes)
  .map(([bound, wish]) => ({ ...bound, ...wish }))

interface FuzzCase {
  readonly dialect: Dialect
  readonly body: Uint8Array
  readonly setup: Setup
}

const cases: fc.Arbitrary<FuzzCase> = dialects.chain((dialect) => {
  const own = nearly(bodies[dialect.framing])
  const others = { sse: anyBytes, 'aws-eventstream': bodies['aws-eventstream'] }
  const other = others[dialect.framing as keyof typeof others]
  const body = other === undefined ? own : fc.oneof(own, other)
  return fc.record({ dialect: fc.constant(dialect), body, setup: setups })
})

/**
 * Whole, byte by byte, cut in a place or two, and cut all over, into chunks from a few bytes to a
 * few hundred: each chunk costs as much as its bytes, so not all chunkings are of many.
 */
function* cutsOf(body: Uint8Array, random: () => number): Generator<Chunks> {
  yield [body]
  yield byteWise(body)
  for (let turn = 2; turn < CHUNKINGS_PER_CASE; turn++) {
    if (turn % 2 === 0) yield randomCuts(body, 1 + 2 ** (random() * 9), random)
    else yield fewCuts(body, random)
  }
}

/** Cut in two or three, at any places. */
function fewCuts(body: Uint8Array, random: () => number): Chunks {
  const [one, other] = [random(), random()].map((part) => Math.floor(part * (body.length + 1)))
  const [first, last] = [Math.min(one!, other!), Math.max(one!, other!)]
  return [body.subarray(0, first), body.subarray(first, last), body.subarray(last)]
}

function runCase(caseSeed: number): void {
  const [made] = fc.sample(cases, { seed: caseSeed, numRuns: 1 })
  assert.ok(made !== undefined)
  const { dialect, body, setup } = made
  const bench = benchOf(dialect)
  assert.ok(bench !== null, `${dialect.name} fits the WASM decoder`)
  bench.restore()
  const expected = outputOf(plainDecoder(dialect, setup), [body])
  const tried: Chunks[] = []
  for (const chunks of cutsOf(body, seeded(caseSeed))) {
    const difference = differenceOf(passingOutputOf(bench.decoder(setup), chunks), expected)
    tried.push(chunks)
    if (difference === null) continue
    const pushes = tried.flatMap((list, stream) => list.map((chunk) => ({ stream, setup, chunk })))
    throw failureOf(difference, dialect, pushes)
  }
}

/** What was found once. */
const PAST: readonly (readonly [why: string, dialect: string, body: string])[] = [
  ['a mark behind a comment is none, be that cut or not', 'sse', ':\n\ufeffdata: a\ndata: b\n\n'],
]

for (const [why, name, text] of PAST) {
  test(`fuzz: ${why}`, () => {
    const body = new TextEncoder().encode(text)
    const expected = outputOf(plainDecoder(findDialect(name)), [body])
    for (const chunks of everySplit(body)) {
      assertOutput(outputOf(plainDecoder(findDialect(name)), chunks), expected, 'plain')
      assertOutput(outputOf(wasmDecoder(findDialect(name)), chunks), expected, 'WASM')
    }
  })
}

const { seed } = budget

test(`fuzz: WASM in any chunking says what plain says uncut (MILLRACE_SEED=${seed})`, async (t) => {
  let run = 0
  for (; run === 0 || !budget.isOver; run++) {
    replayable('grammar', seed + run, () => runCase(seed + run))
    await budget.add(CHUNKINGS_PER_CASE)
  }
  t.diagnostic(`${run} streams, ${budget.toString()}`)
})
