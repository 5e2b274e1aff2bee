/** NDJSON, JSON arrays and AWS event streams: cut into payloads, however the body is cut. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from '../src/shared/decoder/crc32.ts'
import type { Dialect, Framing } from '../src/shared/dialects/dialect.ts'
import { jsonl, sse } from '../src/shared/dialects/records.ts'
import { awsEvent, awsFrame, awsFrameOf } from './aws-frames.ts'
import { byteWise, everySplit } from './chunking.ts'
import { decode, type DecodeSetup, type SeenRow } from './decoding.ts'

const records = (framing: Framing): Dialect => ({ ...jsonl, name: 'records', framing })

interface Case {
  readonly name: string
  readonly body: string | Uint8Array
  readonly rows: readonly SeenRow[]
  readonly pendingBytes?: number
  readonly setup?: DecodeSetup
}

const data = (...texts: string[]): SeenRow[] => texts.map((text) => ['event-data', text])

const fault = (kind: 'error' | 'fatal', code: number, message: string, offset = 0): SeenRow => {
  return [kind, JSON.stringify({ offset, message, excerpt: '' }), `c${code}`]
}

function testFraming(framing: Framing, cases: readonly Case[]): void {
  for (const { name, body, rows, pendingBytes = 0, setup } of cases) {
    test(`${framing}: ${name}`, () => {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
      for (const chunks of everySplit(bytes)) {
        const decoded = decode(records(framing), chunks, setup)
        assert.deepEqual(decoded.rows, rows)
        assert.equal(decoded.pendingBytes, pendingBytes)
      }
    })
  }
}

const LINE_TOO_LONG = 2
const EVENT_TOO_LARGE = 3
const FRAME_CORRUPT = 8

testFraming('ndjson', [
  {
    name: 'a payload is a line, without its CR',
    body: '{"a":1}\n{"b":2}\r\n',
    rows: data('{"a":1}', '{"b":2}'),
  },
  {
    name: 'the last line ends with the source',
    body: 'a\nb',
    rows: data('a', 'b'),
    pendingBytes: 1,
  },
  { name: 'blank lines are skipped', body: '\n\r\n \t\r\na\n\n  \n', rows: data('a') },
  {
    name: 'a byte order mark is skipped, once',
    body: '\ufeffa\n\ufeffb\n',
    rows: data('a', '\ufeffb'),
  },
  { name: 'a CR inside of a line is part of it', body: 'a\rb\n', rows: data('a\rb') },
  {
    name: 'a line at the limit passes, one byte more fails at its start',
    body: `12345678\n123456789\nx`,
    rows: [
      ...data('12345678'),
      fault('fatal', LINE_TOO_LONG, 'line exceeds lineBytesMax, 8 bytes', 9),
    ],
    setup: { limits: { lineBytesMax: 8 } },
  },
])

testFraming('json-array', [
  {
    name: 'a payload is an element, whatever lies between',
    body: '[{"a":[1,{"b":"]"}]}\n,\r\n{"c":2},[3]\n]\n',
    rows: data('{"a":[1,{"b":"]"}]}', '{"c":2}', '[3]'),
  },
  {
    name: 'brackets, commas and escaped quotes inside of strings are text',
    body: '["\\"],[", {"a":"}\\\\"}, "\\\\\\"]"]',
    rows: data('"\\"],["', '{"a":"}\\\\"}', '"\\\\\\"]"'),
  },
  {
    name: 'numbers and words end with what follows them',
    body: '[1,true ,null\n,-2]',
    rows: data('1', 'true', 'null', '-2'),
  },
  { name: 'an empty array has no payload', body: '\ufeff \n[ ]\n', rows: [] },
  {
    name: 'an object in place of the array is one',
    body: '{"error":{}}',
    rows: data('{"error":{}}'),
  },
  {
    name: 'a number in place of the array ends with the source',
    body: ' 12',
    rows: data('12'),
    pendingBytes: 2,
  },
  { name: 'what follows the array is no less', body: '[1] x [2]', rows: data('1', 'x', '2') },
  {
    name: 'a comma outside of the array is a byte like any other',
    body: '[1],,2,3 },{}',
    rows: data('1', ',', ',2', ',3', '}', ',{}'),
  },
  {
    name: 'an element that is cut is dropped',
    body: '[{"a":1},{"b":',
    rows: data('{"a":1}'),
    pendingBytes: 5,
  },
  {
    name: 'an element at the limit passes, one byte more fails at its start',
    body: '["345678","3456789"]',
    rows: [
      ...data('"345678"'),
      fault('fatal', EVENT_TOO_LARGE, 'event exceeds eventBytesMax, 8 bytes', 10),
    ],
    setup: { limits: { eventBytesMax: 8 } },
  },
])

test('json-array: each element is out with its last byte', () => {
  const dialect = records('json-array')
  const counts = byteWise(new TextEncoder().encode('[{}, 1,"s"]')).map((_, at, bytes) => {
    return decode(dialect, bytes.slice(0, at + 1)).rows.length
  })
  // Ending the source completes the number.
  assert.deepEqual(counts, [0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3])
})

const hello = awsEvent('greeting', { a: 1 })
const bad = (at: number): Buffer => {
  const frame = Buffer.from(hello)
  frame[at] = (frame[at] as number) ^ 1
  return frame
}
/** The fault of bytes that end with a CRC that is not theirs. */
const badCrc = (what: string, bytes: Uint8Array, offset = 0): SeenRow => {
  const sent = Buffer.from(bytes.slice(-4)).toString('hex')
  const message = `CRC of the ${what} is ${crcOf(bytes.subarray(0, -4))}, ${sent} was sent`
  return fault('fatal', FRAME_CORRUPT, message, offset)
}
const crcOf = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0')

testFraming('aws-eventstream', [
  {
    name: 'a payload is that of a frame, its name the event type',
    body: Buffer.concat([hello, awsFrame({}, 'x'), hello]),
    rows: [
      ['event-name', 'greeting'],
      ...data('{"a":1}', 'x'),
      ['event-name', 'greeting'],
      ...data('{"a":1}'),
    ],
  },
  {
    name: 'headers of every type are stepped over',
    body: awsFrameOf(
      Buffer.concat([
        ...[0, 1, 2, 4, 8].map((bytes, at) => {
          return Buffer.concat([Buffer.from([1, 0x61, at === 0 ? 0 : at + 1]), Buffer.alloc(bytes)])
        }),
        Buffer.from([1, 0x62, 1, 1, 0x62, 6, 0, 2, 9, 9, 1, 0x63, 8]),
        Buffer.alloc(8),
        Buffer.from([1, 0x64, 9]),
        Buffer.alloc(16),
        Buffer.from([11, ...Buffer.from(':event-type'), 7, 0, 1, 0x65]),
      ]),
      Buffer.from('x'),
    ),
    rows: [['event-name', 'e'], ...data('x')],
  },
  {
    name: 'a frame that is cut is dropped',
    body: hello.subarray(0, -1),
    rows: [],
    pendingBytes: hello.length - 1,
  },
  {
    name: 'a prelude that is cut is dropped',
    body: hello.subarray(0, 11),
    rows: [],
    pendingBytes: 11,
  },
  {
    name: 'a prelude that fails its CRC is corrupt before the rest of the frame is there',
    body: Buffer.concat([hello, bad(0).subarray(0, 12)]),
    rows: [
      ['event-name', 'greeting'],
      ...data('{"a":1}'),
      badCrc('prelude', bad(0).subarray(0, 12), hello.length),
    ],
  },
  {
    name: 'a frame that fails its CRC is corrupt, and nothing after it counts',
    body: Buffer.concat([bad(hello.length - 6), hello]),
    rows: [badCrc('frame', bad(hello.length - 6))],
  },
  {
    name: 'headers that are cut, or of no type, are corrupt',
    body: awsFrameOf(Buffer.from([1, 0x61, 7, 0, 9, 0x61]), Buffer.alloc(0)),
    rows: [fault('fatal', FRAME_CORRUPT, 'headers of the frame are not whole')],
  },
  {
    name: 'a header of no known type is corrupt',
    body: awsFrameOf(Buffer.from([1, 0x61, 10]), Buffer.alloc(0)),
    rows: [fault('fatal', FRAME_CORRUPT, 'headers of the frame are not whole')],
  },
  {
    name: 'headers longer than their frame are corrupt, whatever the CRC',
    body: withPrelude(hello.length, hello.length - 15),
    rows: [fault('fatal', FRAME_CORRUPT, `frame of ${hello.length} bytes has impossible lengths`)],
  },
  {
    name: 'a frame shorter than a frame is corrupt',
    body: withPrelude(15, 0),
    rows: [fault('fatal', FRAME_CORRUPT, 'frame of 15 bytes has impossible lengths')],
  },
  {
    name: 'a frame above the limit fails with its prelude',
    body: withPrelude(2 ** 31, 0),
    rows: [fault('fatal', EVENT_TOO_LARGE, 'event exceeds eventBytesMax, 4194304 bytes')],
  },
])

function withPrelude(total: number, headers: number): Buffer {
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(total, 0)
  prelude.writeUInt32BE(headers, 4)
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
  return prelude
}

test('flushIncomplete: an SSE event counts without its blank line or line end', () => {
  for (const [body, rows] of [
    ['data: a\n\ndata: b', data('a', 'b')],
    ['data: a\n\nevent: e\ndata: b\n', [...data('a'), ['event-name', 'e'], ...data('b')]],
    ['data: a\n\n', data('a')],
    ['data: a\n\nevent: e', data('a')],
    ['data: a\n\n: comment', data('a')],
  ] as const) {
    for (const chunks of everySplit(new TextEncoder().encode(body))) {
      assert.deepEqual(decode(sse, chunks, { flushIncomplete: true }).rows, rows, body)
      const kept = decode(sse, chunks).rows
      assert.deepEqual(kept, data('a'), body)
    }
  }
})
