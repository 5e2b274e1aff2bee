/**
 * Slabs for a decoder that works in the channel's memory. In its state, a slab is one word: the
 * address, with the logarithm of the capacity in the low bits.
 *
 * Until a batch is published its predecessor's bytes must stay as they are, since a successor would
 * start from them. So a slab that a batch gives back is handed out again once the batch is settled;
 * one that the batch itself took, at once.
 *
 * What the region has no room for is leased: the memory grows behind it. Whether a slab is to be
 * had follows from the bytes in use alone, what waits to be settled included, and from no place
 * that they lie at: so a batch that is decoded again gets what it got before.
 */
import { broken } from './assert.ts'
import { BuddyBlocks, NONE } from './buddy-blocks.ts'

/** Smallest slab, bytes, and its logarithm. Slabs start at multiples of this. */
const SLAB_BYTES_MIN = 256
const SLAB_LOG_MIN = 8
/** Logarithm of the largest: 128 MiB. */
const SLAB_LOG_MAX = 27
/** The memory grows by this at least, bytes: two pages. */
const LEASE_BYTES_MIN: number = 128 * 1024

/** Where slabs lie. The region's end is the memory's, or will be. */
export interface CarryRegion {
  /** Byte offset, a multiple of {@link SLAB_BYTES_MIN}. */
  readonly at: number
  /** Length without leases, bytes. */
  readonly bytes: number
  /** What may be in use beyond that, bytes. */
  readonly leaseBytesMax: number
  /** Length with all there is of the memory, bytes. */
  readonly grownBytes: number
  /** Makes it so long. Throws where it cannot be. */
  readonly grow: (bytes: number) => void
}

export class CarrySlabs {
  /** In use: in the region, and leased beyond it. Bytes, by capacity. */
  slabBytes = 0
  leasedBytes = 0
  /** Reserved, bytes, by capacity. */
  reservedBytes = 0
  readonly #region: CarryRegion
  readonly #blocks: BuddyBlocks
  /** By leaf: the order of the slab in use that starts there, or NONE; and the batch it is of. */
  #orders: Int8Array
  #takenIn: Int32Array
  #batch = 1
  /** Slabs to free once the batch is settled. */
  #waiting = new Int32Array(64)
  #waitingCount = 0

  constructor(region: CarryRegion) {
    const leaves = region.grownBytes / SLAB_BYTES_MIN
    this.#region = region
    this.#blocks = new BuddyBlocks(SLAB_LOG_MAX - SLAB_LOG_MIN, leaves)
    this.#orders = new Int8Array(leaves).fill(NONE)
    this.#takenIn = new Int32Array(leaves)
  }

  /** A slab of so many bytes or more, contents undefined; 0 once the budget is spent. */
  allocate(bytesMin: number): number {
    // A count above 2^31 comes from the decoder as a negative number.
    const wanted = Math.max(bytesMin >>> 0, SLAB_BYTES_MIN)
    const log = 32 - Math.clz32(wanted - 1)
    const { bytes, leaseBytesMax } = this.#region
    if (log > SLAB_LOG_MAX) return 0
    if (this.slabBytes + this.leasedBytes + (1 << log) > bytes + leaseBytesMax) return 0
    const order = log - SLAB_LOG_MIN
    const leaf = this.#take(order)
    this.#note(leaf, order)
    this.#takenIn[leaf] = this.#batch
    return (this.#region.at + leaf * SLAB_BYTES_MIN) | log
  }

  /**
   * The address of so many bytes for good, which no state names. They count in no budget: a
   * successor need not reserve the same. Not before all slabs are adopted.
   */
  reserve(bytes: number): number {
    const order = Math.max(0, 32 - Math.clz32(bytes - 1) - SLAB_LOG_MIN)
    this.reservedBytes += SLAB_BYTES_MIN << order
    return this.#region.at + this.#take(order) * SLAB_BYTES_MIN
  }

  /** Gives a slab back. Its bytes stay as they are until the batch is settled. */
  free(slab: number): void {
    const leaf = this.#leafOf(slab)
    const order = orderOf(slab)
    if (this.#orders[leaf] !== order) broken(`slab ${slab} was freed twice, or never handed out`)
    this.#orders[leaf] = NONE
    if (this.#takenIn[leaf] === this.#batch) this.#release(leaf, order)
    else this.#wait(slab)
  }

  /** The batch is published: what it gave back may be written again. */
  settle(): void {
    for (let at = 0; at < this.#waitingCount; at++) {
      const slab = this.#waiting[at]!
      this.#release(this.#leafOf(slab), orderOf(slab))
    }
    this.#waitingCount = 0
    this.#batch++
  }

  /** A successor found this slab in a state in force. */
  adopt(slab: number): void {
    const leaf = this.#leafOf(slab)
    this.#blocks.takeAt(leaf, orderOf(slab))
    this.#note(leaf, orderOf(slab))
  }

  #take(order: number): number {
    const leaf = this.#blocks.take(order)
    if (leaf !== NONE) return leaf
    this.#grow(order)
    return this.#blocks.take(order)
  }

  #note(leaf: number, order: number): void {
    this.#orders[leaf] = order
    this.#count(leaf, SLAB_BYTES_MIN << order)
  }

  #release(leaf: number, order: number): void {
    this.#blocks.free(leaf, order)
    this.#count(leaf, -(SLAB_BYTES_MIN << order))
  }

  #count(leaf: number, bytes: number): void {
    if (leaf * SLAB_BYTES_MIN < this.#region.bytes) this.slabBytes += bytes
    else this.leasedBytes += bytes
  }

  #wait(slab: number): void {
    if (this.#waitingCount === this.#waiting.length) {
      const longer = new Int32Array(this.#waiting.length * 2)
      longer.set(this.#waiting)
      this.#waiting = longer
    }
    this.#waiting[this.#waitingCount++] = slab
  }

  // Until there is a block of this order at a place that is a multiple of its size.
  #grow(order: number): void {
    const step = Math.max(1 << order, LEASE_BYTES_MIN / SLAB_BYTES_MIN)
    const leaves = (this.#blocks.leaves + 2 * step - 1) & -step
    this.#region.grow(leaves * SLAB_BYTES_MIN)
    this.#blocks.extend(leaves)
    if (leaves <= this.#orders.length) return
    const orders = new Int8Array(leaves * 2).fill(NONE)
    orders.set(this.#orders)
    this.#orders = orders
    const takenIn = new Int32Array(leaves * 2)
    takenIn.set(this.#takenIn)
    this.#takenIn = takenIn
  }

  #leafOf(slab: number): number {
    return ((slab & -SLAB_BYTES_MIN) - this.#region.at) / SLAB_BYTES_MIN
  }
}

/** A slab's first byte. */
export function slabAddress(slab: number): number {
  return slab & -SLAB_BYTES_MIN
}

/** A slab's capacity, bytes; of 0, none. */
export function slabCapacity(slab: number): number {
  return slab === 0 ? 0 : 1 << (slab & (SLAB_BYTES_MIN - 1))
}

function orderOf(slab: number): number {
  return (slab & (SLAB_BYTES_MIN - 1)) - SLAB_LOG_MIN
}
