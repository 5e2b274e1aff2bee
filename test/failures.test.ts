/** The README's table of failures: what each does to each way of reading a stream. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import {
  createMillrace,
  type DecodeOptions,
  type Message,
  type Millrace,
  type MillraceError,
  type Source,
  type TokenEvent,
  type TokenStream,
} from '../src/main/index.ts'
import { TokenBatch } from '../src/main/token-batch.ts'
import { chat, delta, DONE, FINISH, hanging } from './chat-bytes.ts'
import { brief } from './reading.ts'

interface Failure {
  readonly source: () => Source
  readonly options?: Partial<DecodeOptions>
  /** What makes it happen, once the first token was read. */
  readonly provoke?: (mill: Millrace, stream: TokenStream) => unknown
  /** Events, in brief. */
  readonly events: readonly string[]
  /** What the readers throw after them, and what `final()` rejects with; null for nothing. */
  readonly thrown: string | null
  /** Where it is another code than `thrown`. */
  readonly textThrown?: string
  readonly final?: string
}

const PROVIDER_ERROR = 'data: {"error":{"message":"overloaded"}}\n\n'

/** By the first column of the table. */
const FAILURES: Readonly<Record<string, Failure>> = {
  'a malformed event, or one whose JSON passes a limit': {
    source: () => [delta('a'), 'data: {oops\n\n', `data: ${'['.repeat(65)}\n\n`, FINISH + DONE],
    events: ['a', 'EVENT_MALFORMED', 'JSON_TOO_DEEP', 'finish', 'end'],
    thrown: null,
  },
  'the same, with `strict`': {
    source: () => [delta('a'), 'data: {oops\n\n', chat('late')],
    options: { strict: true },
    events: ['a'],
    thrown: 'EVENT_MALFORMED',
  },
  'the provider’s own error, in mid-stream': {
    source: () => [delta('a'), PROVIDER_ERROR, delta('b'), FINISH + DONE],
    events: ['a', 'PROVIDER_ERROR', 'b', 'finish', 'end'],
    thrown: null,
    textThrown: 'PROVIDER_ERROR',
    final: 'PROVIDER_ERROR',
  },
  'the provider’s own error, as the last that it says': {
    source: () => [delta('a'), PROVIDER_ERROR],
    events: ['a', 'PROVIDER_ERROR'],
    thrown: 'PROVIDER_ERROR',
  },
  'a JSON body with the provider’s error, under status 200': {
    source: () => '{"error":{"message":"slow down","code":429}}',
    events: ['PROVIDER_ERROR'],
    thrown: 'PROVIDER_ERROR',
  },
  'a body that is no stream: other JSON, HTML, or gzip': {
    source: () => '{"object":"chat.completion","choices":[{"message":{"content":"Hi"}}]}',
    events: [],
    thrown: 'NOT_A_STREAM',
  },
  'a response that is refused: status, content type, no body': {
    source: () => new Response('slow down', { status: 429 }),
    events: [],
    thrown: 'HTTP_STATUS',
  },
  'whose stream it is, no name and no event tells': {
    source: () => 'data: {"x":1}\n\n',
    options: { dialect: 'auto' },
    events: [],
    thrown: 'DIALECT_UNRECOGNIZED',
  },
  'the source breaks off': {
    source: () => delta('a'),
    events: ['a'],
    thrown: 'STREAM_TRUNCATED',
  },
  'the source fails': {
    source: () => breaking(delta('a')),
    events: ['a'],
    thrown: 'SOURCE_FAILED',
  },
  'the source is silent for `timeout`, with no finish reason told': {
    source: () => hanging(delta('a')).source,
    options: { timeout: 20 },
    events: ['a'],
    thrown: 'TIMEOUT',
  },
  'the source takes longer than `durationMax`': {
    source: () => hanging(delta('a')).source,
    options: { durationMax: 20 },
    events: ['a'],
    thrown: 'DURATION_EXCEEDED',
  },
  'a line or an event is too long': {
    source: () => [delta('a'), `data: ${'x'.repeat(2000)}`],
    options: { lineBytesMax: 1024 },
    events: ['a'],
    thrown: 'LINE_TOO_LONG',
  },
  'the Millrace is closed': {
    source: () => hanging(delta('a')).source,
    provoke: (mill) => mill.close(),
    events: ['a'],
    thrown: 'MILLRACE_CLOSED',
  },
  '`cancel()`, or the `signal` is aborted': {
    source: () => hanging(delta('a')).source,
    provoke: (_, stream) => stream.cancel(),
    events: ['a'],
    thrown: 'STREAM_ABORTED',
  },
  'the reader leaves early': {
    source: () => hanging(delta('a')).source,
    events: ['a'],
    thrown: null,
    final: 'STREAM_ABORTED',
  },
  'the text passes `finalBytesMax`': {
    source: () => [delta('a'), delta('x'.repeat(2000)), FINISH + DONE],
    options: { finalBytesMax: 1024 },
    events: ['a', 'x'.repeat(2000), 'finish', 'end'],
    thrown: null,
    final: 'FINAL_TOO_LARGE',
  },
}

test('docs: the table of failures has the rows that are tested here, and no other', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const table = readme.split('## When something goes wrong')[1]!.split('\n## ')[0]!
  const rows = table.split('\n').filter((line) => line.startsWith('| '))
  assert.deepEqual(
    rows.slice(1).map((line) => line.split(' | ')[0]!.slice(2)),
    Object.keys(FAILURES),
  )
})

/** The ways to read a stream, each as what it yields in brief. */
const READERS: Readonly<Record<string, (stream: TokenStream) => AsyncIterable<unknown>>> = {
  events: (stream) => stream,
  batches: (stream) => stream.batches(),
  textStream: (stream) => stream.textStream,
  'a web stream': (stream) => stream.toReadableStream(),
}

for (const placement of ['inline', 'worker'] as const) {
  describe(placement, () => {
    let mill: Millrace
    before(async () => {
      mill = await createMillrace()
    })
    after(() => mill.close())
    for (const [name, failure] of Object.entries(FAILURES)) {
      const open = (on: Millrace): TokenStream =>
        on.decode(failure.source(), { dialect: 'openai-chat', placement, ...failure.options })

      for (const reader of Object.keys(READERS)) {
        test(`${reader}: ${name}`, async () => {
          const own = name.includes('closed') ? await createMillrace() : mill
          const stream = open(own)
          assert.deepEqual(await outcome(own, stream, reader, name), expected(failure, reader))
          assert.equal(await finalOf(stream, failure), failure.final ?? failure.thrown)
          if (own !== mill) await own.close()
        })
      }

      const isProvoked = failure.provoke !== undefined || name.includes('leaves')
      test(`final() alone: ${name}`, { skip: isProvoked && 'needs a reader' }, async () => {
        assert.equal(await finalOf(open(mill), failure), failure.final ?? failure.thrown)
      })
    }
  })
}

const CALL =
  'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f",' +
  '"arguments":"{\\"a\\":"}}]}}]}\n\n'

/** Ways to break off while a call is open; each but the last loses some of its input. */
const CUTS: readonly (readonly [name: string, code: string | null, cut: () => Source, object?])[] =
  [
    ['the source breaks off', 'STREAM_TRUNCATED', () => CALL],
    ['the source fails', 'SOURCE_FAILED', () => breaking(CALL)],
    ['the source fails after the finish reason', 'SOURCE_FAILED', () => breaking(CALL, FINISH)],
    ['the source is silent', 'TIMEOUT', () => hanging(CALL).source, { timeout: 20 }],
    ['the provider reports an error', 'PROVIDER_ERROR', () => [CALL, PROVIDER_ERROR]],
    ['an event is malformed', 'EVENT_MALFORMED', () => [CALL, 'data: {\n\n'], { strict: true }],
    ['a limit is passed', 'LINE_TOO_LONG', () => [CALL, ':'.repeat(2000)], { lineBytesMax: 1024 }],
    ['the stream ends as it should', null, () => [CALL, FINISH]],
  ]

for (const placement of ['inline', 'worker'] as const) {
  for (const [name, code, source, options] of CUTS) {
    const ends = code === null ? 'ends' : 'does not end'
    test(`tool-input-end: ${name}, and an open call ${ends} (${placement})`, async () => {
      const mill = await createMillrace()
      const types: string[] = []
      try {
        const chosen = { dialect: 'openai-chat', placement, ...options }
        const stream = mill.decode(source(), chosen)
        try {
          for await (const { type } of stream) if (type.startsWith('tool-')) types.push(type)
        } catch {
          // final() rejects with the same.
        }
        const begun = ['tool-input-start', 'tool-input-delta']
        assert.deepEqual(types, code === null ? [...begun, 'tool-input-end'] : begun)
        const settled = await stream.final().catch((error: MillraceError) => error)
        const failed = settled instanceof Error
        assert.equal(failed ? settled.code : null, code)
        const { toolCalls } = failed ? (settled.details['partial'] as Message) : settled
        assert.deepEqual(toolCalls, [
          { choice: 0, index: 0, id: 't', name: 'f', arguments: '{"a":' },
        ])
      } finally {
        await mill.close()
      }
    })
  }
}

interface Outcome {
  readonly seen: readonly string[]
  readonly code: string | null
}

function expected({ events, thrown, textThrown }: Failure, reader: string): Outcome {
  if (reader !== 'textStream') return { seen: events, code: thrown }
  return { seen: events.filter((event) => /^(a|b|x+)$/.test(event)), code: textThrown ?? thrown }
}

/** Reads to the end, or one value where the reader is to leave; provokes after the first. */
async function outcome(
  mill: Millrace,
  stream: TokenStream,
  reader: string,
  name: string,
): Promise<Outcome> {
  const seen: string[] = []
  let isFirst = true
  try {
    for await (const value of READERS[reader]!(stream)) {
      seen.push(...briefly(value))
      if (name.includes('leaves')) break
      if (isFirst) await FAILURES[name]!.provoke?.(mill, stream)
      isFirst = false
    }
    return { seen, code: null }
  } catch (error) {
    return { seen, code: (error as MillraceError).code }
  }
}

function briefly(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (value instanceof TokenBatch) return Array.from(value, brief)
  return [brief(value as TokenEvent)]
}

/** The code that `final()` rejects with, `null` for none; checks what it gives of the message. */
async function finalOf(stream: TokenStream, { events }: Failure): Promise<string | null> {
  const text = events.filter((event) => /^(a|b)$/.test(event)).join('')
  try {
    assert.equal((await stream.final()).text[0], text)
    return null
  } catch (error) {
    const { code, details } = error as MillraceError
    if (code !== 'FINAL_TOO_LARGE') {
      assert.equal((details['partial'] as Message).text[0] ?? '', text)
    }
    return code
  }
}

function* breaking(...chunks: readonly string[]): Generator<string> {
  yield* chunks
  throw new Error('socket hang up')
}
