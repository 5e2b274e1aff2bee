import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { newRing, type Ring, take, TYPE } from './rings.ts'

const STARTS = [0, 2 ** 31 - 64, 2 ** 31 - 8, -64, -8]

for (const start of STARTS) {
  test(`Producer, Consumer: any writes, aborts and reads from ${start} equal a queue`, () => {
    const step = fc.record({
      op: fc.constantFrom('write', 'write', 'abort', 'shrink', 'publish', 'read', 'release'),
      payloadBytes: fc.nat(56),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        runAgainstQueue(newRing(256, start), steps)
      }),
      { numRuns: 200 },
    )
  })
}

interface Step {
  op: string
  payloadBytes: number
}

/** The oracle: an array of payloads, one index for what is published, one for what was read. */
function runAgainstQueue(ring: Ring, steps: Step[]): void {
  const queue: number[][] = []
  let published = 0
  let read = 0
  let fill = 0
  for (const { op, payloadBytes } of steps) {
    if (op === 'publish') {
      assert.equal(ring.producer.publish(), queue.length > published)
      published = queue.length
    } else if (op === 'read') {
      assert.equal(ring.consumer.next(), read < published)
      if (read < published) assert.deepEqual(current(ring), queue[read++])
    } else if (op === 'release') {
      ring.consumer.release()
    } else {
      const at = ring.producer.claim(TYPE, payloadBytes)
      // A record and its padding need less than 128 bytes, whatever the position.
      if (at < 0) assert.ok(ring.producer.freeBytes() < 128)
      if (at < 0) continue
      assert.equal(at % 8, 0)
      ring.bytes.fill((fill = (fill + 1) & 0xff), at, at + payloadBytes)
      const kept = op === 'shrink' ? payloadBytes >> 1 : payloadBytes
      if (op === 'abort') ring.producer.abort()
      else ring.producer.commit(kept)
      if (op !== 'abort') queue.push(Array.from({ length: kept }, () => fill))
    }
  }
  ring.producer.publish()
  assert.deepEqual(take(ring), queue.slice(read))
}

function current({ consumer, bytes }: Ring): number[] {
  const { payloadOffset, payloadBytes } = consumer
  return [...bytes.subarray(payloadOffset, payloadOffset + payloadBytes)]
}
