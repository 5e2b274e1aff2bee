import { FLAG_WIDE, ROW_WORDS, type RowArea, type RowBatch, type RowKind } from './rows.ts'

const BEYOND_LATIN_1 = /[^\0-\xff]/

/**
 * Collects the rows of one stream between two publications.
 *
 * Grows to the largest batch met and is reused: `reset()` keeps the memory. One thread only.
 */
export class RowWriter implements RowArea {
  rows: Int32Array = new Int32Array(64 * ROW_WORDS)
  readonly rowsAt = 0
  rowCount = 0
  /** Latin-1 of the unflagged rows, `textBytes` long. */
  text: Buffer = Buffer.allocUnsafeSlow(4096)
  #view = viewOf(this.text)
  readonly textAt = 0
  textBytes = 0
  /** UTF-16LE of the rows flagged FLAG_WIDE, `wideBytes` long. */
  wide: Buffer = Buffer.allocUnsafeSlow(0)
  readonly wideAt = 0
  wideBytes = 0

  /** Adds one row. `index` is -1 where the provider sent none; `choice` is 0 to 65,535. */
  write(kind: RowKind, choice: number, index: number, value: string): void {
    const units = value.length
    let head = kind | (choice << 16)
    if (BEYOND_LATIN_1.test(value)) {
      head |= FLAG_WIDE << 8
      this.wide = withRoom(this.wide, this.wideBytes, units * 2)
      this.wideBytes += this.wide.write(value, this.wideBytes, 'utf16le')
    } else {
      this.text = withRoom(this.text, this.textBytes, units)
      this.textBytes += this.text.write(value, this.textBytes, 'latin1')
    }
    const at = this.#claimRows(1)
    this.rows[at] = head
    this.rows[at + 1] = index
    this.rows[at + 2] = units
  }

  /** Adds rows that lie elsewhere, with their texts. */
  append(area: RowArea): void {
    const { rowCount, textBytes, wideBytes } = area
    if (rowCount === 0) return
    const at = this.#claimRows(rowCount)
    this.text = withRoom(this.text, this.textBytes, textBytes)
    this.wide = withRoom(this.wide, this.wideBytes, wideBytes)
    copyWords(area.rows, area.rowsAt, this.rows, at, rowCount * ROW_WORDS)
    copyWords(area.text, area.textAt, this.text, this.textBytes, textBytes)
    copyWords(area.wide, area.wideAt, this.wide, this.wideBytes, wideBytes)
    this.textBytes += textBytes
    this.wideBytes += wideBytes
  }

  reset(): void {
    this.rowCount = 0
    this.textBytes = 0
    this.wideBytes = 0
  }

  /** The rows as their reader sees them; for the inline placement, which crosses no thread. */
  toBatch(): RowBatch {
    const { rows, rowsAt, rowCount, textAt, textBytes, wideBytes } = this
    this.text = withRoom(this.text, textBytes, BEYOND_BYTES)
    if (this.#view.buffer !== this.text.buffer) this.#view = viewOf(this.text)
    return {
      rows,
      rowsAt,
      rowCount,
      bytes: this.#view,
      textAt,
      text: this.text.toString('latin1', 0, textBytes),
      wideText: wideBytes === 0 ? '' : this.wide.toString('utf16le', 0, wideBytes),
    }
  }

  /** Room for so many more rows; returns the index of their first word. */
  #claimRows(count: number): number {
    const at = this.rowCount * ROW_WORDS
    this.rowCount += count
    const wanted = this.rowCount * ROW_WORDS
    if (wanted > this.rows.length) {
      const grown = new Int32Array(Math.max(this.rows.length * 2, wanted))
      grown.set(this.rows)
      this.rows = grown
    }
    return at
  }
}

/** What a reader may look at behind the text. */
const BEYOND_BYTES = 8

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

function withRoom(area: Buffer, used: number, wanted: number): Buffer {
  if (area.length - used >= wanted) return area
  const grown = Buffer.allocUnsafeSlow(Math.max(area.length * 2, used + wanted))
  grown.set(area.subarray(0, used))
  return grown
}

/** Up to here a loop is faster than a view and a copy, and leaves no garbage. */
const COPIED_ONE_BY_ONE_MAX = 64

function copyWords<Words extends Uint8Array | Int32Array>(
  source: Words,
  at: number,
  target: Words,
  targetAt: number,
  count: number,
): void {
  if (count > COPIED_ONE_BY_ONE_MAX) target.set(source.subarray(at, at + count), targetAt)
  else for (let index = 0; index < count; index++) target[targetAt + index] = source[at + index]!
}
