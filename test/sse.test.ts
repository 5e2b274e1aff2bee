import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Carry } from '../src/shared/decoder/carry.ts'
import type { DecodeCounts, DecodeOptions } from '../src/shared/decoder/decoder.ts'
import { HeapSlabs } from '../src/shared/decoder/heap-slabs.ts'
import { newCounts } from '../src/shared/decoder/plain-decoder.ts'
import { SseFramer } from '../src/shared/decoder/sse-framer.ts'
import { decodeUtf8 } from '../src/shared/decoder/utf8.ts'
import { STREAM_LIMITS_DEFAULT, type StreamLimits } from '../src/shared/limits.ts'
import { byteWise, type Chunks, everySplit, randomCuts, seeded, testSeed } from './chunking.ts'
import { sharedData, SHARED_DATA_MISSING, sharedJson } from './shared-data.ts'

interface SeenEvent {
  readonly event: string
  readonly data: string
  readonly id: string
}

interface Framed {
  readonly events: readonly SeenEvent[]
  readonly strays: readonly string[]
  /** Offsets of the events, then of the failure. */
  readonly offsets: readonly number[]
  readonly failure: string | null
  readonly retryMs: number | null
  readonly lastEventId: string
  readonly counts: DecodeCounts
  readonly pendingBytes: number
  readonly lentBytes: number
}

const utf8 = new TextEncoder()

const optionsOf = (limits: Partial<StreamLimits> = {}): DecodeOptions => {
  return { limits: { ...STREAM_LIMITS_DEFAULT, ...limits }, strict: false }
}

function frame(chunks: Chunks, limits: Partial<StreamLimits> = {}, budgetBytes = 1 << 26): Framed {
  const slabs = new HeapSlabs(budgetBytes)
  const counts = newCounts()
  const framer = new SseFramer(optionsOf(limits), slabs, counts)
  const events: SeenEvent[] = []
  const strays: string[] = []
  const offsets: number[] = []
  let failure: string | null = null
  for (const chunk of chunks) {
    if (failure !== null) break
    for (const found of framer.push(chunk)) {
      if (found.kind !== 'stray') offsets.push(found.offset)
      if (found.kind === 'failure') failure = found.code
      else if (found.kind === 'stray') strays.push(`${found.name}=${decodeUtf8(found.value)}`)
      else if (found.kind === 'payload') {
        const { name, data } = found
        events.push({
          event: name || 'message',
          data: decodeUtf8(data),
          id: framer.lastEventId,
        })
      }
    }
  }
  const { retryMs, lastEventId, pendingBytes } = framer
  const lentBytes = slabs.lentBytes
  framer.release()
  assert.equal(slabs.lentBytes, 0, 'release gives every slab back')
  return {
    events,
    strays,
    offsets,
    failure,
    retryMs,
    lastEventId,
    counts,
    pendingBytes,
    lentBytes,
  }
}

interface Case {
  readonly name: string
  readonly input: string | Uint8Array
  readonly expected: Partial<Framed>
}

const message = (data: string, id = ''): SeenEvent => ({ event: 'message', data, id })

const cases: readonly Case[] = [
  {
    name: 'a blank line dispatches, and a block without data does not',
    input: 'event: a\n\ndata: x\n\n',
    expected: { events: [message('x')], offsets: [10] },
  },
  {
    name: 'data lines are joined by LF, and an empty one counts',
    input: 'data: a\ndata\ndata:b\n\n',
    expected: { events: [message('a\n\nb')] },
  },
  {
    name: 'an event of one empty data line is dispatched',
    input: 'data:\n\n',
    expected: { events: [message('')] },
  },
  {
    name: 'one space after the colon is dropped, and only a space',
    input: 'data:  x\ndata:\ty \n\n',
    expected: { events: [message(' x\n\ty ')] },
  },
  {
    name: 'CR, LF and CRLF end a line, mixed',
    input: 'data: a\rdata: b\r\ndata: c\n\r\ndata: d\r\r\n',
    expected: { events: [message('a\nb\nc'), message('d')], offsets: [0, 27] },
  },
  {
    name: 'LF CR is two line ends',
    input: 'data: a\n\rdata: b\n\n',
    expected: { events: [message('a'), message('b')] },
  },
  {
    name: 'a byte order mark is dropped at the start of the body only',
    input: '\ufeffdata: \ufeffa\n\n\ufeffdata: b\n\n',
    expected: { events: [message('\ufeffa')], strays: ['\ufeffdata=b'], offsets: [3] },
  },
  {
    name: 'a byte order mark before a blank line or a comment leaves neither a field',
    input: '\ufeff\ndata: a\n\n',
    expected: { events: [message('a')], strays: [] },
  },
  {
    name: 'part of a byte order mark is part of a field',
    input: new Uint8Array([0xef, 0xbb, ...utf8.encode('data: a\n\ndata: b\n\n')]),
    expected: { events: [message('b')], strays: ['\ufffddata=a'], offsets: [11] },
  },
  {
    name: 'a byte order mark after a line end is part of a field',
    input: '\n\ufeffdata: a\n\n',
    expected: { events: [], strays: ['\ufeffdata=a'] },
  },
  {
    name: 'comments are counted and do not begin an event',
    input: ': hello\n:\ndata: a\n:data: b\n\n',
    expected: { events: [message('a')], offsets: [10], strays: [] },
  },
  {
    name: 'an event name lasts for its event, and the last one wins',
    input: 'event: a\nevent: b\ndata: 1\n\ndata: 2\n\n',
    expected: { events: [{ event: 'b', data: '1', id: '' }, message('2')] },
  },
  {
    name: 'an id lasts until the next, an empty one clears it, one with NUL is ignored',
    input: 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n',
    expected: { events: [message('a', '1'), message('b', '1'), message('c')], lastEventId: '' },
  },
  {
    name: 'an id without data counts for the next event',
    input: 'id: 9\n\ndata: a\n\n',
    expected: { events: [message('a', '9')] },
  },
  {
    name: 'retry takes digits only',
    input: 'retry: 010\nretry: 1e3\nretry:-5\nretry\nretry: 7x\n\n',
    expected: { retryMs: 10 },
  },
  {
    name: 'retry stays within what a timer takes',
    input: `retry: ${'9'.repeat(400)}\n\n`,
    expected: { retryMs: 2 ** 31 - 1 },
  },
  {
    name: 'unknown fields are reported, with and without a value',
    input: 'error: {"x":1}\nnonsense\n data: a\ndata : b\nDATA: c\n\n',
    expected: {
      events: [],
      strays: ['error={"x":1}', 'nonsense=', ' data=a', 'data =b', 'DATA=c'],
    },
  },
  {
    name: 'an unfinished event and an unfinished line are dropped at the end',
    input: 'data: a\n\ndata: b\ndata: c',
    expected: { events: [message('a')], pendingBytes: 8 },
  },
  {
    name: 'malformed UTF-8 swallows no line end',
    input: new Uint8Array([...utf8.encode('data: a'), 0xf0, 0x9f, 0x0a, 0xe2, 0x0a, 0x0a]),
    expected: { events: [message('a\ufffd')], strays: ['\ufffd='], pendingBytes: 0 },
  },
]

for (const { name, input, expected } of cases) {
  test(`SseFramer: ${name}`, () => {
    const bytes = typeof input === 'string' ? utf8.encode(input) : input
    for (const chunks of everySplit(bytes)) {
      const framed = frame(chunks)
      for (const key of Object.keys(expected) as (keyof Framed)[]) {
        const cut = chunks.length === 2 ? ` (cut at ${chunks[0]?.length})` : ''
        assert.deepEqual(framed[key], expected[key], key + cut)
      }
    }
  })
}

test('SseFramer: an event is out with the CR of its blank line; an LF after it adds none', () => {
  const slabs = new HeapSlabs(1 << 20)
  const framer = new SseFramer(optionsOf(), slabs, newCounts())
  const framesOf = (text: string): number => [...framer.push(utf8.encode(text))].length
  assert.equal(framesOf('data: a\r\n'), 0)
  assert.equal(framesOf('\r'), 1)
  assert.equal(framesOf('\n'), 0)
  assert.equal(slabs.lentBytes, 0, 'an idle stream holds no slab')
  assert.equal(framesOf('data: b\r\r'), 1)
})

test('SseFramer: comments are counted, whole or cut, and an unfinished one is not kept', () => {
  const bytes = utf8.encode(': hello\n:\r\ndata: a\n: unfinished')
  for (const chunks of everySplit(bytes)) {
    const framed = frame(chunks)
    assert.equal(framed.counts.comments, 2)
    assert.equal(framed.pendingBytes, 'a'.length + ': unfinished'.length)
  }
  assert.equal(frame([utf8.encode(': a'), utf8.encode('b')]).lentBytes, 0)
})

test('SseFramer: ids and event names over their limits are ignored and counted', () => {
  const at = `id: ${'i'.repeat(1024)}\nevent: ${'e'.repeat(256)}\ndata: x\n\n`
  const over = `id: ${'j'.repeat(1025)}\nevent: ${'f'.repeat(257)}\ndata: y\n\n`
  const { events, counts } = frame([utf8.encode(at + over)])
  const id = 'i'.repeat(1024)
  assert.deepEqual(events, [{ event: 'e'.repeat(256), data: 'x', id }, message('y', id)])
  assert.equal(counts.ignoredFields, 2)
})

test('lineBytesMax: a line of the limit passes and one byte more fails, however cut', () => {
  const limits = { lineBytesMax: 12 }
  for (const line of ['data: 678901', ': 3456789012', 'unknown89012']) {
    for (const chunks of everySplit(utf8.encode(`data: a\n\n${line}\n\n`))) {
      assert.equal(frame(chunks, limits).failure, null)
    }
    for (const chunks of everySplit(utf8.encode(`data: a\n\n${line}x\n\ndata: b\n\n`))) {
      const { events, failure, offsets } = frame(chunks, limits)
      assert.deepEqual({ events, failure }, { events: [message('a')], failure: 'LINE_TOO_LONG' })
      assert.deepEqual(offsets, [0, 9])
    }
  }
})

test('lineBytesMax: an unfinished line fails with its first byte too many', () => {
  const { failure } = frame([utf8.encode('data: 678901'), utf8.encode('2')], { lineBytesMax: 12 })
  assert.equal(failure, 'LINE_TOO_LONG')
})

test('eventBytesMax: counts the data lines and the LF between them, however cut', () => {
  const limits = { eventBytesMax: 5 }
  for (const chunks of everySplit(utf8.encode('data: ab\ndata: cd\n\ndata: fresh\n\n'))) {
    assert.deepEqual(frame(chunks, limits).events, [message('ab\ncd'), message('fresh')])
  }
  for (const chunks of everySplit(utf8.encode('data: a\n\nid: 1\ndata: ab\ndata: cde\n\n'))) {
    const { failure, offsets } = frame(chunks, limits)
    assert.equal(failure, 'EVENT_TOO_LARGE')
    assert.deepEqual(offsets, [0, 9])
  }
})

test('SseFramer: a spent budget of slabs is BUFFERS_EXHAUSTED', () => {
  const line = utf8.encode(`data: ${'x'.repeat(3000)}\n\n`)
  assert.equal(frame([line], {}, 2999).failure, 'BUFFERS_EXHAUSTED')
  assert.equal(frame([line], {}, 3000).failure, null)
  assert.equal(frame(byteWise(line), {}, 3000).failure, 'BUFFERS_EXHAUSTED')
})

test('Carry: n bytes cost less than 4 n bytes of copies, one byte at a time', () => {
  const heap = new HeapSlabs(1 << 24)
  let copied = 0
  const carry = new Carry({
    allocate(bytesMin) {
      copied += carry.length
      return heap.allocate(bytesMin)
    },
    free: (slab) => heap.free(slab),
  })
  const byte = new Uint8Array([7])
  const bytes = 1_000_000
  for (let at = 0; at < bytes; at++) assert.ok(carry.append(byte))
  assert.ok(copied + bytes < 4 * bytes, `${copied} bytes were copied in growing`)
  assert.ok(heap.lentBytes < 3 * bytes)
  assert.ok(carry.bytes.every((value) => value === 7))
})

test('SseFramer: a line of n bytes, one at a time, asks for no more than log2 n slabs', () => {
  const heap = new HeapSlabs(1 << 24)
  let allocations = 0
  const slabs = {
    allocate: (bytesMin: number) => {
      allocations++
      return heap.allocate(bytesMin)
    },
    free: heap.free.bind(heap),
  }
  const framer = new SseFramer(optionsOf(), slabs, newCounts())
  const line = new Uint8Array(2 ** 20).fill(0x78)
  let frames = 0
  const body = Buffer.concat([utf8.encode('data:'), line, utf8.encode('\n\n')])
  for (const byte of byteWise(body)) frames += [...framer.push(byte)].length
  assert.equal(frames, 1)
  assert.ok(allocations <= 20, `${allocations} slabs`)
  assert.equal(heap.lentBytes, 0)
})

test('HeapSlabs: freeing a slab twice throws, and so does a stranger', () => {
  const slabs = new HeapSlabs(1 << 20)
  const slab = slabs.allocate(100)
  assert.ok(slab !== null)
  slabs.free(slab)
  assert.throws(() => slabs.free(slab))
  assert.throws(() => slabs.free({ bytes: new Uint8Array(1024) }))
})

interface ConformanceCase {
  readonly name: string
  readonly inputBase64: string
  readonly splits?: readonly number[] | 'every-byte'
  readonly expected: readonly SeenEvent[]
  readonly lastEventId: string
  readonly retry?: number
  readonly comments?: readonly string[]
}

interface WptCase {
  readonly id: string
  readonly input: string
  readonly retry?: number
  readonly events: readonly { type: string; lastEventId: string; data: string }[]
}

/** Every split of what is short; of what is long, uncut, byte-wise and at random. */
function* splitsFor(bytes: Uint8Array, random: () => number): Generator<Chunks> {
  if (bytes.length <= 2000) yield* everySplit(bytes)
  yield [bytes]
  yield byteWise(bytes)
  for (let round = 0; round < 20; round++) yield randomCuts(bytes, 1 + round * 40, random)
}

test('SseFramer: every conformance case, at every split', (t) => {
  if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
  const seed = testSeed()
  const random = seeded(seed)
  const { cases: all } = sharedJson<{ cases: ConformanceCase[] }>('corpus/sse-conformance.json')
  for (const { name, inputBase64, expected, lastEventId, retry, comments } of all) {
    const bytes = new Uint8Array(Buffer.from(inputBase64, 'base64'))
    for (const chunks of splitsFor(bytes, random)) {
      const framed = frame(chunks)
      const where = `${name}, MILLRACE_SEED=${seed}, chunks of ${chunks.map((c) => c.length)}`
      assert.deepEqual(framed.events, expected, where)
      assert.equal(framed.lastEventId, lastEventId, where)
      if (retry !== undefined) assert.equal(framed.retryMs, retry, where)
      if (comments !== undefined) assert.equal(framed.counts.comments, comments.length, where)
    }
  }
  assert.equal(all.length, 92)
})

test('SseFramer: every case taken from the web platform tests, at every split', (t) => {
  if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
  const all = sharedJson<WptCase[]>('data/expected/sse-cases.json')
  for (const { id, input, events, retry } of all) {
    const expected = events.map(({ type, data, lastEventId }) => {
      return { event: type, data, id: lastEventId }
    })
    for (const chunks of everySplit(new Uint8Array(Buffer.from(input, 'hex')))) {
      const framed = frame(chunks)
      assert.deepEqual(framed.events, expected, id)
      if (retry !== undefined) assert.equal(framed.retryMs, retry, id)
    }
  }
  assert.equal(all.length, 60)
})
