/** What a decoder makes of a whole body, as bytes: for tests that decode it again and again. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { DecodeCounts, Decoder } from '../src/shared/decoder/decoder.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { ROW_BYTES } from '../src/shared/rows.ts'
import type { Chunks } from './chunking.ts'

/** All that a decoder has written of a body, quick to compare. */
export interface Output {
  readonly rows: Buffer
  readonly text: Buffer
  readonly wide: Buffer
  readonly counts: DecodeCounts
}

const writer = new RowWriter()

/** Decodes the chunks as one body, and ends it. */
export function outputOf(decoder: Decoder, chunks: Chunks): Output {
  const { rows, text, wide, counts } = passingOutputOf(decoder, chunks)
  return { rows: Buffer.from(rows), text: Buffer.from(text), wide: Buffer.from(wide), counts }
}

/** The same without a copy: gone with the next body. */
export function passingOutputOf(decoder: Decoder, chunks: Chunks): Output {
  writer.reset()
  for (const chunk of chunks) decoder.push(chunk, writer)
  decoder.end(writer)
  return outputsIn(writer, decoder)
}

/** What a decoder has left in a writer, not copied. */
export function outputsIn(written: RowWriter, { counts }: Decoder): Output {
  const { rows, rowCount, text, textBytes, wide, wideBytes } = written
  return {
    rows: Buffer.from(rows.buffer, 0, rowCount * ROW_BYTES),
    text: text.subarray(0, textBytes),
    wide: wide.subarray(0, wideBytes),
    counts,
  }
}

/** What differs, `null` where nothing does. */
export function differenceOf(found: Output, expected: Output): string | null {
  if (!found.rows.equals(expected.rows)) return 'rows'
  if (!found.text.equals(expected.text)) return 'text'
  if (!found.wide.equals(expected.wide)) return 'wide text'
  return isDeepStrictEqual(found.counts, expected.counts) ? null : 'counts'
}

export function assertOutput(found: Output, expected: Output, how: string): void {
  const difference = differenceOf(found, expected)
  if (difference === 'counts') assert.deepEqual(found.counts, expected.counts, how)
  assert.ok(difference === null, `${difference}, ${how}`)
}
