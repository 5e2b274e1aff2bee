import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asciiJson } from '../src/shared/ascii-json.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { everySplit } from './chunking.ts'
import { bodyOf, type Case, decode, type DecodeSetup, type SeenRow, testCases } from './decoding.ts'

const utf8 = new TextEncoder()

const error = (offset: number, text: string, excerpt: string): string => {
  return asciiJson({ offset, message: text, excerpt })
}

const cases: readonly Case[] = [
  {
    name: 'a bare error line is reported at once, outside of the protocol',
    body:
      'data: {"id":\nerror: {"detail": 1}\ndata: "a"}\n\nerror:  plain "text"\n\nerrors: x\n\n' +
      'error\nerror:\nerror: 5\n\ndata: [DONE]\n\nerror: late\n\n',
    rows: [
      ['provider-error', '{"detail": 1}', 'i0'],
      ['id', 'a'],
      ['provider-error', '" plain \\"text\\""', 'i0'],
      ['provider-error', '"5"', 'i0'],
      ['terminator', '[DONE]'],
    ],
  },
  {
    name: 'the sentinel ends by equality, and what follows it is ignored',
    body: ['[DONE] ', '[DONE]x', '[DONE]', { id: 'late' }, 'garbage', '[DONE]'],
    rows: [
      ['error', error(0, 'event is not valid JSON', '[DONE] ')],
      ['error', error(15, 'event is not valid JSON', '[DONE]x')],
      ['terminator', '[DONE]'],
    ],
  },
  {
    name: 'a malformed event is reported with its place and start, and nothing of it is used',
    body: ['{"id":"a"', '', '{"id":"b"}[DONE]', { id: 'c' }, `${'x'.repeat(63)}\u00e9`],
    rows: [
      ['error', error(0, 'event is not valid JSON', '{"id":"a"')],
      ['error', error(17, 'event is empty', '')],
      ['error', error(25, 'event is not valid JSON', '{"id":"b"}[DONE]')],
      ['id', 'c'],
      ['error', error(67, 'event is not valid JSON', `${'x'.repeat(63)}\ufffd`)],
    ],
  },
  {
    name: 'several objects in one event are several payloads',
    body: ['{"id":"a"}{"model":"m"} {"usage":{}}'],
    rows: [
      ['id', 'a'],
      ['model', 'm'],
      ['usage', '{}'],
    ],
  },
  {
    name: 'a payload of JSON that is no object says nothing, and is not malformed',
    body: ['null', '1', '"[DONE]"', '[{"id":"a"}]', 'true'],
    rows: [],
  },
  {
    name: 'an event nested too deep is reported, and the stream goes on',
    body: ['{"id":{"a":{"b":1}}}', '{"id":"x","y":[1]}'],
    rows: [
      ['error', error(0, 'event is nested deeper than jsonDepthMax, 2', '{"id":{"a":{"b":1}}}')],
      ['id', 'x'],
    ].map(([kind, text]) => {
      return kind === 'error' ? ['error', text ?? '', 'c4'] : [kind ?? '', text ?? '']
    }),
    setup: { limits: { jsonDepthMax: 2 } },
  },
  {
    name: 'a JSON document in place of a stream gives its error, and ends it',
    body: '\ufeff\r\n {"error": {"message":"a"}}\n',
    rows: [
      ['provider-error', '{"message":"a"}'],
      [
        'fatal',
        error(6, 'body is a JSON document, no event stream', '{"error": {"message":"a"}}\n'),
        'c1',
      ],
    ],
  },
  {
    name: 'a JSON list in place of a stream is a list of payloads',
    body: '[{"id":"a"},{"error":"b"}]',
    rows: [
      ['id', 'a'],
      ['provider-error', '"b"'],
      [
        'fatal',
        error(0, 'body is a JSON document, no event stream', '[{"id":"a"},{"error":"b"}]'),
        'c1',
      ],
    ],
  },
  {
    name: 'a JSON document that is cut is malformed, and no stream',
    body: '{"error": {',
    rows: [
      ['error', error(0, 'event is not valid JSON', '{"error": {')],
      ['fatal', error(0, 'body is a JSON document, no event stream', '{"error": {'), 'c1'],
    ],
  },
  {
    name: 'an HTML page in place of a stream ends it with the start of the page',
    body: `\n<html>${'x'.repeat(100)}\ndata: {"id":"a"}\n\n`,
    rows: [['fatal', error(1, 'body is HTML, no event stream', `<html>${'x'.repeat(58)}`), 'c1']],
  },
  {
    name: 'a short HTML page is reported at its end',
    body: '<p>',
    rows: [['fatal', error(0, 'body is HTML, no event stream', '<p>'), 'c1']],
  },
]

testCases(openaiChat, cases)

test('openai-chat: malformed UTF-8 is replaced, and counted where it was extracted', () => {
  const body = utf8.encode('data: {"x":"_","id":"a_","choices":[{"delta":{"content":"_"}}]}\n\n')
  const bytes = body.map((byte) => (byte === 0x5f ? 0xff : byte))
  const { rows, counts } = decode(openaiChat, [bytes])
  assert.deepEqual(rows, [
    ['id', 'a\ufffd'],
    ['text', '\ufffd'],
  ])
  assert.equal(counts.replacements, 2)
})

test('raw, strict: an event with malformed UTF-8 gives its error, and nothing that it says', () => {
  const bytes = utf8.encode('data: {"x":"_","id":"a"}\n\n').map((byte) => {
    return byte === 0x5f ? 0xff : byte
  })
  const { rows } = decode(openaiChat, [bytes], { raw: true, strict: true })
  const excerpt = '{"x":"\ufffd","id":"a"}'
  assert.deepEqual(rows, [['fatal', error(0, 'event holds malformed UTF-8', excerpt)]])
})

test('openai-chat: of an event that is given up, no malformed UTF-8 is counted', () => {
  const body = utf8.encode('data: {"id":"_","choices":[{"index":-1}]}\n\n')
  const bytes = body.map((byte) => (byte === 0x5f ? 0xff : byte))
  const { counts, failed } = decode(openaiChat, [bytes])
  assert.deepEqual([counts.replacements, counts.malformed, failed], [0, 1, false])
  const strict = decode(openaiChat, [bytes], { strict: true })
  assert.match(strict.rows[0]![1], /event has -1 for its choice/)
  assert.deepEqual([strict.rows.length, strict.counts.malformed, strict.failed], [1, 1, true])
})

const GZIP: SeenRow = [
  'fatal',
  error(0, 'body is gzip, no event stream: it must be inflated first', ''),
  'c1',
]

test('decode: a body that begins as gzip does is told by its second byte, in every dialect', () => {
  const body = new Uint8Array([0x1f, 0x8b, 8, 0, 0x0a, 0x0a, 0x7b])
  for (const dialect of DIALECT_NAMES.map(findDialect)) {
    for (const chunks of everySplit(body)) {
      assert.deepEqual(decode(dialect, chunks).rows, [GZIP], dialect.name)
    }
    assert.notDeepEqual(decode(dialect, [body.subarray(0, 1)]).rows, [GZIP])
  }
})

test('openai-chat: bytes as of gzip anywhere but at the start are none', () => {
  const stream = utf8.encode('\n\ndata: {"id":"b"}\n\n')
  const [first, second] = [0x1f, 0x8b]
  for (const start of [
    [first],
    [first, first, second],
    [first, 0xef, 0xbb, 0xbf],
    [0x0a, first, second],
    [0xef, 0xbb, 0xbf, first, second],
    [0xef, first, second],
    [second, first],
  ]) {
    for (const chunks of everySplit(new Uint8Array([...start, ...stream]))) {
      assert.deepEqual(decode(openaiChat, chunks).rows, [['id', 'b']], String(start))
    }
  }
})

test('openai-chat: a half byte order mark is no mark, so what follows it is a stream', () => {
  const stream = utf8.encode('{"id":"a"}\n\ndata: {"id":"b"}\n\n')
  for (const mark of [[0xef], [0xef, 0xbb], [0x20, 0xef, 0xbb, 0xbf]]) {
    for (const chunks of everySplit(new Uint8Array([...mark, ...stream]))) {
      assert.deepEqual(decode(openaiChat, chunks).rows, [['id', 'b']])
    }
  }
})

test('strict: the first malformed event is fatal, and nothing after it is decoded', () => {
  const body = utf8.encode(bodyOf([{ id: 'a' }, 'oops', { model: 'm' }]))
  for (const chunks of everySplit(body)) {
    const { rows, failed, counts } = decode(openaiChat, chunks, { strict: true })
    assert.deepEqual(rows, [
      ['id', 'a'],
      ['fatal', error(18, 'event is not valid JSON', 'oops')],
    ])
    assert.equal(failed, true)
    assert.equal(counts.bytes, body.length)
  }
})

test('strict: malformed UTF-8 in what is extracted is fatal, and all its event gives', () => {
  const text = 'data: {"x":"_"}\n\ndata: {"id":"a","model":"_"}\n\n'
  const bytes = utf8.encode(text).map((byte) => (byte === 0x5f ? 0xff : byte))
  const { rows, counts } = decode(openaiChat, [bytes], { strict: true })
  const excerpt = '{"id":"a","model":"\ufffd"}'
  assert.deepEqual(rows, [['fatal', error(17, 'event holds malformed UTF-8', excerpt)]])
  assert.equal(counts.malformed, 1)
})

test('limits: to pass one is fatal, also for a JSON body', () => {
  const event = bodyOf([{ id: 'a'.repeat(100) }])
  const document = event.slice('data: '.length)
  const failures: [body: string, setup: DecodeSetup, place: string, message: string][] = [
    [event, { limits: { lineBytesMax: 100 } }, 'c2', 'line exceeds lineBytesMax, 100 bytes'],
    [event, { limits: { eventBytesMax: 100 } }, 'c3', 'event exceeds eventBytesMax, 100 bytes'],
    [document, { limits: { eventBytesMax: 100 } }, 'c3', 'body exceeds eventBytesMax, 100 bytes'],
    [event, { budgetBytes: 100 }, 'c5', 'no buffer is left for an unfinished event'],
    [event.slice(0, 50), { budgetBytes: 100 }, 'c5', 'no buffer is left for an unfinished line'],
    [document, { budgetBytes: 100 }, 'c5', 'no buffer is left for the body'],
  ]
  for (const [body, setup, place, text] of failures) {
    const { rows, failed } = decode(openaiChat, [utf8.encode(body)], setup)
    assert.deepEqual(rows, [['fatal', error(0, text, ''), place]])
    assert.equal(failed, true)
  }
})

test('pendingBytes: what has begun and not ended, of an event or of a JSON body', () => {
  const pending = (body: string): number => decode(openaiChat, [utf8.encode(body)]).pendingBytes
  assert.equal(pending('data: {"id":"a"}\n\n'), 0)
  assert.equal(pending('data: 123\ndata: 4'), 10)
  assert.equal(pending(' {"error":'), 9)
})

test('counts: events are all that were dispatched, malformed ones and ignored ones too', () => {
  const body = utf8.encode(`:\n${bodyOf([{}, 'x', '[DONE]', {}])}`)
  assert.deepEqual(decode(openaiChat, [body]).counts, {
    bytes: body.length,
    events: 4,
    malformed: 1,
    comments: 1,
    replacements: 0,
    ignoredFields: 0,
  })
})
