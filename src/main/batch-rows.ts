/**
 * The rows of one batch, kept for as long as its reader likes.
 *
 * Nearly always they are short deltas of one kind, choice and index. What they share is kept once
 * then, and of each one word:
 *
 *     start of the text (bits 10-31) | in the wide text (bit 9) | UTF-16 units (bits 0-8)
 *
 * Other batches take four words a row: as it was sent, and where its text starts.
 */
import { FLAG_WIDE, ROW_DELTA_LAST, ROW_WORDS, type RowBatch } from '../shared/rows.ts'

const WIDE = FLAG_WIDE << 8

const UNITS_BITS = 9
const UNITS_MAX: number = (1 << UNITS_BITS) - 1
const PACKED_WIDE: number = 1 << UNITS_BITS
const START_SHIFT: number = UNITS_BITS + 1
const START_MAX: number = 2 ** (32 - START_SHIFT) - 1

/** Kind and flags of a row's first word. */
const KIND_AND_FLAGS = 0xffff

const COPY_WORDS: number = ROW_WORDS + 1

export class BatchRows {
  readonly length: number
  readonly #text: string
  readonly #wideText: string
  readonly #isPacked: boolean
  readonly #words: Int32Array
  /** Of all rows, where they are packed. */
  readonly #head: number
  readonly #index: number

  /** The rows, if they can be packed; else `null`. */
  static pack(batch: RowBatch): BatchRows | null {
    const { rows, rowsAt, rowCount, text, wideText } = batch
    const head = rows[rowsAt]! & ~WIDE
    const index = rows[rowsAt + 1]!
    if ((head & KIND_AND_FLAGS) > ROW_DELTA_LAST) return null
    if (text.length > START_MAX || wideText.length > START_MAX) return null
    const words = new Int32Array(rowCount)
    let start = 0
    let wideStart = 0
    for (let row = 0, at = rowsAt; row < rowCount; row++, at += ROW_WORDS) {
      const own = rows[at]!
      const units = rows[at + 2]!
      if (own === head) {
        words[row] = (start << START_SHIFT) | units
        start += units
      } else if (own === (head | WIDE)) {
        words[row] = (wideStart << START_SHIFT) | PACKED_WIDE | units
        wideStart += units
      } else return null
      if (units > UNITS_MAX || rows[at + 1]! !== index) return null
    }
    return new BatchRows(batch, words, head, index, true)
  }

  /** The rows as they were sent, whatever they are. */
  static copy(batch: RowBatch): BatchRows {
    const { rows, rowsAt, rowCount } = batch
    const words = new Int32Array(rowCount * COPY_WORDS)
    let start = 0
    let wideStart = 0
    for (let to = 0, at = rowsAt; to < words.length; to += COPY_WORDS, at += ROW_WORDS) {
      const head = rows[at]!
      const units = rows[at + 2]!
      const isWide = (head & WIDE) !== 0
      words[to] = head
      words[to + 1] = rows[at + 1]!
      words[to + 2] = units
      words[to + 3] = isWide ? wideStart : start
      if (isWide) wideStart += units
      else start += units
    }
    return new BatchRows(batch, words, 0, 0, false)
  }

  private constructor(
    { rowCount, text, wideText }: RowBatch,
    words: Int32Array,
    head: number,
    index: number,
    isPacked: boolean,
  ) {
    this.length = rowCount
    this.#text = text
    this.#wideText = wideText
    this.#words = words
    this.#head = head
    this.#index = index
    this.#isPacked = isPacked
  }

  /** Kind, flags and choice: the row's first word, but for FLAG_WIDE. */
  head(row: number): number {
    return this.#isPacked ? this.#head : this.#words[row * COPY_WORDS]! & ~WIDE
  }

  index(row: number): number {
    return this.#isPacked ? this.#index : this.#words[row * COPY_WORDS + 1]!
  }

  /** Length of the text, UTF-16 units. */
  units(row: number): number {
    return this.#isPacked ? this.#words[row]! & UNITS_MAX : this.#words[row * COPY_WORDS + 2]!
  }

  isWide(row: number): boolean {
    if (this.#isPacked) return (this.#words[row]! & PACKED_WIDE) !== 0
    return (this.#words[row * COPY_WORDS]! & WIDE) !== 0
  }

  text(row: number): string {
    if (!this.#isPacked) return this.join(row, row)
    const word = this.#words[row]!
    const start = word >>> START_SHIFT
    const text = (word & PACKED_WIDE) === 0 ? this.#text : this.#wideText
    return text.slice(start, start + (word & UNITS_MAX))
  }

  /** The texts of the rows from `first` to `last`, which lie all in one area, as one string. */
  join(first: number, last: number): string {
    const end = this.#start(last) + this.units(last)
    return (this.isWide(first) ? this.#wideText : this.#text).slice(this.#start(first), end)
  }

  #start(row: number): number {
    return this.#isPacked
      ? this.#words[row]! >>> START_SHIFT
      : this.#words[row * COPY_WORDS + ROW_WORDS]!
  }
}
