/** Template speculation: what it may save, and that it never shows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { gemini, geminiArray } from '../src/shared/dialects/gemini.ts'
import { ollamaChat } from '../src/shared/dialects/ollama.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { openaiResponses } from '../src/shared/dialects/openai-responses.ts'
import { NAME_BYTES_SAFE, NUMBER_BYTES_SAFE } from '../src/shared/decoder/wasm-layout.ts'
import { STREAM_LIMITS_LEAST } from '../src/shared/limits.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { byteWise } from './chunking.ts'
import { assertSame, engine, plainDecoder, traceOf, wasmDecoder } from './wasm-host.ts'

const utf8 = new TextEncoder()

/** How many payloads templates served while `run` ran. */
function hitsOf(run: () => void): number {
  const before = engine.templateHits
  run()
  return engine.templateHits - before
}

/** Chat whose deltas count under any name but a long one. */
const namedChat: Dialect = {
  ...openaiChat,
  name: 'named-chat',
  rules: [{ off: ['n'.repeat(65)], rules: openaiChat.rules }],
}

interface Shape {
  readonly name: string
  readonly dialect: Dialect
  /** What comes before the first event. */
  readonly start?: string
  /** An event with its nth token. */
  readonly event: (n: number) => string
}

const TOKENS = [
  'Hi',
  '',
  ' there',
  '\\n',
  'caf\u00e9',
  ' and a word of more than sixteen bytes',
  '"'.replace('"', '\\"'),
]
const token = (n: number): string => TOKENS[n % TOKENS.length]!

const shapes: readonly Shape[] = [
  {
    name: 'a chat delta',
    dialect: openaiChat,
    event: (n) =>
      'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":17077563,' +
      '"model":"gpt-x","choices":[{"index":0,"delta":{"content":"' +
      `${token(n)}"},"logprobs":null,"finish_reason":null}],"p":"${'x'.repeat(n % 5)}"}\n\n`,
  },
  {
    name: 'a chat delta with CRLF and usage',
    dialect: openaiChat,
    event: (n) =>
      `data: {"choices":[{"index":${n % 3},"delta":{"content":"${token(n)}"}}],` +
      `"usage":{"prompt_tokens":${n},"note":"${token(n + 1)}"}}\r\n\r\n`,
  },
  {
    name: 'a tool call with logprobs',
    dialect: openaiChat,
    event: (n) =>
      `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"${token(n)}"` +
      `}}]},"logprobs":{"content":[{"logprob":-0.${n},"bytes":[1,2]}]}}]}\n\n`,
  },
  {
    name: 'an Anthropic delta, padded',
    dialect: anthropic,
    event: (n) =>
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":' +
      `{"type":"text_delta","text":"${token(n)}"}${' '.repeat((n * 7) % 40)}}` +
      `${' '.repeat(n % 4)}\n\n`,
  },
  {
    name: 'a chat delta that says in a hole whether it is an error',
    dialect: openaiChat,
    event: (n) =>
      `data: {"object":"${n % 3 === 0 ? 'error' : 'chat'}","choices":[{"index":0,"delta":` +
      `{"content":"${token(n)}"}}]}\n\n`,
  },
  {
    name: 'a Responses delta',
    dialect: openaiResponses,
    event: (n) =>
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",' +
      `"sequence_number":${n},"item_id":"msg_1","output_index":${n % 2},"content_index":0,` +
      `"delta":"${token(n)}","logprobs":[],"obfuscation":"${'x'.repeat(n % 9)}"}\n\n`,
  },
  {
    name: 'a whole Responses item',
    dialect: openaiResponses,
    event: (n) =>
      `data: {"type":"response.output_item.done","output_index":${n},"item":{"type":"message",` +
      `"id":"m${n}","content":[{"type":"output_text","text":"${token(n)}"}]}}\n\n`,
  },
  {
    name: 'a Gemini chunk',
    dialect: gemini,
    event: (n) =>
      `data: {"candidates": [{"content": {"parts": [{"text": "${token(n)}"}],"role": "model"},` +
      `"index": 0}],"usageMetadata": {"promptTokenCount": 9,"totalTokenCount": ${n}},` +
      '"modelVersion": "gemini-2.5-flash","responseId": "r1"}\r\n\r\n',
  },
  {
    name: 'a Gemini call in parts',
    dialect: gemini,
    event: (n) =>
      'data: {"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":' +
      `"$.a","stringValue":"${token(n)}"}],"willContinue":true}}]}}]}\n\n`,
  },
  {
    name: 'an Ollama line',
    dialect: ollamaChat,
    event: (n) =>
      `{"model":"m","created_at":"2025-${n}","message":{"role":"assistant",` +
      `"content":"${token(n)}"},"done":false}${n % 5 === 4 ? '\r\n' : '\n'}`,
  },
  {
    name: 'an element of a Gemini array',
    dialect: geminiArray,
    start: '[{}',
    event: (n) =>
      `\n,\r\n{\n  "candidates": [\n    {\n      "content": {\n        "parts": [\n` +
      `          {\n            "text": "${token(n)}"\n          }\n        ]\n      }\n    }\n` +
      `  ],\n  "usageMetadata": {\n    "totalTokenCount": ${n}\n  }\n}`,
  },
  {
    name: 'an error as a whole, of either type',
    dialect: anthropic,
    event: (n) =>
      `data: {"type":"${n % 2 === 0 ? 'error' : 'ping'}","message":"${token(n)}","code":${n}}\n\n`,
  },
]

const bodyOf = ({ start = '', event }: Shape, count: number): Uint8Array =>
  utf8.encode(start + Array.from({ length: count }, (_, n) => event(n)).join(''))

for (const shape of shapes) {
  test(`WasmDecoder: ${shape.name} is served by a template once all its holes are known`, () => {
    const learnt = 2 * TOKENS.length * 7
    assertSame(shape.dialect, [bodyOf(shape, learnt)], {}, 0)
    const hits = hitsOf(() => traceOf(wasmDecoder(shape.dialect), [bodyOf(shape, 100)]))
    assert.ok(hits >= 98, `${hits} of 100`)
  })
}

/** Values for one byte: those that mean something somewhere, and some that mean nothing. */
const BYTES = [...utf8.encode('"\\\n\r {}[]:,0-9en x'), 0x00, 0x1f, 0x7f, 0x80, 0xc3, 0xff]

/** The event with one byte replaced, inserted or removed, for every place in it. */
function* neighboursOf(event: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < event.length; at++) {
    const before = event.subarray(0, at)
    yield Buffer.concat([before, event.subarray(at + 1)])
    for (const byte of BYTES) {
      yield Buffer.concat([before, Uint8Array.of(byte), event.subarray(at + 1)])
      yield Buffer.concat([before, Uint8Array.of(byte), event.subarray(at)])
    }
  }
}

for (const shape of shapes) {
  test(`WasmDecoder: ${shape.name} with any byte changed gives the plain decoder's rows`, () => {
    traceOf(wasmDecoder(shape.dialect), [bodyOf(shape, 60)])
    // What is learnt from one neighbour must not help with the next.
    const { bytes } = engine.heap
    const learnt = bytes.slice()
    const hits = engine.templateHits
    const first = utf8.encode((shape.start ?? '') + shape.event(0))
    const last = utf8.encode(shape.event(2))
    for (const neighbour of neighboursOf(utf8.encode(shape.event(5)))) {
      const body = Buffer.concat([first, neighbour, last])
      const expected = traceOf(plainDecoder(shape.dialect), [body])
      bytes.set(learnt)
      assert.deepEqual(traceOf(wasmDecoder(shape.dialect), [body]), expected)
      assert.ok(engine.templateHits > hits, 'the event before it is served by a template')
    }
  })
}

test('WasmDecoder: a template serves events that are cut, whatever the cut', () => {
  const [shape] = shapes as [Shape]
  const body = bodyOf(shape, 40)
  traceOf(wasmDecoder(shape.dialect), [body])
  const hits = hitsOf(() => assertSame(shape.dialect, byteWise(body), {}, 0))
  assert.equal(hits, 80, 'in place, and copied in')
})

test('WasmDecoder: a template serves no stream whose jsonDepthMax its payload exceeds', () => {
  const [shape] = shapes as [Shape]
  const body = bodyOf(shape, 20)
  traceOf(wasmDecoder(shape.dialect), [body])
  assertSame(shape.dialect, [body], { limits: { jsonDepthMax: 3 } }, 0)
  assertSame(shape.dialect, [body], { limits: { jsonDepthMax: 4 } }, 0)
})

test('WasmDecoder: a template serves no stream whose limits its number or its name exceeds', () => {
  // What every stream's limits allow is all that templates look at.
  assert.ok(STREAM_LIMITS_LEAST.jsonNumberBytesMax >= NUMBER_BYTES_SAFE)
  assert.ok(STREAM_LIMITS_LEAST.eventNameBytesMax >= NAME_BYTES_SAFE)
  const payload = (n: number, created: string): string =>
    `data: {"created":${created},"choices":[{"delta":{"content":"${token(n)}"}}]}\n\n`
  const strict = { limits: { jsonNumberBytesMax: 32, eventNameBytesMax: 64 } }
  for (const event of [
    (n: number) => payload(n, '7'.repeat(33)),
    (n: number) => `event: ${'n'.repeat(65)}\n${payload(n, '7')}`,
  ]) {
    const body = bodyOf({ name: '', dialect: namedChat, event }, 30)
    assertSame(namedChat, [body], {}, 0)
    assertSame(namedChat, [body], strict, 0)
  }
})

test('WasmDecoder: streams that take turns share templates, their ids being holes', () => {
  const event = (stream: number, n: number): string =>
    `data: {"id":"s${'-'.repeat(stream)}","model":"m","choices":[{"index":${stream % 3},` +
    `"delta":{"content":"${token(n)}"}}]}\n\n`
  const turns = (count: number): void => {
    const decoders = Array.from({ length: 10 }, () => wasmDecoder(openaiChat))
    const rows = new RowWriter()
    for (let n = 0; n < count; n++) {
      for (const [stream, decoder] of decoders.entries()) {
        decoder.push(utf8.encode(event(stream, n)), rows)
      }
    }
    for (const decoder of decoders) decoder.release()
  }
  turns(5)
  assert.equal(
    hitsOf(() => turns(3)),
    30,
  )
})

/** Events of one skeleton, and the largest that their number can be as an index. */
const INDEXED: readonly (readonly [name: string, max: number, event: (index: string) => string])[] =
  [
    [
      'choice',
      65_535,
      (index) => `data: {"choices":[{"index":${index},"delta":{"content":"a"}}]}\n\n`,
    ],
    [
      'tool’s index',
      2_147_483_647,
      (index) =>
        `data: {"choices":[{"delta":{"tool_calls":[{"index":${index},"function":` +
        '{"arguments":"a"}}]}}]}\n\n',
    ],
  ]

for (const [name, max, event] of INDEXED) {
  test(`WasmDecoder: a template serves any ${name} in a hole, and nothing else`, () => {
    const dialect = { ...openaiChat }
    const good = ['0', '1', '2', '10', `${max}`]
    const bad = ['-1', '-0', '1.0', '1e0', `${max + 1}`, '4294967296', '18446744073709551616']
    assertSame(dialect, [utf8.encode(good.map(event).join('').repeat(4))], {}, 0)
    const served = utf8.encode(good.map(event).join(''))
    assert.equal(
      hitsOf(() => traceOf(wasmDecoder(dialect), [served])),
      good.length,
    )
    for (const index of bad) {
      const body = utf8.encode(event('1') + event(index) + event('2') + event(index).repeat(3))
      for (const chunks of [[body], byteWise(body)]) {
        assert.equal(assertSame(dialect, chunks, {}, 0).counts.malformed, 4, index)
      }
    }
  })

  test(`WasmDecoder: no template is learnt of a ${name} that cannot be one`, () => {
    const dialect = { ...openaiChat }
    // A text in a hole, so that there is something to learn.
    for (const index of ['-1', '1.5', `${max + 1}`, '"1"', '{}', '[]', 'true']) {
      const events = ['b', 'c', 'd', 'e'].map((text) => event(index).replace('"a"', `"${text}"`))
      const body = utf8.encode(events.join('').repeat(3))
      const hits = hitsOf(() => {
        assert.equal(assertSame(dialect, [body], {}, 0).counts.malformed, 12, index)
      })
      assert.equal(hits, 0, index)
    }
  })
}

test('WasmDecoder: a hole for a choice and an index at once takes no more than a choice', () => {
  const dialect: Dialect = {
    ...openaiChat,
    rules: [
      { index: 'n', rules: [{ emit: 'tool', id: 'id' }] },
      { choice: 'n', rules: [{ emit: 'text', path: 'text' }] },
      { index: 'n', rules: [{ emit: 'signature', path: 'id' }] },
    ],
  }
  const event = (n: number): string => `data: {"n":${n},"id":"i","text":"a"}\n\n`
  const body = utf8.encode([0, 1, 2, 3, 65_536, 4].map(event).join('').repeat(2))
  assert.equal(assertSame(dialect, [body], {}, 0).counts.malformed, 2)
})

test('WasmDecoder: what a hit says of one choice leaves the first empty delta of another', () => {
  const event = (choice: number, text: string): string =>
    `data: {"choices":[{"index":${choice},"delta":{"content":"${text}"}}],"only":"here"}\n\n`
  const told = 'abcd'.split('').map((text) => event(0, text))
  traceOf(wasmDecoder(openaiChat), [utf8.encode(told.join(''))])
  const body = utf8.encode([...told, event(1, ''), event(0, ''), event(1, '')].join(''))
  const hits = hitsOf(() => assertSame(openaiChat, [body], {}, 0))
  assert.ok(hits >= 2 * told.length)
})
