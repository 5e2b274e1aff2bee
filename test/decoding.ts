/** Drives a decoder in tests, and shows its rows in words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DecodeCounts, Decoder } from '../src/shared/decoder/decoder.ts'
import { HeapSlabs } from '../src/shared/decoder/heap-slabs.ts'
import { createPlainDecoder } from '../src/shared/decoder/plain-decoder.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { STREAM_LIMITS_DEFAULT, type StreamLimits } from '../src/shared/limits.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import * as rows from '../src/shared/rows.ts'
import { type Chunks, everySplit } from './chunking.ts'
import { fitsWasm, wasmDecoder } from './wasm-host.ts'

const { FLAG_WIDE, ROW_WORDS } = rows

/** `text`, `tool-id`, ...: by kind, from the names of the constants. */
const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(rows)
    .filter(([name, value]) => /^ROW_(?!WORDS|BYTES|DELTA_LAST)/.test(name) && value !== undefined)
    .map(([name, value]) => [value as number, name.slice(4).toLowerCase().replaceAll('_', '-')]),
)

/** One row: its kind, its text, and its choice and index where they are not 0 and -1. */
export type SeenRow = readonly [kind: string, text: string, place?: string]

export interface Decoded {
  readonly rows: readonly SeenRow[]
  readonly counts: DecodeCounts
  readonly failed: boolean
  /** After the last chunk, before the end. */
  readonly pendingBytes: number
}

export interface Case {
  readonly name: string
  /** Payloads, each an event; or the whole body as it is. */
  readonly body: readonly (object | string)[] | string
  readonly rows: readonly SeenRow[]
  readonly setup?: DecodeSetup
}

export interface DecodeSetup {
  readonly limits?: Partial<StreamLimits>
  readonly strict?: boolean
  readonly flushIncomplete?: boolean
  readonly raw?: boolean
  readonly budgetBytes?: number
}

/**
 * Decodes the chunks as one body, and ends it: with the plain decoder, and, where budgets do not
 * matter and it can take the dialect, with the WASM decoder, which must show the same.
 */
export function decode(dialect: Dialect, chunks: Chunks, setup: DecodeSetup = {}): Decoded {
  const slabs = new HeapSlabs(setup.budgetBytes ?? 2 ** 28)
  const limits = { ...STREAM_LIMITS_DEFAULT, ...setup.limits }
  const { strict = false, flushIncomplete = false, raw = false } = setup
  const options = { limits, strict, flushIncomplete, raw }
  const decoded = decodeWith(createPlainDecoder(dialect, options, slabs), chunks)
  if (slabs.lentBytes !== 0) throw new Error('slabs were not given back at the end')
  if (setup.budgetBytes === undefined && fitsWasm(dialect)) {
    assert.deepEqual(decodeWith(wasmDecoder(dialect, setup), chunks), decoded)
  }
  return decoded
}

function decodeWith(decoder: Decoder, chunks: Chunks): Decoded {
  const writer = new RowWriter()
  for (const chunk of chunks) decoder.push(chunk, writer)
  const { pendingBytes } = decoder
  decoder.end(writer)
  const { counts, failed } = decoder
  return { rows: rowsOf(writer.toBatch()), counts, failed, pendingBytes }
}

export function rowsOf({ rows: words, rowCount, text, wideText }: rows.RowBatch): SeenRow[] {
  const seen: SeenRow[] = []
  let textAt = 0
  let wideAt = 0
  for (let at = 0; at < rowCount * ROW_WORDS; at += ROW_WORDS) {
    const head = words[at] as number
    const index = words[at + 1] as number
    const units = words[at + 2] as number
    const isWide = ((head >> 8) & FLAG_WIDE) !== 0
    const own = isWide
      ? wideText.slice(wideAt, (wideAt += units))
      : text.slice(textAt, (textAt += units))
    const kind = KIND_NAMES.get(head & 0xff) ?? `kind ${head & 0xff}`
    const choice = head >>> 16
    const place = [choice === 0 ? '' : `c${choice}`, index === -1 ? '' : `i${index}`].join('')
    seen.push(place === '' ? [kind, own] : [kind, own, place])
  }
  return seen
}

/** One test for each case, at every split. */
export function testCases(dialect: Dialect, cases: readonly Case[]): void {
  for (const { name, body, rows: expected, setup } of cases) {
    test(`${dialect.name}: ${name}`, () => {
      const bytes = new TextEncoder().encode(typeof body === 'string' ? body : bodyOf(body))
      for (const chunks of everySplit(bytes)) {
        assert.deepEqual(decode(dialect, chunks, setup).rows, expected)
      }
    })
  }
}

/** A body of one event for each payload. */
export function bodyOf(payloads: readonly (object | string)[]): string {
  return payloads
    .map((payload) => (typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .map((data) => `data: ${data}\n\n`)
    .join('')
}
