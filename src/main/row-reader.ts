/** Reads a ROWS record where it lies; its texts become strings of main's own. */
import {
  ROWS_CONSUMED_BYTES,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  ROWS_TEXT_BYTES,
  ROWS_WIDE_BYTES,
  wideTextAt,
} from '../shared/channel-layout.ts'
import { broken } from '../shared/assert.ts'
import { ROW_BYTES, type RowBatch } from '../shared/rows.ts'

export class RowReader {
  readonly #words: Int32Array
  /** The whole memory once more: Buffer decodes shared bytes without a copy between. */
  readonly #buffer: Buffer
  readonly #view: DataView
  /** Of the record last read. */
  consumedBytes = 0

  constructor(words: Int32Array) {
    this.#words = words
    this.#buffer = Buffer.from(words.buffer)
    this.#view = new DataView(words.buffer)
  }

  /**
   * The batch is the record's until that is released.
   *
   * @param at - Byte offset of the payload; `payloadBytes` its length, as the ring gave it.
   */
  read(at: number, payloadBytes: number): RowBatch {
    const words = this.#words
    // Each word once: a second read could differ from the one that was checked.
    const rowCount = words[(at + ROWS_ROW_COUNT) >> 2]!
    const textBytes = words[(at + ROWS_TEXT_BYTES) >> 2]!
    const wideBytes = words[(at + ROWS_WIDE_BYTES) >> 2]!
    this.consumedBytes = words[(at + ROWS_CONSUMED_BYTES) >> 2]!
    const rowBytes = rowCount * ROW_BYTES
    const wideFrom = wideTextAt(rowBytes, textBytes)
    if (rowCount < 0 || textBytes < 0 || wideBytes < 0 || wideFrom + wideBytes > payloadBytes) {
      broken(`${rowCount} rows with ${textBytes} + ${wideBytes} bytes in ${payloadBytes}`)
    }
    const rowsFrom = at + ROWS_HEADER_BYTES
    const textFrom = rowsFrom + rowBytes
    return {
      rows: words,
      rowsAt: rowsFrom >> 2,
      rowCount,
      bytes: this.#view,
      textAt: textFrom,
      text: this.#buffer.toString('latin1', textFrom, textFrom + textBytes),
      wideText:
        wideBytes === 0
          ? ''
          : this.#buffer.toString('utf16le', at + wideFrom, at + wideFrom + wideBytes),
    }
  }
}
