/** What benchmarks decode is what they say it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DIALECT_FIXTURES,
  FIXTURE_NAMES,
  makeFixture,
  streamOf,
  type FixtureName,
} from '../bench/fixtures.ts'
import { CHAT_EVENT_BYTES } from '../bench/fixtures/chat.ts'
import { elementFeed } from '../bench/rivals/array-elements.ts'
import { decodeByHand } from '../bench/rivals/by-hand.ts'
import { Sink, sinkOf } from '../bench/sink.ts'
import { inlineEngine } from '../src/main/decoder-module.ts'
import { createDecoder } from '../src/main/index.ts'
import { DIALECT_NAMES } from '../src/shared/dialects/dialects.ts'

const EVENTS = 500

/** Dialects of nobody's: records and the text in them. */
const NO_PROVIDER = new Set(['text', 'text-jsonl', 'jsonl', 'sse'])

function bodyText(name: FixtureName, seed = 1): string {
  return Buffer.concat(makeFixture(name, { seed, events: EVENTS }).body).toString('utf8')
}

/** The events of a body, blank lines included. */
function eventsOf(name: FixtureName): string[] {
  return bodyText(name).split(/(?<=\n\n)/)
}

/** An event with its values blanked: what a template would have to match. */
function structureOf(event: string): string {
  return event.replace(/:"(?:[^"\\]|\\.)*"/g, ':""').replace(/:\d+/g, ':0')
}

for (const name of new Set([...FIXTURE_NAMES, ...DIALECT_FIXTURES])) {
  test(`${name}: decodes to the tokens that it claims, in any number of rounds`, () => {
    const fixture = makeFixture(name, { events: EVENTS, chunkBytes: 1000 })
    for (const rounds of [1, 3]) {
      const kept: string[] = []
      decodeByHand(fixture.dialect, streamOf(fixture, rounds), new Sink(kept))
      assert.deepEqual(kept, Array.from({ length: rounds }, () => fixture.tokens).flat())
    }
  })

  test(`${name}: its chunks hold what its sizes say, each in a buffer of its own`, () => {
    const fixture = makeFixture(name, { events: EVENTS, chunkBytes: 1000 })
    const bytes = fixture.body.reduce((sum, chunk) => sum + chunk.length, 0)
    assert.equal(bytes, fixture.bodyBytes)
    assert.equal(fixture.head.length + fixture.tail.length, fixture.frameBytes)
    assert.ok(fixture.body.slice(0, -1).every((chunk) => chunk.length === 1000))
    assert.equal(new Set(fixture.body.map((chunk) => chunk.buffer)).size, fixture.body.length)
  })

  test(`${name}: the same seed gives the same bytes, another one others`, () => {
    assert.equal(bodyText(name), bodyText(name))
    assert.notEqual(bodyText(name), bodyText(name, 2))
  })
}

test('chat: every event has the same size and the same structure', () => {
  const events = eventsOf('chat')
  assert.equal(events.length, EVENTS)
  assert.ok(events.every((event) => Buffer.byteLength(event) === CHAT_EVENT_BYTES))
  assert.equal(new Set(events.map(structureOf)).size, 1)
})

test('chat: has escapes and characters beyond ASCII, as real streams have', () => {
  const { tokens } = makeFixture('chat', { events: EVENTS })
  const share = (pattern: RegExp): number =>
    tokens.filter((token) => pattern.test(token)).length / EVENTS
  assert.ok(share(/["\\\n\t]/) > 0.05)
  // oxlint-disable-next-line no-control-regex -- all of ASCII is meant
  assert.ok(share(/[^\u0000-\u007f]/) > 0)
})

test('chat-long: has an escape every 29 bytes, and one delta in two takes two bytes a unit', () => {
  const { tokens } = makeFixture('chat-long')
  const json = tokens.map((token) => JSON.stringify(token)).join('')
  const escapes = json.match(/\\./g)!.length
  assert.equal(Math.round(Buffer.byteLength(json) / escapes), 29)
  const wide = tokens.filter((token) => /[\u0100-\uffff]/.test(token)).length
  assert.ok(Math.abs(wide / tokens.length - 0.5) < 0.1, `${wide} of ${tokens.length}`)
})

test('chat-shuffled: events have the size of chat, and no two of them one structure', () => {
  const events = eventsOf('chat-shuffled')
  assert.ok(events.every((event) => Buffer.byteLength(event) === CHAT_EVENT_BYTES))
  assert.equal(new Set(events.map(structureOf)).size, EVENTS)
})

/** How the engine took a body of which it has seen one before. */
function secondBody(name: FixtureName): { hits: number; misses: number } {
  const { dialect, head, body } = makeFixture(name, { events: EVENTS })
  const engine = inlineEngine()!
  const decoder = createDecoder({ dialect })
  for (const chunk of [head, ...body]) decoder.push(chunk)
  const { templateHits: hits, templateMisses: misses } = engine
  for (const chunk of body) decoder.push(chunk)
  return { hits: engine.templateHits - hits, misses: engine.templateMisses - misses }
}

for (const name of new Set([...FIXTURE_NAMES, ...DIALECT_FIXTURES])) {
  const isShuffled = name.endsWith('-shuffled')
  test(`${name}: ${isShuffled ? 'no template hits' : 'a template hits every event'}`, () => {
    const hits = isShuffled ? 0 : EVENTS
    assert.deepEqual(secondBody(name), { hits, misses: EVENTS - hits })
  })
}

test('DIALECT_FIXTURES: every dialect of a provider has one, and its twin', () => {
  const dialectOf = (name: FixtureName): string => makeFixture(name, { events: 1 }).dialect
  const providers = DIALECT_NAMES.filter((name) => !NO_PROVIDER.has(name))
  const [plain, twins] = [false, true].map((isTwin) =>
    DIALECT_FIXTURES.filter((name) => name.endsWith('-shuffled') === isTwin),
  )
  assert.deepEqual(plain!.map(dialectOf).sort(), providers.sort())
  assert.deepEqual(
    twins,
    plain!.map((name) => `${name}-shuffled`),
  )
})

test('elementFeed: braces and quotes in strings end no element, wherever chunks are cut', () => {
  const elements = ['{"a":"}]{\\\\"}', '{"b":[{"c":"\\"}"},{}]}', '{}']
  const array = `[${elements.join('\n,\n')}]`
  for (let size = 1; size <= array.length; size++) {
    const taken: string[] = []
    const feed = elementFeed((element) => taken.push(element))
    for (let at = 0; at < array.length; at += size) feed(array.slice(at, at + size))
    assert.deepEqual(taken, elements)
  }
})

test('Sink: tells a changed, lost, doubled or swapped token from the right ones', () => {
  const tokens = ['the', ' mill', ' race', '.']
  const right = sinkOf(tokens, 1)
  const wrong = [
    ['the', ' mill', ' rice', '!'],
    ['the', ' mill', ' race'],
    ['the', ' mill', ' mill', ' race', '.'],
    ['the', ' race', ' mill', '.'].reverse(),
  ]
  for (const others of wrong) assert.notDeepEqual(sinkOf(others, 1), right)
})
