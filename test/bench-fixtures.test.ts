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
import { decodeByHand } from '../bench/rivals/by-hand.ts'
import { Sink, sinkOf } from '../bench/sink.ts'

const EVENTS = 500

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

test('chat-shuffled: events have the size of chat, and no two of them one structure', () => {
  const events = eventsOf('chat-shuffled')
  assert.ok(events.every((event) => Buffer.byteLength(event) === CHAT_EVENT_BYTES))
  assert.equal(new Set(events.map(structureOf)).size, EVENTS)
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
