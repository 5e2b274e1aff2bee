import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BACKPRESSURED,
  CLOSED,
  Consumer,
  HEADER_BYTES,
  PADDING,
  Producer,
} from '../src/shared/ring-buffer.ts'
import { during, put as commit, recordRing } from './model/recording.ts'
import { DATA, newRing, put, type Ring, take, TYPE } from './rings.ts'

/** Moves both ends by `bytes`, a multiple of 8, so that a test starts where it wants. */
function advance(ring: Ring, bytes: number): void {
  for (let left = bytes; left > 0; left -= HEADER_BYTES) {
    assert.ok(put(ring, 0) >= 0)
    ring.producer.publish()
    assert.ok(ring.consumer.next())
    ring.consumer.release()
  }
}

test('BACKPRESSURED, CLOSED: are negative and differ, so that offsets stay apart from them', () => {
  assert.deepEqual([BACKPRESSURED, CLOSED], [-1, -2])
})

test('claim: gives the payload behind an 8-byte header, the next one at a multiple of 8', () => {
  const ring = newRing(256)
  assert.equal(put(ring, 5), DATA + 8)
  assert.equal(put(ring, 8), DATA + 16 + 8)
  assert.equal(put(ring, 0), DATA + 32 + 8)
})

test('commit: nothing is readable before publish', () => {
  const ring = newRing(64)
  put(ring, 3, 9)
  assert.equal(ring.consumer.next(), false)
  assert.equal(ring.producer.publish(), true)
  assert.deepEqual(take(ring), [[9, 9, 9]])
})

test('publish: says whether anything was published', () => {
  const ring = newRing(64)
  assert.equal(ring.producer.publish(), false)
  put(ring, 1)
  assert.equal(ring.producer.publish(), true)
  assert.equal(ring.producer.publish(), false)
})

test('publish: shows all commits of a batch at once, in order', () => {
  const ring = newRing(256)
  for (const fill of [1, 2, 3]) put(ring, 1, fill)
  ring.producer.publish()
  assert.deepEqual(take(ring), [[1], [2], [3]])
})

test('commit: a shorter payload than claimed gives the rest back', () => {
  const ring = newRing(256)
  ring.producer.claim(TYPE, 48)
  ring.producer.commit(1)
  assert.equal(put(ring, 1), DATA + 16 + 8)
  ring.producer.publish()
  assert.ok(ring.consumer.next())
  assert.equal(ring.consumer.payloadBytes, 1)
})

test('commit: more than claimed, or without a claim, throws', () => {
  const { producer } = newRing(256)
  assert.throws(() => producer.commit(), /nothing is claimed/)
  producer.claim(TYPE, 8)
  assert.throws(() => producer.commit(9), /9 bytes, claimed were 8/)
  assert.throws(() => producer.commit(-1), /-1 bytes/)
})

test('abort: leaves no trace, the place is claimed again', () => {
  const ring = newRing(256)
  put(ring, 1, 1)
  const at = ring.producer.claim(TYPE, 40)
  ring.producer.abort()
  assert.equal(put(ring, 1, 2), at)
  ring.producer.publish()
  assert.deepEqual(take(ring), [[1], [2]])
})

test('abort: leaves no padding at the wrap, a short record still fits before it', () => {
  const ring = newRing(64)
  advance(ring, 56)
  assert.equal(ring.producer.claim(TYPE, 8), DATA + 8)
  ring.producer.abort()
  assert.equal(put(ring, 0), DATA + 56 + 8)
})

test('abort: without a claim throws', () => {
  assert.throws(() => newRing(64).producer.abort(), /nothing is claimed/)
})

test('claim: a second one before commit or abort throws', () => {
  const { producer } = newRing(64)
  producer.claim(TYPE, 0)
  assert.throws(() => producer.claim(TYPE, 0), /neither committed nor aborted/)
})

test('claim: takes records up to a quarter of the capacity and throws above', () => {
  const { producer } = newRing(256)
  assert.equal(producer.payloadBytesMax, 56)
  for (const payloadBytes of [57, -1, NaN, Infinity]) {
    assert.throws(() => producer.claim(TYPE, payloadBytes), /payloadBytesMax is 56/)
  }
  assert.ok(producer.claim(TYPE, 56) > 0)
})

test('claim: a type that is not positive throws, since padding is type 0', () => {
  const { producer } = newRing(64)
  assert.throws(() => producer.claim(PADDING, 0), /not positive/)
  assert.throws(() => producer.claim(-1, 0), /not positive/)
})

test('claim: fills the ring to its last byte, then returns BACKPRESSURED', () => {
  const ring = newRing(64)
  for (let record = 0; record < 4; record++) assert.ok(put(ring, 8) > 0)
  assert.equal(ring.producer.freeBytes(), 0)
  assert.equal(put(ring, 0), BACKPRESSURED)
})

test('claim: returns BACKPRESSURED until release, not merely until next', () => {
  const ring = newRing(64)
  for (let record = 0; record < 4; record++) put(ring, 8)
  ring.producer.publish()
  assert.ok(ring.consumer.next())
  assert.equal(put(ring, 8), BACKPRESSURED)
  assert.equal(ring.consumer.release(), true)
  assert.ok(put(ring, 8) > 0)
  assert.equal(put(ring, 8), BACKPRESSURED)
})

test('claim: returns BACKPRESSURED when the padding record would pass head', () => {
  const ring = newRing(64)
  for (let record = 0; record < 6; record++) put(ring, 0)
  ring.producer.publish()
  assert.ok(ring.consumer.next())
  ring.consumer.release()
  // 24 bytes are free: 16 before the wrap, which padding would take, and 8 behind it. A header
  // alone fits, a record of 16 fits before the wrap; a claim never splits.
  assert.equal(ring.producer.freeBytes(), 24)
  assert.ok(put(ring, 0) > 0)
  assert.equal(put(ring, 8), BACKPRESSURED)
})

test('claim: after BACKPRESSURED nothing is open, a smaller claim may succeed', () => {
  const ring = newRing(64)
  for (let record = 0; record < 7; record++) put(ring, 0)
  assert.equal(put(ring, 8), BACKPRESSURED)
  assert.ok(put(ring, 0) > 0)
})

test('claim: an empty ring takes the longest record wherever its positions stand', () => {
  for (let start = 0; start < 256; start += 8) {
    const ring = newRing(256, start)
    assert.ok(put(ring, 56, 5) > 0, `position ${start}`)
    ring.producer.publish()
    assert.deepEqual(take(ring), [Array.from({ length: 56 }, () => 5)])
  }
})

test('next: skips the padding and finds the record at index 0', () => {
  const ring = newRing(64)
  advance(ring, 56)
  assert.equal(put(ring, 8, 3), DATA + 8)
  ring.producer.publish()
  assert.deepEqual([ring.words[(DATA + 56) >> 2], ring.words[(DATA + 60) >> 2]], [8, PADDING])
  assert.deepEqual(take(ring), [[3, 3, 3, 3, 3, 3, 3, 3]])
})

test('next: exposes type, offset and length, and keeps them when it returns false', () => {
  const { producer, consumer } = newRing(64)
  const at = producer.claim(42, 3)
  producer.commit()
  producer.publish()
  for (const expected of [true, false, false]) {
    assert.equal(consumer.next(), expected)
    assert.equal(consumer.type, 42)
    assert.equal(consumer.payloadOffset, at)
    assert.equal(consumer.payloadBytes, 3)
  }
})

test('release: says whether anything was released, and frees the padding too', () => {
  const ring = newRing(64)
  assert.equal(ring.consumer.release(), false)
  advance(ring, 56)
  put(ring, 8)
  ring.producer.publish()
  ring.consumer.next()
  assert.equal(ring.producer.freeBytes(), 64 - 8 - 16)
  assert.equal(ring.consumer.release(), true)
  assert.equal(ring.consumer.release(), false)
  assert.equal(ring.producer.freeBytes(), 64)
})

test('availableBytes: counts what is published and not yet met', () => {
  const ring = newRing(64)
  put(ring, 1)
  assert.equal(ring.consumer.availableBytes(), 0)
  ring.producer.publish()
  assert.equal(ring.consumer.availableBytes(), 16)
  ring.consumer.next()
  assert.equal(ring.consumer.availableBytes(), 0)
})

test('Producer.close: publishes, the consumer drains, then is told', () => {
  const ring = newRing(64)
  put(ring, 1, 1)
  ring.producer.close()
  ring.producer.close()
  assert.equal(ring.consumer.drained, false)
  assert.deepEqual(take(ring), [[1]])
  assert.equal(ring.consumer.drained, true)
  assert.equal(put(ring, 1), CLOSED)
})

test('Producer.close: drops an open claim', () => {
  const ring = newRing(64)
  ring.producer.claim(TYPE, 1)
  ring.producer.close()
  assert.throws(() => ring.producer.commit(), /nothing is claimed/)
  assert.equal(ring.consumer.next(), false)
  assert.equal(ring.consumer.drained, true)
})

test('Consumer.close: claim returns CLOSED after the next publish', () => {
  const ring = newRing(256)
  ring.consumer.close()
  ring.consumer.close()
  ring.producer.publish()
  assert.equal(put(ring, 1), CLOSED)
  assert.equal(ring.producer.closed, true)
})

test('Consumer.close: claim on a full ring returns CLOSED, not BACKPRESSURED', () => {
  const ring = newRing(64)
  for (let record = 0; record < 8; record++) put(ring, 0)
  ring.consumer.close()
  assert.equal(put(ring, 0), CLOSED)
})

test('Consumer: a successor meets again what was not released, and nothing that was', () => {
  const ring = newRing(256)
  for (const fill of [1, 2, 3]) put(ring, 1, fill)
  ring.producer.publish()
  ring.consumer.next()
  ring.consumer.release()
  ring.consumer.next()
  const consumer = new Consumer(ring.words, ring.layout)
  assert.deepEqual(take({ ...ring, consumer }), [[2], [3]])
})

test('Producer: a successor writes over what was not published', () => {
  const ring = newRing(256)
  put(ring, 1, 1)
  ring.producer.publish()
  put(ring, 1, 2)
  const producer = new Producer(ring.words, ring.layout)
  const successor = { ...ring, producer }
  put(successor, 1, 3)
  producer.publish()
  assert.deepEqual(take(successor), [[1], [3]])
})

test('next: throws on a length that cannot be, instead of leaving the ring', () => {
  for (const length of [0, 7, -1, -8, 17, 72, 0x7fffffff, -0x80000000]) {
    const ring = newRing(64)
    put(ring, 8)
    ring.producer.publish()
    ring.words[DATA >> 2] = length
    assert.throws(() => ring.consumer.next(), /broken invariant: record of/, `length ${length}`)
  }
})

test('next: throws on a length that passes the end, however much is published', () => {
  const ring = newRing(64)
  advance(ring, 48)
  put(ring, 8)
  put(ring, 8)
  ring.producer.publish()
  ring.words[(DATA + 48) >> 2] = 24
  assert.throws(() => ring.consumer.next(), /record of 24 bytes at index 48, 16 are readable/)
})

test('next: throws on a tail that is not a position the producer can have', () => {
  for (const tail of [-8, 4, 72]) {
    const ring = newRing(64)
    ring.words[ring.layout.tail] = tail
    assert.throws(() => ring.consumer.next(), /broken invariant: tail/, `tail ${tail}`)
  }
})

test('claim: throws on a head that is not a position the consumer can have', () => {
  for (const head of [8, 4, -72]) {
    const ring = newRing(64)
    ring.words[ring.layout.head] = head
    assert.throws(() => ring.producer.freeBytes(), /broken invariant: head/, `head ${head}`)
  }
})

test('constructor: refuses a capacity that is no power of two, or data that is not aligned', () => {
  const { words, layout } = newRing(64)
  for (const wrong of [{ capacityBytes: 96 }, { capacityBytes: 32 }, { data: DATA + 4 }]) {
    assert.throws(() => new Producer(words, { ...layout, ...wrong }), /broken invariant: ring/)
    assert.throws(() => new Consumer(words, { ...layout, ...wrong }), /broken invariant: ring/)
  }
})

// ---- The order of accesses, as a recording shows it.

test('publish: one store of the tail after all headers of the batch, padding included', () => {
  const recorded = recordRing()
  for (let record = 0; record < 7; record++) commit(recorded, 0)
  recorded.producer.publish()
  while (recorded.consumer.next());
  recorded.consumer.release()
  const log = during(recorded.log, () => {
    commit(recorded, 8)
    commit(recorded, 0)
    recorded.producer.publish()
  })
  assert.deepEqual(log, [
    'load head',
    'write word 270 8',
    'write word 271 0',
    'write word 256 16',
    `write word 257 ${TYPE}`,
    'write word 260 8',
    `write word 261 ${TYPE}`,
    'load consumerClosed',
    'store tail 88',
  ])
})

test('publish: stores nothing where nothing was committed', () => {
  const { log, producer } = recordRing()
  assert.deepEqual(
    during(log, () => producer.publish()),
    ['load consumerClosed'],
  )
})

test('claim, abort: touch no memory while the cached head leaves room', () => {
  const { log, producer } = recordRing()
  const claimAndAbort = () => {
    producer.claim(TYPE, 8)
    producer.abort()
  }
  assert.deepEqual(during(log, claimAndAbort), [])
})

test('next, release: one load, one store a batch; each header is read once, then trusted', () => {
  const recorded = recordRing()
  for (let record = 0; record < 3; record++) commit(recorded, 8)
  recorded.producer.publish()
  const log = during(recorded.log, () => {
    for (let record = 0; record < 3; record++) assert.ok(recorded.consumer.next())
    recorded.consumer.release()
  })
  const headers = [256, 260, 264].flatMap((at) => [`read word ${at}`, `read word ${at + 1}`])
  assert.deepEqual(log, ['load tail', ...headers, 'store head 48'])
})

test('Producer.close: the tail first, then the flag', () => {
  const recorded = recordRing()
  commit(recorded, 0)
  const log = during(recorded.log, () => recorded.producer.close())
  assert.deepEqual(log, ['load consumerClosed', 'store tail 8', 'store producerClosed 1'])
})

test('drained: the flag first, then the tail', () => {
  const { log, producer, consumer } = recordRing()
  producer.close()
  assert.deepEqual(
    during(log, () => consumer.drained),
    ['load producerClosed', 'load tail'],
  )
})
