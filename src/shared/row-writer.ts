import { rowText } from './row-text.ts'
import { FLAG_WIDE, ROW_WORDS, type RowArea, type RowBatch, type RowKind } from './rows.ts'

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const encoder = new TextEncoder()

/**
 * Collects the rows of one stream between two publications.
 *
 * Grows to the largest batch met and is reused: `reset()` keeps the memory. One thread only.
 */
export class RowWriter implements RowArea {
  rows: Int32Array = new Int32Array(64 * ROW_WORDS)
  readonly rowsAt = 0
  rowCount = 0
  /** UTF-8 of the unflagged rows, `textBytes` long. */
  text: Uint8Array = new Uint8Array(4096)
  readonly textAt = 0
  textBytes = 0
  /** UTF-16LE of the rows flagged FLAG_WIDE, `wideBytes` long. */
  wide: Uint8Array = new Uint8Array(0)
  readonly wideAt = 0
  wideBytes = 0

  /** Adds one row. `index` is -1 where the provider sent none; `choice` is 0 to 65,535. */
  write(kind: RowKind, choice: number, index: number, value: string): void {
    if (LONE_SURROGATE.test(value)) this.#writeWide(kind, choice, index, value)
    else this.#writeNarrow(kind, choice, index, value)
  }

  /** Adds rows that lie elsewhere, with their texts. */
  append(area: RowArea): void {
    if (area.rowCount === 0) return
    const { rowCount, textBytes, wideBytes } = area
    const used = this.rowCount * ROW_WORDS
    const wanted = rowCount * ROW_WORDS
    if (used + wanted > this.rows.length) {
      const grown = new Int32Array(Math.max(this.rows.length * 2, used + wanted))
      grown.set(this.rows)
      this.rows = grown
    }
    this.text = withRoom(this.text, this.textBytes, textBytes)
    this.wide = withRoom(this.wide, this.wideBytes, wideBytes)
    copyWords(area.rows, area.rowsAt, this.rows, used, wanted)
    copyWords(area.text, area.textAt, this.text, this.textBytes, textBytes)
    copyWords(area.wide, area.wideAt, this.wide, this.wideBytes, wideBytes)
    this.rowCount += rowCount
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
    const rows = this.rows.slice(0, this.rowCount * ROW_WORDS)
    const text = Buffer.from(this.text.buffer, 0, this.textBytes)
    return {
      rows,
      rowCount: this.rowCount,
      text: rowText(rows, this.rowCount, text, 0, this.textBytes),
      wideText: Buffer.from(this.wide.buffer, 0, this.wideBytes).toString('utf16le'),
    }
  }

  #writeNarrow(kind: RowKind, choice: number, index: number, value: string): void {
    // Three bytes a UTF-16 unit is the most that UTF-8 takes.
    this.text = withRoom(this.text, this.textBytes, value.length * 3)
    const { written } = encoder.encodeInto(value, this.text.subarray(this.textBytes))
    this.textBytes += written
    this.#writeRow(kind, choice, index, value.length, written)
  }

  #writeWide(kind: RowKind, choice: number, index: number, value: string): void {
    this.wide = withRoom(this.wide, this.wideBytes, value.length * 2)
    for (let unit = 0; unit < value.length; unit++) {
      const code = value.charCodeAt(unit)
      this.wide[this.wideBytes++] = code & 0xff
      this.wide[this.wideBytes++] = code >>> 8
    }
    this.#writeRow(kind | (FLAG_WIDE << 8), choice, index, value.length, value.length * 2)
  }

  #writeRow(kindAndFlags: number, choice: number, index: number, units: number, bytes: number) {
    const at = this.rowCount * ROW_WORDS
    if (at === this.rows.length) {
      const grown = new Int32Array(this.rows.length * 2)
      grown.set(this.rows)
      this.rows = grown
    }
    this.rows[at] = kindAndFlags | (choice << 16)
    this.rows[at + 1] = index
    this.rows[at + 2] = units
    this.rows[at + 3] = bytes
    this.rowCount++
  }
}

function withRoom(area: Uint8Array, used: number, wanted: number): Uint8Array {
  if (area.length - used >= wanted) return area
  const grown = new Uint8Array(Math.max(area.length * 2, used + wanted))
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
