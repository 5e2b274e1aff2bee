import type { Slab, SlabAllocator } from '../slabs.ts'

/** First slab of a carry, bytes. Holds most events whole: their median is 300 bytes. */
const CARRY_BYTES_MIN = 1024

const NOTHING = new Uint8Array(0)

/**
 * Bytes kept from one chunk to the next, in one slab that doubles as it fills.
 *
 * Doubling makes n bytes cost O(n) copies however they are cut. An empty carry holds no slab.
 */
export class Carry {
  readonly #slabs: SlabAllocator
  #slab: Slab | null = null
  #length = 0

  constructor(slabs: SlabAllocator) {
    this.#slabs = slabs
  }

  get length(): number {
    return this.#length
  }

  /** The content as a view: valid until the next `append` or `clear`. */
  get bytes(): Uint8Array {
    return this.#slab === null ? NOTHING : this.#slab.bytes.subarray(0, this.#length)
  }

  /** False where the slabs' budget is spent: the content is then as it was. */
  append(bytes: Uint8Array): boolean {
    const wanted = this.#length + bytes.length
    if (wanted > (this.#slab?.bytes.length ?? 0) && !this.#grow(wanted)) return false
    this.#slab?.bytes.set(bytes, this.#length)
    this.#length = wanted
    return true
  }

  /** Forgets the content and gives the slab back. */
  clear(): void {
    if (this.#slab !== null) this.#slabs.free(this.#slab)
    this.#slab = null
    this.#length = 0
  }

  #grow(wanted: number): boolean {
    const capacity = this.#slab?.bytes.length ?? 0
    const slab = this.#slabs.allocate(Math.max(wanted, capacity * 2, CARRY_BYTES_MIN))
    if (slab === null) return false
    slab.bytes.set(this.bytes)
    if (this.#slab !== null) this.#slabs.free(this.#slab)
    this.#slab = slab
    return true
  }
}
