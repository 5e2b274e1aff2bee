import type { RowKind } from '../shared/rows.ts'

/** Blocks that are told apart; of those after, whatever is repeated whole is taken as repeated. */
const BLOCKS_MAX = 65_536
/** Index of a row that has none. */
const UNKNOWN = -1

/**
 * Which texts of a stream came as deltas, by kind, choice and index: what a provider repeats of
 * them as a whole is no news.
 */
export class StreamedTexts {
  readonly #seen = new Set<number>()
  /** The same without the index. */
  readonly #kinds = new Set<number>()
  // Deltas come in runs of one block.
  #last = -1

  add(kind: RowKind, choice: number, index: number): void {
    const key = keyOf(kind, choice, index)
    if (key === this.#last) return
    this.#last = key
    if (this.#seen.size === BLOCKS_MAX) return
    this.#seen.add(key)
    this.#kinds.add(keyOf(kind, choice, UNKNOWN))
  }

  /** What has no index, a delta or the whole, may be of any block. */
  has(kind: RowKind, choice: number, index: number): boolean {
    if (index === UNKNOWN) return this.#kinds.has(keyOf(kind, choice, UNKNOWN))
    const isSeen = (block: number): boolean => this.#seen.has(keyOf(kind, choice, block))
    return isSeen(index) || isSeen(UNKNOWN) || this.#seen.size === BLOCKS_MAX
  }
}

/** An index is -1 or above, below 2^31; a choice below 2^16; a kind below 4: 50 bits, exact. */
function keyOf(kind: RowKind, choice: number, index: number): number {
  return (index + 1) * 2 ** 18 + choice * 4 + kind
}
