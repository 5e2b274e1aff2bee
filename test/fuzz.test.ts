/**
 * Differential fuzz: streams of every dialect and framing, made by grammar and then spoilt, through
 * the WASM decoder in any chunking, against what the plain one makes of them uncut.
 *
 * `npm run test:fuzz` runs it for as long as one likes. Case `n` of a run has seed `seed + n`, and
 * the seed alone makes it: the one that a failure names replays it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { byteWise, type Chunks, everySplit, randomCuts, seeded, testSeed } from './chunking.ts'
import { assertOutput, outputOf } from './outputs.ts'
import { anyBytes, bodies, nearly } from './wasm-arbitraries.ts'
import { dialect as madeUp } from './wasm-dialects.ts'
import { plainDecoder, type Setup, wasmDecoder } from './wasm-host.ts'

const seed = testSeed()
const seconds = Number(process.env['MILLRACE_FUZZ_SECONDS'] ?? 'Infinity')
const chunkings = Number(process.env['MILLRACE_FUZZ_CHUNKINGS'] ?? 40_000)

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

/** Whole, byte by byte, and at random, in chunks from a few bytes to a few hundred. */
function* cutsOf(body: Uint8Array, random: () => number): Generator<Chunks> {
  yield [body]
  yield byteWise(body)
  for (let turn = 2; turn < CHUNKINGS_PER_CASE; turn++) {
    yield randomCuts(body, 1 + 2 ** (random() * 9), random)
  }
}

function runCase(caseSeed: number): void {
  const [made] = fc.sample(cases, { seed: caseSeed, numRuns: 1 })
  assert.ok(made !== undefined)
  const { dialect, body, setup } = made
  const expected = outputOf(plainDecoder(dialect, setup), [body])
  for (const chunks of cutsOf(body, seeded(caseSeed))) {
    const replay = `npm run test:fuzz -- --seed ${caseSeed} --chunkings ${CHUNKINGS_PER_CASE}`
    const lengths = chunks.map(({ length }) => length).join(' ')
    const how = `${dialect.name}, chunks of ${lengths} bytes; replay: ${replay}`
    assertOutput(outputOf(wasmDecoder(dialect, setup), chunks), expected, how)
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

test(`fuzz: WASM in any chunking says what plain says uncut (MILLRACE_SEED=${seed})`, (t) => {
  const end = performance.now() + seconds * 1000
  let run = 0
  for (; run * CHUNKINGS_PER_CASE < chunkings && performance.now() < end; run++) runCase(seed + run)
  t.diagnostic(`${run} streams, ${run * CHUNKINGS_PER_CASE} chunkings, seed ${seed}`)
  assert.ok(run > 0, 'nothing was run')
})
