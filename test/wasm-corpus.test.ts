/**
 * The WASM decoder over every recording, cut in two at every place: one place in twenty, unless
 * `MILLRACE_CUTS=all`. The plain decoder reads each recording once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { byteWise, type Chunks, randomCuts, seeded, testSeed } from './chunking.ts'
import { assertOutput, outputOf } from './outputs.ts'
import { bodyOf, recordings } from './recordings.ts'
import { SHARED_DATA_MISSING } from './shared-data.ts'
import { edited } from './wasm-arbitraries.ts'
import { plainDecoder, wasmDecoder } from './wasm-host.ts'

/**
 * Longer recordings are cut at random, since their number of cuts times their length is too much.
 */
const CUT_BYTES_MAX: number = 16 * 1024
const RANDOM_CUTS = 20
const RANDOM_EDITS = 20

const seed = testSeed()
const random = seeded(seed)
const isFull = process.env['MILLRACE_CUTS'] === 'all'

function* cutsOf(body: Uint8Array): Generator<[string, Chunks]> {
  yield ['uncut', [body]]
  yield ['byte by byte', byteWise(body)]
  yield ['cut about 100 bytes apart', randomCuts(body, 100, random)]
  const step = body.length > CUT_BYTES_MAX ? body.length / RANDOM_CUTS : isFull ? 1 : 20
  for (let at = step === 1 ? 1 : random() * step; at < body.length; at += step) {
    const cut = Math.floor(at)
    yield [`cut at ${cut}`, [body.subarray(0, cut), body.subarray(cut)]]
  }
}

const known = recordings.filter(({ dialect }) => DIALECT_NAMES.includes(dialect))

const EDITS = ['replace', 'remove', 'insert', 'double'] as const
const BYTES = Buffer.from('"\\{}[]:,0-e. \n\rn\0\xff', 'latin1')

function spoil(body: Uint8Array): Uint8Array {
  const kind = EDITS[Math.floor(random() * EDITS.length)]!
  const byte = BYTES[Math.floor(random() * BYTES.length)]!
  return edited(body, { kind, byte, at: Math.floor(random() * body.length) })
}

for (const { file, dialect: name } of known) {
  test(`${name}: ${file} gives the plain decoder's rows however it is cut`, async () => {
    const body = await bodyOf(file)
    for (const dialect of [findDialect(name), findDialect('sse')]) {
      const expected = outputOf(plainDecoder(dialect), [body])
      for (const [how, chunks] of cutsOf(body)) {
        const decoder = wasmDecoder(dialect)
        assertOutput(outputOf(decoder, chunks), expected, `${how}, MILLRACE_SEED=${seed}`)
      }
    }
  })
}

for (const { file, dialect: name } of known) {
  test(`${name}: ${file} with bytes changed gives the plain decoder's rows`, async () => {
    const body = await bodyOf(file)
    if (body.length > CUT_BYTES_MAX) return
    const dialect = findDialect(name)
    for (let turn = 0; turn < RANDOM_EDITS; turn++) {
      const spoilt = spoil(spoil(body))
      const chunks = turn % 2 === 0 ? [spoilt] : randomCuts(spoilt, 100, random)
      const expected = outputOf(plainDecoder(dialect), chunks)
      const found = outputOf(wasmDecoder(dialect), chunks)
      assertOutput(found, expected, `turn ${turn}, MILLRACE_SEED=${seed}`)
    }
  })
}

test(
  'WasmDecoder: there are recordings to compare',
  { skip: known.length === 0 && SHARED_DATA_MISSING },
  () => {
    assert.ok(known.length > 100)
  },
)
