/**
 * Slabs: where a decoder keeps the bytes of an event that has begun and not ended.
 *
 * A slab is a plain view with a fixed capacity. Who needs more allocates a larger one, copies, and
 * frees the first, doubling each time, so that a value of n bytes costs O(n) however it is cut.
 */
export interface Slab {
  /** The whole capacity. May lie on shared memory. */
  readonly bytes: Uint8Array
}

/** Hands out slabs within a budget. One thread only: the decoder's. */
export interface SlabAllocator {
  /** A slab of `bytesMin` bytes or more, contents undefined, or `null` once the budget is spent. */
  allocate(bytesMin: number): Slab | null
  /** Gives a slab back. Freeing one twice is a broken invariant and throws. */
  free(slab: Slab): void
}
