import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import { compileDialect } from '../src/shared/dialects/compile.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECT_NAMES, findDialect } from '../src/shared/dialects/dialects.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { sse } from '../src/shared/dialects/records.ts'
import type { MillraceError } from '../src/shared/errors.ts'
import { type Case, testCases } from './decoding.ts'

const start = (content_block: object): object => {
  return { type: 'content_block_start', index: 3, content_block }
}
const delta = (fields: object): object => {
  return { type: 'content_block_delta', index: 3, delta: fields }
}

const anthropicCases: readonly Case[] = [
  {
    name: 'the start of a message gives its facts, and its content where it has some',
    body: [
      {
        type: 'message_start',
        message: {
          id: 'a',
          model: 'm',
          role: 'assistant',
          content: [
            { type: 'text', text: 'x' },
            { type: 'tool_use', id: 't', name: 'f', input: { y: [1] } },
          ],
          stop_reason: 'tool_use',
          usage: { input_tokens: 1 },
        },
      },
    ],
    rows: [
      ['id', 'a'],
      ['model', 'm'],
      ['role', 'assistant'],
      ['text', 'x', 'i0'],
      ['tool-kind', 'tool_use', 'i1'],
      ['tool-id', 't', 'i1'],
      ['tool-name', 'f', 'i1'],
      ['tool-input', '{"y":[1]}', 'i1'],
      ['finish', 'tool_use'],
      ['usage', '{"input_tokens":1}'],
    ],
  },
  {
    name: 'a block begins with what it holds, and of other types its type is told',
    body: [
      start({ type: 'text', text: '' }),
      start({ type: 'thinking', thinking: '', signature: '' }),
      start({ type: 'thinking', thinking: 'hm', signature: 's' }),
      start({ type: 'redacted_thinking', data: 'd' }),
      start({ type: 'server_tool_use', id: 't', name: 'f', input: {} }),
      start({ type: 'tool_use', input: '{"a": 1}' }),
      start({ type: 'tool_use', input: '' }),
      start({ type: 'tool_use', input: [] }),
      start({ type: 'web_search_tool_result', tool_use_id: 't', content: [{ text: 'no' }] }),
      start({ text: 'a block without a type' }),
    ],
    rows: [
      ['text', '', 'i3'],
      ['reasoning', 'hm', 'i3'],
      ['signature', 's', 'i3'],
      ['signature', 'd', 'i3'],
      ['hosted-block', 'redacted_thinking', 'i3'],
      ['tool-kind', 'server_tool_use', 'i3'],
      ['tool-id', 't', 'i3'],
      ['tool-name', 'f', 'i3'],
      ['tool-arguments', '', 'i3'],
      ['tool-kind', 'tool_use', 'i3'],
      ['tool-input', '"{\\"a\\": 1}"', 'i3'],
      ['tool-kind', 'tool_use', 'i3'],
      ['tool-arguments', '', 'i3'],
      ['tool-kind', 'tool_use', 'i3'],
      ['tool-input', '[]', 'i3'],
      ['hosted-block', 'web_search_tool_result', 'i3'],
    ],
  },
  {
    name: 'a delta is read by its type, and unknown ones are ignored',
    body: [
      delta({ type: 'text_delta', text: 'a' }),
      delta({ type: 'thinking_delta', thinking: 'b' }),
      delta({ type: 'signature_delta', signature: 'c' }),
      delta({ type: 'input_json_delta', partial_json: 'd' }),
      delta({ type: 'citations_delta', citation: { e: 1 } }),
      delta({ type: 'future_delta', text: 'no', thinking: 'no', partial_json: 'no' }),
      { type: 'content_block_stop', index: 3 },
      { type: 'future_event', delta: { type: 'text_delta', text: 'no' } },
      { type: 'ping' },
    ],
    rows: [
      ['text', 'a', 'i3'],
      ['reasoning', 'b', 'i3'],
      ['signature', 'c', 'i3'],
      ['tool-arguments', 'd', 'i3'],
      ['annotation', '{"e":1}', 'i3'],
      ['block-stop', '', 'i3'],
    ],
  },
  {
    name: 'the type is in the JSON, wherever, or else the name of the event',
    body:
      'event: content_block_stop\ndata: {"usage":{"a":1},"type":"message_delta"}\n\n' +
      'event: message_delta\ndata: {"usage":{"b":2}}\n\n' +
      'event: message_delta\ndata: {"type":"","usage":{"c":3}}\n\n' +
      'data: {"usage":{"d":4}}\n\n',
    rows: [
      ['usage', '{"a":1}'],
      ['usage', '{"b":2}'],
      ['usage', '{"c":3}'],
    ],
  },
  {
    name: 'the end of a message gives its reason, its usage and the terminator',
    body: [
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ],
    rows: [
      ['finish', 'end_turn'],
      ['usage', '{"output_tokens":2}'],
      ['terminator', 'message_stop'],
    ],
  },
  {
    name: 'an error event gives its error, and what the request is called',
    body: [{ type: 'error', error: { type: 'overloaded_error' }, request_id: 'r' }],
    rows: [
      ['request-id', 'r'],
      ['provider-error', '{"type":"overloaded_error"}'],
    ],
  },
]

testCases(anthropic, anthropicCases)

const sseCases: readonly Case[] = [
  {
    name: 'an event is its name and id where it has them, then its data',
    body:
      'event: e\nid: 1\ndata: a\ndata: b\n\nid: 2\n\n' +
      'data:\n\ndata: {\n\ndata: [DONE]\n\nid\ndata: c\n\n',
    rows: [
      ['event-name', 'e'],
      ['event-id', '1'],
      ['event-data', 'a\nb'],
      ['event-id', '2'],
      ['event-data', ''],
      ['event-data', '{'],
      ['event-data', '[DONE]'],
      ['event-id', ''],
      ['event-data', 'c'],
    ],
  },
  {
    name: 'a body that looks like JSON or HTML is an event stream all the same',
    body: '{"a":1}\n<html>\nerror: x\ndata: y\n\n',
    rows: [['event-data', 'y']],
  },
]

testCases(sse, sseCases)

test('findDialect: knows the dialects by name, and no other', () => {
  assert.deepEqual(
    DIALECT_NAMES.map((name) => findDialect(name).name),
    DIALECT_NAMES,
  )
  for (const name of ['', 'OpenAI', 'toString', '__proto__']) {
    assert.throws(() => findDialect(name), { code: 'DIALECT_UNKNOWN' })
  }
})

test('compileDialect: compiles a dialect once, and gives plain data', () => {
  for (const name of DIALECT_NAMES) {
    const compiled = compileDialect(findDialect(name))
    assert.equal(compileDialect(findDialect(name)), compiled)
    assert.deepEqual(structuredClone(compiled), compiled)
  }
})

const withRules = (...rules: unknown[]): object => ({ ...openaiChat, rules })

const nested = (depth: number): object => {
  return Array.from({ length: depth - 1 }).reduce<object>((inner) => ({ rules: [inner] }), {
    rules: [],
  })
}

const text = { emit: 'text', path: 'a' }

/** What is wrong with a dialect, and the place that the error is to name. */
const invalidDialects: readonly (readonly [place: string, dialect: unknown])[] = [
  ['', null],
  ['', 'openai-chat'],
  ['name', { ...sse, name: 'Sse' }],
  ['name', { ...sse, name: undefined }],
  ['framing', { ...sse, framing: 'xml' }],
  ['payload', { ...sse, payload: 'xml' }],
  ['rules', { ...sse, rules: openaiChat.rules }],
  ['rules', { ...sse, rules: {} }],
  ['sentinal', { ...sse, sentinal: ['x'] }],
  ['toString', { ...sse, toString: 1 }],
  ['sentinels[1]', { ...sse, sentinels: ['x', 1] }],
  ['end', { ...sse, end: 'eof' }],
  ['usage.merge', { ...openaiChat, usage: { input: 'a' } }],
  ['usage.input[0]', { ...openaiChat, usage: { merge: 'last', input: ['a..b'] } }],
  ['rules[0]', withRules(null)],
  ['rules[1]', withRules(text, [text])],
  ['rules[0].emit', withRules({ emit: 'texts', path: 'a' })],
  ['rules[0].path', withRules({ emit: 'text' })],
  ['rules[0].path', withRules({ emit: 'text', path: 'a..b' })],
  ['rules[0].path', withRules({ emit: 'text', path: [] })],
  ['rules[0].path[1]', withRules({ emit: 'text', path: ['a', '.'] })],
  ['rules[0].skipEmpty', withRules({ ...text, skipEmpty: false })],
  ['rules[0].wenn', withRules({ ...text, wenn: {} })],
  ['rules[0].whole', withRules({ emit: 'id', path: 'a', whole: true })],
  ['rules[0].as', withRules({ ...text, as: 'x' })],
  ["rules[0].when['a'][1]", withRules({ ...text, when: { a: [true, 1] } })],
  ["rules[0].when['a']", withRules({ ...text, when: { a: 'x' } })],
  ['rules[0].on', withRules({ ...text, on: 'x' })],
  ['rules[0].on', withRules({ ...text, on: [] })],
  ['name', { ...withRules(text), name: 'auto' }],
  ['rules[0].argument', withRules({ emit: 'tool', argument: 'a' })],
  ['rules[0].index', withRules({ index: '#', rules: [] })],
  ['rules[0].rules', withRules({ each: 'a' })],
  ['rules[0].rules[1].path', withRules({ rules: [text, { emit: 'text', path: 1 }] })],
  ['rules[0].path', withRules({ emit: 'end', path: 'a' })],
]

test('compileDialect: refuses what would do less than it says, and names the place', () => {
  assert.ok(compileDialect(withRules(nested(8)) as Dialect))
  assert.throws(() => compileDialect(withRules(nested(9)) as Dialect), /nested deeper than 8/)
  for (const [path, dialect] of invalidDialects) {
    assert.throws(
      () => compileDialect(dialect as Dialect),
      (error: MillraceError) => {
        assert.deepEqual([error.code, error.details], ['DIALECT_INVALID', { path }], error.message)
        return true
      },
    )
  }
})
