/**
 * Every field that a provider's table reads: what gives it, and the events that come of it. And
 * that no rule of any table can go without a row here that misses it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { Assembler } from '../src/main/assembler.ts'
import { createDecoder, type TokenBatch } from '../src/main/index.ts'
import type { Decoder } from '../src/shared/decoder/decoder.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECTS_KNOWN } from '../src/shared/dialects/dialects.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { byteWise, type Chunks } from './chunking.ts'
import { alterationsOf } from './fields/alterations.ts'
import { bodyOf, FIELDS, type Row, seen, type SeenEvent } from './fields/case.ts'
import { FIELDS_ABSENT, fieldsOf } from './fields/table.ts'
import { plainDecoder, wasmDecoder } from './wasm-host.ts'

const writer = new RowWriter()

interface Outcome {
  readonly events: SeenEvent[]
  readonly indexes: number[]
}

function add({ events, indexes }: Outcome, batch: TokenBatch): void {
  for (let at = 0; at < batch.length; at++) {
    events.push(seen(batch.event(at)))
    indexes.push(batch.index(at))
  }
}

/** What a decoder's rows become, of each chunk and of the end. */
function decodeWith(decoder: Decoder, dialect: Dialect, chunks: Chunks): Outcome {
  const assembler = new Assembler(dialect)
  const outcome: Outcome = { events: [], indexes: [] }
  for (const chunk of chunks) {
    writer.reset()
    decoder.push(chunk, writer)
    add(outcome, assembler.read(writer.toBatch()))
  }
  writer.reset()
  decoder.end(writer)
  add(outcome, assembler.end(writer.toBatch()).batch)
  return outcome
}

function decodeInline(dialect: Dialect, chunks: Chunks): Outcome {
  const decoder = createDecoder({ dialect })
  const outcome: Outcome = { events: [], indexes: [] }
  for (const chunk of chunks) add(outcome, decoder.push(chunk))
  add(outcome, decoder.end())
  return outcome
}

for (const dialect of DIALECTS_KNOWN) {
  for (const [at, [field, sent, events, indexes]] of fieldsOf(dialect).entries()) {
    test(`${dialect.name}: ${field}, row ${at}`, () => {
      const bytes = bodyOf(dialect, sent)
      for (const chunks of [[bytes], byteWise(bytes)]) {
        for (const outcome of [
          decodeWith(plainDecoder(dialect), dialect, chunks),
          decodeWith(wasmDecoder(dialect), dialect, chunks),
          decodeInline(dialect, chunks),
        ]) {
          assert.deepEqual(outcome.events, events)
          if (indexes !== undefined) assert.deepEqual(outcome.indexes, indexes)
        }
      }
    })
  }
}

/** Whether some row comes out otherwise. */
function isMissed(altered: Dialect, rows: readonly Row[]): boolean {
  return rows.some(([, sent, events, indexes]) => {
    const found = decodeWith(plainDecoder(altered), altered, [bodyOf(altered, sent)])
    const wanted = { events, indexes: indexes ?? found.indexes }
    return !isDeepStrictEqual(found, wanted)
  })
}

test('fields: each dialect has a row for each field, or is said to have none', () => {
  for (const dialect of DIALECTS_KNOWN) {
    const told = new Set(fieldsOf(dialect).map(([field]) => field))
    const absent = FIELDS.filter((field) => !told.has(field))
    assert.deepEqual(absent, FIELDS_ABSENT[dialect.name] ?? [], dialect.name)
  }
})

for (const dialect of DIALECTS_KNOWN) {
  test(`${dialect.name}: nothing can go from its table without a row that misses it`, () => {
    const rows = fieldsOf(dialect)
    assert.equal(isMissed(dialect, rows), false)
    const survivors = [...alterationsOf(dialect)]
      .filter(({ altered }) => !isMissed(altered, rows))
      .map(({ place }) => place)
    assert.deepEqual(survivors, [])
  })
}
