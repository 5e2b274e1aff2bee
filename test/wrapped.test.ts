/** Payloads in a wrapping: Bedrock's exceptions and chunks, and raw events beside the tokens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bedrockEventstream } from '../src/shared/dialects/bedrock-eventstream.ts'
import { geminiArray } from '../src/shared/dialects/gemini.ts'
import { ollamaChat } from '../src/shared/dialects/ollama.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { awsChunk, awsEvent, awsFrame } from './aws-frames.ts'
import { everySplit } from './chunking.ts'
import { decode, type DecodeSetup, type SeenRow } from './decoding.ts'

const exception = (type: string, payload: string): Buffer => {
  return awsFrame({ ':message-type': 'exception', ':exception-type': type }, payload)
}

const text = (value: string): object => ({ outputText: value })

const bedrockCases: readonly {
  name: string
  frames: readonly Buffer[]
  rows: readonly SeenRow[]
  setup?: DecodeSetup
}[] = [
  {
    name: 'an exception is the provider’s error, with its type, and the stream goes on',
    frames: [
      exception('throttlingException', '{"message":"slow down"}'),
      exception('validationException', ' { } '),
      exception('x"y', 'plain'),
      exception('listException', '[1]'),
      awsChunk(text('a')),
    ],
    rows: [
      ['provider-error', '{"type":"throttlingException","message":"slow down"}'],
      ['provider-error', '{"type":"validationException"}'],
      ['provider-error', '{"type":"x\\"y","message":"plain"}'],
      ['provider-error', '{"type":"listException","message":"[1]"}'],
      ['text', 'a'],
    ],
  },
  {
    name: 'an error without a payload has its code and message in the headers',
    frames: [
      awsFrame(
        { ':message-type': 'error', ':error-code': 'Internal', ':error-message': 'broken' },
        '',
      ),
    ],
    rows: [['provider-error', '{"type":"Internal","message":"broken"}']],
  },
  {
    name: 'a chunk is the payload that it wraps, of whatever vendor',
    frames: [
      awsChunk({ type: 'message_start', message: { id: 'i', role: 'assistant' } }),
      awsChunk({
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'text_delta', text: 'anthropic' },
      }),
      awsChunk({ contentBlockDelta: { contentBlockIndex: 2, delta: { text: 'nova' } } }),
      awsChunk({ messageStop: { stopReason: 'end_turn' } }),
      awsChunk({ outputText: 'titan', index: 0, completionReason: 'FINISH' }),
      awsChunk({ generation: 'llama', stop_reason: 'stop' }),
      awsChunk({ text: 'cohere', finish_reason: 'COMPLETE' }),
      awsChunk({ outputs: [{ text: 'mistral', stop_reason: 'length' }] }),
    ],
    rows: [
      ['id', 'i'],
      ['role', 'assistant'],
      ['text', 'anthropic', 'i1'],
      ['text', 'nova', 'i2'],
      ['finish', 'end_turn'],
      ['text', 'titan'],
      ['finish', 'FINISH'],
      ['text', 'llama'],
      ['finish', 'stop'],
      ['text', 'cohere'],
      ['finish', 'COMPLETE'],
      ['text', 'mistral'],
      ['finish', 'length'],
    ],
  },
  {
    name: 'a chunk that wraps nothing is malformed, and the stream goes on',
    frames: [
      awsEvent('chunk', {}),
      awsEvent('chunk', { bytes: 'e30' }),
      awsEvent('chunk', { bytes: 'e30=' }),
      awsChunk(text('a')),
    ],
    rows: [
      ['error', malformed('{}', 0)],
      ['error', malformed('{"bytes":"e30"}', awsEvent('chunk', {}).length)],
      ['text', 'a'],
    ],
  },
]

function malformed(excerpt: string, offset: number): string {
  return JSON.stringify({ offset, message: 'event is not valid JSON', excerpt })
}

for (const { name, frames, rows, setup } of bedrockCases) {
  test(`bedrock-eventstream: ${name}`, () => {
    const body = Buffer.concat(frames)
    for (const chunks of everySplit(body)) {
      assert.deepEqual(decode(bedrockEventstream, chunks, setup).rows, rows)
    }
  })
}

test('bedrock-eventstream: a JSON body or an HTML page in place of frames is no stream', () => {
  for (const [body, kind] of [
    ['{"message":"denied"}', 'fatal'],
    ['<html>', 'fatal'],
  ] as const) {
    const { rows } = decode(bedrockEventstream, [new TextEncoder().encode(body)])
    assert.deepEqual(
      rows.map(([row, , place]) => [row, place]),
      [[kind, 'c1']],
    )
  }
})

test('raw: each event comes as it was sent before what it says, in every framing', () => {
  const payload = '{"choices":[{"delta":{"content":"a"}}]}'
  for (const [dialect, body, rows] of [
    [
      openaiChat,
      `event: e\nid: 7\ndata: ${payload}\n\ndata: {\n\ndata: [DONE]\n\ndata: late\n\n`,
      [
        ['event-name', 'e'],
        ['event-id', '7'],
        ['event-data', payload],
        ['text', 'a'],
        ['event-data', '{'],
        ['error', JSON.stringify({ offset: 62, message: 'event is not valid JSON', excerpt: '{' })],
        ['event-data', '[DONE]'],
        ['terminator', '[DONE]'],
        ['event-data', 'late'],
      ],
    ],
    [
      geminiArray,
      '[{"responseId":"r"}]',
      [
        ['event-data', '{"responseId":"r"}'],
        ['id', 'r'],
      ],
    ],
    [
      ollamaChat,
      `{"message":{"content":"a"}}\r\n`.repeat(2),
      Array.from({ length: 2 }, () => [
        ['event-data', '{"message":{"content":"a"}}'],
        ['text', 'a'],
      ]).flat(),
    ],
    [
      openaiChat,
      `id: 7\n\n${`data: ${payload}\n\n`.repeat(2)}id: 8\ndata: ${payload}\n\n`,
      ['7', '', '8'].flatMap((id) => [
        ...(id === '' ? [] : [['event-id', id]]),
        ['event-data', payload],
        ['text', 'a'],
      ]),
    ],
  ] as const) {
    for (const chunks of everySplit(new TextEncoder().encode(body))) {
      assert.deepEqual(decode(dialect, chunks, { raw: true }).rows, rows)
    }
  }
})

test('raw: of an event whose bytes end a strict stream nothing more is said', () => {
  const payload = Buffer.from('{"choices":[{"delta":{"content":"a\xff"}}]}', 'latin1')
  const body = Buffer.concat([Buffer.from('data: '), payload, Buffer.from('\n\n')])
  for (const chunks of everySplit(body)) {
    const { rows } = decode(openaiChat, chunks, { raw: true, strict: true })
    assert.deepEqual(
      rows.map(([kind]) => kind),
      ['fatal'],
    )
  }
})
