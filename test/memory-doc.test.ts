import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as layout from '../src/shared/channel-layout.ts'
import { CRASH_MUTANTS } from './model/crash-mutants.ts'
import { MUTANTS } from './model/mutants.ts'

const ROOT = new URL('../../', import.meta.url)
const DOC = readFileSync(new URL('docs/MEMORY.md', ROOT), 'utf8')
const SOURCE = readFileSync(new URL('src/shared/channel-layout.ts', ROOT), 'utf8')
const CONSTANTS = new Map<string, unknown>(Object.entries(layout))

/** Rows of all tables that begin with these columns, as trimmed cells. */
function rowsOf(columns: string): string[][] {
  const tables = DOC.split('\n\n').filter((block) => block.startsWith(`| ${columns} |`))
  assert.ok(tables.length > 0, `no table of ${columns}`)
  return tables.flatMap((table) => table.trim().split('\n').slice(2).map(cellsOf))
}

function cellsOf(row: string): string[] {
  const cells = row.split('|').slice(1, -1)
  return cells.map((cell) => cell.trim().replaceAll('`', ''))
}

function numberOf(cell: string): number {
  return Number(cell.replaceAll(',', ''))
}

/** By name: who writes and who reads a word, as its declaration says. */
function declaredWords(): Map<string, string[]> {
  const words = new Map<string, string[]>()
  const comments = SOURCE.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\nexport const (\w+)/gs)
  for (const [, comment, name] of comments) {
    const text = comment!.replaceAll(/\s+\*?\s*/g, ' ')
    const users = /Written by ([\w ]+); read by ([\w ]+)/.exec(text)
    if (users !== null) words.set(name!, [users[1]!, users[2]!])
  }
  return words
}

test('MEMORY.md: lists every word at its byte, with its writer and reader, and no other', () => {
  const documented = new Map<string, string[]>()
  for (const [byte, name, writer, reader] of rowsOf('byte | word')) {
    // Control words are indices, words of a row are byte offsets in it.
    const unitBytes = name!.startsWith('STREAM_') ? 1 : 4
    assert.equal(numberOf(byte!), Number(CONSTANTS.get(name!)) * unitBytes, name)
    documented.set(name!, [writer!, reader!])
  }
  const declared = declaredWords()
  assert.ok(declared.size > 15)
  assert.deepEqual(documented, declared)
})

test('MEMORY.md: lists every offset inside frames and records, and no other', () => {
  const documented = rowsOf('offset | constant')
  for (const [offset, name] of documented) {
    assert.equal(numberOf(offset!), CONSTANTS.get(name!), name)
  }
  const isOffset = (name: string) =>
    /^(FRAME|ROWS|CLOSED)_(STREAM_ID|ROW_COUNT|BYTES_AT|\w+_BYTES|BYTE_LENGTH)$/.test(name) &&
    name !== 'FRAME_OVERHEAD_BYTES'
  const declared = [...CONSTANTS.keys()].filter(isOffset)
  assert.deepEqual(documented.map(([, name]) => name).toSorted(), declared.toSorted())
})

test('MEMORY.md: lists every field of a slot and of a copy, and no other', () => {
  const documented = rowsOf('offset | field')
  for (const [offset, name] of documented) {
    assert.equal(numberOf(offset!), CONSTANTS.get(name!), name)
  }
  const notFields = /^(SLOT_BYTES|SLOT_ROWS_MAX)$/
  const isField = (name: string) => /^(SLOT|COPY)_/.test(name) && !notFields.test(name)
  const declared = [...CONSTANTS.keys()].filter(isField)
  assert.deepEqual(documented.map(([, name]) => name).toSorted(), declared.toSorted())
})

test('MEMORY.md: lists the regions, and draws them', () => {
  const regions = [
    [0, layout.CONTROL_BYTES, 'control words'],
    [layout.COMMIT_SLOTS, 2 * layout.SLOT_BYTES, 'commit slots'],
    [layout.STREAM_TABLE, layout.STREAMS_MAX * layout.STREAM_ROW_BYTES, 'stream table'],
    [layout.CHUNK_RING.data, layout.CHUNK_RING.capacityBytes, 'chunk ring'],
    [layout.RECORD_RING.data, layout.RECORD_RING.capacityBytes, 'record ring'],
    [layout.DECODER, layout.DECODER_BYTES, 'decoder'],
    [layout.CARRY, layout.CARRY_BYTES, 'carry slabs'],
  ]
  const documented = rowsOf('from | bytes | region')
  assert.deepEqual(
    documented.map(([from, bytes, name]) => [numberOf(from!), numberOf(bytes!), name]),
    regions,
  )
  const starts = regions.map(([from]) => Number(from))
  const drawn = [...DOC.matchAll(/([\d,]+) {2}\+---/g)].map(([, byte]) => numberOf(byte!))
  assert.deepEqual(drawn, [...starts, layout.CHANNEL_BYTES])
})

test('MEMORY.md: counts the mutants as they are', () => {
  assert.equal(MUTANTS.length, 23)
  assert.match(DOC, /shows that twenty-three ways to break\s+it are noticed/)
  assert.equal(CRASH_MUTANTS.length, 32)
  assert.match(DOC, /Thirty-two small edits of the code/)
})
