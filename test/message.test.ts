import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Assembler } from '../src/main/assembler.ts'
import { type Message, MessageBuilder } from '../src/main/message.ts'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import * as row from '../src/shared/rows.ts'
import { fragment, type Row, write } from './assembling.ts'

const EMPTY: Message = {
  id: null,
  model: null,
  role: {},
  text: {},
  textDeltas: [],
  reasoning: {},
  reasoningDeltas: [],
  refusal: {},
  toolCalls: [],
  finishReason: {},
  usage: null,
  usageRaw: null,
  logprobs: {},
  annotations: 0,
  error: null,
  terminator: null,
  badJson: 0,
}

/** The message of the rows, as one batch, and the same as one batch per row. */
function assertFinal(rows: readonly Row[], expected: Partial<Message>, dialect?: Dialect): void {
  for (const batches of [[rows], rows.map((one) => [one])]) {
    const assembler = new Assembler(dialect ?? openaiChat)
    const message = new MessageBuilder(dialect ?? openaiChat, 2 ** 20)
    for (const batch of batches) message.add(assembler.read(write(batch).toBatch()))
    message.add(assembler.end().batch)
    assert.deepEqual(message.toFinal(), { ...EMPTY, ...expected })
  }
}

test('toFinal: a stream that said nothing has every key that always applies', () => {
  assertFinal([], {})
})

test('toFinal: deltas are joined by choice, and kept apart in the order of the wire', () => {
  assertFinal(
    [
      [row.ROW_TEXT, ''],
      [row.ROW_TEXT, 'a', 1],
      [row.ROW_TEXT, 'b', 1],
      [row.ROW_TEXT, 'c\ud83d'],
      [row.ROW_REASONING, 'r', 2],
      [row.ROW_TEXT, '\ude02d'],
      [row.ROW_REFUSAL, 'no'],
      [row.ROW_TEXT, 'e', 1],
      [row.ROW_TEXT, '', 3],
    ],
    {
      text: { 0: 'c😂d', 1: 'abe', 3: '' },
      textDeltas: ['a', 'b', 'c\ud83d', '\ude02d', 'e'],
      textDeltaChoices: [1, 1, 0, 0, 1],
      reasoning: { 2: 'r' },
      reasoningDeltas: ['r'],
      refusal: { 0: 'no' },
    },
  )
})

test('toFinal: many deltas come back as they were', () => {
  const deltas = Array.from({ length: 5000 }, (_, at) => 'é'.repeat((at % 7) + 1))
  const rows = deltas.map((delta): Row => [row.ROW_TEXT, delta])
  assertFinal(rows, { text: { 0: deltas.join('') }, textDeltas: deltas })
})

test('toFinal: facts are the last ones, but for the id, which is the first', () => {
  assertFinal(
    [
      [row.ROW_ID, ''],
      [row.ROW_MODEL, ''],
      [row.ROW_ID, 'i'],
      [row.ROW_MODEL, 'm'],
      [row.ROW_ROLE, 'assistant'],
      [row.ROW_ROLE, 'tool', 20],
      [row.ROW_FINISH, 'stop'],
      [row.ROW_FINISH, 'length'],
      [row.ROW_FINISH, 'stop', 1],
      [row.ROW_USAGE, '{"prompt_tokens":1}'],
      [row.ROW_USAGE, '{"prompt_tokens":2}'],
      [row.ROW_HOSTED_BLOCK, 'compaction', 0, 3],
      [row.ROW_ANNOTATION, '{}'],
      [row.ROW_ANNOTATION, '1'],
      [row.ROW_LOGPROBS, '[{"logprob":-1},{"logprob":-0.5},{"token":"x"},null]'],
      [row.ROW_LOGPROBS, '[{"logprob":-2}]'],
      [row.ROW_TERMINATOR, '[DONE]'],
    ],
    {
      id: '',
      model: 'm',
      role: { 0: 'assistant', 20: 'tool' },
      finishReason: { 0: 'length', 1: 'stop' },
      usage: { input: 2, output: null, total: null, cachedInput: null, reasoning: null },
      usageRaw: { prompt_tokens: 2 },
      hostedToolCalls: [{ index: 3, type: 'compaction' }],
      annotations: 2,
      logprobs: { 0: { count: 3, sum: -3.5 } },
      terminator: '[DONE]',
    },
  )
})

test('toFinal: a tool call has its arguments as they were sent, and what came late', () => {
  assertFinal(
    [
      ...fragment(0, { text: '{"a"' }),
      ...fragment(1, { id: 'b', name: 'g', kind: 'k', text: '{ }' }),
      ...fragment(0, { id: 'a', name: 'f', text: ':1}' }),
      ...fragment(0, { id: 'c', name: 'h' }),
    ],
    {
      toolCalls: [
        { choice: 0, index: 0, id: 'a', name: 'f', arguments: '{"a":1}' },
        { choice: 0, index: 1, id: 'b', name: 'g', arguments: '{ }', kind: 'k' },
        { choice: 0, index: 0, id: 'c', name: 'h', arguments: '' },
      ],
    },
  )
})

test('toFinal: where the provider has it so, a call’s input is parsed if it is whole', () => {
  const call = (index: number, text: string): Row[] => {
    return fragment(index, { id: `${index}`, name: 'f', text, kind: 'tool_use' })
  }
  const entry = { choice: 0, name: 'f', kind: 'tool_use' }
  assertFinal(
    [
      ...call(0, '{"a":[1]}'),
      ...call(1, ''),
      ...call(2, '{"a":'),
      [row.ROW_TERMINATOR, 'message_stop'],
    ],
    {
      toolCalls: [
        { ...entry, index: 0, id: '0', arguments: '{"a":[1]}', input: { a: [1] } },
        { ...entry, index: 1, id: '1', arguments: '', input: {} },
        { ...entry, index: 2, id: '2', arguments: '{"a":' },
      ],
      terminator: 'message_stop',
    },
    anthropic,
  )
})

test('toFinal: a call that had not ended when the stream was cut has no parsed input', () => {
  const ended = fragment(0, { id: 'a', name: 'f', text: '{}' })
  const cut = fragment(1, { id: 'b', name: 'f' })
  assertFinal(
    [...ended, [row.ROW_BLOCK_STOP, '', 0, 0], ...cut],
    {
      toolCalls: [
        { choice: 0, name: 'f', index: 0, id: 'a', arguments: '{}', input: {} },
        { choice: 0, name: 'f', index: 1, id: 'b', arguments: '' },
      ],
    },
    anthropic,
  )
})

test('toFinal: the error is the last of the protocol; malformed events are counted', () => {
  const fault = JSON.stringify({ offset: 0, message: 'm', excerpt: '' })
  assertFinal(
    [
      [row.ROW_PROVIDER_ERROR, '"first"'],
      [row.ROW_PROVIDER_ERROR, '{"message":"second","code":1}'],
      [row.ROW_PROVIDER_ERROR, '"outside"', 0, 0],
      [row.ROW_ERROR, fault, row.DECODE_ERROR_CODES.indexOf('EVENT_MALFORMED')],
      [row.ROW_ERROR, fault, row.DECODE_ERROR_CODES.indexOf('JSON_TOO_DEEP')],
      [row.ROW_ERROR, fault, row.DECODE_ERROR_CODES.indexOf('NOT_A_STREAM')],
      [row.ROW_ERROR, fault, row.DECODE_ERROR_CODES.indexOf('EVENT_CONCATENATED')],
    ],
    {
      error: { message: 'second', type: null, code: 1, raw: { message: 'second', code: 1 } },
      badJson: 2,
    },
  )
})

test('finalBytesMax: what is kept counts as UTF-8; to pass it is FINAL_TOO_LARGE', () => {
  const kept: readonly [rows: readonly Row[], bytes: number][] = [
    [[[row.ROW_TEXT, 'é€']], 5],
    [
      [
        [row.ROW_REASONING, '12345'],
        [row.ROW_REFUSAL, '67890'],
      ],
      10,
    ],
    [fragment(0, { id: 'a', name: 'f', text: 'é€' }), 64 + 5],
    [[[row.ROW_HOSTED_BLOCK, 'block']], 64 + 5],
    [[[row.ROW_FINISH, 'stop', 1]], 64],
  ]
  for (const [rows, bytes] of kept) {
    const batch = new Assembler(openaiChat).read(write(rows).toBatch())
    new MessageBuilder(openaiChat, bytes).add(batch)
    const code = 'FINAL_TOO_LARGE'
    assert.throws(() => new MessageBuilder(openaiChat, bytes - 1).add(batch), { code })
  }
})

test('finalBytesMax: after it is passed, the message is still what was kept', () => {
  const message = new MessageBuilder(openaiChat, 8)
  const assembler = new Assembler(openaiChat)
  message.add(assembler.read(write([[row.ROW_TEXT, 'kept']]).toBatch()))
  const tooMuch = assembler.read(write([[row.ROW_TEXT, 'dropped']]).toBatch())
  assert.throws(() => message.add(tooMuch))
  assert.deepEqual(message.toFinal(), { ...EMPTY, text: { 0: 'kept' }, textDeltas: ['kept'] })
})

test('toFinal: log probabilities are summed under each of their names, and as numbers', () => {
  assertFinal(
    [
      [row.ROW_LOGPROBS, '[{"logprob":-1},{"logprob":null},null]'],
      [row.ROW_LOGPROBS, '[{"logProbability":-2},{"token":"x"},"y"]'],
      [row.ROW_LOGPROBS, '[-4,-8]'],
    ],
    { logprobs: { 0: { count: 4, sum: -15 } } },
  )
})

test('toFinal: a tool plan is neither text nor reasoning', () => {
  assertFinal(
    [
      [row.ROW_TOOL_PLAN, 'I will '],
      [row.ROW_TOOL_PLAN, 'look.'],
    ],
    { toolPlan: 'I will look.' },
  )
})
