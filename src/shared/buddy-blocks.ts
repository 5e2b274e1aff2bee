/**
 * Which parts of a region are free: a buddy allocator, of places only.
 *
 * The region is a row of leaves. A block of order n is 2^n leaves long and starts at a multiple of
 * that. Free blocks of each order form a list. Taking a block takes the smallest free one that is
 * large enough and halves it until it fits tightly, each other half going to its list. Freeing
 * merges a block with its buddy (the other half of the block that both came from) as long as that
 * is free and whole. So both cost at most one step per order, and a region of which nothing is
 * taken is in as few blocks as can be.
 *
 * The lists lie on this thread's heap: the region itself is never touched, and may grow.
 */
import { broken } from './assert.ts'

/** In place of a leaf: there is none. */
export const NONE = -1

export class BuddyBlocks {
  /** Length of the region, leaves. */
  leaves = 0
  readonly #orderMax: number
  /** Order of the free block that starts at a leaf, or NONE. */
  #freeOrder = new Int8Array(0)
  /** Neighbours in the free list, leaves or NONE; of leaves where a free block starts. */
  #next = new Int32Array(0)
  #previous = new Int32Array(0)
  /** First free block of each order, a leaf or NONE. */
  readonly #first: Int32Array

  /**
   * @param orderMax - Order of the largest block.
   * @param leaves - Length of the region, all of which is free.
   */
  constructor(orderMax: number, leaves: number) {
    this.#orderMax = orderMax
    this.#first = new Int32Array(orderMax + 1).fill(NONE)
    this.extend(leaves)
  }

  /** Takes a block of this order. @returns Its first leaf, or NONE. */
  take(order: number): number {
    let found = order
    while (found <= this.#orderMax && this.#first[found] === NONE) found++
    if (found > this.#orderMax) return NONE
    const leaf = this.#first[found]!
    this.#unlink(leaf)
    while (found > order) this.#link(leaf + (1 << --found), found)
    return leaf
  }

  /** Takes this very block. Throws where not all of it is free. */
  takeAt(leaf: number, order: number): void {
    let found = order
    let start = leaf
    while (found <= this.#orderMax && this.#freeOrder[start] !== found) {
      found++
      start = leaf & -(1 << found)
    }
    if (found > this.#orderMax) broken(`block of order ${order} at ${leaf} is not free`)
    this.#unlink(start)
    while (found > order) {
      found--
      const upper = start + (1 << found)
      const isUpper = leaf >= upper
      this.#link(isUpper ? start : upper, found)
      if (isUpper) start = upper
    }
  }

  /** Gives a block back. Not checked: who takes must know what it took. */
  free(freed: number, freedOrder: number): void {
    let leaf = freed
    let order = freedOrder
    while (order < this.#orderMax) {
      // Blocks are aligned to their size, so the two halves of one differ in this bit alone.
      const buddy = leaf ^ (1 << order)
      if (this.#freeOrder[buddy] !== order) break
      this.#unlink(buddy)
      leaf = Math.min(leaf, buddy)
      order++
    }
    this.#link(leaf, order)
  }

  /** Makes the region so long; what is new is free. */
  extend(leaves: number): void {
    if (leaves > this.#freeOrder.length) this.#makeRoom(leaves)
    let leaf = this.leaves
    this.leaves = leaves
    while (leaf < leaves) {
      let order = 0
      while (order < this.#orderMax && this.#fits(leaf, order + 1)) order++
      this.free(leaf, order)
      leaf += 1 << order
    }
  }

  #fits(leaf: number, order: number): boolean {
    const length = 1 << order
    return (leaf & (length - 1)) === 0 && leaf + length <= this.leaves
  }

  #makeRoom(leaves: number): void {
    const length = Math.max(leaves, this.#freeOrder.length * 2)
    const freeOrder = new Int8Array(length).fill(NONE)
    freeOrder.set(this.#freeOrder)
    this.#freeOrder = freeOrder
    const next = new Int32Array(length)
    next.set(this.#next)
    this.#next = next
    const previous = new Int32Array(length)
    previous.set(this.#previous)
    this.#previous = previous
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
}
