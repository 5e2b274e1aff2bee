/** Reads a ROWS record into memory of main's own, so that its ring space can be given back. */
import {
  ROWS_CONSUMED_BYTES,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  ROWS_UTF8_BYTES,
  ROWS_WIDE_BYTES,
  wideTextAt,
} from '../shared/channel-layout.ts'
import { broken } from '../shared/assert.ts'
import { rowText } from '../shared/row-text.ts'
import { ROW_BYTES, ROW_WORDS, type RowBatch } from '../shared/rows.ts'

export class RowReader {
  readonly #words: Int32Array
  /** The whole memory once more: Buffer decodes shared bytes without a copy between. */
  readonly #buffer: Buffer
  /** Of the record last read. */
  consumedBytes = 0

  constructor(words: Int32Array) {
    this.#words = words
    this.#buffer = Buffer.from(words.buffer)
  }

  /** @param at - Byte offset of the payload; `payloadBytes` its length, as the ring gave it. */
  read(at: number, payloadBytes: number): RowBatch {
    const words = this.#words
    // Each word once: a second read could differ from the one that was checked.
    const rowCount = words[(at + ROWS_ROW_COUNT) >> 2]!
    const utf8Bytes = words[(at + ROWS_UTF8_BYTES) >> 2]!
    const wideBytes = words[(at + ROWS_WIDE_BYTES) >> 2]!
    this.consumedBytes = words[(at + ROWS_CONSUMED_BYTES) >> 2]!
    const rowBytes = rowCount * ROW_BYTES
    const wideFrom = wideTextAt(rowBytes, utf8Bytes)
    if (rowCount < 0 || utf8Bytes < 0 || wideBytes < 0 || wideFrom + wideBytes > payloadBytes) {
      broken(`${rowCount} rows with ${utf8Bytes} + ${wideBytes} bytes in ${payloadBytes}`)
    }
    const rowsFrom = (at + ROWS_HEADER_BYTES) >> 2
    const textFrom = at + ROWS_HEADER_BYTES + rowBytes
    const rows = copyOf(words, rowsFrom, rowCount * ROW_WORDS)
    return {
      rows,
      rowCount,
      text: rowText(rows, rowCount, this.#buffer, textFrom, utf8Bytes),
      wideText:
        wideBytes === 0
          ? ''
          : this.#buffer.toString('utf16le', at + wideFrom, at + wideFrom + wideBytes),
    }
  }
}

/** Up to so many words are copied one by one: a call of slice() costs more than they do. */
const WORDS_FEW = 32

function copyOf(words: Int32Array, from: number, count: number): Int32Array {
  if (count > WORDS_FEW) return words.slice(from, from + count)
  const copy = new Int32Array(count)
  for (let word = 0; word < count; word++) copy[word] = words[from + word]!
  return copy
}
