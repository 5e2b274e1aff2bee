import {
  ROW_ANNOTATION,
  ROW_DELTA_LAST,
  ROW_LOGPROBS,
  ROW_REASONING,
  ROW_REFUSAL,
  ROW_SAFETY,
  ROW_TEXT,
  ROW_USAGE,
  type RowKind,
} from '../shared/rows.ts'
import type { BatchRows } from './batch-rows.ts'
import type { TokenEvent, TokenEventType } from './events.ts'

type DeltaType = 'text-delta' | 'reasoning-delta' | 'refusal-delta'

/** By row kind: of rows that may stay rows. */
const TYPES: readonly TokenEventType[] = (() => {
  const types: TokenEventType[] = []
  types[ROW_TEXT] = 'text-delta'
  types[ROW_REASONING] = 'reasoning-delta'
  types[ROW_REFUSAL] = 'refusal-delta'
  types[ROW_LOGPROBS] = 'logprobs'
  types[ROW_ANNOTATION] = 'annotation'
  types[ROW_SAFETY] = 'safety'
  types[ROW_USAGE] = 'usage'
  return types
})()

/** Makes the event of a row that holds a value, as JSON. */
export type ReadValue = (kind: RowKind, choice: number, text: string) => TokenEvent

/**
 * Tokens that arrived together, as columns: `type(at)`, `text(at)` and so on, for `at` from 0 to
 * `length - 1`; a `RangeError` beyond. Iterate it for events instead.
 *
 * Deltas and values stay rows over one string until they are asked for; everything else is an event
 * already. A batch never changes.
 */
export class TokenBatch implements Iterable<TokenEvent> {
  /** How many tokens there are. */
  readonly length: number
  readonly #rows: BatchRows
  /** By token: its row, or `~place` in `#events`. `null` where each is the row of its number. */
  readonly #tokens: readonly number[] | null
  readonly #events: readonly TokenEvent[]
  readonly #readValue: ReadValue

  constructor(
    rows: BatchRows,
    tokens: readonly number[] | null,
    events: readonly TokenEvent[],
    readValue: ReadValue,
  ) {
    this.length = tokens === null ? rows.length : tokens.length
    this.#rows = rows
    this.#tokens = tokens
    this.#events = events
    this.#readValue = readValue
  }

  type(at: number): TokenEventType {
    const row = this.#rowOf(at)
    if (row < 0) return this.#eventOf(row).type
    return TYPES[this.#rows.head(row) & 0xff] as TokenEventType
  }

  /** Which alternative answer it belongs to; 0 where that means nothing. */
  choice(at: number): number {
    const row = this.#rowOf(at)
    if (row >= 0) return this.#rows.head(row) >>> 16
    const event = this.#eventOf(row)
    return 'choice' in event ? event.choice : 0
  }

  /** The provider's content block or tool index; -1 where there is none. */
  index(at: number): number {
    const row = this.#rowOf(at)
    if (this.#isDelta(row)) return this.#rows.index(row)
    if (row >= 0) return -1
    const event = this.#eventOf(row)
    return 'index' in event ? event.index : -1
  }

  /** The text of a delta of any kind, `''` for everything else. */
  text(at: number): string {
    const row = this.#rowOf(at)
    if (this.#isDelta(row)) return this.#rows.text(row)
    if (row >= 0) return ''
    const event = this.#eventOf(row)
    return 'text' in event ? event.text : ''
  }

  /** Its length in UTF-16 units, without making it. */
  textLength(at: number): number {
    const row = this.#rowOf(at)
    return this.#isDelta(row) ? this.#rows.units(row) : this.text(at).length
  }

  event(at: number): TokenEvent {
    const row = this.#rowOf(at)
    if (row < 0) return this.#eventOf(row)
    const head = this.#rows.head(row)
    const kind = head & 0xff
    const choice = head >>> 16
    const text = this.#rows.text(row)
    if (kind > ROW_DELTA_LAST) return this.#readValue(kind, choice, text)
    return { type: TYPES[kind] as DeltaType, choice, text }
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
    if (!this.#isDelta(first)) return to
    while (to < this.length && this.#continues(first + to - from, this.#rowOf(to))) to++
    return to
  }

  /** The texts of the tokens from `from` to before `to`, which are one run, as one string. */
  joined(from: number, to: number): string {
    const first = this.#rowOf(from)
    return this.#isDelta(first) ? this.#rows.join(first, first + to - from - 1) : this.text(from)
  }

  /** `row` is the expected next one, and says the same of kind, flags and choice. */
  #continues(expected: number, row: number): boolean {
    const rows = this.#rows
    if (row !== expected || rows.head(row) !== rows.head(row - 1)) return false
    return rows.isWide(row) === rows.isWide(row - 1)
  }

  #rowOf(at: number): number {
    // As an integer without a sign, a negative one or a fraction is another.
    if (at >>> 0 !== at || at >= this.length) throw new RangeError(outside(at, this.length))
    return this.#tokens === null ? at : (this.#tokens[at] as number)
  }

  /** Whether this is a row, and one of a delta. */
  #isDelta(row: number): boolean {
    return row >= 0 && (this.#rows.head(row) & 0xff) <= ROW_DELTA_LAST
  }

  #eventOf(row: number): TokenEvent {
    return this.#events[~row] as TokenEvent
  }
}

function outside(at: number, length: number): string {
  return `there is no token ${at} in a batch of ${length}; they count from 0`
}
