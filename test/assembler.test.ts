import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Assembler } from '../src/main/assembler.ts'
import type { TokenEvent } from '../src/main/events.ts'
import type { TokenBatch } from '../src/main/token-batch.ts'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { openaiResponses } from '../src/shared/dialects/openai-responses.ts'
import { sse } from '../src/shared/dialects/records.ts'
import * as row from '../src/shared/rows.ts'
import { eventsOf, fragment, type Row, write } from './assembling.ts'

/** Splits what is one batch into one batch per row: the same events must come. */
function assertEvents(rows: readonly Row[], expected: readonly object[], dialect?: Dialect): void {
  assert.deepEqual(eventsOf([rows], dialect), expected)
  assert.deepEqual(
    eventsOf(
      rows.map((one) => [one]),
      dialect,
    ),
    expected,
    'one row a batch',
  )
}

test('read: deltas are tokens of one string each, by type, choice, index and text', () => {
  const batch = new Assembler(openaiChat).read(
    write([
      [row.ROW_TEXT, 'Grüße'],
      [row.ROW_TEXT, ''],
      [row.ROW_REASONING, '日本', 2, 7],
      [row.ROW_REFUSAL, '😀', 65_535],
    ]).toBatch(),
  )
  const columns = Array.from({ length: batch.length }, (_, at) => [
    batch.type(at),
    batch.choice(at),
    batch.index(at),
    batch.text(at),
    batch.textLength(at),
  ])
  assert.deepEqual(columns, [
    ['text-delta', 0, -1, 'Grüße', 5],
    ['text-delta', 0, -1, '', 0],
    ['reasoning-delta', 2, 7, '日本', 2],
    ['refusal-delta', 65_535, -1, '😀', 2],
  ])
  assert.deepEqual(
    [...batch],
    [
      { type: 'text-delta', choice: 0, text: 'Grüße' },
      { type: 'text-delta', choice: 0, text: '' },
      { type: 'reasoning-delta', choice: 2, text: '日本' },
      { type: 'refusal-delta', choice: 65_535, text: '😀' },
    ],
  )
})

test('read: a lone surrogate at the end of a delta joins the one that begins the next', () => {
  const rows: Row[] = [
    [row.ROW_TEXT, 'a\ud83d'],
    [row.ROW_TEXT, '\ude02b'],
    [row.ROW_TEXT, 'c'],
    [row.ROW_ROLE, 'r\udc00'],
    [row.ROW_REASONING, '\udc00'],
  ]
  assertEvents(rows, [
    { type: 'text-delta', choice: 0, text: 'a\ud83d' },
    { type: 'text-delta', choice: 0, text: '\ude02b' },
    { type: 'text-delta', choice: 0, text: 'c' },
    { type: 'role', choice: 0, role: 'r\udc00' },
    { type: 'reasoning-delta', choice: 0, text: '\udc00' },
  ])
})

test('read: rare rows are events in their place among the deltas', () => {
  const batch = new Assembler(openaiChat).read(
    write([
      [row.ROW_ROLE, 'assistant', 1],
      [row.ROW_TEXT, 'a', 1],
      [row.ROW_HOSTED_BLOCK, 'compaction', 0, 4],
      [row.ROW_TEXT, 'b', 1],
      ...fragment(3, { id: 'i', name: 'f', text: '{}' }),
    ]).toBatch(),
  )
  const columns = Array.from({ length: batch.length }, (_, at) => {
    return [batch.type(at), batch.choice(at), batch.index(at), batch.text(at), batch.textLength(at)]
  })
  assert.deepEqual(columns, [
    ['role', 1, -1, '', 0],
    ['text-delta', 1, -1, 'a', 1],
    ['hosted-block', 0, 4, '', 0],
    ['text-delta', 1, -1, 'b', 1],
    ['tool-input-start', 0, 3, '', 0],
    ['tool-input-delta', 0, 3, '{}', 2],
  ])
})

test('runEnd: a run is deltas of one type and choice in a row, and joins to one text', () => {
  const batch = new Assembler(openaiChat).read(
    write([
      [row.ROW_TEXT, 'a'],
      [row.ROW_TEXT, 'é', 0, 5],
      [row.ROW_TEXT, 'c', 1],
      [row.ROW_REASONING, 'd', 1],
      [row.ROW_REASONING, 'e', 1],
      [row.ROW_ROLE, 'r', 1],
      [row.ROW_REASONING, 'f', 1],
      [row.ROW_REASONING, '\ud800', 1],
      [row.ROW_REASONING, 'h', 1],
    ]).toBatch(),
  )
  const runs: unknown[] = []
  for (let from = 0, to = 0; from < batch.length; from = to) {
    to = batch.runEnd(from)
    runs.push([from, to, batch.joined(from, to)])
  }
  assert.deepEqual(runs, [
    [0, 2, 'aé'],
    [2, 3, 'c'],
    [3, 5, 'de'],
    [5, 6, ''],
    [6, 7, 'f'],
    [7, 8, '\ud800'],
    [8, 9, 'h'],
  ])
})

test('read: rows after the last one of a batch are nobody’s', () => {
  const written = write([
    [row.ROW_TEXT, 'a'],
    [row.ROW_TEXT, 'b'],
  ]).toBatch()
  const batch = new Assembler(openaiChat).read({ ...written, rowCount: 1, text: 'a' })
  assert.equal(batch.runEnd(0), 1)
  assert.deepEqual([...batch], [{ type: 'text-delta', choice: 0, text: 'a' }])
})

test('read: a value in continued fragments is one, across batches and among other kinds', () => {
  const flag = (batch: row.RowBatch, ...numbers: number[]): row.RowBatch => {
    for (const number of numbers) {
      const at = number * row.ROW_WORDS
      batch.rows[at] = (batch.rows[at] as number) | (row.FLAG_CONTINUED << 8)
    }
    return batch
  }
  const assembler = new Assembler(openaiChat)
  const text = (part: string): Row => [row.ROW_TEXT, part, 2, 3]
  const read = [
    flag(write([text('x'), text('a'), text('b')]).toBatch(), 1, 2),
    flag(write([text('c')]).toBatch(), 0),
    write([text('d'), text('y')]).toBatch(),
    flag(
      write([
        [row.ROW_USAGE, '{"a"'],
        [row.ROW_USAGE, ':1}'],
      ]).toBatch(),
      0,
    ),
  ].map((batch) => [...assembler.read(batch)])
  assert.deepEqual(read.slice(0, 3), [
    [{ type: 'text-delta', choice: 2, text: 'x' }],
    [],
    [
      { type: 'text-delta', choice: 2, text: 'abcd' },
      { type: 'text-delta', choice: 2, text: 'y' },
    ],
  ])
  assert.deepEqual(
    read[3]?.map((event) => event.type === 'usage' && event.raw),
    [{ a: 1 }],
  )
})

test('read: each id and each model is an event, whatever batch it came in', () => {
  const rows: Row[] = [
    [row.ROW_ID, ''],
    [row.ROW_MODEL, ''],
    [row.ROW_ID, 'i'],
    [row.ROW_MODEL, 'm'],
  ]
  const expected = [
    { type: 'response-metadata', id: '', model: null },
    { type: 'response-metadata', id: '', model: '' },
    { type: 'response-metadata', id: 'i', model: '' },
    { type: 'response-metadata', id: 'i', model: 'm' },
  ]
  assert.deepEqual(eventsOf([rows]), expected)
  assert.deepEqual(eventsOf(rows.map((one) => [one])), expected)
})

test('read: an id and a model of two batches are two events', () => {
  assert.deepEqual(
    eventsOf([
      [[row.ROW_ID, 'i']],
      [
        [row.ROW_ROLE, 'r'],
        [row.ROW_MODEL, 'm'],
      ],
    ]),
    [
      { type: 'response-metadata', id: 'i', model: null },
      { type: 'role', choice: 0, role: 'r' },
      { type: 'response-metadata', id: 'i', model: 'm' },
    ],
  )
})

test('read: facts are events with their values parsed', () => {
  const signature: Row = [row.ROW_SIGNATURE, 's', 0, 2]
  assertEvents(
    [signature, [row.ROW_LOGPROBS, '[{"logprob":-1}]', 1], [row.ROW_ANNOTATION, '"a"']],
    [
      { type: 'reasoning-signature', choice: 0, index: 2, signature: 's' },
      { type: 'logprobs', choice: 1, value: [{ logprob: -1 }] },
      { type: 'annotation', choice: 0, value: 'a' },
    ],
  )
})

test('read: a finish reason is told when it first comes and when it changes', () => {
  const finish = (reason: string, choice = 0): Row => [row.ROW_FINISH, reason, choice]
  assertEvents(
    [finish('stop'), finish('stop'), finish('stop', 1), finish('length'), finish('stop')],
    [
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'finish', choice: 1, reason: 'stop' },
      { type: 'finish', choice: 0, reason: 'length' },
      { type: 'finish', choice: 0, reason: 'stop' },
    ],
  )
})

test('read: a list of sources is told when it first comes and when it changes', () => {
  const sources = (text: string, choice = 0): Row => [row.ROW_SOURCES, text, choice]
  const [urls, more, results] = ['["a"]', '["a","b"]', '[{"url":"a"}]']
  assertEvents(
    [urls, results, urls, results, more, results, more].map((text) => sources(text)),
    [
      { type: 'sources', choice: 0, value: ['a'] },
      { type: 'sources', choice: 0, value: [{ url: 'a' }] },
      { type: 'sources', choice: 0, value: ['a', 'b'] },
    ],
  )
  assertEvents(
    [sources(urls), sources(urls, 1)],
    [0, 1].map((choice) => ({ type: 'sources', choice, value: ['a'] })),
  )
})

test('read: raw events have their name or message, and the id that lasts', () => {
  const event = (data: string, name: string, lastEventId: string): object => {
    return { type: 'event', event: name, data, lastEventId }
  }
  assertEvents(
    [
      [row.ROW_EVENT_NAME, 'e'],
      [row.ROW_EVENT_ID, '1'],
      [row.ROW_EVENT_DATA, 'a'],
      [row.ROW_EVENT_DATA, 'b'],
      [row.ROW_EVENT_ID, ''],
      [row.ROW_EVENT_DATA, 'c'],
    ],
    [event('a', 'e', '1'), event('b', 'message', '1'), event('c', 'message', '')],
    sse,
  )
})

test('error: a malformed event is reported with its numbers, and the stream goes on', () => {
  const text = JSON.stringify({ offset: 7, message: 'event is not valid JSON', excerpt: 'x' })
  const [event, after] = eventsOf([
    [
      [row.ROW_ERROR, text, 4],
      [row.ROW_TEXT, 'a'],
    ],
  ])
  assert.ok(event?.type === 'error')
  assert.equal(event.error.code, 'JSON_TOO_DEEP')
  assert.equal(event.error.message, 'event is not valid JSON')
  assert.deepEqual(event.error.details, { offset: 7, excerpt: 'x', jsonDepthMax: 64 })
  assert.equal(after?.type, 'text-delta')
})

test('error: the provider’s own has its fields, whatever its shape', () => {
  const detailsOf = (raw: unknown, index = -1): object => {
    const [event] = eventsOf([[[row.ROW_PROVIDER_ERROR, JSON.stringify(raw), 0, index]]])
    assert.ok(event?.type === 'error')
    assert.equal(event.error.code, 'PROVIDER_ERROR')
    const { message } = event.error.details
    const said = typeof message === 'string' ? message : JSON.stringify(raw)
    assert.equal(event.error.message, `provider error: ${said}`)
    return event.error.details
  }
  const full = { message: 'm', type: 't', code: 400, param: null }
  assert.deepEqual(detailsOf(full), {
    message: 'm',
    type: 't',
    code: 400,
    raw: full,
    outsideProtocol: false,
  })
  const none = { message: null, type: null, code: null, outsideProtocol: false }
  assert.deepEqual(detailsOf('gone'), { ...none, message: 'gone', raw: 'gone' })
  const odd = { message: { a: 1 }, type: 3, code: [1] }
  assert.deepEqual(detailsOf(odd), { ...none, raw: odd })
  assert.deepEqual(detailsOf('x', 0), { ...none, message: 'x', raw: 'x', outsideProtocol: true })
})

test('error: has what the provider calls the request, where that came with it', () => {
  const error: Row = [row.ROW_PROVIDER_ERROR, '"x"']
  const details = eventsOf([[[row.ROW_REQUEST_ID, 'req_1'], error, error]]).map((event) => {
    return event.type === 'error' ? event.error.details['requestId'] : event.type
  })
  assert.deepEqual(details, ['req_1', undefined])
})

test('failure: a fatal row is no event, but what the stream is to throw', () => {
  const assembler = new Assembler(openaiChat)
  const text = JSON.stringify({ offset: 0, message: 'too long', excerpt: '' })
  const batch = assembler.read(
    write([
      [row.ROW_TEXT, 'a'],
      [row.ROW_FATAL, text, 2],
    ]).toBatch(),
  )
  assert.equal(batch.length, 1)
  assert.equal(assembler.failure?.code, 'LINE_TOO_LONG')
  assert.equal(assembler.end().error, assembler.failure)
})

test('failure: of a body that is no stream, the provider’s error in it says more', () => {
  const text = JSON.stringify({ offset: 0, message: 'no stream', excerpt: '' })
  const noStream: Row = [row.ROW_FATAL, text, row.DECODE_ERROR_CODES.indexOf('NOT_A_STREAM')]
  const tooLong: Row = [row.ROW_FATAL, text, row.DECODE_ERROR_CODES.indexOf('LINE_TOO_LONG')]
  const said: Row = [row.ROW_PROVIDER_ERROR, '"slow down"']
  for (const [rows, code] of [
    [[noStream], 'NOT_A_STREAM'],
    [[said, noStream], 'PROVIDER_ERROR'],
    [[said, tooLong], 'LINE_TOO_LONG'],
  ] as const) {
    assert.equal(endOf(openaiChat, rows).error?.code, code)
  }
})

const endOf = (dialect: Dialect, rows: readonly Row[]): ReturnType<Assembler['end']> => {
  const assembler = new Assembler(dialect)
  assembler.read(write(rows).toBatch())
  return assembler.end()
}

test('end: a stream ends well with what its dialect asks for, and is truncated without', () => {
  const finish: Row = [row.ROW_FINISH, 'stop', 1]
  const terminator: Row = [row.ROW_TERMINATOR, 'x']
  const text: Row = [row.ROW_TEXT, 'a']
  for (const [dialect, rows, code] of [
    [openaiChat, [text], 'STREAM_TRUNCATED'],
    [openaiChat, [finish], null],
    [openaiChat, [terminator], null],
    [anthropic, [finish, text], 'STREAM_TRUNCATED'],
    [anthropic, [terminator], null],
    [sse, [], null],
  ] as const) {
    const { error } = endOf(dialect, rows)
    assert.equal(error && error.code, code)
  }
  const { error } = endOf(anthropic, [finish, text])
  assert.deepEqual(error?.details, { tokens: 1, finishReasons: { 1: 'stop' } })
})

test('end: what the provider reported is why a stream broke off', () => {
  const { error } = endOf(openaiChat, [[row.ROW_PROVIDER_ERROR, '"gone"']])
  assert.equal(error?.code, 'PROVIDER_ERROR')
})

test('end: only the first terminator is told, and closes what is open before it', () => {
  const rows: Row[] = [
    ...fragment(0, { id: 'a', name: 'f' }),
    [row.ROW_TERMINATOR, 'first'],
    [row.ROW_TERMINATOR, 'second'],
  ]
  const types = (batch: Iterable<TokenEvent>): string[] => Array.from(batch, ({ type }) => type)
  assert.deepEqual(types(eventsOf([rows])), ['tool-input-start', 'tool-input-end', 'end'])
  const batch: TokenBatch = endOf(openaiChat, rows).batch
  assert.deepEqual([...batch], [])
})

const wholeText = (text: string, index: number, kind = row.ROW_TEXT): Row => {
  return [kind | (row.FLAG_WHOLE << 8), text, 0, index]
}

test('read: a text that is repeated whole is news only where no delta of its block came', () => {
  const rows: Row[] = [
    [row.ROW_TEXT, 'a', 0, 0],
    [row.ROW_TEXT, 'b', 0, 0],
    wholeText('ab', 0),
    wholeText('c', 1),
    wholeText('d', 1),
    wholeText('e', 0, row.ROW_REASONING),
    [row.ROW_REFUSAL, 'f', 0, -1],
    wholeText('g', 5, row.ROW_REFUSAL),
    wholeText('h', -1),
    wholeText('i', -1, row.ROW_REASONING),
  ]
  const delta = (type: string, text: string): object => ({ type, choice: 0, text })
  assertEvents(
    rows,
    [
      delta('text-delta', 'a'),
      delta('text-delta', 'b'),
      delta('text-delta', 'c'),
      delta('text-delta', 'd'),
      delta('reasoning-delta', 'e'),
      delta('refusal-delta', 'f'),
      delta('reasoning-delta', 'i'),
    ],
    openaiResponses,
  )
})

test('read: a text of one choice is no repetition of another’s', () => {
  const whole: Row = [row.ROW_TEXT | (row.FLAG_WHOLE << 8), 'ab', 1, 0]
  const events = eventsOf([[[row.ROW_TEXT, 'a', 0, 0], whole]], openaiResponses)
  assert.deepEqual(events.at(-1), { type: 'text-delta', choice: 1, text: 'ab' })
})

test('end: after a failure no call is said to have ended', () => {
  const fatal: Row = [row.ROW_FATAL, '{"message":"m"}']
  const assembler = new Assembler(openaiChat)
  assembler.read(write([...fragment(0, { id: 'a', name: 'f' }), fatal]).toBatch())
  assert.deepEqual([...assembler.end().batch], [])
})

test('end: an answer that ended for a reason that is no finish reason is whole', () => {
  assert.equal(endOf(openaiChat, [[row.ROW_FINISH_DETAIL, '"SAFETY"']]).error, null)
})

test('terminated: a dialect with a trailer goes on after its end', () => {
  for (const [dialect, terminated] of [
    [openaiChat, true],
    [{ ...openaiChat, trailer: true } as const, false],
  ] as const) {
    const assembler = new Assembler(dialect)
    assembler.read(write([[row.ROW_TERMINATOR, 'x']]).toBatch())
    assert.equal(assembler.terminated, terminated)
    assert.equal(assembler.end().error, null)
  }
})
