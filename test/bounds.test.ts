/**
 * Bounds and bad input: what is too long, too deep, too many, or not what was promised is a typed
 * error within its bound, or harmless; and the stream beside it in the same pool never notices.
 *
 * `MILLRACE_LINE_MIB=1024` makes the lines without an end that long, as they are read.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  createMillrace,
  type DecodeOptions,
  type Millrace,
  type MillraceError,
  type Source,
  type WritableTokenStream,
} from '../src/main/index.ts'
import { FRAME_BYTES_MAX, STREAM_LIMITS_DEFAULT, WINDOW_BYTES } from '../src/shared/limits.ts'
import { bytes, chat, chunksOf, delta, DONE, FINISH } from './chat-bytes.ts'
import { brief } from './reading.ts'

const MIB: number = 2 ** 20
const ENDLESS_BYTES: number = Number(process.env['MILLRACE_LINE_MIB'] ?? 64) * MIB
const { lineBytesMax, eventBytesMax } = STREAM_LIMITS_DEFAULT

/** Room for an event of 16 MiB. */
const ROOMY = { lineBytesMax: 16 * MIB, eventBytesMax: 16 * MIB } as const

/** A source that counts what is taken of it. */
interface Tap {
  taken: number
}

interface Row {
  readonly name: string
  readonly source: (tap: Tap) => Source
  readonly options?: Partial<DecodeOptions>
  /** Events in brief; tokens one after the other are joined. */
  readonly events: readonly string[]
  /** The stream's failure; `null` where it lives to its end. */
  readonly code: string | null
  /** A part of the failure's message: the limit, and its number. */
  readonly says?: string
  /** How much of an endless source may be taken, besides what is in flight. */
  readonly takenMax?: number
}

/** `start`, and then `filling` over and over. */
function endless(start: string, filling = 'x'): (tap: Tap) => Source {
  const chunk = bytes(filling.repeat(FRAME_BYTES_MAX / filling.length))
  return function* (tap) {
    yield bytes(start)
    for (; tap.taken < ENDLESS_BYTES; tap.taken += chunk.length) yield chunk
  }
}

const longText = (length: number): string => 'abcdefg\u00e9'.repeat(Math.ceil(length / 9))

/** An event with a token, and more in it than the table reads. */
const beside = (member: string): string =>
  `data: {${member},"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n`

const manyKeys = (count: number): string =>
  `"x":{${Array.from({ length: count }, (_, at) => `"k${at}":0`).join(',')}}`

/** The decoder's own hash of a key takes its ends and its length. */
const alikeKeys = (count: number): string => {
  const middles = Array.from({ length: count }, (_, at) => String(at).padStart(8, '0'))
  return `"x":{${middles.map((middle) => `"choices-${middle}-content":0`).join(',')}}`
}

const nested = (depth: number): string => `"x":${'['.repeat(depth)}${']'.repeat(depth)}`

const HTML = '<!doctype html><title>502</title><h1>Bad Gateway</h1>'
const JSON_ERROR = '{"error":{"message":"no such model","code":404}}'

const labelled = (body: string, type: string): Source =>
  new Response(body, { headers: { 'content-type': type } })

const POISON = '{"__proto__":{"poisoned":1},"constructor":{"prototype":{"poisoned":1}}}'

const ROWS: readonly Row[] = [
  {
    name: 'a line of 66 KB, byte by byte, is one token',
    source: () => chunksOf(chat(longText(66_000)), 1),
    events: [longText(66_000), 'finish', 'end'],
    code: null,
  },
  {
    name: 'a line of 1 MiB, 16 bytes at a time, is one token',
    source: () => chunksOf(chat(longText(MIB)), 16),
    events: [longText(MIB), 'finish', 'end'],
    code: null,
  },
  {
    name: 'a data line without an end',
    source: endless(`${delta('a')}data: `),
    events: ['a'],
    code: 'LINE_TOO_LONG',
    says: `lineBytesMax, ${lineBytesMax}`,
    takenMax: lineBytesMax,
  },
  {
    name: 'a data line without an end, at the highest limit',
    source: endless(`${delta('a')}data: "`),
    options: { lineBytesMax: 64 * MIB, eventBytesMax: 64 * MIB },
    events: ['a'],
    code: 'LINE_TOO_LONG',
    says: `lineBytesMax, ${64 * MIB}`,
    takenMax: 64 * MIB,
  },
  {
    name: 'a comment without an end',
    source: endless(`${delta('a')}:`),
    events: ['a'],
    code: 'LINE_TOO_LONG',
    says: `lineBytesMax, ${lineBytesMax}`,
    takenMax: lineBytesMax,
  },
  {
    name: 'a million comments say nothing, and cost nobody anything',
    source: () => `${delta('a')}${':\n'.repeat(500_000)}${': x\n\n'.repeat(500_000)}${chat('b')}`,
    events: ['a', 'b', 'finish', 'end'],
    code: null,
  },
  {
    name: 'an event without an end',
    source: endless(delta('a'), 'data: x\n'),
    events: ['a'],
    code: 'EVENT_TOO_LARGE',
    says: `eventBytesMax, ${eventBytesMax}`,
    takenMax: 4 * eventBytesMax,
  },
  {
    name: 'a record without an end',
    source: endless('{"message":{"content":"a"}}\n{"message":{"content":"'),
    options: { dialect: 'ollama-chat' },
    events: ['a'],
    code: 'LINE_TOO_LONG',
    says: `lineBytesMax, ${lineBytesMax}`,
    takenMax: lineBytesMax,
  },
  {
    name: 'an element without an end',
    source: endless('[{"x":"'),
    options: { dialect: 'gemini-array' },
    events: [],
    code: 'EVENT_TOO_LARGE',
    says: `eventBytesMax, ${eventBytesMax}`,
    takenMax: eventBytesMax,
  },
  {
    name: 'a JSON body without an end',
    source: endless('{"error":"'),
    events: [],
    code: 'EVENT_TOO_LARGE',
    says: `eventBytesMax, ${eventBytesMax}`,
    takenMax: eventBytesMax,
  },
  {
    name: 'a page without an end',
    source: endless('<html>'),
    events: [],
    code: 'NOT_A_STREAM',
    says: 'HTML',
    takenMax: 0,
  },
  {
    name: 'JSON 100,000 deep is reported, and the stream goes on',
    source: () => delta('a') + beside(nested(100_000)) + chat('b'),
    events: ['a', 'JSON_TOO_DEEP', 'b', 'finish', 'end'],
    code: null,
  },
  {
    name: 'JSON 100,000 deep, with `strict`',
    source: () => delta('a') + beside(nested(100_000)),
    options: { strict: true },
    events: ['a'],
    code: 'JSON_TOO_DEEP',
    says: 'jsonDepthMax, 64',
  },
  {
    name: 'a number of 10 MB, at the usual limits',
    source: () => delta('a') + beside(`"created":${'1'.repeat(10_000_000)}`),
    events: ['a'],
    code: 'LINE_TOO_LONG',
    says: `lineBytesMax, ${lineBytesMax}`,
  },
  {
    name: 'a number of 10 MB, where an event may be as long, is reported',
    source: () => delta('a') + beside(`"created":${'1'.repeat(10_000_000)}`) + chat('b'),
    options: ROOMY,
    events: ['a', 'JSON_NUMBER_TOO_LONG', 'b', 'finish', 'end'],
    code: null,
  },
  {
    name: 'a number of 65 bytes, with `strict`',
    source: () => delta('a') + beside(`"created":${'1'.repeat(65)}`),
    options: { strict: true },
    events: ['a'],
    code: 'JSON_NUMBER_TOO_LONG',
    says: 'jsonNumberBytesMax, 64',
  },
  {
    name: 'a number of 1,024 bytes, where one may be as long',
    source: () => beside(`"created":${'1'.repeat(1024)}`) + FINISH + DONE,
    options: { jsonNumberBytesMax: 1024 },
    events: ['a', 'finish', 'end'],
    code: null,
  },
  {
    name: 'a number of 10 MB cannot be an index',
    source: () => chat('a', 'b').replace('"index":0', `"index":${'1'.repeat(10_000_000)}`),
    options: ROOMY,
    events: ['JSON_NUMBER_TOO_LONG', 'b', 'finish', 'end'],
    code: null,
  },
  {
    name: 'a million keys',
    source: () => beside(manyKeys(1_000_000)) + FINISH + DONE,
    options: ROOMY,
    events: ['a', 'finish', 'end'],
    code: null,
  },
  {
    name: 'keys that are alike at both ends',
    source: () => beside(alikeKeys(200_000)) + FINISH + DONE,
    options: ROOMY,
    events: ['a', 'finish', 'end'],
    code: null,
  },
  {
    name: 'a number larger than any, in what is passed on',
    source: () => beside('"usage":{"prompt_tokens":1e400}') + FINISH + DONE,
    events: ['a', 'usage', 'finish', 'end'],
    code: null,
  },
  {
    name: 'a million times the same key, of which the last counts',
    source: () =>
      `data: {"choices":[{"delta":{${'"content":"x",'.repeat(1_000_000)}"content":"a"}}]}\n\n` +
      `${FINISH}${DONE}`,
    options: ROOMY,
    events: ['a', 'finish', 'end'],
    code: null,
  },
  {
    name: 'keys that are properties of every object are keys like any other',
    source: () =>
      `data: {"__proto__":{"choices":[{"delta":{"content":"x"}}]},"usage":${POISON}}\n\n` +
      `data: {"choices":[{"delta":{"__proto__":{"content":"x"},"content":"a","tool_calls":` +
      `[{"index":0,"id":"t","function":{"name":"__proto__","arguments":` +
      `${JSON.stringify(POISON)}}}]}}]}\n\n${FINISH}${DONE}`,
    events: [
      'usage',
      'a',
      'tool-input-start',
      'tool-input-delta',
      'finish',
      'tool-input-end',
      'end',
    ],
    code: null,
  },
  {
    name: 'a NUL is no JSON, and one that is escaped is text',
    source: () => `${delta('a')}data: {"id":\0}\n\nid: \0\n${chat('\0')}`,
    events: ['a', 'EVENT_MALFORMED', '\0', 'finish', 'end'],
    code: null,
  },
  {
    name: 'nothing but NULs',
    source: () => new Uint8Array(100_000),
    events: [],
    code: 'STREAM_TRUNCATED',
  },
  {
    name: 'gzip bytes where text was promised',
    source: () => gzipSync(chat('a')),
    events: [],
    code: 'NOT_A_STREAM',
    says: 'gzip',
  },
  {
    name: 'gzip bytes of whatever stream',
    source: () => gzipSync(chat('a')),
    options: { dialect: 'auto' },
    events: [],
    code: 'NOT_A_STREAM',
    says: 'gzip',
  },
  {
    name: 'gzip bytes of raw events',
    source: () => gzipSync(chat('a')),
    options: { dialect: 'sse' },
    events: [],
    code: 'NOT_A_STREAM',
    says: 'gzip',
  },
  {
    name: 'gzip bytes where records were promised',
    source: () => gzipSync('{"message":{"content":"a"}}\n'),
    options: { dialect: 'ollama-chat' },
    events: [],
    code: 'NOT_A_STREAM',
    says: 'gzip',
  },
  {
    name: 'gzip bytes where frames were promised',
    source: () => gzipSync(chat('a')),
    options: { dialect: 'bedrock-eventstream' },
    events: [],
    code: 'NOT_A_STREAM',
    says: 'gzip',
  },
  {
    name: 'an HTML page under status 200',
    source: () => labelled(HTML, 'text/html'),
    events: [],
    code: 'CONTENT_TYPE',
    says: 'text/html',
  },
  {
    name: 'an HTML page under status 200 that calls itself a stream',
    source: () => labelled(HTML, 'text/event-stream'),
    events: [],
    code: 'NOT_A_STREAM',
    says: 'HTML',
  },
  {
    name: 'a JSON error under status 200',
    source: () => labelled(JSON_ERROR, 'application/json'),
    events: [],
    code: 'CONTENT_TYPE',
    says: 'no such model',
  },
  {
    name: 'a JSON error under status 200 that calls itself a stream',
    source: () => labelled(JSON_ERROR, 'text/event-stream'),
    events: ['PROVIDER_ERROR'],
    code: 'PROVIDER_ERROR',
    says: 'no such model',
  },
]

/** A stream that is open, in the middle of an event and of a character, while others misbehave. */
class Neighbour {
  readonly #stream: WritableTokenStream
  readonly #text: Promise<string | undefined>
  readonly #rest: Uint8Array

  constructor(mill: Millrace, placement: 'inline' | 'worker') {
    this.#stream = mill.open({ dialect: 'openai-chat', placement })
    this.#text = this.#stream.final().then(({ text }) => text[0])
    const event = bytes(delta('b\u00e9'))
    const cut = event.indexOf(0xc3) + 1
    this.#stream.write(delta('a'))
    this.#stream.write(event.subarray(0, cut))
    this.#rest = event.subarray(cut)
  }

  async assertUnharmed(): Promise<void> {
    this.#stream.write(this.#rest)
    this.#stream.write(FINISH + DONE)
    this.#stream.end()
    assert.equal(await this.#text, 'ab\u00e9', 'the stream beside it')
  }
}

interface Outcome {
  readonly events: string[]
  readonly code: string | null
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

async function outcomeOf(mill: Millrace, source: Source, options: DecodeOptions): Promise<Outcome> {
  const events: string[] = []
  try {
    const stream = mill.decode(source, options)
    for await (const event of stream) events.push(brief(event))
    await stream.final()
    return { events, code: null, message: '', details: {} }
  } catch (error) {
    const { code = 'not typed', message, details = {} } = error as Partial<MillraceError> & Error
    return { events, code, message, details }
  }
}

for (const placement of ['inline', 'worker'] as const) {
  describe(placement, () => {
    let mill: Millrace
    before(async () => {
      mill = await createMillrace()
    })
    after(() => mill.close())

    for (const { name, source, options, events, code, says = '', takenMax } of ROWS) {
      test(`bounds: ${name}${code === null ? '' : `: ${code}`}`, async () => {
        const neighbour = new Neighbour(mill, placement)
        const tap: Tap = { taken: 0 }
        const chosen = { dialect: 'openai-chat', placement, ...options }
        const found = await outcomeOf(mill, source(tap), chosen)
        assert.deepEqual([found.events, found.code], [events, code])
        assert.ok(found.message.includes(says), found.message)
        const [, limit, number] = /^(\w+), (\d+)$/.exec(says) ?? []
        if (limit !== undefined) assert.equal(found.details[limit], Number(number))
        if (takenMax !== undefined) {
          const inFlight = WINDOW_BYTES.fallback + FRAME_BYTES_MAX
          assert.ok(tap.taken <= takenMax + inFlight, `${tap.taken} bytes were taken`)
        }
        assert.equal(Reflect.get({}, 'poisoned'), undefined)
        await neighbour.assertUnharmed()
      })
    }
  })
}

// In a pool of its own, which nothing has made larger before.
test('bounds: what a line without an end has leased is bounded by its limit', async () => {
  const mill = await createMillrace()
  try {
    const neighbour = new Neighbour(mill, 'worker')
    const options = { dialect: 'openai-chat' }
    const { code } = await outcomeOf(mill, endless('data: ')({ taken: 0 }), options)
    assert.equal(code, 'LINE_TOO_LONG')
    const { memoryBytes } = await mill.stats()
    // A carry that doubles is there twice while it is copied.
    assert.ok(memoryBytes < 2_000_000 + 3 * lineBytesMax, `${memoryBytes} bytes`)
    await neighbour.assertUnharmed()
  } finally {
    await mill.close()
  }
})
