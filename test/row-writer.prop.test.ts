import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { RowWriter } from '../src/shared/row-writer.ts'
import { ROW_TEXT } from '../src/shared/rows.ts'

/** Mostly ASCII, long and short; now and then anything, lone surrogates included. */
const text = fc.oneof(
  { weight: 12, arbitrary: fc.string({ maxLength: 600, size: 'max', unit: 'grapheme-ascii' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 4, arbitrary: fc.constantFrom('\ud83d', '\u00e9', '\ufeff', '\u{1f30a}', 'a', '') },
)

const isNarrow = (value: string): boolean => !/[^\0-\xff]/.test(value)

test('write: text goes where its widest character fits, and comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30, size: 'max' }), (texts) => {
      const writer = new RowWriter()
      for (const value of texts) writer.write(ROW_TEXT, 0, -1, value)
      const batch = writer.toBatch()
      assert.equal(batch.text, texts.filter((value) => isNarrow(value)).join(''))
      assert.equal(batch.wideText, texts.filter((value) => !isNarrow(value)).join(''))
      assert.equal(writer.textBytes, batch.text.length)
      assert.equal(writer.wideBytes, batch.wideText.length * 2)
    }),
    { numRuns: 300, endOnFailure: true },
  )
})
