/**
 * Writes rows into the record ring, in as many ROWS records as it takes.
 *
 * Rows are split where a record is full, and nowhere else: so the records of rows are the first
 * records of those rows and any that follow them. The last one alone carries the credit.
 */
import {
  RECORD_ROWS,
  ROWS_CONSUMED_BYTES,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  ROWS_STREAM_ID,
  ROWS_TEXT_BYTES,
  ROWS_WIDE_BYTES,
  wideTextAt,
} from '../shared/channel-layout.ts'
import type { ChannelDecoder } from '../shared/decoder/channel-decoder.ts'
import type { Producer } from '../shared/ring-buffer.ts'
import { FLAG_CONTINUED, FLAG_WIDE, ROW_BYTES, ROW_WORDS, type RowArea } from '../shared/rows.ts'

export class RowRecords {
  readonly #records: Producer
  readonly #decoder: ChannelDecoder
  readonly #claim: (type: number, payloadBytes: number) => number
  readonly #recordBytesMax: number
  readonly #piece: Piece

  /**
   * @param decoder - Knows the memory as it is by now.
   * @param claim - Claims room in the record ring, waiting where it is full. Negative where the
   *   record is published already.
   * @param recordBytesMax - Most bytes of one payload, an even number.
   */
  constructor(
    records: Producer,
    decoder: ChannelDecoder,
    claim: (type: number, payloadBytes: number) => number,
    recordBytesMax: number,
  ) {
    this.#records = records
    this.#decoder = decoder
    this.#claim = claim
    this.#recordBytesMax = recordBytesMax
    this.#piece = new Piece(Math.floor((recordBytesMax - ROWS_HEADER_BYTES) / ROW_BYTES))
  }

  /** Writes and commits all rows; the last record carries `consumedBytes`. Does not publish. */
  write(streamId: number, consumedBytes: number, area: RowArea): void {
    if (payloadBytesOf(area) <= this.#recordBytesMax) this.#record(streamId, consumedBytes, area)
    else this.#split(streamId, consumedBytes, area)
  }

  #split(streamId: number, consumedBytes: number, area: RowArea): void {
    const piece = this.#piece
    piece.begin(area)
    while (piece.next < area.rowCount) {
      piece.fill(area, this.#recordBytesMax)
      this.#record(streamId, piece.next < area.rowCount ? 0 : consumedBytes, piece)
    }
  }

  #record(streamId: number, consumedBytes: number, area: RowArea): void {
    const { rowCount, textBytes, wideBytes } = area
    const at = this.#claim(RECORD_ROWS, payloadBytesOf(area))
    if (at < 0) return
    const { words, bytes } = this.#decoder.views
    words[(at + ROWS_STREAM_ID) >> 2] = streamId
    words[(at + ROWS_ROW_COUNT) >> 2] = rowCount
    words[(at + ROWS_TEXT_BYTES) >> 2] = textBytes
    words[(at + ROWS_WIDE_BYTES) >> 2] = wideBytes
    words[(at + ROWS_CONSUMED_BYTES) >> 2] = consumedBytes
    const rowsAt = at + ROWS_HEADER_BYTES
    const rowBytes = rowCount * ROW_BYTES
    copy(words, rowsAt >> 2, area.rows, area.rowsAt, rowCount * ROW_WORDS)
    copy(bytes, rowsAt + rowBytes, area.text, area.textAt, textBytes)
    copy(bytes, at + wideTextAt(rowBytes, textBytes), area.wide, area.wideAt, wideBytes)
    this.#records.commit()
  }
}

/** The rows of one record, where they are not all. */
class Piece implements RowArea {
  readonly rows: Int32Array
  readonly rowsAt = 0
  rowCount = 0
  text!: Uint8Array
  textAt = 0
  textBytes = 0
  wide!: Uint8Array
  wideAt = 0
  wideBytes = 0
  /** The row that comes next, and how many of its units earlier pieces hold. */
  next = 0
  #carriedUnits = 0

  constructor(rowsMax: number) {
    this.rows = new Int32Array(rowsMax * ROW_WORDS)
  }

  begin({ text, textAt, wide, wideAt }: RowArea): void {
    this.text = text
    this.textAt = textAt
    this.wide = wide
    this.wideAt = wideAt
    this.textBytes = this.wideBytes = this.next = this.#carriedUnits = 0
  }

  /** Takes the next rows, as many as fit; of a row that fits no record, as much as fits. */
  fill({ rows, rowsAt, rowCount }: RowArea, bytesMax: number): void {
    this.textAt += this.textBytes
    this.wideAt += this.wideBytes
    this.rowCount = this.textBytes = this.wideBytes = 0
    while (this.next < rowCount) {
      const at = rowsAt + this.next * ROW_WORDS
      const isWide = ((rows[at]! >> 8) & FLAG_WIDE) !== 0
      const unitBytes = isWide ? 2 : 1
      const units = rows[at + 2]! - this.#carriedUnits
      // All of these are even, so whatever is padded still fits.
      const roomBytes = bytesMax - payloadBytesOf(this) - ROW_BYTES
      const unitsMax = Math.floor(roomBytes / unitBytes)
      if (units > unitsMax && this.rowCount > 0) return
      const taken = units <= unitsMax ? units : isWide ? this.#unitsWhole(unitsMax) : unitsMax
      this.#take(rows, at, taken, units)
      if (isWide) this.wideBytes += taken * 2
      else this.textBytes += taken
      if (taken < units) return
    }
  }

  /** Takes a row of which `units` are left, or only the front of them. */
  #take(rows: Int32Array, at: number, taken: number, units: number): void {
    const isCut = taken < units
    const to = this.rowCount++ * ROW_WORDS
    this.rows[to] = rows[at]! | (isCut ? FLAG_CONTINUED << 8 : 0)
    this.rows[to + 1] = rows[at + 1]!
    this.rows[to + 2] = taken
    this.#carriedUnits = isCut ? this.#carriedUnits + taken : 0
    if (!isCut) this.next++
  }

  /** The most units of the wide text up to `unitsMax` that cut no surrogate pair. */
  #unitsWhole(unitsMax: number): number {
    const high = this.wide[this.wideAt + this.wideBytes + unitsMax * 2 - 1]!
    return high >= 0xd8 && high <= 0xdb ? unitsMax - 1 : unitsMax
  }
}

function payloadBytesOf({ rowCount, textBytes, wideBytes }: RowArea): number {
  return wideTextAt(rowCount * ROW_BYTES, textBytes) + wideBytes
}

/** Up to here a loop is faster. */
const COPIED_ONE_BY_ONE_MAX = 64

/** Copies within one memory without a view in between, else with one. */
function copy<T extends Int32Array | Uint8Array>(
  target: T,
  to: number,
  source: T,
  from: number,
  length: number,
): void {
  if (length <= COPIED_ONE_BY_ONE_MAX) {
    for (let at = 0; at < length; at++) target[to + at] = source[from + at]!
  } else if (target === source) target.copyWithin(to, from, from + length)
  else target.set(source.subarray(from, from + length), to)
}
