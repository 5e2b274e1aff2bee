/**
 * A buddy allocator over one region: slabs of 256 bytes to 128 KiB, powers of two.
 *
 * Free blocks of each size form a list. An allocation takes the smallest block that fits and halves
 * it until it fits tightly, each other half going to its list. Freeing merges a block with its
 * buddy (the other half of the block that both came from) as long as that is free and whole. So
 * both cost at most one step per size, and when all is freed the region is whole again.
 *
 * What does not fit is leased from the heap, up to a bound of its own.
 *
 * The lists lie on this thread's heap: the region holds slabs and nothing else.
 */
import { broken } from './assert.ts'
import type { Slab, SlabAllocator } from './slabs.ts'

/** Smallest and largest slab of the region, bytes. */
export const SLAB_BYTES_MIN = 256
export const SLAB_BYTES_MAX: number = 128 * 1024

/** A block of order n has SLAB_BYTES_MIN << n bytes; orders go from 0 to this. */
const ORDER_MAX: number = Math.log2(SLAB_BYTES_MAX / SLAB_BYTES_MIN)
const NONE = -1

export class SlabArena implements SlabAllocator {
  /** Taken from the region, bytes: what slabs hold, not what was asked for. */
  bytesInUse = 0
  /** Slabs in the region. */
  slabsInUse = 0
  /** Taken from the heap, bytes. */
  leasedBytes = 0
  readonly #region: Uint8Array
  readonly #leaseBytesMax: number
  /** Order of the free block that starts at a leaf (a place of SLAB_BYTES_MIN bytes), or NONE. */
  readonly #freeOrder: Int8Array
  /** Neighbours in the free list, leaves or NONE; of leaves where a free block starts. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  /** First free block of each order, a leaf or NONE. */
  readonly #first: Int32Array = new Int32Array(ORDER_MAX + 1).fill(NONE)
  /** One view per block ever handed out: they cost more than all the rest of an allocation. */
  readonly #views: (Uint8Array | undefined)[] = []

  /**
   * @param region - A multiple of {@link SLAB_BYTES_MAX}; may lie on shared memory.
   * @param leaseBytesMax - What may be leased from the heap at a time, bytes.
   */
  constructor(region: Uint8Array, leaseBytesMax: number) {
    if (region.length % SLAB_BYTES_MAX !== 0) broken(`arena of ${region.length} bytes`)
    const leaves = region.length / SLAB_BYTES_MIN
    this.#region = region
    this.#leaseBytesMax = leaseBytesMax
    this.#freeOrder = new Int8Array(leaves).fill(NONE)
    this.#next = new Int32Array(leaves)
    this.#previous = new Int32Array(leaves)
    const step = 1 << ORDER_MAX
    for (let leaf = leaves - step; leaf >= 0; leaf -= step) this.#link(leaf, ORDER_MAX)
  }

  allocate(bytesMin: number): Slab | null {
    if (bytesMin > SLAB_BYTES_MAX) return this.#lease(bytesMin)
    const order = orderOf(bytesMin)
    let found = order
    while (found <= ORDER_MAX && this.#first[found] === NONE) found++
    if (found > ORDER_MAX) return this.#lease(bytesMin)
    const leaf = this.#first[found]!
    this.#unlink(leaf)
    while (found > order) this.#link(leaf + (1 << --found), found)
    this.slabsInUse++
    this.bytesInUse += SLAB_BYTES_MIN << order
    return new ArenaSlab(this, this.#viewOf(leaf, order), leaf, order)
  }

  free(slab: Slab): void {
    if (!(slab instanceof ArenaSlab) || slab.arena !== this) {
      broken('a slab was freed twice, or in an arena that is not its own')
    }
    slab.arena = null
    if (slab.leaf === NONE) {
      this.leasedBytes -= slab.bytes.length
      return
    }
    this.slabsInUse--
    this.bytesInUse -= slab.bytes.length
    this.#merge(slab.leaf, slab.order)
  }

  #lease(bytesMin: number): Slab | null {
    if (!(this.leasedBytes + bytesMin <= this.#leaseBytesMax)) return null
    this.leasedBytes += bytesMin
    return new ArenaSlab(this, new Uint8Array(bytesMin), NONE, NONE)
  }

  #merge(freed: number, freedOrder: number): void {
    let leaf = freed
    let order = freedOrder
    while (order < ORDER_MAX) {
      // Blocks are aligned to their size, so the two halves of one differ in this bit alone.
      const buddy = leaf ^ (1 << order)
      if (this.#freeOrder[buddy] !== order) break
      this.#unlink(buddy)
      leaf = Math.min(leaf, buddy)
      order++
    }
    this.#link(leaf, order)
  }

  #link(leaf: number, order: number): void {
    const next = this.#first[order]!
    this.#freeOrder[leaf] = order
    this.#next[leaf] = next
    this.#previous[leaf] = NONE
    if (next !== NONE) this.#previous[next] = leaf
    this.#first[order] = leaf
  }

  #unlink(leaf: number): void {
    const next = this.#next[leaf]!
    const previous = this.#previous[leaf]!
    if (previous === NONE) this.#first[this.#freeOrder[leaf]!] = next
    else this.#next[previous] = next
    if (next !== NONE) this.#previous[next] = previous
    this.#freeOrder[leaf] = NONE
  }

  #viewOf(leaf: number, order: number): Uint8Array {
    // Blocks numbered as the nodes of a binary tree: each order begins at a number of its own.
    const node = (this.#freeOrder.length + leaf) >> order
    const at = leaf * SLAB_BYTES_MIN
    return (this.#views[node] ??= this.#region.subarray(at, at + (SLAB_BYTES_MIN << order)))
  }
}

/**
 * A new one each time, though its view is not: a stale one then never passes for the next owner's,
 * and freeing it twice throws even after its place was handed out again.
 */
class ArenaSlab implements Slab {
  /** `null` once freed. */
  arena: SlabArena | null
  readonly bytes: Uint8Array
  /** Where it starts, or NONE for a lease. */
  readonly leaf: number
  readonly order: number

  constructor(arena: SlabArena, bytes: Uint8Array, leaf: number, order: number) {
    this.arena = arena
    this.bytes = bytes
    this.leaf = leaf
    this.order = order
  }
}

/** The least order whose blocks hold so many bytes. */
function orderOf(bytes: number): number {
  return bytes <= SLAB_BYTES_MIN ? 0 : 32 - Math.clz32((bytes - 1) >>> 8)
}
