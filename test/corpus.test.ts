/**
 * Every recording of a dialect gives exactly its expected message, however it is cut: from either
 * decoder, and from `final()` in either placement.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Assembler } from '../src/main/assembler.ts'
import { inlineEngine } from '../src/main/decoder-module.ts'
import {
  createDecoder,
  createMillrace,
  type Millrace,
  type MillraceError,
  type Placement,
  type TokenBatch,
} from '../src/main/index.ts'
import { MessageBuilder } from '../src/main/message.ts'
import { HeapSlabs } from '../src/shared/decoder/heap-slabs.ts'
import { createPlainDecoder } from '../src/shared/decoder/plain-decoder.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { sse } from '../src/shared/dialects/records.ts'
import { STREAM_LIMITS_DEFAULT } from '../src/shared/limits.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { byteWise, type Chunks, randomCuts, seeded, testSeed } from './chunking.ts'
import { comparable, type Expected, expectedFinal, expectedOf } from './expected.ts'
import { bodyOf, recordings } from './recordings.ts'
import { sharedData, SHARED_DATA_MISSING } from './shared-data.ts'

/** What one way of decoding makes of a body: the message, and the code of what failed. */
interface Outcome {
  readonly final: object
  readonly code: string | null
}

/** Decodes the chunks; each gives a batch of its own, and so does the end. Returns what failed. */
function* batchesOf(dialect: Dialect, chunks: Chunks): Generator<TokenBatch, MillraceError | null> {
  const options = { limits: STREAM_LIMITS_DEFAULT, strict: false }
  const decoder = createPlainDecoder(dialect, options, new HeapSlabs(2 ** 28))
  const assembler = new Assembler(dialect)
  const rows = new RowWriter()
  for (const chunk of chunks) {
    decoder.push(chunk, rows)
    if (rows.rowCount === 0) continue
    yield assembler.read(rows.toBatch())
    rows.reset()
  }
  decoder.end(rows)
  yield assembler.read(rows.toBatch())
  const { batch, error } = assembler.end()
  yield batch
  return error
}

/** Of the plain decoder: the slow, obvious one. */
function plainOutcome(dialect: Dialect, chunks: Chunks): Outcome {
  const message = new MessageBuilder(dialect, 2 ** 30)
  const batches = batchesOf(dialect, chunks)
  let next = batches.next()
  for (; next.done !== true; next = batches.next()) message.add(next.value)
  return { final: message.toFinal(), code: next.value?.code ?? null }
}

/** Of `createDecoder()`, which decodes in WASM. */
function inlineOutcome(dialect: Dialect, chunks: Chunks): Outcome {
  const decoder = createDecoder({ dialect })
  const message = new MessageBuilder(dialect, 2 ** 30)
  for (const chunk of chunks) message.add(decoder.push(chunk))
  message.add(decoder.end())
  return { final: message.toFinal(), code: decoder.failure?.code ?? null }
}

/** The provider's own error is in the message; only `final()` fails with it in every case. */
function withoutProviders(code: string | null): string | null {
  return code === 'PROVIDER_ERROR' ? null : code
}

/** Of `final()`. */
async function millOutcome(
  mill: Millrace,
  chunks: Chunks,
  options: { readonly dialect: string; readonly placement: Placement },
): Promise<Outcome> {
  try {
    return { final: await mill.decode(chunks, options).final(), code: null }
  } catch (error) {
    const { code, details } = error as MillraceError
    return { final: details['partial'] as object, code: withoutProviders(code) }
  }
}

function assertOutcome({ final }: Outcome, expected: Expected, how: string): void {
  assert.deepEqual(comparable(final, expected), expectedFinal(expected), how)
}

interface Digest {
  readonly events: number
  readonly sha256: string
}

function digestOf(batches: Iterable<TokenBatch>): Digest {
  const seen: [string, string][] = []
  for (const batch of batches) {
    for (const event of batch) if (event.type === 'event') seen.push([event.event, event.data])
  }
  const sha256 = createHash('sha256').update(JSON.stringify(seen)).digest('hex')
  return { events: seen.length, sha256 }
}

const seed = testSeed()
const random = seeded(seed)

/** Uncut, at random, and, where that does not take long, byte by byte. */
function* cutsOf(body: Uint8Array): Generator<[string, Chunks]> {
  yield ['uncut', [body]]
  yield [`cut about 300 bytes apart, MILLRACE_SEED=${seed}`, randomCuts(body, 300, random)]
  if (body.length > 50_000) return
  yield [`cut about 7 bytes apart, MILLRACE_SEED=${seed}`, randomCuts(body, 7, random)]
  yield ['byte by byte', byteWise(body)]
}

/** Records as such have no message, and the bare form is nobody's in particular. */
const UNRECORDED = ['sse', 'jsonl', 'text', 'text-jsonl']

for (const name of DIALECT_NAMES) {
  if (UNRECORDED.includes(name)) continue
  test(`${name}: every recording gives its expected message, however cut`, async (t) => {
    if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
    const dialect = findDialect(name)
    const own = recordings.filter((recording) => recording.dialect === name)
    for (const recording of own) {
      const body = await bodyOf(recording.file)
      const expected = expectedOf(recording)
      for (const [cut, chunks] of cutsOf(body)) {
        const how = `${recording.file}, ${cut}`
        const plain = plainOutcome(dialect, chunks)
        assertOutcome(plain, expected, `${how}, plain`)
        const inline = inlineOutcome(dialect, chunks)
        assertOutcome(inline, expected, `${how}, inline`)
        assert.equal(withoutProviders(inline.code), withoutProviders(plain.code), how)
      }
    }
    assert.ok(own.length > 0, 'there are recordings')
  })
}

test('createDecoder: decodes the recordings in WASM', (t) => {
  if (process.env['MILLRACE_DECODER'] === 'plain') return t.skip('the plain decoder is asked for')
  assert.ok(inlineEngine() !== null)
})

test('sse: every recorded event stream gives its expected events, however cut', async (t) => {
  if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
  let count = 0
  for (const recording of recordings) {
    const { sse: digest } = expectedOf(recording)
    if (digest === undefined) continue
    count++
    const { events, sha256 } = digest
    const body = await bodyOf(recording.file)
    for (const [cut, chunks] of cutsOf(body)) {
      const found = digestOf(batchesOf(sse, chunks))
      assert.deepEqual(found, { events, sha256 }, `${recording.file}, ${cut}`)
    }
  }
  assert.ok(count > 190, `${count} recordings`)
})

/** One recording in so many is cut in every way before it goes through a worker. */
const CUT_SAMPLING = 25

/** Of Bedrock's, all: their frames are cut where no other dialect has anything to cut. */
function* cutsForMill(body: Uint8Array, name: string): Generator<[string, Chunks]> {
  const isSampled = name === 'bedrock-eventstream' || random() < 1 / CUT_SAMPLING
  let ways = 0
  for (const cut of cutsOf(body)) if (isSampled || ways++ < 2) yield cut
}

for (const placement of ['inline', 'worker'] as const) {
  test(`final: every recording of a dialect gives its message, ${placement}`, async (t) => {
    if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
    const mill = await createMillrace()
    t.after(() => mill.close())
    for (const recording of recordings) {
      const { file, dialect } = recording
      if (!DIALECT_NAMES.includes(dialect)) continue
      const body = await bodyOf(file)
      const expected = expectedOf(recording)
      const code = withoutProviders(plainOutcome(findDialect(dialect), [body]).code)
      for (const [cut, chunks] of cutsForMill(body, dialect)) {
        const outcome = await millOutcome(mill, chunks, { dialect, placement })
        assertOutcome(outcome, expected, `${file}, ${cut}`)
        assert.equal(outcome.code, code, `${file}, ${cut}`)
      }
    }
  })

  test(`sse: every recording that has no dialect gives its events, ${placement}`, async (t) => {
    if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
    const mill = await createMillrace()
    t.after(() => mill.close())
    const others = recordings.filter(({ dialect }) => !DIALECT_NAMES.includes(dialect))
    for (const recording of others) {
      const { events, sha256 } = expectedOf(recording).sse!
      const body = await bodyOf(recording.file)
      for (const [cut, chunks] of cutsOf(body)) {
        const batches: TokenBatch[] = []
        const stream = mill.decode(chunks, { dialect: 'sse', placement })
        for await (const batch of stream.batches()) batches.push(batch)
        assert.deepEqual(digestOf(batches), { events, sha256 }, `${recording.file}, ${cut}`)
      }
    }
    assert.ok(others.length > 0, 'there are recordings')
  })
}
