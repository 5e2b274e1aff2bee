/** Where the WASM decoder's blocks, limits and slabs end: each case on both sides of its edge. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { geminiArray } from '../src/shared/dialects/gemini.ts'
import { ollamaChat } from '../src/shared/dialects/ollama.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { ROW_WORDS } from '../src/shared/rows.ts'
import { byteWise, testSeed } from './chunking.ts'
import { assertSame, type Setup } from './wasm-host.ts'

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** An event whose token is `spelling`, as it stands between its quotes, byte by byte. */
const chat = (spelling: string, lineEnd = '\n'): string =>
  `data: {"choices":[{"index":0,"delta":{"content":"${spelling}"}}]}${lineEnd}${lineEnd}`

/** The same stream whole, and byte by byte. */
function assertSameCutOrNot(dialect: Dialect, body: string, setup: Setup = {}): void {
  const bytes = latin1(body)
  assertSame(dialect, [bytes], setup, 3)
  assertSame(dialect, byteWise(bytes), setup, 3)
}

const LAST_CHARACTERS = [
  '\xff',
  '\xc3',
  '\xc3\xa9',
  '\xed\xa0\x80',
  '\\n',
  '\\\\',
  '\\u00e9',
  '\\"',
]

for (const last of LAST_CHARACTERS) {
  test(`WasmDecoder: text of any length is right up to its last ${JSON.stringify(last)}`, () => {
    for (let length = 0; length < 70; length++) {
      const spelling = 'x'.repeat(length) + last
      const body = chat(spelling) + chat('') + chat(spelling) + chat(`\\n${spelling}`)
      assertSame(openaiChat, [latin1(body + chat('z'.repeat(80)))], {}, length)
    }
  })
}

test('WasmDecoder: a backslash may stand before eight letters, and before u', () => {
  for (let byte = 0; byte < 256; byte++) {
    const escape = `\\${String.fromCharCode(byte)}`
    for (const spelling of [escape, `\\n${escape}`, `\\n${escape}0041`]) {
      assertSame(openaiChat, [latin1(chat(spelling) + chat('z'.repeat(80)))], {}, 0)
    }
  }
})

test('WasmDecoder: an element begins behind its comma, and its faults say so', () => {
  for (const before of ['', ',', '"a",', '{},', '1 , ']) {
    const body = `[${before}{"usageMetadata":{"id":"\xed\xa0\x80"}}]`
    assertSameCutOrNot(geminiArray, body, { strict: true })
  }
})

/** Pieces of a string's inside, and those that make it malformed. */
const SOUND_PIECES = [
  'a|fifteen bytes..|\\n|\\\\|\\\\\\\\|\\"|\\/|\\b|\\f|\\r|\\t|\\u00e9|\\u002F',
  '\\ud83d\\ude00|\\ud83d|\xc3\xa9|\xf0\x9f\x98\x80|\xff',
].flatMap((pieces) => pieces.split('|'))
const BROKEN_PIECES = ['\\x', '\\U0041', '\\u00g0', '\x1f', '\\\x1f']

const seed = testSeed()
const replay = `MILLRACE_SEED=${seed}`

test(`WasmDecoder: a string of any escapes gives the plain decoder's rows (${replay})`, () => {
  const piece = fc.oneof(
    { weight: 99, arbitrary: fc.constantFrom(...SOUND_PIECES) },
    { weight: 1, arbitrary: fc.constantFrom(...BROKEN_PIECES) },
  )
  const spelling = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))
  const run = fc.property(
    fc.array(spelling, { maxLength: 4 }),
    fc.nat({ max: 63 }),
    (list, pad) => {
      // What comes after them is long enough for blocks of any size.
      const body = list.map((text) => chat(text)).join('') + chat('z'.repeat(80))
      assertSame(openaiChat, [latin1(body)], {}, pad)
    },
  )
  fc.assert(run, { seed, numRuns: 1500 })
})

test('WasmDecoder: lineBytesMax and eventBytesMax hold to the byte, templates or not', () => {
  const event = chat('abc')
  const line = event.indexOf('\n')
  const payload = line - 'data: '.length
  for (let off = -2; off <= 2; off++) {
    for (const body of [event, event.repeat(4), chat('a').repeat(4) + event, chat('abc', '\r\n')]) {
      assertSameCutOrNot(openaiChat, body, { limits: { lineBytesMax: line + off } })
      assertSameCutOrNot(openaiChat, body, { limits: { eventBytesMax: payload + off } })
    }
  }
})

test('WasmDecoder: lineBytesMax holds to the byte in NDJSON, where a CR counts', () => {
  const line = '{"message":{"content":"abc"}}'
  for (let off = -2; off <= 3; off++) {
    const setup = { limits: { lineBytesMax: line.length + off } }
    for (const end of ['\n', '\r\n', ' \n', ' \r\n', '']) {
      for (const body of [line + end, `${line.replace('c', '')}${end}`.repeat(4) + line + end]) {
        assertSameCutOrNot(ollamaChat, body, setup)
      }
    }
  }
})

test('WasmDecoder: an event is out with its last byte, whatever lies behind that', () => {
  const streams = [
    [openaiChat, chat('a') + chat('b', '\r\n') + chat('c')],
    [ollamaChat, '{"message":{"content":"a"}}\n{"message":{"content":"b"}}\r\n{"done":true}\n'],
    [geminiArray, '[{"responseId":"a"},{"modelVersion":"b"}\n,\r\n{"error":{"code":1}}]'],
  ] as const
  for (const [dialect, body] of streams) {
    const bytes = latin1(body)
    for (let at = 1; at < bytes.length; at++) {
      const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
      // By its place modulo 9 a chunk has something else behind it.
      for (let offset = 0; offset < 9; offset++) assertSame(dialect, chunks, {}, offset)
    }
  }
})

test('WasmDecoder: a payload ends where it ends, whatever its slab held before', () => {
  const payloads = ['1.5e+3', '1', '1.', '12', '{"id":"a"}}', '{"id":"a"}', '"abc"', '"ab', 'nullx']
  for (const longer of payloads) {
    for (const shorter of payloads) {
      const body = `data: ${longer}\n\ndata: ${shorter}\n\ndata: ${longer}\n\n`
      assertSameCutOrNot(openaiChat, body)
    }
  }
})

test('WasmDecoder: a line end beside a key is a blank in an event of two lines only', () => {
  const twoLines = 'data: {"id"\ndata: :"x"}\n\n'
  const cut = 'data: {"id"\n:"y"}\n\n'
  for (const body of [twoLines + cut, cut + twoLines + cut, twoLines + chat('a') + cut]) {
    assertSameCutOrNot(openaiChat, body)
    assertSameCutOrNot(openaiChat, body.replaceAll('\n', '\r\n'))
  }
})

test('WasmDecoder: a key is known by what it says, whichever of its letters is an escape', () => {
  const key = 'reasoning_content'
  for (const [at, letter] of Array.from(key).entries()) {
    const escape = `\\u00${letter.charCodeAt(0).toString(16)}`
    const spelling = key.slice(0, at) + escape + key.slice(at + 1)
    const event = `data: {"choices":[{"delta":{"${spelling}":"a"}}]}\n\n`
    assert.equal(
      assertSame(openaiChat, [latin1(event.repeat(3))], {}, at).rows.length,
      3 * ROW_WORDS,
    )
  }
})

test('WasmDecoder: text is as wide as its widest character, escaped or not', () => {
  for (const code of [0x7f, 0x80, 0xbf, 0xc0, 0xff, 0x100, 0x17f, 0x7ff, 0x800, 0xffff, 0x10000]) {
    const character = String.fromCodePoint(code)
    const escapes = Array.from({ length: character.length }, (_, at) => {
      return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
    })
    for (const spelling of [Buffer.from(character).toString('latin1'), escapes.join('')]) {
      const events = ['', 'a', 'a'.repeat(15), 'a'.repeat(16), 'a'.repeat(40)].map((before) => {
        return `data: {"choices":[{"delta":{"content":"${before}${spelling}z"}}]}\n\n`
      })
      assertSameCutOrNot(openaiChat, events.join('').repeat(2))
    }
  }
})

test('WasmDecoder: a template of an element is for its keys, however far their colons are', () => {
  const element = (key: string): string => `{"${key}"\n:{"code":1}}`
  const body = `[${['error', 'errox', 'error', 'errox', 'error'].map(element).join(',')}]`
  for (let turn = 0; turn < 3; turn++) assertSameCutOrNot(geminiArray, body)
})

test('WasmDecoder: a template serves no event of another name', () => {
  // Its own program: where other tests have left templates in debt, none is learnt.
  const dialect = { ...openaiChat }
  const event = (name: string): string => `event: ${name}\ndata: {"message":"m"}\n\n`
  const body = event('error').repeat(4) + event('errol') + event('error') + event('errors')
  for (let turn = 0; turn < 3; turn++) assertSameCutOrNot(dialect, body)
})

test('WasmDecoder: a name’s malformed bytes count in each event whose type it tells', () => {
  const event = (data: string): string => `event: \xff\xc3(\ndata: ${data}\n\n`
  for (const [dialect, data, count] of [
    [openaiChat, '{"id":"a"}', 2],
    [anthropic, '{"usage":{}}', 2],
    [anthropic, '{"type":"ping"}', 0],
  ] as const) {
    const body = latin1(event(data).repeat(5))
    assert.equal(assertSame(dialect, [body], {}, 3).counts.replacements, 5 * count)
    assertSameCutOrNot(dialect, event(data).repeat(5), {})
    const failed = assertSame(dialect, [body], { strict: true }, 3).steps.at(-1) === 1
    assert.equal(failed, count > 0)
  }
})

test('WasmDecoder: what was said by an event that is given up is said by the next', () => {
  const event = (index: number): string =>
    `data: {"id":"a","model":"m","choices":[{"delta":{"role":"r","content":""}},` +
    `{"index":1,"delta":{"content":"\xff","refusal":""}},{"index":${index}}]}\n\n`
  assertSameCutOrNot(openaiChat, event(-1) + event(2) + event(-1) + event(2))
})

test('WasmDecoder: an index is one up to 2^31 - 1, and a choice up to 2^16 - 1', () => {
  const numbers = ['0', '00', '7', '-0', '1e0', '65535', '65536', '2147483647', '2147483648']
  const more = ['4294967295', '4294967296', '18446744073709551616', '99999999999999999999']
  for (const number of [...numbers, ...more]) {
    const tool = `{"delta":{"tool_calls":[{"index":${number},"id":"a"}]}}`
    assertSameCutOrNot(openaiChat, `data: {"choices":[${tool}]}\n\n`.repeat(3))
    const choice = `{"index":${number},"delta":{"content":"a"}}`
    assertSameCutOrNot(openaiChat, `data: {"choices":[${choice}]}\n\n`.repeat(3))
    assertSameCutOrNot(openaiChat, `data: {"choices":[${choice},${choice}]}\n\n`)
  }
})
