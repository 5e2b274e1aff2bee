import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CarrySlabs, slabAddress, slabCapacity } from '../src/shared/carry-slabs.ts'

const AT = 1024 * 1024
const REGION_BYTES = 64 * 1024

/** How long the region is by now, leases included. */
interface Memory {
  bytes: number
}

function newSlabs(leaseBytesMax = 0, memory: Memory = { bytes: REGION_BYTES }): CarrySlabs {
  return new CarrySlabs({
    at: AT,
    bytes: REGION_BYTES,
    leaseBytesMax,
    grownBytes: memory.bytes,
    grow: (bytes) => {
      assert.ok(bytes > memory.bytes && bytes % (64 * 1024) === 0)
      memory.bytes = bytes
    },
  })
}

test('allocate: gives the least power of two that holds what was asked for, from 256', () => {
  const slabs = newSlabs()
  for (const [asked, given] of [
    [0, 256],
    [256, 256],
    [257, 512],
    [1024, 1024],
    [32_769, 65_536],
  ] as const) {
    const slab = slabs.allocate(asked)
    assert.equal(slabCapacity(slab), given)
    assert.equal(slabAddress(slab) % 256, 0)
    slabs.free(slab)
  }
  assert.equal(slabs.slabBytes, 0)
})

test('allocate: 0 once the budget is spent, or for what no slab holds', () => {
  const slabs = newSlabs()
  assert.notEqual(slabs.allocate(REGION_BYTES), 0)
  assert.equal(slabs.allocate(1), 0)
  assert.equal(newSlabs(2 ** 30).allocate(2 ** 27 + 1), 0)
  // As a count of bytes above 2^31 comes from the decoder.
  assert.equal(newSlabs(2 ** 30).allocate(-5), 0)
})

test('free: what the batch took may be taken again at once', () => {
  const slabs = newSlabs()
  const slab = slabs.allocate(REGION_BYTES)
  slabs.free(slab)
  assert.equal(slabs.allocate(REGION_BYTES), slab)
})

test('free: what an earlier batch took, only once this one is settled', () => {
  const slabs = newSlabs()
  const slab = slabs.allocate(REGION_BYTES)
  slabs.settle()
  slabs.free(slab)
  assert.equal(slabs.slabBytes, REGION_BYTES)
  assert.equal(slabs.allocate(1), 0)
  slabs.settle()
  assert.equal(slabs.slabBytes, 0)
  assert.equal(slabs.allocate(REGION_BYTES), slab)
})

test('free: twice throws, also while it waits to be settled', () => {
  const slabs = newSlabs()
  const slab = slabs.allocate(1)
  slabs.settle()
  slabs.free(slab)
  assert.throws(() => slabs.free(slab), /freed twice/)
  slabs.settle()
  assert.throws(() => slabs.free(slab), /freed twice/)
})

test('leaseBytesMax: the memory grows for what the region has no room for, up to the bound', () => {
  const memory = { bytes: REGION_BYTES }
  const slabs = newSlabs(1024 * 1024, memory)
  const small = slabs.allocate(REGION_BYTES)
  const lease = slabs.allocate(512 * 1024)
  assert.ok(slabAddress(lease) >= AT + REGION_BYTES)
  assert.ok(slabAddress(lease) + slabCapacity(lease) <= AT + memory.bytes)
  assert.deepEqual([slabs.slabBytes, slabs.leasedBytes], [REGION_BYTES, 512 * 1024])
  assert.equal(slabs.allocate(1024 * 1024), 0)
  for (const slab of [small, lease]) slabs.free(slab)
  assert.deepEqual([slabs.slabBytes, slabs.leasedBytes], [0, 0])
})

test('leaseBytesMax: a thousand small leases take no more memory than they are long', () => {
  const memory = { bytes: REGION_BYTES }
  const slabs = newSlabs(2 ** 30, memory)
  for (let count = 0; count < 1000; count++) assert.notEqual(slabs.allocate(1024), 0)
  assert.ok(memory.bytes <= 1000 * 1024 + 128 * 1024)
})

test('adopt: what is in use is not handed out, and everything else is', () => {
  const first = newSlabs()
  const all = Array.from({ length: REGION_BYTES / 1024 }, () => first.allocate(1024))
  const kept = all.filter((_, number) => number % 3 === 0)
  const successor = newSlabs()
  for (const slab of kept) successor.adopt(slab)
  assert.equal(successor.slabBytes, kept.length * 1024)
  const rest = Array.from({ length: all.length - kept.length }, () => successor.allocate(1024))
  assert.deepEqual(new Set([...kept, ...rest]), new Set(all))
  assert.equal(successor.allocate(1), 0)
})

test('adopt: a slab that overlaps another throws', () => {
  const slabs = newSlabs()
  slabs.adopt(AT | 10)
  assert.throws(() => slabs.adopt(AT | 9), /is not free/)
  assert.throws(() => slabs.adopt(AT | 12), /is not free/)
})

/** Allocates so many bytes, or frees one of the slabs in use, or settles. */
type Operation = { readonly bytes: number } | { readonly victim: number } | 'settle'

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ bytes: fc.integer({ min: 1, max: 30_000 }) }) },
  { weight: 3, arbitrary: fc.record({ victim: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant<Operation>('settle') },
)

/** Runs them, and says for each allocation whether there was a slab. */
function run(slabs: CarrySlabs, held: number[], operations: readonly Operation[]): boolean[] {
  const outcomes: boolean[] = []
  for (const what of operations) {
    if (what === 'settle') slabs.settle()
    else if ('bytes' in what) {
      const slab = slabs.allocate(what.bytes)
      outcomes.push(slab !== 0)
      if (slab !== 0) held.push(slab)
    } else if (held.length > 0) {
      slabs.free(held.splice(what.victim % held.length, 1)[0]!)
    }
  }
  return outcomes
}

test('any sequence: slabs do not overlap, and a successor gets what its predecessor got', () => {
  const operations = fc.array(operation, { maxLength: 120 })
  fc.assert(
    fc.property(operations, operations, (before, batch) => {
      const memory = { bytes: REGION_BYTES }
      const first = newSlabs(200_000, memory)
      const held: number[] = []
      run(first, held, before)
      assertApart(held)
      first.settle()
      // What the batch began with, handed to a successor in another order.
      const successor = newSlabs(200_000, { bytes: memory.bytes })
      for (const slab of held.toReversed()) successor.adopt(slab)
      assert.equal(successor.slabBytes + successor.leasedBytes, first.slabBytes + first.leasedBytes)
      const inherited = held.slice()
      assert.deepEqual(run(successor, inherited, batch), run(first, held, batch))
      assertApart(inherited)
    }),
    { numRuns: 300 },
  )
})

function assertApart(slabs: readonly number[]): void {
  let end = AT
  for (const slab of slabs.toSorted((a, b) => slabAddress(a) - slabAddress(b))) {
    assert.ok(slabAddress(slab) >= end)
    end = slabAddress(slab) + slabCapacity(slab)
  }
}
