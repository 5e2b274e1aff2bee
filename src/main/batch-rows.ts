/**
 * The rows of one batch, kept for as long as its reader likes.
 *
 * Nearly always they are short deltas of one kind, choice and index. What they share is kept once
 * then, and of each one word:
 *
 *     0 | start of the text (21 bits) | in the wide text (1 bit) | UTF-16 units (9 bits)
 *     1 | number of a short text (15 bits) | start of the text (16 bits)
 *
 * Other batches take four words a row: as it was sent, and where its text starts.
 */
import { FLAG_WIDE, ROW_DELTA_LAST, ROW_WORDS, type RowBatch } from '../shared/rows.ts'
import { SHORT_BYTES_MAX, type ShortTexts, shortTexts } from './short-texts.ts'

const WIDE = FLAG_WIDE << 8

const UNITS_BITS = 9
const UNITS_MAX: number = (1 << UNITS_BITS) - 1
const PACKED_WIDE: number = 1 << UNITS_BITS
const START_SHIFT: number = UNITS_BITS + 1
const START_MAX: number = 2 ** 21 - 1

const SHORT: number = 1 << 31
const NUMBER_SHIFT = 16
const NUMBER_MASK = 0x7fff
const SHORT_START_MAX = 0xffff

/** Kind and flags of a row's first word. */
const KIND_AND_FLAGS = 0xffff

const COPY_WORDS: number = ROW_WORDS + 1

export class BatchRows {
  readonly length: number
  readonly #text: string
  readonly #wideText: string
  readonly #words: Int32Array
  /** `null` where the rows are not packed. */
  readonly #texts: ShortTexts | null
  /** Of all rows, where they are packed. */
  readonly #head: number
  readonly #index: number

  /** The rows, if they can be packed; else `null`. */
  static pack(batch: RowBatch): BatchRows | null {
    const { rows, rowsAt, rowCount, bytes, textAt, text, wideText } = batch
    const head = rows[rowsAt]! & ~WIDE
    const index = rows[rowsAt + 1]!
    if ((head & KIND_AND_FLAGS) > ROW_DELTA_LAST) return null
    if (text.length > START_MAX || wideText.length > START_MAX) return null
    // Mostly the second row tells whether all are alike, before an array is made for them.
    if (rowCount > 1 && (rows[rowsAt + ROW_WORDS]! & ~WIDE) !== head) return null
    const texts = shortTexts()
    const words = new Int32Array(rowCount)
    let start = 0
    let wideStart = 0
    for (let row = 0, at = rowsAt; row < rowCount; row++, at += ROW_WORDS) {
      const own = rows[at]!
      const units = rows[at + 2]!
      if (own === head) {
        const number =
          units <= SHORT_BYTES_MAX && start <= SHORT_START_MAX
            ? texts.numberOf(bytes, textAt + start, units, text, start)
            : -1
        words[row] =
          number < 0 ? (start << START_SHIFT) | units : SHORT | (number << NUMBER_SHIFT) | start
        start += units
      } else if (own === (head | WIDE)) {
        words[row] = (wideStart << START_SHIFT) | PACKED_WIDE | units
        wideStart += units
      } else return null
      if (units > UNITS_MAX || rows[at + 1]! !== index) return null
    }
    return new BatchRows(batch, words, texts, head, index)
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
    return new BatchRows(batch, words, null, 0, 0)
  }

  private constructor(
    { rowCount, text, wideText }: RowBatch,
    words: Int32Array,
    texts: ShortTexts | null,
    head: number,
    index: number,
  ) {
    this.length = rowCount
    this.#text = text
    this.#wideText = wideText
    this.#words = words
    this.#texts = texts
    this.#head = head
    this.#index = index
  }

  /** Kind, flags and choice: the row's first word, but for FLAG_WIDE. */
  head(row: number): number {
    return this.#texts === null ? this.#words[row * COPY_WORDS]! & ~WIDE : this.#head
  }

  index(row: number): number {
    return this.#texts === null ? this.#words[row * COPY_WORDS + 1]! : this.#index
  }

  /** Length of the text, UTF-16 units. */
  units(row: number): number {
    if (this.#texts === null) return this.#words[row * COPY_WORDS + 2]!
    const word = this.#words[row]!
    return word < 0 ? this.#short(word).length : word & UNITS_MAX
  }

  isWide(row: number): boolean {
    if (this.#texts === null) return (this.#words[row * COPY_WORDS]! & WIDE) !== 0
    const word = this.#words[row]!
    return word >= 0 && (word & PACKED_WIDE) !== 0
  }

  text(row: number): string {
    if (this.#texts === null) return this.join(row, row)
    const word = this.#words[row]!
    if (word < 0) return this.#short(word)
    const start = word >>> START_SHIFT
    const text = (word & PACKED_WIDE) === 0 ? this.#text : this.#wideText
    return text.slice(start, start + (word & UNITS_MAX))
  }

  /** The texts of the rows from `first` to `last`, which lie all in one area, as one string. */
  join(first: number, last: number): string {
    const end = this.#start(last) + this.units(last)
    return (this.isWide(first) ? this.#wideText : this.#text).slice(this.#start(first), end)
  }

  #short(word: number): string {
    return this.#texts!.strings[(word >>> NUMBER_SHIFT) & NUMBER_MASK]!
  }

  #start(row: number): number {
    if (this.#texts === null) return this.#words[row * COPY_WORDS + ROW_WORDS]!
    const word = this.#words[row]!
    return word < 0 ? word & SHORT_START_MAX : word >>> START_SHIFT
  }
}
