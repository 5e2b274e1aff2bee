/** What a batch keeps of its rows says what they said, however it is kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Assembler } from '../src/main/assembler.ts'
import { SHORT_BYTES_MAX, ShortTexts } from '../src/main/short-texts.ts'
import type { TokenBatch } from '../src/main/token-batch.ts'
import { sse } from '../src/shared/dialects/records.ts'
import { ROW_REASONING, ROW_ROLE, ROW_TEXT } from '../src/shared/rows.ts'
import { type Row, write } from './assembling.ts'

/** Short and long, of one byte a character and of more, with what a table of bytes could mix up. */
const text = fc.oneof(
  fc.string({ maxLength: SHORT_BYTES_MAX + 2, unit: fc.constantFrom('a', 'b', '\0', '\xff') }),
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.integer({ min: 500, max: 600 }).map((length) => 'x'.repeat(length)),
)

function batchOf(texts: readonly string[]): TokenBatch {
  const rows = texts.map((each): Row => [ROW_TEXT, each])
  return new Assembler(sse).read(write(rows).toBatch())
}

function check(batch: TokenBatch, texts: readonly string[]): void {
  assert.equal(batch.length, texts.length)
  const places = texts.map((_, at) => at)
  assert.deepEqual(
    places.map((at) => batch.text(at)),
    texts,
  )
  assert.deepEqual(
    places.map((at) => batch.textLength(at)),
    texts.map(({ length }) => length),
  )
  let joined = ''
  for (let from = 0, to = 0; from < batch.length; from = to) {
    to = batch.runEnd(from)
    joined += batch.joined(from, to)
  }
  assert.equal(joined, texts.join(''))
}

test('text, textLength, joined: say of each token what its row did', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (texts) => {
      check(batchOf(texts), texts)
    }),
    { numRuns: 2000, endOnFailure: true },
  )
})

test('text: stays what it was when more texts have come than a table holds', () => {
  const kept: (readonly [TokenBatch, readonly string[]])[] = []
  for (let turn = 0; turn < 400; turn++) {
    const texts = Array.from({ length: 100 }, (_, at) => (turn * 100 + at).toString(36))
    kept.push([batchOf(texts), texts])
  }
  for (const [batch, texts] of kept) check(batch, texts)
})

test('text: far into a large batch, where no word has room for its place', () => {
  const texts = Array.from({ length: 300 }, (_, at) => 'y'.repeat(500) + String(at % 7))
  check(
    batchOf(texts.flatMap((long) => [long, long.slice(-1)])),
    texts.flatMap((long) => [long, long.slice(-1)]),
  )
})

test('numberOf: is the same for the same text, and -1 once there is no room', () => {
  const table = new ShortTexts()
  const numberOf = (value: string): number => {
    const bytes = Buffer.alloc(SHORT_BYTES_MAX)
    bytes.write(value, 'latin1')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return table.numberOf(view, 0, value.length, `-${value}-`, 1)
  }
  const texts = [
    '',
    'a',
    'a\0',
    'a\0\0',
    'ab',
    'ba',
    'abcd',
    'abcde',
    'abcdefgh',
    'abcdefg\0',
    '\xe9',
  ]
  const numbers = texts.map(numberOf)
  assert.equal(new Set(numbers).size, texts.length)
  assert.deepEqual(texts.map(numberOf), numbers)
  assert.deepEqual(
    numbers.map((number) => table.strings[number]),
    texts,
  )
  for (let next = 0; !table.isFull; next++) numberOf(`n${next}`)
  assert.equal(numberOf('new'), -1)
  assert.equal(numberOf('abcdefgh'), numbers[8])
})

test('TokenBatch: what lies outside a batch is refused', () => {
  const batch = batchOf(['own'])
  for (const at of [1, 2, -1, 0.5, NaN, 2 ** 32]) {
    for (const read of ['type', 'text', 'textLength', 'event', 'index', 'choice'] as const) {
      assert.throws(() => batch[read](at), RangeError, `${read}(${at})`)
    }
  }
})

test('deltas: each counts once, whatever stands in its batch before or after it', () => {
  const assembler = new Assembler(sse)
  const role: Row = [ROW_ROLE, 'assistant']
  const batches: readonly (readonly Row[])[] = [
    [[ROW_TEXT, 'a']],
    [[ROW_TEXT, 'b'], [ROW_REASONING, 'c'], role, [ROW_TEXT, 'd']],
    [role, [ROW_TEXT, 'e']],
  ]
  for (const rows of batches) assembler.read(write(rows).toBatch())
  assert.equal(assembler.deltas, 5)
})
