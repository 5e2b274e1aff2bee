import {
  FLAG_WIDE,
  ROW_REASONING,
  ROW_REFUSAL,
  ROW_TEXT,
  ROW_WORDS,
  type RowBatch,
} from '../shared/rows.ts'
import type { TokenEvent, TokenEventType } from './events.ts'

type DeltaType = 'text-delta' | 'reasoning-delta' | 'refusal-delta'

/** By row kind. */
const DELTA_TYPES: readonly DeltaType[] = (() => {
  const types: DeltaType[] = []
  types[ROW_TEXT] = 'text-delta'
  types[ROW_REASONING] = 'reasoning-delta'
  types[ROW_REFUSAL] = 'refusal-delta'
  return types
})()

const WIDE = FLAG_WIDE << 8

/**
 * Tokens that arrived together, as columns: `type(at)`, `text(at)` and so on, for `at` from 0 to
 * `length - 1`. Iterate it for events instead.
 *
 * Deltas stay rows over one string until they are asked for; everything else is an event already.
 * A batch never changes, and holds on to the rows that it was made of.
 */
export class TokenBatch implements Iterable<TokenEvent> {
  /** How many tokens there are. */
  readonly length: number
  readonly #batch: RowBatch
  /** By row: where its text starts in the string that holds it. */
  readonly #starts: Int32Array
  /** By token: its row, or `~place` in `#events`. `null` where each is the row of its number. */
  readonly #tokens: readonly number[] | null
  readonly #events: readonly TokenEvent[]

  constructor(
    batch: RowBatch,
    starts: Int32Array,
    tokens: readonly number[] | null,
    events: readonly TokenEvent[],
  ) {
    this.length = tokens === null ? batch.rowCount : tokens.length
    this.#batch = batch
    this.#starts = starts
    this.#tokens = tokens
    this.#events = events
  }

  type(at: number): TokenEventType {
    const row = this.#rowOf(at)
    if (row < 0) return this.#eventOf(row).type
    return DELTA_TYPES[this.#head(row) & 0xff] as DeltaType
  }

  /** Which alternative answer it belongs to; 0 where that means nothing. */
  choice(at: number): number {
    const row = this.#rowOf(at)
    if (row >= 0) return this.#head(row) >>> 16
    const event = this.#eventOf(row)
    return 'choice' in event ? event.choice : 0
  }

  /** The provider's content block or tool index; -1 where there is none. */
  index(at: number): number {
    const row = this.#rowOf(at)
    if (row >= 0) return this.#batch.rows[row * ROW_WORDS + 1] as number
    const event = this.#eventOf(row)
    return 'index' in event ? event.index : -1
  }

  /** The text of a delta of any kind, `''` for everything else. */
  text(at: number): string {
    const row = this.#rowOf(at)
    if (row >= 0) return this.#slice(row, row)
    const event = this.#eventOf(row)
    return 'text' in event ? event.text : ''
  }

  /** Its length in UTF-16 units, without making it. */
  textLength(at: number): number {
    const row = this.#rowOf(at)
    return row < 0 ? this.text(at).length : (this.#batch.rows[row * ROW_WORDS + 2] as number)
  }

  event(at: number): TokenEvent {
    const row = this.#rowOf(at)
    if (row < 0) return this.#eventOf(row)
    const head = this.#head(row)
    const type = DELTA_TYPES[head & 0xff] as DeltaType
    return { type, choice: head >>> 16, text: this.#slice(row, row) }
  }

  *[Symbol.iterator](): Generator<TokenEvent, void> {
    for (let at = 0; at < this.length; at++) yield this.event(at)
  }

  /**
   * Where the run of deltas ends that `from` begins: tokens of one type and choice whose text lies
   * in one piece, so that {@link TokenBatch.joined} makes one string of it. Anything but a delta is
   * a run of its own.
   */
  runEnd(from: number): number {
    const first = this.#rowOf(from)
    let to = from + 1
    if (first < 0) return to
    while (to < this.length && this.#continues(first + to - from, this.#rowOf(to))) to++
    return to
  }

  /** The texts of the tokens from `from` to before `to`, which are one run, as one string. */
  joined(from: number, to: number): string {
    const first = this.#rowOf(from)
    return first < 0 ? this.text(from) : this.#slice(first, first + to - from - 1)
  }

  /** Length of the same text as it lay in the batch, bytes: UTF-8 but for lone surrogates. */
  joinedBytes(from: number, to: number): number {
    const first = this.#rowOf(from)
    if (first < 0) return Buffer.byteLength(this.text(from))
    let bytes = 0
    for (let row = first; row < first + to - from; row++) {
      bytes += this.#batch.rows[row * ROW_WORDS + 3] as number
    }
    return bytes
  }

  /** `row` is the expected next one, and says the same of kind, flags and choice. */
  #continues(expected: number, row: number): boolean {
    return row === expected && this.#head(row) === this.#head(row - 1)
  }

  #rowOf(at: number): number {
    return this.#tokens === null ? at : (this.#tokens[at] as number)
  }

  #head(row: number): number {
    return this.#batch.rows[row * ROW_WORDS] as number
  }

  #eventOf(row: number): TokenEvent {
    return this.#events[~row] as TokenEvent
  }

  #slice(first: number, last: number): string {
    const { rows, text, wideText } = this.#batch
    const start = this.#starts[first] as number
    const end = (this.#starts[last] as number) + (rows[last * ROW_WORDS + 2] as number)
    const isWide = (this.#head(first) & WIDE) !== 0
    return (isWide ? wideText : text).slice(start, end)
  }
}
