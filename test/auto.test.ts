/** Whose stream it is, told by its bytes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDecoder,
  createMillrace,
  type DecodeOptions,
  defineDialect,
  type Dialect,
  dialects,
  type TokenEvent,
} from '../src/main/index.ts'
import { DialectDetector } from '../src/shared/decoder/dialect-detector.ts'
import type { MillraceError } from '../src/shared/errors.ts'
import { STREAM_LIMITS_DEFAULT } from '../src/shared/limits.ts'
import { awsEvent } from './aws-frames.ts'
import { byteWise, type Chunks, everySplit } from './chunking.ts'
import { bodyOf, recordings } from './recordings.ts'
import { SHARED_DATA_MISSING } from './shared-data.ts'

/** The name of the dialect, or the code of the error. */
function recognized(chunks: Chunks, contentType = ''): string {
  const detector = new DialectDetector(STREAM_LIMITS_DEFAULT)
  detector.contentType = contentType
  try {
    for (const chunk of chunks) {
      const found = detector.push(chunk)
      if (found !== null) return found.name
    }
    return detector.end().name
  } catch (error) {
    return (error as MillraceError).code
  }
}

/** Recordings whose bytes do not say whose they are, or are nobody's. */
const OTHERWISE: ReadonlyMap<string, string> = new Map([
  // An error and nothing else: reported as any SSE dialect would.
  [
    'streams/gemini-sse/chats-tests-sendmessage-send-message-stream-with-error-d187ed.sse',
    'openai-chat',
  ],
  ['streams/mutated/chat-html-error.sse', 'NOT_A_STREAM'],
  // Without a blank line there is no event.
  ['streams/mutated/chat-single-newline.sse', 'DIALECT_UNRECOGNIZED'],
])

test(
  'auto: every recording is recognised, whole and byte by byte',
  { skip: recordings.length === 0 && SHARED_DATA_MISSING },
  async () => {
    for (const { file, dialect } of recordings) {
      if (dialect === 'other') continue
      const body = await bodyOf(file)
      const expected = OTHERWISE.get(file) ?? dialect
      for (const chunks of [[body], byteWise(body.subarray(0, 100_000))]) {
        assert.equal(recognized(chunks), expected, file)
      }
    }
  },
)

const chat = '{"choices":[{"delta":{"content":"a"}}]}'

const bodies: readonly (readonly [body: string | Uint8Array, found: string, type?: string])[] = [
  [`\ufeff: comment\n\nevent: ping\ndata: {"type":"ping"}\n\ndata: ${chat}\n\n`, 'openai-chat'],
  [`data: ${chat}`, 'openai-chat'],
  ['data: {"choices":[],"id":""}\n\ndata: {"choices":[{"text":"a"}]}\n\n', 'openai-completions'],
  ['data: {"choices":[{"text":"a","delta":{"content":"a"}}]}\n\n', 'openai-chat'],
  ['data: {"delta":"a","type":"response.output_text.delta"}\n\n', 'openai-responses'],
  ['event: response.created\ndata: {}\n\n', 'openai-responses'],
  ['event: thread.run.created\ndata: {"id":"x"}\n\n', 'openai-assistants'],
  ['data: {"type":"message_start","message":{}}\n\n', 'anthropic'],
  ['data: {"type":"message-start","id":"x"}\n\n', 'cohere-v2'],
  ['data: {"event_type":"step.delta"}\n\n', 'gemini-interactions'],
  ['data: {"promptFeedback":{}}\n\n', 'gemini'],
  ['data: {"candidates":null,"usageMetadata":{}}\n\n', 'gemini'],
  ['data: {"text":"a"}\n\n', 'text'],
  ['{"text":"a"}\n', 'text-jsonl'],
  [' \n{"model":"m","message":{"role":"assistant"}}\n', 'ollama-chat'],
  ['{"model":"m","response":"a"}', 'ollama-generate'],
  ['[ {"candidates":[]}', 'gemini-array'],
  [awsEvent('messageStart', { role: 'assistant' }).subarray(0, 12), 'bedrock-eventstream'],
  // Errors and nothing else.
  ['event: error\ndata: {"type":"error","error":{"message":"m"}}\n\n', 'openai-chat'],
  ['error: {"message":"m"}\n\n', 'openai-chat'],
  ['{"error":{"message":"m"}}', 'openai-chat'],
  ['{\n  "error": {\n    "message": "m"\n  }\n}\n', 'openai-chat'],
  // The response's content type says more than its first byte.
  ['{"text":"a"}\n', 'openai-chat', 'text/event-stream'],
  ['{"text":"a"}\nx', 'DIALECT_UNRECOGNIZED', 'text/event-stream'],
  ['{"error":"a"}', 'openai-chat', 'Text/Event-Stream; charset=utf-8'],
  ['[1]\n{"text":"a"}\n', 'text-jsonl', 'application/x-ndjson'],
  ['xxxx', 'bedrock-eventstream', 'application/vnd.amazon.eventstream'],
  // Nothing to go by.
  ['', 'DIALECT_UNRECOGNIZED'],
  [' \n', 'DIALECT_UNRECOGNIZED'],
  ['data: [DONE]\n\n', 'DIALECT_UNRECOGNIZED'],
  ['data: {"unheard":"of"}\n\n', 'DIALECT_UNRECOGNIZED'],
  ['data: "choices"\n\n', 'DIALECT_UNRECOGNIZED'],
  ['{"a":1}\n{"b":2}\n', 'DIALECT_UNRECOGNIZED'],
  [new Uint8Array(12), 'DIALECT_UNRECOGNIZED'],
  [`${'data: {}\n\n'.repeat(64)}data: ${chat}\n\n`, 'DIALECT_UNRECOGNIZED'],
  [`${'data: {}\n\n'.repeat(63)}data: ${chat}\n\n`, 'openai-chat'],
  [' <html>', 'NOT_A_STREAM', 'text/event-stream'],
  [new Uint8Array([0x1f, 0x8b, 8, 0]), 'NOT_A_STREAM', 'text/event-stream'],
  [new Uint8Array([0x1f]), 'DIALECT_UNRECOGNIZED'],
  [new Uint8Array([0x1f, 0x0a, ...new TextEncoder().encode(`data: ${chat}\n\n`)]), 'openai-chat'],
]

test('auto: a body is recognised, or refused, at every split', () => {
  for (const [body, found, contentType] of bodies) {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    for (const chunks of everySplit(bytes)) {
      assert.equal(recognized(chunks, contentType), found, String(body).slice(0, 100))
    }
  }
})

const body = `data: ${chat}\n\ndata: {"choices":[{"finish_reason":"stop"}]}\n\n`

const told = { type: 'dialect', dialect: 'openai-chat' }
const delta = { type: 'text-delta', choice: 0, text: 'a' }
const finish = { type: 'finish', choice: 0, reason: 'stop' }

test('createDecoder: without a dialect, its first event tells which it is', () => {
  for (const chunks of everySplit(new TextEncoder().encode(body))) {
    const decoder = createDecoder()
    const events = chunks.flatMap((chunk) => [...decoder.push(chunk)])
    events.push(...decoder.end())
    assert.deepEqual(events, [told, delta, finish])
    assert.equal(decoder.failure, null)
  }
  const lost = createDecoder()
  assert.deepEqual([...lost.push('data: {}\n\n'), ...lost.end(), ...lost.push(body)], [])
  assert.equal(lost.failure?.code, 'DIALECT_UNRECOGNIZED')
})

async function allOf(events: AsyncIterable<TokenEvent>): Promise<TokenEvent[]> {
  const all: TokenEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

test('decode: without a dialect, both placements recognise it, whatever the window', async () => {
  const mill = await createMillrace()
  try {
    // The first event is larger than the window.
    const padded = `data: {"pad":"${'x'.repeat(5000)}",${chat.slice(1)}\n\n${body}`
    for (const placement of ['inline', 'worker'] as const) {
      const options = { placement, windowBytes: 1024 }
      const events = await allOf(mill.decode(padded, options))
      assert.deepEqual(events, [told, delta, delta, finish])
      const stream = mill.decode([padded.slice(0, 3000), padded.slice(3000)], options)
      const { text } = await stream.final()
      assert.deepEqual(text, { 0: 'aa' })
      assert.equal(stream.stats().dialect, 'openai-chat')
      const written = mill.open(options)
      assert.equal(written.stats().dialect, 'auto')
      written.write(body)
      written.end()
      assert.deepEqual(await allOf(written), [told, delta, finish])
      for (const source of ['data: {}\n\n', '']) {
        const lost = mill.decode(source, options)
        await assert.rejects(lost.final(), { code: 'DIALECT_UNRECOGNIZED' })
      }
    }
  } finally {
    await mill.close()
  }
})

const LIMITS = { lineBytesMax: 1024, eventBytesMax: 512 }
const ping = 'event: ping\ndata: {}\n\n'

/** What is too long, its error, a dialect of that framing, and a body that tells nothing before. */
const TOO_LONG: readonly (readonly [what: string, code: string, as: string, body: string])[] = [
  ['an SSE line', 'LINE_TOO_LONG', 'openai-chat', `${ping}data: {"x":"${'x'.repeat(2000)}`],
  ['a comment', 'LINE_TOO_LONG', 'openai-chat', `${ping}:${'x'.repeat(2000)}`],
  ['an SSE event', 'EVENT_TOO_LARGE', 'openai-chat', ping + 'data: {}\n'.repeat(300)],
  ['an NDJSON line', 'LINE_TOO_LONG', 'ollama-chat', `{}\n{"x":"${'x'.repeat(2000)}`],
  ['an element', 'EVENT_TOO_LARGE', 'gemini-array', `[{},{"x":"${'x'.repeat(2000)}`],
]

for (const [name, code, dialect, text] of TOO_LONG) {
  test(`auto: ${name} that is too long is ${code}, as where the dialect is named`, async () => {
    const failureOf = (choice: object): MillraceError => {
      const decoder = createDecoder({ ...choice, ...LIMITS })
      decoder.push(text)
      decoder.end()
      return decoder.failure!
    }
    const { message, details } = failureOf({ dialect })
    const found = failureOf({})
    assert.deepEqual([found.code, found.message, found.details], [code, message, details])
    const mill = await createMillrace()
    try {
      for (const placement of ['inline', 'worker'] as const) {
        const stream = mill.decode(text, { placement, ...LIMITS })
        await assert.rejects(stream.final(), { code, message })
      }
    } finally {
      await mill.close()
    }
  })
}

test('auto: what tells nothing is kept up to a bound', () => {
  const comments = Buffer.from(': x\n'.repeat(4096))
  const detector = new DialectDetector({ ...STREAM_LIMITS_DEFAULT, ...LIMITS })
  let error: unknown
  let bytes = 0
  try {
    for (; bytes < 2 ** 24; bytes += comments.length) detector.push(comments)
  } catch (thrown) {
    error = thrown
  }
  const { code, details } = error as MillraceError
  assert.equal(code, 'DIALECT_UNRECOGNIZED')
  assert.ok(bytes < 64 * (LIMITS.lineBytesMax + LIMITS.eventBytesMax), `${bytes} bytes`)
  assert.equal(details['bytes'], bytes)
})

test('decode: a response may be of any content type that a dialect has', async () => {
  const mill = await createMillrace()
  const response = (type: string, text: string): Response => {
    return new Response(text, { headers: { 'content-type': type } })
  }
  const line = '{"message":{"role":"assistant","content":"a"},"done":true}\n'
  const codeOf = async (type: string, text: string, options: DecodeOptions): Promise<string> => {
    try {
      const message = await mill.decode(response(type, text), options).final()
      return message.text['0'] ?? ''
    } catch (error) {
      return (error as MillraceError).code
    }
  }
  try {
    for (const [type, text, dialect, found] of [
      ['application/x-ndjson', line, 'auto', 'a'],
      ['application/json', line, 'auto', 'a'],
      ['application/json; charset=utf-8', line, 'ollama-chat', 'a'],
      ['application/x-ndjson', line, 'ollama-chat', 'a'],
      ['application/x-ndjson', body, 'openai-chat', 'CONTENT_TYPE'],
      ['application/json', body, 'openai-chat', 'CONTENT_TYPE'],
      ['text/event-stream', line, 'ollama-chat', 'CONTENT_TYPE'],
      ['text/html', line, 'auto', 'CONTENT_TYPE'],
      ['text/plain', line, 'ollama-chat', 'a'],
    ] as const) {
      assert.equal(await codeOf(type, text, { dialect }), found, `${type} as ${dialect}`)
    }
  } finally {
    await mill.close()
  }
})

/** A dialect that no provider has. */
const own: Dialect = defineDialect({
  name: 'own',
  framing: 'ndjson',
  payload: 'json',
  end: 'terminator',
  rules: [
    { emit: 'text', path: 'say' },
    { emit: 'end', when: { over: [true] }, name: 'over' },
  ],
})

test('defineDialect: a table of one’s own works in both placements', async () => {
  const mill = await createMillrace()
  try {
    for (const placement of ['inline', 'worker'] as const) {
      for (const table of [own, { ...own, name: 'openai-chat' }]) {
        const stream = mill.decode('{"say":"a"}\n{"over":true}\n', { dialect: table, placement })
        const { text, terminator } = await stream.final()
        assert.deepEqual([text, terminator], [{ 0: 'a' }, 'over'])
      }
    }
  } finally {
    await mill.close()
  }
})

test('defineDialect: keeps what it was given, whatever becomes of that', () => {
  const rules = [{ emit: 'text' as const, path: 'a' }]
  const made = defineDialect({ ...own, rules })
  rules[0]!.path = 'b'
  assert.deepEqual(made.rules, [{ emit: 'text', path: 'a' }])
  assert.throws(() => Object.assign(made.rules[0] as object, { path: 'b' }), TypeError)
  assert.throws(() => defineDialect({ ...own, name: 'A' }), { code: 'DIALECT_INVALID' })
  assert.throws(() => createDecoder({ dialect: { ...own, end: 'x' } as unknown as Dialect }), {
    code: 'DIALECT_INVALID',
  })
})

test('dialects: each is there by its name, to build on', () => {
  const { oneValue, ...gemini } = dialects['gemini'] as Dialect
  const many = defineDialect(gemini)
  assert.equal(oneValue, true)
  const decoder = createDecoder({ dialect: many })
  const one = '{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}'
  assert.deepEqual([...decoder.push(`data: ${one}${one}\n\n`)], [delta, delta])
})

test('raw, flushIncomplete: hold in both placements', async () => {
  const mill = await createMillrace()
  const cut = `data: ${chat}`
  try {
    for (const placement of ['inline', 'worker'] as const) {
      const options = { dialect: 'openai-chat', placement, raw: true, flushIncomplete: true }
      const stream = mill.decode(cut, options)
      const events: TokenEvent[] = []
      await assert.rejects(
        async () => {
          for await (const event of stream) events.push(event)
        },
        { code: 'STREAM_TRUNCATED' },
      )
      assert.deepEqual(events, [
        { type: 'event', event: 'message', data: chat, lastEventId: '' },
        delta,
      ])
    }
  } finally {
    await mill.close()
  }
})
