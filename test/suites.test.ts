/**
 * Public suites of JSON and UTF-8 through whole decoders, plain and WASM, at every split: what
 * JSON.parse and TextDecoder make of the same bytes is right.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { sse } from '../src/shared/dialects/records.ts'
import { type Chunks, everySplit, randomCuts, seeded, testSeed } from './chunking.ts'
import { decode, type Decoded, type SeenRow } from './decoding.ts'
import { assertOutput, outputOf } from './outputs.ts'
import { sharedBytes, sharedData, SHARED_DATA_MISSING, sharedJson } from './shared-data.ts'
import { plainDecoder, type Setup, wasmDecoder } from './wasm-host.ts'

const skip = sharedData() === null && SHARED_DATA_MISSING
const seed = testSeed()
const random = seeded(seed)

/** A table that reads one value as it is, and one text. */
const reader: Dialect = {
  name: 'reader',
  framing: 'sse',
  payload: 'json',
  end: 'none',
  oneValue: true,
  rules: [
    { emit: 'annotation', path: 'value' },
    { emit: 'text', path: 'text' },
  ],
}

/** Longer bodies are cut at a few places only: their cuts times their length are too many. */
const SPLIT_BYTES_MAX = 1024

function* cutsOf(body: Uint8Array): Generator<Chunks> {
  if (body.length <= SPLIT_BYTES_MAX) return yield* everySplit(body)
  yield [body]
  for (const chunkBytes of [1, 7, 300, 60_000]) yield randomCuts(body, chunkBytes, random)
}

/** What the decoders make of a body, the same however it is cut. */
function read(dialect: Dialect, body: Uint8Array, name: string, setup: Setup = {}): Decoded {
  const expected = outputOf(plainDecoder(dialect, setup), [body])
  for (const chunks of cutsOf(body)) {
    const cut = `${name}, from ${chunks[0]?.length} bytes on, MILLRACE_SEED=${seed}`
    assertOutput(outputOf(plainDecoder(dialect, setup), chunks), expected, `plain, ${cut}`)
    assertOutput(outputOf(wasmDecoder(dialect, setup), chunks), expected, `WASM, ${cut}`)
  }
  return decode(dialect, [body], setup)
}

// ---- JSON ----------------------------------------------------------------------------------

/** Room for all that JSON.parse takes of the suite. */
const DEEP = { limits: { jsonDepthMax: 1024, jsonNumberBytesMax: 1024 } } as const

/** One event of this data, its lines as they are. */
function eventOf(data: Uint8Array): Uint8Array {
  const lines = Buffer.from(data)
    .toString('latin1')
    .split(/\r\n|\n|\r/)
  const fields = lines.map((line) => `data: ${line}\n`).join('')
  return new Uint8Array(Buffer.from(`${fields}\n`, 'latin1'))
}

/** What JSON.parse makes of the bytes; `undefined` where it refuses them. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** Where a document of the suite stands in an event, and what is read of that event. */
const PLACES: Readonly<Record<string, readonly [start: string, end: string]>> = {
  'the whole of it': ['', ''],
  'what nobody reads': ['{"other": ', ', "text": "t"}'],
  'what is read': ['{"value": ', '}'],
}

describe('JSONTestSuite', { skip }, () => {
  const folder = 'data/JSONTestSuite/test_parsing'
  const names = skip === false ? readdirSync(`${sharedData()}${folder}`) : []

  for (const [place, [start, end]] of Object.entries(PLACES)) {
    test(`JSON in an event, ${place}: is accepted, refused and read as JSON.parse does`, () => {
      for (const name of names) {
        const bytes = sharedBytes(`${folder}/${name}`)
        const data = Buffer.concat([Buffer.from(start), bytes, Buffer.from(end)])
        const { rows, counts } = read(reader, eventOf(data), name, DEEP)
        const expected = parsed(data)
        assert.equal(counts.malformed, expected === undefined ? 1 : 0, name)
        assert.deepEqual(valuesOf(rows), wanted(expected), name)
      }
      assert.equal(names.length, 318)
    })
  }

  test('JSON in an event: the suite’s own verdicts are those of JSON.parse', () => {
    const verdicts = sharedJson<Record<string, { lossy: string }>>(
      'data/expected/JSONTestSuite.node20.json',
    )
    const accepted = { y: 0, n: 0, i: 0 }
    const all = { y: 0, n: 0, i: 0 }
    for (const name of names) {
      const { counts } = decode(reader, [eventOf(sharedBytes(`${folder}/${name}`))], DEEP)
      const verdict = counts.malformed === 0 ? 'accept' : 'reject'
      assert.equal(verdict, verdicts[name]?.lossy, name)
      // What must be accepted, what must not, and what either may.
      const group = name[0] as keyof typeof all
      all[group]++
      if (verdict === 'accept') accepted[group]++
    }
    assert.deepEqual(all, { y: 95, n: 188, i: 35 })
    assert.deepEqual([accepted.y, accepted.n], [95, 0])
  })
})

/** What was read of an event, but for its faults. */
function valuesOf(rows: readonly SeenRow[]): unknown[] {
  return rows
    .filter(([kind]) => kind !== 'error')
    .map(([kind, text]) => (kind === 'annotation' ? JSON.parse(text) : text))
}

function wanted(event: unknown): unknown[] {
  if (typeof event !== 'object' || event === null) return []
  const { value = null, text } = event as { value?: unknown; text?: unknown }
  return [value, text].filter((item) => item !== null && item !== undefined)
}

// ---- UTF-8 ---------------------------------------------------------------------------------

interface Utf8Case {
  readonly id: string
  readonly bytes: string
  readonly valid: boolean
}

const utf8Cases = skip === false ? sharedJson<Utf8Case[]>('data/expected/utf8-cases.json') : []

/** Before and after the bytes in question; the dialect that reads them, and as what. */
interface Utf8Place {
  readonly name: string
  readonly start: string
  readonly end: string
  readonly dialect: Dialect
  readonly kind: string
  /** The bytes as they are to be read; `null` where they are to be ignored. */
  readonly expected: (text: string) => string | null
}

/** Tells nothing but the type. */
const typed = (discriminator: object): Dialect => {
  return { ...reader, name: 'typed', ...discriminator, rules: [{ emit: 'end' }] }
}

const asItIs = (text: string): string => text

const UTF8_PLACES: readonly Utf8Place[] = [
  {
    name: 'data',
    start: 'data: ',
    end: '\n\n',
    dialect: sse,
    kind: 'event-data',
    expected: asItIs,
  },
  {
    name: 'an event’s name',
    start: 'event: ',
    end: '\ndata: d\n\n',
    dialect: sse,
    kind: 'event-name',
    expected: asItIs,
  },
  {
    name: 'an id',
    start: 'id: ',
    end: '\ndata: d\n\n',
    dialect: sse,
    kind: 'event-id',
    expected: (text) => (text.includes('\0') ? null : text),
  },
  {
    name: 'an event’s name that tells a type',
    start: 'event: ',
    end: '\ndata: {}\n\n',
    dialect: typed({}),
    kind: 'terminator',
    expected: asItIs,
  },
  {
    name: 'a payload’s type',
    start: 'data: {"type":"',
    end: '"}\n\n',
    dialect: typed({ discriminator: 'type' }),
    kind: 'terminator',
    expected: (text) => (text.includes('\0') ? null : text),
  },
  {
    name: 'a JSON string',
    start: 'data: {"text": "',
    end: '"}\n\n',
    dialect: reader,
    kind: 'text',
    expected: (text) => (text.includes('\0') ? null : JSON.parse(`"${text}"`)),
  },
  {
    name: 'a JSON string beside escapes',
    start: 'data: {"text": "\\n\\ud83d\\ude00',
    end: '\\u00e9"}\n\n',
    dialect: reader,
    kind: 'text',
    expected: (text) => (text.includes('\0') ? null : `\n\u{1f600}${text}\u00e9`),
  },
  {
    name: 'a JSON value as it is',
    start: 'data: {"value": ["',
    end: '"]}\n\n',
    dialect: reader,
    kind: 'annotation',
    expected: (text) => (text.includes('\0') ? null : `["${text}"]`),
  },
]

describe('utf8tests', { skip }, () => {
  for (const { name, start, end, dialect, kind, expected } of UTF8_PLACES) {
    test(`UTF-8 in ${name}: is what TextDecoder makes of it, and counted where malformed`, () => {
      for (const { id, bytes, valid } of utf8Cases) {
        const inner = Buffer.from(bytes, 'hex')
        const body = Buffer.concat([Buffer.from(start), inner, Buffer.from(end)])
        const text = expected(new TextDecoder('utf-8', { ignoreBOM: true }).decode(inner))
        const { rows, counts } = read(dialect, new Uint8Array(body), id)
        assert.equal(rows.find(([found]) => found === kind)?.[1] ?? null, text, id)
        const isReplaced = text !== null && !valid
        assert.equal(counts.replacements > 0, isReplaced, id)
        const strict = read(dialect, new Uint8Array(body), id, { strict: true })
        assert.equal(strict.failed, isReplaced || (text === null && kind !== 'event-id'), id)
      }
      assert.equal(utf8Cases.length, 216)
    })
  }
})
