/**
 * Both suites of Server-Sent Events through the whole decoder as it ships: sse.test.ts has them for
 * the plain framer alone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDecoder, type TokenBatch } from '../src/main/index.ts'
import { byteWise, type Chunks, everySplit, randomCuts, seeded, testSeed } from './chunking.ts'
import { sharedData, SHARED_DATA_MISSING, sharedJson } from './shared-data.ts'
import { engine } from './wasm-host.ts'

const skip = sharedData() === null && SHARED_DATA_MISSING
const seed = testSeed()
const random = seeded(seed)

interface SeenEvent {
  readonly event: string
  readonly data: string
  readonly id: string
}

interface ConformanceCase {
  readonly name: string
  readonly inputBase64: string
  readonly expected: readonly SeenEvent[]
}

interface WptCase {
  readonly id: string
  readonly input: string
  readonly events: readonly {
    readonly type: string
    readonly data: string
    readonly lastEventId: string
  }[]
}

function eventsOf(chunks: Chunks): SeenEvent[] {
  const decoder = createDecoder({ dialect: 'sse' })
  const events: SeenEvent[] = []
  const read = (batch: TokenBatch): void => {
    for (const event of batch) {
      assert.equal(event.type, 'event')
      if (event.type === 'event') {
        events.push({ event: event.event, data: event.data, id: event.lastEventId })
      }
    }
  }
  for (const chunk of chunks) read(decoder.push(chunk))
  read(decoder.end())
  assert.equal(decoder.failure, null)
  return events
}

/** Every split of a short body; else bytes alone, and random cuts. */
function* cutsOf(body: Uint8Array): Generator<Chunks> {
  if (body.length <= 512) return yield* everySplit(body)
  yield [body]
  if (body.length <= 2 ** 17) yield byteWise(body)
  for (const chunkBytes of [7, 300, 60_000]) yield randomCuts(body, chunkBytes, random)
}

test('sse: it is the WASM decoder that has to pass', () => assert.ok(engine))

test(`sse: every conformance case, at every split (MILLRACE_SEED=${seed})`, { skip }, () => {
  const { cases } = sharedJson<{ cases: ConformanceCase[] }>('corpus/sse-conformance.json')
  for (const { name, inputBase64, expected } of cases) {
    for (const chunks of cutsOf(new Uint8Array(Buffer.from(inputBase64, 'base64')))) {
      assert.deepEqual(eventsOf(chunks), expected, name)
    }
  }
  assert.equal(cases.length, 92)
})

test('sse: every case taken from the web platform tests, at every split', { skip }, () => {
  const cases = sharedJson<WptCase[]>('data/expected/sse-cases.json')
  for (const { id, input, events } of cases) {
    const expected = events.map(({ type, data, lastEventId }) => {
      return { event: type, data, id: lastEventId }
    })
    for (const chunks of cutsOf(new Uint8Array(Buffer.from(input, 'hex')))) {
      assert.deepEqual(eventsOf(chunks), expected, id)
    }
  }
  assert.equal(cases.length, 60)
})
