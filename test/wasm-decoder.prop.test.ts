import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compileDialect } from '../src/shared/dialects/compile.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { testSeed } from './chunking.ts'
import { anyBytes, bodies, cutInto, nearly, sizes } from './wasm-arbitraries.ts'
import { dialect as anyDialect } from './wasm-dialects.ts'
import { assertSame } from './wasm-host.ts'

const seed = testSeed()
const numRuns = Number(process.env['MILLRACE_RUNS'] ?? 1500)
const replay = `MILLRACE_SEED=${seed}`

const FRAMINGS = ['sse', 'ndjson', 'json-array', 'aws-eventstream'] as const

const padding = fc.nat({ max: 64 })

const setup = fc.record({
  strict: fc.integer({ min: 0, max: 5 }).map((roll) => roll === 0),
  flushIncomplete: fc.integer({ min: 0, max: 3 }).map((roll) => roll === 0),
  raw: fc.integer({ min: 0, max: 3 }).map((roll) => roll === 0),
  limits: fc.constantFrom(
    {},
    {},
    {},
    { lineBytesMax: 120, eventBytesMax: 100, jsonDepthMax: 3 },
    { lineBytesMax: 40 },
    { jsonNumberBytesMax: 32, eventNameBytesMax: 64, eventIdBytesMax: 64 },
    { eventBytesMax: 60, jsonDepthMax: 1 },
  ),
})

test(`WasmDecoder: any bytes, cut anywhere, give the plain decoder's rows (${replay})`, () => {
  fc.assert(
    fc.property(
      anyBytes,
      sizes,
      fc.constantFrom(...DIALECT_NAMES),
      setup,
      padding,
      (bytes, cuts, name, options, offset) => {
        assertSame(findDialect(name), cutInto(bytes, cuts), options, offset)
      },
    ),
    { seed, numRuns },
  )
})

/**
 * A body that is cut into payloads as the dialect has it, or nearly. An edit of AWS frames fails a
 * CRC, so that most have none.
 */
const bodyOf = ({ framing }: Dialect): fc.Arbitrary<Uint8Array> => {
  const body = bodies[framing]
  if (framing !== 'aws-eventstream') return nearly(body)
  return fc.oneof({ weight: 4, arbitrary: body }, { weight: 1, arbitrary: nearly(body) })
}

for (const framing of FRAMINGS) {
  const names = DIALECT_NAMES.filter((name) => findDialect(name).framing === framing)
  const dialects = fc.oneof(
    fc.constantFrom(...names).map(findDialect),
    anyDialect.map((dialect) => ({ ...dialect, framing })),
  )
  test(`WasmDecoder: any dialect gives the plain decoder's rows of ${framing} (${replay})`, () => {
    const given = dialects.chain((dialect) => fc.tuple(fc.constant(dialect), bodyOf(dialect)))
    fc.assert(
      fc.property(given, sizes, setup, padding, ([dialect, bytes], cuts, options, offset) => {
        assertSame(dialect, cutInto(bytes, cuts), options, offset)
      }),
      { seed, numRuns },
    )
  })
}

test('WasmDecoder: the dialects that tests make up are valid', () => {
  fc.assert(
    fc.property(anyDialect, (dialect) => {
      assert.doesNotThrow(() => compileDialect(dialect))
    }),
    { seed, numRuns: 100 },
  )
})
