/**
 * Slabs of 256 bytes to 128 KiB in one region, for decoders whose state lies on the heap.
 *
 * What does not fit is leased from the heap, up to a bound of its own.
 */
import { broken } from './assert.ts'
import { BuddyBlocks, NONE } from './buddy-blocks.ts'
import type { Slab, SlabAllocator } from './slabs.ts'

/** Smallest and largest slab of the region, bytes. */
export const SLAB_BYTES_MIN = 256
export const SLAB_BYTES_MAX: number = 128 * 1024

/** A block of order n has SLAB_BYTES_MIN << n bytes; orders go from 0 to this. */
const ORDER_MAX: number = Math.log2(SLAB_BYTES_MAX / SLAB_BYTES_MIN)

export class SlabArena implements SlabAllocator {
  /** Taken from the region, bytes: what slabs hold, not what was asked for. */
  bytesInUse = 0
  /** Slabs in the region. */
  slabsInUse = 0
  /** Taken from the heap, bytes. */
  leasedBytes = 0
  readonly #region: Uint8Array
  readonly #leaseBytesMax: number
  readonly #blocks: BuddyBlocks
  /** One view per block ever handed out: they cost more than all the rest of an allocation. */
  readonly #views: (Uint8Array | undefined)[] = []

  /**
   * @param region - A multiple of {@link SLAB_BYTES_MAX}; may lie on shared memory.
   * @param leaseBytesMax - What may be leased from the heap at a time, bytes.
   */
  constructor(region: Uint8Array, leaseBytesMax: number) {
    if (region.length % SLAB_BYTES_MAX !== 0) broken(`arena of ${region.length} bytes`)
    this.#region = region
    this.#leaseBytesMax = leaseBytesMax
    this.#blocks = new BuddyBlocks(ORDER_MAX, region.length / SLAB_BYTES_MIN)
  }

  allocate(bytesMin: number): Slab | null {
    if (bytesMin > SLAB_BYTES_MAX) return this.#lease(bytesMin)
    const order = orderOf(bytesMin)
    const leaf = this.#blocks.take(order)
    if (leaf === NONE) return this.#lease(bytesMin)
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
    this.#blocks.free(slab.leaf, slab.order)
  }

  #lease(bytesMin: number): Slab | null {
    if (!(this.leasedBytes + bytesMin <= this.#leaseBytesMax)) return null
    this.leasedBytes += bytesMin
    return new ArenaSlab(this, new Uint8Array(bytesMin), NONE, NONE)
  }

  #viewOf(leaf: number, order: number): Uint8Array {
    // Blocks numbered as the nodes of a binary tree: each order begins at a number of its own.
    const node = (this.#blocks.leaves + leaf) >> order
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
