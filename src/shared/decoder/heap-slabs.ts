import type { Slab, SlabAllocator } from '../slabs.ts'

/** Slabs of at most this size are kept for reuse, since every event takes one. Bytes. */
const REUSED_BYTES_MAX = 1024
/** How many of them at most. */
const REUSED_SLABS_MAX = 16

/**
 * Slabs on this thread's heap, within a budget of bytes: for the inline placement.
 *
 * What is lent counts by its whole capacity; what was given back does not, though a few small
 * slabs are kept for reuse.
 */
export class HeapSlabs implements SlabAllocator {
  readonly budgetBytes: number
  readonly #lent = new Set<Slab>()
  readonly #reused: Slab[] = []
  #lentBytes = 0

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  /** Capacity of all slabs that were not given back, bytes. */
  get lentBytes(): number {
    return this.#lentBytes
  }

  allocate(bytesMin: number): Slab | null {
    const bytes = Math.max(bytesMin, REUSED_BYTES_MAX)
    if (this.#lentBytes + bytes > this.budgetBytes) return null
    const reused = bytes === REUSED_BYTES_MAX ? this.#reused.pop() : undefined
    const slab = reused ?? { bytes: new Uint8Array(bytes) }
    this.#lent.add(slab)
    this.#lentBytes += bytes
    return slab
  }

  free(slab: Slab): void {
    if (!this.#lent.delete(slab)) throw new Error('slab freed twice, or never lent')
    this.#lentBytes -= slab.bytes.length
    const isSmall = slab.bytes.length === REUSED_BYTES_MAX
    if (isSmall && this.#reused.length < REUSED_SLABS_MAX) this.#reused.push(slab)
  }
}
