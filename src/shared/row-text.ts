import { FLAG_WIDE, ROW_WORDS } from './rows.ts'

const WIDE = FLAG_WIDE << 8

/** A call into Buffer and a concatenation cost what decoding so many bytes of UTF-8 does. */
const PIECE_BYTES = 256

/**
 * The unflagged text of rows as one string.
 *
 * V8 decodes UTF-8 beyond ASCII at some 0.6 GB/s and copies Latin-1 ten times as fast. A row of
 * ASCII tells itself: it has as many bytes as UTF-16 units. So all that lies between the rows that
 * are not ASCII is copied, unless those are so many that the pieces would cost more than they save.
 *
 * @param buffer - Holds `textBytes` of text at `textAt`, well-formed UTF-8.
 */
export function rowText(
  rows: Int32Array,
  rowCount: number,
  buffer: Buffer,
  textAt: number,
  textBytes: number,
): string {
  const end = textAt + textBytes
  let text = ''
  let piecesBytesMax = textBytes
  let copied = textAt
  for (let word = 0, at = textAt; word < rowCount * ROW_WORDS; word += ROW_WORDS) {
    if (((rows[word] as number) & WIDE) !== 0) continue
    const bytes = rows[word + 3] as number
    if (bytes !== rows[word + 2]) {
      piecesBytesMax -= PIECE_BYTES
      if (piecesBytesMax < 0) return buffer.toString('utf8', textAt, end)
      if (at > copied) text += buffer.toString('latin1', copied, at)
      copied = at + bytes
      text += buffer.toString('utf8', at, copied)
    }
    at += bytes
  }
  return copied === end ? text : text + buffer.toString('latin1', copied, end)
}
