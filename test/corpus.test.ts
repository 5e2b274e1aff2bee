/** Every recording of a dialect gives exactly its expected message, however it is cut. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { MessageBuilder } from '../src/main/message.ts'
import { createMillrace, type MillraceError } from '../src/main/index.ts'
import { Assembler } from '../src/main/assembler.ts'
import type { TokenBatch } from '../src/main/token-batch.ts'
import { HeapSlabs } from '../src/shared/decoder/heap-slabs.ts'
import { createPlainDecoder } from '../src/shared/decoder/plain-decoder.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { sse } from '../src/shared/dialects/records.ts'
import { STREAM_LIMITS_DEFAULT } from '../src/shared/limits.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { byteWise, type Chunks, randomCuts, seeded, testSeed } from './chunking.ts'
import { bodyOf, recordings } from './recordings.ts'
import { sharedData, SHARED_DATA_MISSING, sharedJson } from './shared-data.ts'

type Expected = Record<string, unknown> & {
  readonly oracle: string
  readonly toolCalls: readonly Record<string, unknown>[]
  readonly usage: Record<string, unknown> | null
  readonly usageRaw: Record<string, unknown> | null
  readonly sse?: { readonly events: number; readonly comments: number; readonly sha256: string }
}

/** The keys of the message's schema; the others of an expected file are about its making. */
const MESSAGE_KEYS = (
  'id model role text textDeltas textDeltaChoices reasoning reasoningDeltas refusal toolCalls ' +
  'toolPlan hostedToolCalls finishReason usage usageRaw logprobs annotations error terminator ' +
  'badJson'
).split(' ')

/** Decodes the chunks; each gives a batch of its own, and so does the end. */
function* batchesOf(dialect: Dialect, chunks: Chunks): Generator<TokenBatch> {
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
  yield assembler.end().batch
}

function finalOf(dialect: Dialect, chunks: Chunks): Record<string, unknown> {
  const message = new MessageBuilder(dialect, 2 ** 30)
  for (const batch of batchesOf(dialect, chunks)) message.add(batch)
  return { ...message.toFinal() }
}

/** What the expected file says about the keys of the message. */
function expectedFinal(expected: Expected): Record<string, unknown> {
  const known = MESSAGE_KEYS.filter((key) => key in expected)
  const final = Object.fromEntries(known.map((key) => [key, expected[key]]))
  // Mistral's client knows three counts and drops the others, which `usageRaw` of the same file
  // has. Ours reads the one that Mistral has in common with the rest of the family.
  const details = expected.usageRaw?.['prompt_tokens_details']
  if (!expected.oracle.startsWith('sdk:@mistralai/') || details === undefined) return final
  const cachedInput = (details as { cached_tokens: number }).cached_tokens
  return { ...final, usage: { ...expected.usage, cachedInput } }
}

/** Ours, without the `input` of a call where the script that made the expected file had none. */
function comparable(final: Record<string, unknown>, expected: Expected): Record<string, unknown> {
  const calls = final['toolCalls'] as readonly Record<string, unknown>[]
  const toolCalls = calls.map(({ input, ...call }, at) => {
    return expected.toolCalls[at] !== undefined && 'input' in expected.toolCalls[at]
      ? { ...call, input }
      : call
  })
  return { ...final, toolCalls }
}

function digestOf(chunks: Chunks): { events: number; sha256: string } {
  const seen: [string, string][] = []
  for (const batch of batchesOf(sse, chunks)) {
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
    const own = recordings.filter(({ dialect }) => dialect === name)
    for (const { file, expected: path } of own) {
      const body = await bodyOf(file)
      const expected = sharedJson<Expected>(`corpus/${path}`)
      for (const [cut, chunks] of cutsOf(body)) {
        const final = comparable(finalOf(findDialect(name), chunks), expected)
        assert.deepEqual(final, expectedFinal(expected), `${file}, ${cut}`)
      }
    }
    assert.ok(own.length > 0, 'there are recordings')
  })
}

test('sse: every recorded event stream gives its expected events, however cut', async (t) => {
  if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
  let count = 0
  for (const { file, expected: path } of recordings) {
    const expected = sharedJson<Expected>(`corpus/${path}`)
    if (expected.sse === undefined) continue
    count++
    const { events, sha256 } = expected.sse
    const body = await bodyOf(file)
    for (const [cut, chunks] of cutsOf(body)) {
      assert.deepEqual(digestOf(chunks), { events, sha256 }, `${file}, ${cut}`)
    }
  }
  assert.ok(count > 190, `${count} recordings`)
})

for (const placement of ['inline', 'worker'] as const) {
  test(`bedrock-eventstream: every recording gives its message, ${placement}`, async (t) => {
    if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
    const mill = await createMillrace()
    t.after(() => mill.close())
    const own = recordings.filter(({ dialect }) => dialect === 'bedrock-eventstream')
    for (const { file, expected: path } of own) {
      const body = await bodyOf(file)
      const expected = sharedJson<Expected>(`corpus/${path}`)
      for (const [cut, chunks] of cutsOf(body)) {
        const message = new MessageBuilder(findDialect('bedrock-eventstream'), 2 ** 30)
        const stream = mill.decode(chunks, { dialect: 'bedrock-eventstream', placement })
        try {
          for await (const batch of stream.batches()) message.add(batch)
        } catch (error) {
          // As it was recorded.
          assert.equal((error as MillraceError).code, 'STREAM_TRUNCATED')
        }
        const final = comparable({ ...message.toFinal() }, expected)
        assert.deepEqual(final, expectedFinal(expected), `${file}, ${cut}`)
      }
    }
    assert.ok(own.length > 5, `${own.length} recordings`)
  })
}
