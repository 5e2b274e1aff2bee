/** AWS frames on the WASM decoder: edges of its own, templates, and the wrapping of InvokeModel. */
import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { test } from 'node:test'
import { bedrockEventstream } from '../src/shared/dialects/bedrock-eventstream.ts'
import { crcTables } from '../src/shared/decoder/crc32.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { jsonl } from '../src/shared/dialects/records.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { ROW_WORDS } from '../src/shared/rows.ts'
import { awsFrame, awsFrameOf } from './aws-frames.ts'
import { byteWise, randomCuts, seeded, testSeed } from './chunking.ts'
import { assertSame, engine, plainDecoder, type Setup, traceOf, wasmDecoder } from './wasm-host.ts'

const records: Dialect = { ...jsonl, name: 'records', framing: 'aws-eventstream' }

const seed = testSeed()
const random = seeded(seed)

/** The same stream whole, byte by byte, and cut at random. */
function assertSameCutOrNot(dialect: Dialect, body: Uint8Array, setup: Setup = {}): void {
  assertSame(dialect, [body], setup, 3)
  assertSame(dialect, byteWise(body), setup, 3)
  assertSame(dialect, randomCuts(body, 30, random), setup, 5)
}

test('crcTables: each is what a byte does with one more zero behind it', () => {
  const tables = crcTables(16)
  // Of a CRC that was not inverted: what a byte adds to that of zeros alone.
  const added = (byte: number, zeros: number): number => {
    const bytes = Buffer.alloc(1 + zeros)
    const of = crc32(bytes)
    bytes[0] = byte
    return (crc32(bytes) ^ of) >>> 0
  }
  for (let table = 0; table < 16; table++) {
    for (const byte of [0, 1, 0x80, 0xab, 0xff]) {
      assert.equal(tables[table * 256 + byte], added(byte, table))
    }
  }
})

test('WasmDecoder: a frame of any length passes its CRC, and with a wrong bit fails it', () => {
  for (let length = 0; length < 70; length++) {
    const payload = Buffer.from(Array.from({ length }, () => random() * 256))
    const frame = awsFrameOf(Buffer.alloc(0), payload)
    assert.equal(assertSame(records, [frame], {}, length).counts.events, 1)
    for (let at = 0; at < frame.length; at++) {
      const wrong = Buffer.from(frame)
      wrong[at]! ^= 1 << (at & 7)
      const { steps } = assertSame(records, [wrong], {}, at)
      assert.equal(steps.at(-1), 1, 'it fails')
    }
  }
})

test('WasmDecoder: eventBytesMax holds to the byte in AWS frames, and to their preludes', () => {
  const frame = awsFrame({ ':event-type': 'e' }, '{}')
  for (let off = -2; off <= 2; off++) {
    const setup = { limits: { eventBytesMax: frame.length + off, lineBytesMax: 256 } }
    assertSameCutOrNot(records, Buffer.concat([frame, frame]), setup)
  }
})

test('WasmDecoder: headers as long as those of the event before are read where they differ', () => {
  const names = ['contentBlockDelta', 'contentBlockStart', 'contentBlockStart', 'contentBlockDelta']
  const frames = names.map((name) =>
    awsFrame({ ':event-type': name, ':message-type': 'event' }, '{}'),
  )
  const error = { ':error-code': 'a-code-as-long-as', ':message-type': 'error' }
  frames.push(awsFrame(error, '{}'), frames[0]!)
  assertSameCutOrNot(records, Buffer.concat(frames))
  assertSameCutOrNot(bedrockEventstream, Buffer.concat(frames), { raw: true })
})

test('WasmDecoder: a document or a page is known before the end of a prelude, or never', () => {
  for (let blanks = 0; blanks < 16; blanks++) {
    for (const text of ['{"message":"denied"}', '[{}]', '<html>', 'x', '']) {
      for (const mark of ['', '\ufeff', '\ufeff\ufeff']) {
        const body = Buffer.from(mark + ' '.repeat(blanks) + text)
        const [whole, ...others] = [[body], byteWise(body), randomCuts(body, 4, random)].map(
          (chunks) => {
            const { rows, text: said } = assertSame(bedrockEventstream, chunks, {}, 0)
            return { rows, said }
          },
        )
        for (const other of others) assert.deepEqual(other, whole)
      }
    }
  }
})

test('WasmDecoder: of equal headers the last counts, and only one that is a string', () => {
  const string = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.from([name.length, ...Buffer.from(name), 7, 0, value.length]),
      Buffer.from(value),
    ])
  const isTrue = (name: string): Buffer => Buffer.from([name.length, ...Buffer.from(name), 0])
  const exception = string(':message-type', 'exception')
  const type = string(':exception-type', 'one')
  const heads = [
    [exception, type],
    [exception, string(':message-type', 'event')],
    [string(':message-type', 'event'), exception, type, string(':exception-type', 'two')],
    [exception, type, isTrue(':message-type'), isTrue(':exception-type')],
    [string(':event-type', 'a'), string(':event-type', 'b'), isTrue(':event-type')],
    [string(':message-type', 'exceptional'), type],
    [string(':message-type', 'errors'), string(':message-type', 'erro')],
    [string(':message-type', 'error'), string(':error-code', 'c'), string(':error-message', 'm')],
    [string(':message-type', 'error'), string(':error-code', 'c\xff')],
    [string(':event-typ', 'x'), string(':event-type:', 'y'), string('event-type:', 'z')],
  ]
  for (const head of heads) {
    const frame = awsFrameOf(Buffer.concat(head), Buffer.from('{"a":1}'))
    assertSameCutOrNot(records, frame)
    assertSameCutOrNot(bedrockEventstream, frame, { raw: true })
  }
})

test('WasmDecoder: malformed UTF-8 of an exception is counted, and ends a strict stream', () => {
  for (const payload of ['{"message":"a\xff"}', 'plain \xff\xff', '\xff{}', '{}\xff', '']) {
    const head = ':message-type exception :exception-type t\xfft'.split(' ')
    const headers = Buffer.concat(
      [0, 2].map((at) => {
        const [name, value] = [head[at]!, Buffer.from(head[at + 1]!, 'latin1')]
        const lengths = Buffer.from([name.length, ...Buffer.from(name), 7, 0, value.length])
        return Buffer.concat([lengths, value])
      }),
    )
    const frame = awsFrameOf(headers, Buffer.from(payload, 'latin1'))
    for (const strict of [false, true]) assertSameCutOrNot(bedrockEventstream, frame, { strict })
  }
})

test('WasmDecoder: an exception after the end of a stream is counted, and no more', () => {
  const dialect: Dialect = { ...bedrockEventstream, name: 'ended', sentinels: ['[DONE]'] }
  const headers = { ':message-type': 'exception', ':exception-type': 'late' }
  const body = Buffer.concat([awsFrame({}, '[DONE]'), awsFrame(headers, '{}')])
  assertSameCutOrNot(dialect, body)
  const { rows, counts } = assertSame(dialect, [body], {}, 0)
  assert.deepEqual([rows.length / ROW_WORDS, counts.events], [1, 2])
})

// ---- The wrapping.

const chunkOf = (bytes: string): Buffer => awsFrame({ ':event-type': 'chunk' }, bytes)
const wrappedOf = (payload: string | Uint8Array): Buffer =>
  chunkOf(`{"bytes":"${Buffer.from(payload).toString('base64')}","p":"abc"}`)

test('WasmDecoder: base64 of any length and any bytes is what it stands for', () => {
  for (let length = 0; length < 100; length++) {
    const text = Array.from({ length }, (_, at) => String.fromCharCode(33 + ((at * 7) % 90)))
    const payload = JSON.stringify({ outputText: text.join('') })
    assertSameCutOrNot(bedrockEventstream, wrappedOf(payload))
    const noise = Buffer.from(Array.from({ length }, () => random() * 256))
    assertSame(bedrockEventstream, [wrappedOf(noise)], {}, length)
  }
})

test('WasmDecoder: a byte that is no letter of base64 is none, wherever it stands', () => {
  const letters = Buffer.from(JSON.stringify({ outputText: 'x'.repeat(40) })).toString('base64')
  for (let byte = 1; byte < 256; byte++) {
    for (const at of [0, 5, 15, 16, 31, letters.length - 4, letters.length - 1]) {
      const body = Buffer.from(`{"bytes":"${letters}"}`)
      body[10 + at] = byte
      const frame = awsFrameOf(Buffer.from('\x0b:event-type\x07\0\x05chunk'), body)
      assertSame(bedrockEventstream, [frame], {}, byte % 64)
    }
  }
})

test('WasmDecoder: base64 may have escapes, and padding only at its end', () => {
  const payload = JSON.stringify({ outputText: '\u00ff\u00bf?>'.repeat(9) })
  const letters = Buffer.from(payload).toString('base64')
  assert.match(letters, /[/+]/)
  const spellings = [
    letters.replaceAll('/', '\\/'),
    letters.replace(/^./, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
    letters.replaceAll('=', '\\u003d'),
    ...'=|==|===|====|a|aa|aaa|a=|aa=|a==|aaa=|aa==|=aa=|aa=a|a=aa| |'.split('|'),
    `aa==${letters}`,
    `${letters}=`,
    letters.replace(/=*$/, ''),
  ]
  for (const spelling of spellings) {
    assertSameCutOrNot(bedrockEventstream, chunkOf(`{"bytes":"${spelling}"}`))
  }
})

test('WasmDecoder: base64 that ends in mid-group is none, whatever its slab held before', () => {
  const letters = Buffer.from(JSON.stringify({ outputText: 'letters' })).toString('base64')
  const whole = chunkOf(`{"bytes":"${letters.replace('e', '\\u0065')}"}`)
  for (let count = 0; count < 12; count++) {
    const body = Buffer.concat([whole, chunkOf(`{"bytes":"${'A'.repeat(count)}\\u0041"}`)])
    assertSameCutOrNot(bedrockEventstream, body)
  }
})

test('WasmDecoder: a payload is wrapped in any framing where a dialect says so', () => {
  const letters = Buffer.from('{"id":"inside"}').toString('base64')
  const rules = [{ emit: 'id', path: 'id' }] as const
  for (const on of ['', 'chunk']) {
    const dialect: Dialect = {
      name: 'shells',
      framing: 'sse',
      payload: 'json',
      end: 'none',
      wrapped: { on, path: 'a.b' },
      rules,
    }
    const event = (name: string): string =>
      `${name}data: {"id":"outside","a":{"b":"${letters}"}}\n\n`
    const body = Buffer.from(event('') + event('event: chunk\n') + event('event: junk\n'))
    for (const raw of [false, true]) assertSameCutOrNot(dialect, body, { raw })
  }
})

// ---- Templates.

const TOKENS = ['Hi', '', ' there', '\\n', 'caf\u00e9', ' a word of more than sixteen bytes', '\\"']

interface Shape {
  readonly name: string
  readonly type: string
  /** The payload with its nth token. */
  readonly payload: (n: number) => string
  readonly isWrapped?: true
}

const token = (n: number): string => TOKENS[n % TOKENS.length]!
const padding = (n: number): string => 'x'.repeat(n % 5)

const shapes: readonly Shape[] = [
  {
    name: 'a Converse delta',
    type: 'contentBlockDelta',
    payload: (n) =>
      `{"contentBlockIndex":${n % 2},"delta":{"text":"${token(n)}"},"p":"${padding(n)}"}`,
  },
  {
    name: 'a Converse tool delta on lines of its own',
    type: 'contentBlockDelta',
    payload: (n) =>
      `{\r\n  "contentBlockIndex": 1,\n  "delta":\n{"toolUse":{"input":"${token(n)}"}}\n}\n`,
  },
  {
    name: 'a wrapped Anthropic delta',
    type: 'chunk',
    isWrapped: true,
    payload: (n) =>
      `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${token(n)}"}}`,
  },
  {
    name: 'a wrapped Titan chunk',
    type: 'chunk',
    isWrapped: true,
    payload: (n) => `{"outputText":"${token(n)}","index":0,"completionReason":null}`,
  },
]

function frameOf({ type, payload, isWrapped }: Shape, n: number): Buffer {
  if (isWrapped) return wrappedOf(payload(n))
  const headers = { ':event-type': type, ':content-type': 'application/json' }
  return awsFrame({ ...headers, ':message-type': 'event' }, payload(n))
}

const framesOf = (shape: Shape, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, n) => frameOf(shape, n)))

/** How many payloads templates served while `run` ran. */
function hitsOf(run: () => void): number {
  const before = engine.templateHits
  run()
  return engine.templateHits - before
}

for (const shape of shapes) {
  test(`WasmDecoder: ${shape.name} is served by a template, whole or cut`, () => {
    assertSame(bedrockEventstream, [framesOf(shape, 2 * TOKENS.length * 5)], {}, 0)
    const body = framesOf(shape, 100)
    for (const chunks of [[body], byteWise(body)]) {
      const hits = hitsOf(() => traceOf(wasmDecoder(bedrockEventstream), chunks))
      assert.ok(hits >= 98, `${hits} of 100`)
    }
    assertSameCutOrNot(bedrockEventstream, body)
    assertSame(bedrockEventstream, [body], { raw: true }, 0)
    assertSame(bedrockEventstream, [body], { strict: true }, 0)
  })
}

const BYTES = [...Buffer.from('"\\\n\r {}[]:,0-9en x'), 0x00, 0x1f, 0x7f, 0x80, 0xc3, 0xff]

for (const shape of shapes) {
  test(`WasmDecoder: ${shape.name} with any byte changed gives the plain decoder's rows`, () => {
    traceOf(wasmDecoder(bedrockEventstream), [framesOf(shape, 60)])
    // What is learnt from one neighbour must not help with the next.
    const { bytes } = engine.heap
    const learnt = bytes.slice()
    const payload = Buffer.from(shape.payload(5))
    for (let at = 0; at < payload.length; at++) {
      for (const byte of BYTES) {
        const changed = Buffer.from(payload)
        changed[at] = byte
        const text = changed.toString('latin1')
        const frame = shape.isWrapped
          ? wrappedOf(changed)
          : awsFrameOf(frameOf(shape, 0).subarray(12, -4 - shape.payload(0).length), changed)
        const body = Buffer.concat([frameOf(shape, 0), frame, frameOf(shape, 2)])
        const expected = traceOf(plainDecoder(bedrockEventstream), [body])
        bytes.set(learnt)
        assert.deepEqual(traceOf(wasmDecoder(bedrockEventstream), [body]), expected, text)
      }
    }
  })
}

test('WasmDecoder: a template serves no frame of another name', () => {
  const [shape] = shapes as [Shape]
  const frame = (type: string, n: number): Buffer =>
    awsFrame({ ':event-type': type }, shape.payload(n))
  const names = ['contentBlockDelta', 'contentBlockDelts', 'contentBlockDelt', 'messageStart', '']
  const body = Buffer.concat(
    Array.from({ length: 60 }, (_, n) => [
      frame('contentBlockDelta', n),
      frame(names[n % names.length]!, n),
    ]).flat(),
  )
  for (let turn = 0; turn < 3; turn++) assertSame(bedrockEventstream, [body], {}, turn)
})

test('WasmDecoder: streams whose frames take turns share templates', () => {
  const frame = (stream: number, n: number): Uint8Array => frameOf(shapes[stream % 4]!, n)
  // Its program has learnt nothing yet, and owes nothing.
  const dialect = { ...bedrockEventstream }
  const turns = (count: number): void => {
    const decoders = Array.from({ length: 8 }, () => wasmDecoder(dialect))
    const rows = new RowWriter()
    for (let n = 0; n < count; n++) {
      // In another order each time, so that none is the successor that was expected.
      for (let turn = 0; turn < 8; turn++) {
        const stream = (turn * (1 + 2 * (n % 4)) + n) % 8
        decoders[stream]!.push(frame(stream, n), rows)
      }
    }
    for (const decoder of decoders) decoder.release()
  }
  turns(40)
  const hits = hitsOf(() => turns(10))
  assert.ok(hits >= 78, `${hits} of 80`)
})
