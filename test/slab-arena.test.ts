import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SLAB_BYTES_MAX, SLAB_BYTES_MIN, SlabArena } from '../src/shared/slab-arena.ts'
import type { Slab } from '../src/shared/slabs.ts'

const REGION_BYTES = 4 * SLAB_BYTES_MAX

function newArena(leaseBytesMax: number = 0): SlabArena {
  return new SlabArena(new Uint8Array(new SharedArrayBuffer(REGION_BYTES)), leaseBytesMax)
}

function allocate(arena: SlabArena, bytesMin: number): Slab {
  const slab = arena.allocate(bytesMin)
  assert.ok(slab, `no slab of ${bytesMin} bytes`)
  return slab
}

/** Takes the whole region in slabs of one size. */
function fill(arena: SlabArena, bytes: number): Slab[] {
  const count = REGION_BYTES / bytes
  return Array.from({ length: count }, () => allocate(arena, bytes))
}

/** Throws unless the arena holds nothing and its region is whole, for the largest and smallest. */
function assertBaseline(arena: SlabArena): void {
  assert.deepEqual([arena.bytesInUse, arena.slabsInUse, arena.leasedBytes], [0, 0, 0])
  for (const bytes of [SLAB_BYTES_MAX, SLAB_BYTES_MIN]) {
    const slabs = fill(arena, bytes)
    assert.equal(new Set(slabs.map((slab) => slab.bytes.byteOffset)).size, slabs.length)
    for (const slab of slabs) arena.free(slab)
  }
}

test('allocate: gives the least power of two that holds what was asked for, from 256', () => {
  const arena = newArena()
  const table = [
    [0, 256],
    [1, 256],
    [256, 256],
    [257, 512],
    [512, 512],
    [513, 1024],
    [65_537, 131_072],
    [131_072, 131_072],
  ] as const
  for (const [asked, given] of table) {
    const slab = allocate(arena, asked)
    assert.equal(slab.bytes.length, given)
    arena.free(slab)
  }
  assertBaseline(arena)
})

test('allocate: the region holds 2,048 smallest or 4 largest slabs, then null', () => {
  for (const bytes of [SLAB_BYTES_MIN, SLAB_BYTES_MAX]) {
    const arena = newArena()
    const slabs = fill(arena, bytes)
    assert.equal(arena.bytesInUse, REGION_BYTES)
    assert.equal(arena.slabsInUse, slabs.length)
    assert.equal(arena.allocate(1), null)
    for (const slab of slabs) arena.free(slab)
    assertBaseline(arena)
  }
})

test('free: the smallest slabs merge back to the largest, in whatever order they are freed', () => {
  const orders = [
    (slabs: Slab[]) => slabs,
    (slabs: Slab[]) => slabs.toReversed(),
    (slabs: Slab[]) => [...slabs.filter((_, n) => n % 2), ...slabs.filter((_, n) => n % 2 === 0)],
  ]
  for (const order of orders) {
    const arena = newArena()
    for (const slab of order(fill(arena, SLAB_BYTES_MIN))) arena.free(slab)
    assertBaseline(arena)
  }
})

test('free: does not merge with a buddy that is split and partly in use', () => {
  const arena = newArena()
  const slabs = fill(arena, SLAB_BYTES_MIN)
  const kept = slabs.splice(1, 1)
  for (const slab of slabs) arena.free(slab)
  const rest = Array.from({ length: 3 }, () => allocate(arena, SLAB_BYTES_MAX))
  assert.equal(arena.allocate(SLAB_BYTES_MAX), null)
  for (const slab of [...rest, ...kept]) arena.free(slab)
  assertBaseline(arena)
})

test('free: twice throws, also after the place was handed out again', () => {
  const arena = newArena()
  const slab = allocate(arena, 1)
  arena.free(slab)
  assert.throws(() => arena.free(slab), /freed twice/)
  const next = allocate(arena, 1)
  assert.equal(next.bytes.byteOffset, slab.bytes.byteOffset)
  assert.throws(() => arena.free(slab), /freed twice/)
  assert.equal(arena.slabsInUse, 1)
})

test('free: of a lease twice throws', () => {
  const arena = newArena(SLAB_BYTES_MAX * 2)
  const lease = allocate(arena, SLAB_BYTES_MAX + 1)
  arena.free(lease)
  assert.throws(() => arena.free(lease), /freed twice/)
  assert.equal(arena.leasedBytes, 0)
})

test("free: of another arena's slab, or of none, throws", () => {
  const slab = allocate(newArena(), 1)
  assert.throws(() => newArena().free(slab), /not its own/)
  assert.throws(() => newArena().free({ bytes: slab.bytes }), /not its own/)
})

test('leaseBytesMax: larger slabs come from the heap, counted apart, up to the bound', () => {
  const arena = newArena(500_000)
  const lease = allocate(arena, 300_000)
  assert.ok(lease.bytes.buffer instanceof ArrayBuffer)
  assert.ok(lease.bytes.length >= 300_000)
  assert.deepEqual([arena.leasedBytes, arena.bytesInUse, arena.slabsInUse], [300_000, 0, 0])
  assert.equal(arena.allocate(200_001), null)
  arena.free(allocate(arena, 200_000))
  arena.free(lease)
  assertBaseline(arena)
})

test('leaseBytesMax: small slabs come from the heap once the region is full', () => {
  const arena = newArena(1000)
  const slabs = fill(arena, SLAB_BYTES_MAX)
  const lease = allocate(arena, 1000)
  assert.equal(arena.leasedBytes, 1000)
  assert.equal(arena.allocate(1), null)
  for (const slab of [lease, ...slabs]) arena.free(slab)
  assertBaseline(arena)
})

test('constructor: refuses a region that is not made of largest slabs', () => {
  assert.throws(() => new SlabArena(new Uint8Array(SLAB_BYTES_MAX + 256), 0), /broken invariant/)
})

test('any sequence: slabs never overlap, fit, are counted, and all come back', () => {
  const step = fc.record({ bytes: fc.nat(200_000), shift: fc.nat(17), victim: fc.nat() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const arena = newArena(1_000_000)
      const held: Slab[] = []
      for (const { bytes, shift, victim } of steps) {
        if (held.length > 0 && victim % 5 < 3) arena.free(takeOut(held, victim))
        if (victim % 5 === 0) continue
        const asked = bytes >> shift
        const slab = arena.allocate(asked)
        if (slab === null) continue
        assert.ok(slab.bytes.length >= asked)
        held.push(slab)
        assertDisjointAndCounted(arena, held)
      }
      for (const slab of held) arena.free(slab)
      assertBaseline(arena)
    }),
    { numRuns: 100 },
  )
})

function takeOut(held: Slab[], victim: number): Slab {
  const [slab] = held.splice(victim % held.length, 1)
  assert.ok(slab)
  return slab
}

function assertDisjointAndCounted(arena: SlabArena, held: Slab[]): void {
  const inRegion = held.filter((slab) => slab.bytes.buffer instanceof SharedArrayBuffer)
  const sorted = inRegion.toSorted((a, b) => a.bytes.byteOffset - b.bytes.byteOffset)
  let end = 0
  let sum = 0
  for (const { bytes } of sorted) {
    assert.ok(bytes.byteOffset >= end)
    end = bytes.byteOffset + bytes.length
    sum += bytes.length
  }
  assert.ok(end <= REGION_BYTES)
  assert.deepEqual([arena.bytesInUse, arena.slabsInUse], [sum, sorted.length])
}
