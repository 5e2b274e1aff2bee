/** What a decoder makes of a whole body, as bytes: for tests that decode it again and again. */
import assert from 'node:assert/strict'
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
  writer.reset()
  for (const chunk of chunks) decoder.push(chunk, writer)
  decoder.end(writer)
  const { rows, rowCount, text, textBytes, wide, wideBytes } = writer
  return {
    rows: Buffer.from(new Uint8Array(rows.buffer, 0, rowCount * ROW_BYTES)),
    text: Buffer.from(text.subarray(0, textBytes)),
    wide: Buffer.from(wide.subarray(0, wideBytes)),
    counts: decoder.counts,
  }
}

export function assertOutput(found: Output, expected: Output, how: string): void {
  assert.ok(found.rows.equals(expected.rows), `rows, ${how}`)
  assert.ok(found.text.equals(expected.text), `text, ${how}`)
  assert.ok(found.wide.equals(expected.wide), `wide text, ${how}`)
  assert.deepEqual(found.counts, expected.counts, how)
}
