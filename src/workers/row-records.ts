/** Writes a batch of rows into the record ring, in as many ROWS records as it takes. */
import {
  RECORD_ROWS,
  ROWS_CONSUMED_BYTES,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  ROWS_STREAM_ID,
  ROWS_UTF8_BYTES,
  ROWS_WIDE_BYTES,
  wideTextAt,
  type WorkerEnd,
} from '../shared/channel-layout.ts'
import { FLAG_CONTINUED, FLAG_WIDE, ROW_BYTES, ROW_WORDS } from '../shared/rows.ts'
import type { RowWriter } from '../shared/row-writer.ts'

/**
 * Most bytes of one ROWS payload. An eighth of the ring: main drains one record while the worker
 * writes the next.
 */
const RECORD_BYTES_MAX = 32 * 1024

export class RowRecords {
  readonly #end: WorkerEnd
  readonly #claim: (type: number, payloadBytes: number) => number

  /** @param claim - Claims room in the record ring; waits where it is full. */
  constructor(end: WorkerEnd, claim: (type: number, payloadBytes: number) => number) {
    this.#end = end
    this.#claim = claim
  }

  /** Writes and commits all rows; the first record carries `consumedBytes`. Does not publish. */
  write(streamId: number, consumedBytes: number, writer: RowWriter): void {
    const { rows, rowCount, text, textBytes, wide, wideBytes } = writer
    const piece: Piece = {
      rows,
      rowCount,
      text,
      textFrom: 0,
      textBytes,
      wide,
      wideFrom: 0,
      wideBytes,
    }
    if (payloadBytesOf(piece) <= RECORD_BYTES_MAX) this.#record(streamId, consumedBytes, piece)
    else this.#split(streamId, consumedBytes, piece)
  }

  #split(streamId: number, consumedBytes: number, whole: Piece): void {
    const { rows, text, wide } = whole
    const piece: Piece = { ...whole, rows: new Int32Array(ROWS_MAX * ROW_WORDS) }
    let next = 0
    let creditBytes = consumedBytes
    // Of row `next`, the bytes that earlier fragments have carried.
    let carriedBytes = 0
    for (let textAt = 0, wideAt = 0; next < whole.rowCount;) {
      piece.rowCount = piece.textBytes = piece.wideBytes = 0
      piece.textFrom = textAt
      piece.wideFrom = wideAt
      while (next < whole.rowCount && piece.rowCount < ROWS_MAX) {
        const row = rows.subarray(next * ROW_WORDS, (next + 1) * ROW_WORDS)
        const isWide = ((row[0]! >> 8) & FLAG_WIDE) !== 0
        const bytes = row[3]! - carriedBytes
        const roomBytes = RECORD_BYTES_MAX - payloadBytesOf(piece) - ROW_BYTES
        if (bytes > roomBytes && piece.rowCount > 0) break
        const area = isWide ? wide : text
        const from = isWide ? wideAt : textAt
        const taken = bytes <= roomBytes ? bytes : cutBefore(area, from, roomBytes, isWide)
        const continued = taken < bytes
        const at = piece.rowCount++ * ROW_WORDS
        piece.rows[at] = row[0]! | (continued ? FLAG_CONTINUED << 8 : 0)
        piece.rows[at + 1] = row[1]!
        piece.rows[at + 2] = isWide ? taken / 2 : unitsOf(area, from, taken)
        piece.rows[at + 3] = taken
        if (isWide) piece.wideBytes = (wideAt += taken) - piece.wideFrom
        else piece.textBytes = (textAt += taken) - piece.textFrom
        carriedBytes = continued ? carriedBytes + taken : 0
        if (continued) break
        next++
      }
      this.#record(streamId, creditBytes, piece)
      creditBytes = 0
    }
  }

  #record(streamId: number, consumedBytes: number, piece: Piece): void {
    const { words, bytes, records } = this.#end
    const at = this.#claim(RECORD_ROWS, payloadBytesOf(piece))
    words[(at + ROWS_STREAM_ID) >> 2] = streamId
    words[(at + ROWS_ROW_COUNT) >> 2] = piece.rowCount
    words[(at + ROWS_UTF8_BYTES) >> 2] = piece.textBytes
    words[(at + ROWS_WIDE_BYTES) >> 2] = piece.wideBytes
    words[(at + ROWS_CONSUMED_BYTES) >> 2] = consumedBytes
    words.set(piece.rows.subarray(0, piece.rowCount * ROW_WORDS), (at + ROWS_HEADER_BYTES) >> 2)
    const rowBytes = piece.rowCount * ROW_BYTES
    const { text, textFrom, textBytes, wide, wideFrom, wideBytes } = piece
    bytes.set(text.subarray(textFrom, textFrom + textBytes), at + ROWS_HEADER_BYTES + rowBytes)
    const wideAt = at + wideTextAt(rowBytes, textBytes)
    bytes.set(wide.subarray(wideFrom, wideFrom + wideBytes), wideAt)
    records.commit()
  }
}

/** What one record holds: rows, and a stretch of each text area. */
interface Piece {
  readonly rows: Int32Array
  rowCount: number
  readonly text: Uint8Array
  textFrom: number
  textBytes: number
  readonly wide: Uint8Array
  wideFrom: number
  wideBytes: number
}

/** Rows that fit a record when none has text. */
const ROWS_MAX: number = Math.floor((RECORD_BYTES_MAX - ROWS_HEADER_BYTES) / ROW_BYTES) - 1

function payloadBytesOf({ rowCount, textBytes, wideBytes }: Piece): number {
  return wideTextAt(rowCount * ROW_BYTES, textBytes) + wideBytes
}

/** The most bytes up to `bytesMax` that end with a whole code point. */
function cutBefore(area: Uint8Array, from: number, bytesMax: number, isWide: boolean): number {
  let bytes = bytesMax
  if (isWide) {
    bytes &= -2
    const high = area[from + bytes - 1]!
    return high >= 0xd8 && high <= 0xdb ? bytes - 2 : bytes
  }
  while ((area[from + bytes]! & 0xc0) === 0x80) bytes--
  return bytes
}

/** UTF-16 units of well-formed UTF-8: one a lead byte, two where it leads four. */
function unitsOf(area: Uint8Array, from: number, bytes: number): number {
  let units = 0
  for (let at = from; at < from + bytes; at++) {
    const byte = area[at]!
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1
  }
  return units
}
