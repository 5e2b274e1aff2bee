/** What callers may pass for options, and what they get for the rest. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import {
  createDecoder,
  createMillrace,
  MillraceError,
  type DecodeOptions,
  type Millrace,
  type StreamLimits,
} from '../src/main/index.ts'
import * as limits from '../src/shared/limits.ts'
import type { Range } from '../src/shared/limits.ts'
import { chat } from './chat-bytes.ts'

/** Nothing that an option takes, and some of it hard to put into a message. */
const NONSENSE: readonly unknown[] = [
  Symbol('odd'),
  5n,
  -1,
  0.5,
  NaN,
  '',
  [],
  {},
  Object.create(null),
  () => 1,
  { toString: () => assert.fail('asked for its text') },
]

const STREAM_OPTIONS: readonly (keyof DecodeOptions)[] = [
  'dialect',
  'placement',
  'windowBytes',
  'timeout',
  'durationMax',
  'strict',
  'accumulate',
  'finalBytesMax',
  'signal',
  'lineBytesMax',
  'eventBytesMax',
  'jsonDepthMax',
  'jsonNumberBytesMax',
  'eventNameBytesMax',
  'eventIdBytesMax',
]

let mill: Millrace
before(async () => {
  mill = await createMillrace()
})
after(() => mill.close())

function assertRefused(use: () => unknown, name: string): void {
  assert.throws(use, (error) => {
    assert.ok(error instanceof MillraceError, `${name}: ${String(error)}`)
    // A name that is none, or an object that is no table.
    if (name !== 'dialect' || !/^DIALECT_(UNKNOWN|INVALID)$/.test(error.code)) {
      assert.equal(error.code, 'OPTION_INVALID', name)
      assert.equal(error.details['option'], name)
    }
    assert.ok(error.message.length < 500, error.message)
    return true
  })
}

for (const name of STREAM_OPTIONS) {
  test(`${name}: nonsense is refused at once, with its name`, () => {
    for (const value of NONSENSE) {
      const options = { dialect: 'sse', [name]: value } as unknown as DecodeOptions
      assertRefused(() => createDecoder(options), name)
      assertRefused(() => mill.open(options), name)
      assertRefused(() => mill.decodeFile('none', options), name)
    }
  })
}

test('dialect: a name that is none is DIALECT_UNKNOWN and lists those there are', () => {
  const unknown = { code: 'DIALECT_UNKNOWN', message: /'klingon'.* openai-chat, .*anthropic/ }
  assert.throws(() => createDecoder({ dialect: 'klingon' }), unknown)
})

test('options: what is no object, or holds a misspelt name, is refused', () => {
  for (const options of [null, 5, 'sse', Symbol('odd')]) {
    assertRefused(() => createDecoder(options as unknown as DecodeOptions), 'options')
  }
  const misspelt = { dialect: 'sse', windowByte: 1024 } as DecodeOptions
  assertRefused(() => createDecoder(misspelt), 'windowByte')
})

test('createMillrace: nonsense is refused before any thread is started', async () => {
  const urls = ['file://host/worker.js', 'file:///a%2Fb.js', 'https://a/worker.js', 'data:,']
  const refused: readonly [name: string, value: unknown][] = [
    ...NONSENSE.map((value): [string, unknown] => ['workers', value]),
    ...NONSENSE.map((value): [string, unknown] => ['bufferedBytesMax', value]),
    ...NONSENSE.map((value): [string, unknown] => ['workerUrl', value]),
    ...urls.map((url): [string, unknown] => ['workerUrl', new URL(url)]),
    ...NONSENSE.map((value): [string, unknown] => ['wasm', value]),
    ...urls.map((url): [string, unknown] => ['wasm', new URL(url)]),
    ['workers', 65],
  ]
  for (const [name, value] of refused) {
    await assert.rejects(createMillrace({ [name]: value }), (error) => {
      assertRefused(() => {
        throw error as Error
      }, name)
      return true
    })
  }
})

test('decodeFile: a path that is none fails the stream with SOURCE_FAILED', async () => {
  const paths: readonly unknown[] = ['a\0b', new URL('http://a/b'), 7777, Symbol('odd'), null]
  for (const path of paths) {
    const stream = mill.decodeFile(path as string, { dialect: 'sse' })
    await assert.rejects(stream.final(), { code: 'SOURCE_FAILED' })
  }
})

test('docs: the table of bounds has every option that is a number, as it is', () => {
  const page = readFileSync(new URL('../../docs/ARCHITECTURE.md', import.meta.url), 'utf8')
  const rows = page.matchAll(/^\| `(\w+)` \| \w+ \| ([\d,]+) \| ([\d,]+).*? \| ([\d,]+) \|/gm)
  const told = Array.from(rows, ([, name = '', ...numbers]): [string, Range] => {
    const [fallback, min, max] = numbers.map((text) => Number(text.replace(/\D/g, '')))
    return [name, { min: min!, max: max!, fallback: fallback! }]
  })
  const names = Object.keys(limits.STREAM_LIMITS_DEFAULT) as (keyof StreamLimits)[]
  const ofBytes = names.map((name): [string, Range] => {
    const min = limits.STREAM_LIMITS_LEAST[name]
    const max = limits.STREAM_LIMITS_CAP[name]
    return [name, { min, max, fallback: limits.STREAM_LIMITS_DEFAULT[name] }]
  })
  assert.deepEqual(Object.fromEntries(told), {
    workers: limits.WORKERS,
    bufferedBytesMax: limits.BUFFERED_BYTES,
    windowBytes: limits.WINDOW_BYTES,
    timeout: limits.TIMEOUT_MS,
    durationMax: limits.DURATION_MS,
    finalBytesMax: limits.FINAL_BYTES,
    ...Object.fromEntries(ofBytes),
  })
})

test('options: their bounds are themselves allowed', async () => {
  const least = {
    windowBytes: 1024,
    lineBytesMax: 256,
    eventBytesMax: 256,
    jsonDepthMax: 4,
    jsonNumberBytesMax: 32,
    eventNameBytesMax: 64,
    eventIdBytesMax: 64,
  }
  const MIB = 1024 * 1024
  const most = {
    windowBytes: 16 * MIB,
    lineBytesMax: 64 * MIB,
    eventBytesMax: 64 * MIB,
    jsonDepthMax: 1024,
    jsonNumberBytesMax: 1024,
    eventNameBytesMax: 1024,
    eventIdBytesMax: 8192,
    timeout: 2 ** 31 - 1,
    durationMax: 2 ** 31 - 1,
    finalBytesMax: 2 ** 30,
  }
  for (const options of [least, most]) {
    const stream = mill.decode(chat('a'), { dialect: 'openai-chat', ...options })
    assert.equal((await stream.final()).text[0], 'a')
    for (const [name, value] of Object.entries(options)) {
      const outside = options === least ? (name === 'jsonDepthMax' ? 0 : value - 1) : value + 1
      assertRefused(() => createDecoder({ dialect: 'sse', [name]: outside }), name)
    }
  }
})

const WASM = new URL('../src/shared/decoder/decoder.wasm', import.meta.url)

/** As a bundler might leave it. */
const folder = mkdtempSync(join(tmpdir(), 'millrace-wasm-'))
after(() => rmSync(folder, { recursive: true }))
const copy = pathToFileURL(join(folder, 'decoder-1a2b3c.wasm'))
copyFileSync(WASM, copy)

const SOURCES: readonly [name: string, wasm: URL | WebAssembly.Module][] = [
  ['the URL of a copy', copy],
  ['a compiled module', new WebAssembly.Module(readFileSync(WASM))],
]
const skip = process.env['MILLRACE_DECODER'] === 'plain' && 'the plain decoder was asked for'

for (const [name, wasm] of SOURCES) {
  test(`wasm: ${name} decodes inline and in workers`, { skip }, async () => {
    const decoder = createDecoder({ dialect: 'openai-chat', wasm })
    assert.equal(decoder.push(chat('a')).length, 3)
    const other = await createMillrace({ wasm })
    for (const placement of ['inline', 'worker'] as const) {
      const stream = other.decode(chat('a'), { dialect: 'openai-chat', placement })
      assert.equal((await stream.final()).text[0], 'a')
    }
    await other.close()
  })
}

// (func unreachable), exported under the names of the decoder's functions.
const TRAP = Buffer.concat([
  Buffer.from('\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x1b\x03', 'latin1'),
  ...['push', 'finish', 'release'].map((name) =>
    Buffer.from(`${String.fromCharCode(name.length)}${name}\0\0`, 'latin1'),
  ),
  Buffer.from('\x0a\x05\x01\x03\0\0\x0b', 'latin1'),
])

test('wasm: the workers run what they were given, and nothing else', { skip }, async () => {
  const other = await createMillrace({ wasm: new WebAssembly.Module(TRAP) })
  const stream = other.decode(chat('a'), { dialect: 'openai-chat' })
  await assert.rejects(stream.final(), { code: /WORKER_EXITED|STREAM_POISONED/ })
  await other.close()
})

// The smallest module there is: it exports nothing.
const EMPTY = Buffer.from('\0asm\x01\0\0\0', 'latin1')

const NO_DECODERS: readonly [name: string, wasm: () => URL | WebAssembly.Module, RegExp][] = [
  ['a file that is not there', () => new URL('none.wasm', copy), /none\.wasm cannot be read/],
  ['a file that is no WebAssembly', () => file('page.wasm', '<html>'), /page\.wasm is no Web/],
  ['another module’s file', () => file('other.wasm', EMPTY), /is not the decoder/],
  ['another module', () => new WebAssembly.Module(EMPTY), /is not the decoder/],
]

for (const [name, wasm, message] of NO_DECODERS) {
  test(`wasm: ${name} is refused`, { skip }, async () => {
    const refused = { code: 'OPTION_INVALID', message }
    assert.throws(() => createDecoder({ dialect: 'sse', wasm: wasm() }), refused)
    await assert.rejects(createMillrace({ wasm: wasm() }), refused)
  })
}

function file(name: string, content: Uint8Array | string): URL {
  const url = new URL(name, copy)
  writeFileSync(url, content)
  return url
}
