import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, ServerResponse, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { CHUNKERS, chunksOf } from '../src/cli/provider/chunkers.ts'
import { forkProvider } from '../src/cli/provider/provider-process.ts'
import { requestUrl } from '../src/cli/provider/request.ts'
import { startProvider } from '../src/cli/provider/server.ts'
import {
  anthropicStream,
  bundledStream,
  openaiChatStream,
  type BundledStream,
} from '../src/cli/provider/streams.ts'
import { readNaively } from './naive-reader.ts'

const DIALECTS = ['openai-chat', 'anthropic'] as const
const FULL = { tokens: 400, reasoning: 120, toolCalls: 3 }

/** The expected message without what only the generator can know, and whether it ended in full. */
function claims({ expected }: BundledStream, complete: boolean): unknown {
  const { tokenKinds: _kinds, tokenEnds: _ends, ...message } = expected
  return { ...message, complete }
}

for (const dialect of DIALECTS) {
  for (const options of [
    FULL,
    { ...FULL, eol: '\r\n' },
    { ...FULL, text: 'plain', usage: false },
    { ...FULL, ending: 'error' },
    { ...FULL, ending: 'truncated' },
    { tokens: 0 },
    { tokens: 1, toolCalls: 1 },
  ] as const) {
    const which = JSON.stringify(options)
    test(`bundledStream: ${dialect} says on the wire what it claims, ${which}`, () => {
      for (let seed = 0; seed < 5; seed += 1) {
        const stream = bundledStream(dialect, { ...options, seed })
        const complete = !('ending' in options) || options.ending !== 'truncated'
        assert.deepEqual(readNaively(stream), claims(stream, complete), `seed ${seed}`)
      }
    })
  }

  for (const eol of ['\n', '\r\n'] as const) {
    const which = `${dialect} with ${JSON.stringify(eol)}`
    test(`bundledStream: ${which} completes each token's event at its tokenEnd`, () => {
      const { bytes, expected } = bundledStream(dialect, {
        tokens: 90,
        reasoning: 20,
        toolCalls: 2,
        eol,
      })
      assert.equal(expected.tokens.length, expected.tokenEnds.length)
      assert.equal(expected.tokens.length, expected.tokenKinds.length)
      for (const [i, end] of expected.tokenEnds.entries()) {
        // The last byte is the blank line's CR or LF, and not one byte less will do.
        const lines = Buffer.from(bytes.subarray(0, end)).toString().replaceAll(/\r\n?/g, '\n')
        assert.match(lines, /[^\n]\n\n$/)
        const { tokens } = readNaively({ dialect, bytes: new TextEncoder().encode(lines) })
        assert.deepEqual(tokens, expected.tokens.slice(0, i + 1))
      }
    })
  }

  test(`bundledStream: ${dialect} gives a seed's bytes again, and others for another seed`, () => {
    const bytes = (seed: number): string =>
      Buffer.from(bundledStream(dialect, { ...FULL, seed }).bytes).toString('latin1')
    assert.equal(bytes(9), bytes(9))
    assert.notEqual(bytes(9), bytes(10))
  })

  test(`bundledStream: ${dialect} holds every kind of text that decoders get wrong`, () => {
    const { bytes, expected } = bundledStream(dialect, { ...FULL, tokens: 10_000 })
    const wire = Buffer.from(bytes).toString()
    const { text } = expected
    for (const char of ['\u{1F30A}', '\u00e9', '\u6c34', '"', '\\', '\n', '\u0000', '\u2028']) {
      assert.ok(text.includes(char), `no ${JSON.stringify(char)} in the text`)
    }
    assert.ok(text.includes('data: [DONE]\n\n'), 'no look-alike of the end')
    assert.ok(wire.includes('\\ud83c\\udf0a'), 'no surrogate pair as escapes')
    assert.ok(wire.includes('\u{1F30A}'), 'no surrogate pair as UTF-8')
    assert.ok(wire.includes('\\u003c'), 'no Go-style escape')
    assert.ok(
      expected.tokens.some((token) => /[\ud800-\udbff]$/.test(token)),
      'no surrogate pair cut between two tokens',
    )
    assert.equal(Buffer.from(text).toString(), text, 'the joined text has a lone surrogate')
  })
}

test('openaiChatStream: an event is about 290 bytes, as at the provider', () => {
  const { bytes, expected } = openaiChatStream({ tokens: 2000 })
  const mean = bytes.length / expected.events
  assert.ok(mean > 270 && mean < 310, `${mean} bytes an event`)
})

test('openaiChatStream: fragments of parallel tool calls interleave', () => {
  const { expected, bytes } = openaiChatStream({ tokens: 0, toolCalls: 3 })
  const turns = [
    ...Buffer.from(bytes)
      .toString()
      .matchAll(/"tool_calls":\[\{"index":(\d)/g),
  ]
  const changes = turns.filter((turn, i) => i > 0 && turn[1] !== turns[i - 1]![1])
  // Opening three calls and sending them one after the other makes five.
  assert.ok(changes.length > 8, `${changes.length} changes of call`)
  for (const call of expected.toolCalls) assert.ok(JSON.parse(call.arguments))
})

for (const chunker of CHUNKERS) {
  test(`chunksOf: ${chunker} leaves out nothing and cuts no empty chunk`, () => {
    for (const eol of ['\n', '\r\n'] as const) {
      const { bytes } = bundledStream('openai-chat', { ...FULL, eol })
      const chunks = [...chunksOf(bytes, chunker, 3)]
      assert.ok(chunks.every((chunk) => chunk.length > 0))
      assert.ok(Buffer.concat(chunks).equals(bytes))
    }
  })
}

test('chunksOf: events gives one event or comment a chunk, with either line end', () => {
  for (const eol of ['\n', '\r\n'] as const) {
    const { bytes, expected } = bundledStream('anthropic', { ...FULL, eol })
    const chunks = [...chunksOf(bytes, 'events')]
    assert.equal(chunks.length, expected.events + expected.comments)
  }
})

test('chunksOf: awkward parts UTF-8 sequences, escapes, CRLF, blank lines and fields', () => {
  const bytes = new TextEncoder().encode('data: "\u6c34\\n\\ud83c"\r\n\r\nid: 1\n\n')
  const chunks = [...chunksOf(bytes, 'awkward')].map((chunk) =>
    Buffer.from(chunk).toString('latin1'),
  )
  assert.deepEqual(chunks, [
    'data',
    ': "\u00e6',
    '\u00b0',
    '\u00b4\\',
    'n\\',
    'u',
    'd',
    '8',
    '3',
    'c"\r',
    '\n',
    '\r',
    '\nid: 1\n',
    '\n',
  ])
})

async function request(
  url: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { headers }), 'response')) as [IncomingMessage]
  return response
}

/** The body as it arrived: `for await` would join the chunks that arrived together. */
async function chunksFrom(response: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.resume()
  await once(response, 'end')
  return chunks
}

test('startProvider: serves the stream that the URL describes, chunk by chunk', async () => {
  const provider = await startProvider()
  try {
    for (const dialect of DIALECTS) {
      for (const chunker of ['awkward', 'primes', 'events', 'whole'] as const) {
        const options = { seed: 5, tokens: 40, toolCalls: 2, eol: '\r\n' } as const
        const url = requestUrl(provider.origin, dialect, { ...options, chunker })
        const response = await request(url)
        assert.equal(response.statusCode, 200)
        assert.match(response.headers['content-type'] ?? '', /^text\/event-stream/)
        const { bytes } = bundledStream(dialect, options)
        const chunks = await chunksFrom(response)
        assert.ok(Buffer.concat(chunks).equals(bytes), `${dialect} ${chunker}`)
        assert.equal(chunks.length, [...chunksOf(bytes, chunker, 5)].length)
      }
    }
  } finally {
    await provider.close()
  }
})

test('startProvider: tokensPerSecond delays what is due later and changes no byte', async () => {
  const provider = await startProvider()
  try {
    const options = { tokens: 50, tokensPerSecond: 1000 }
    const began = performance.now()
    const chunks = await chunksFrom(
      await request(requestUrl(provider.origin, 'openai-chat', options)),
    )
    // A lower bound only: a slow machine cannot break it, an unpaced stream takes 5 ms.
    assert.ok(performance.now() - began >= 40)
    assert.ok(Buffer.concat(chunks).equals(openaiChatStream({ tokens: 50 }).bytes))
  } finally {
    await provider.close()
  }
})

test('startProvider: a stalled reader stops its stream and no other', async (t) => {
  const write = t.mock.method(ServerResponse.prototype, 'write')
  const provider = await startProvider()
  try {
    const long = openaiChatStream({ tokens: 40_000 })
    const stalled = await request(requestUrl(provider.origin, 'openai-chat', { tokens: 40_000 }))
    stalled.pause()
    const short = openaiChatStream({ tokens: 100, seed: 2 })
    const other = await request(
      requestUrl(provider.origin, 'openai-chat', { tokens: 100, seed: 2 }),
    )
    assert.ok(Buffer.concat(await chunksFrom(other)).equals(short.bytes))
    const written = write.mock.calls.reduce((sum, call) => sum + call.arguments[0].length, 0)
    // The rest is what the kernel's buffers take, a few megabytes.
    assert.ok(written < long.bytes.length, `${written} bytes were written`)
    assert.ok(Buffer.concat(await chunksFrom(stalled)).equals(long.bytes))
  } finally {
    await provider.close()
  }
})

test('startProvider: cutBytes breaks the connection after exactly so many bytes', async () => {
  const provider = await startProvider()
  try {
    const response = await request(requestUrl(provider.origin, 'anthropic', { cutBytes: 777 }))
    let received = 0
    let code: string | undefined
    response.on('data', (chunk: Buffer) => (received += chunk.length))
    response.on('error', (error: NodeJS.ErrnoException) => (code = error.code))
    await new Promise((resolve) => response.once('close', resolve))
    assert.equal(code, 'ECONNRESET')
    assert.equal(received, 777)
  } finally {
    await provider.close()
  }
})

const REFUSED: readonly (readonly [string, number, RegExp, Record<string, string>?])[] = [
  ['/v1/other', 404, /nothing at \/v1\/other/],
  ['/v1/messages?tokns=3', 400, /unknown parameter tokns/],
  ['/v1/messages?tokens=-1', 400, /tokens=-1 is not an integer/],
  ['/v1/messages?tokens=Infinity', 400, /tokens=Infinity is not an integer/],
  ['/v1/messages?chunker=odd', 400, /chunker=odd is none of/],
  ['/v1/messages?status=503', 503, /as requested/],
  ['/v1/messages', 403, /host evil.example is not served/, { host: 'evil.example' }],
]

for (const [path, status, message, headers] of REFUSED) {
  const host = headers === undefined ? '' : ' for another host'
  test(`startProvider: answers ${status} to ${path}${host}`, async () => {
    const provider = await startProvider()
    try {
      const response = await request(provider.origin + path, headers)
      assert.equal(response.statusCode, status)
      assert.match(Buffer.concat(await chunksFrom(response)).toString(), message)
    } finally {
      await provider.close()
    }
  })
}

test('forkProvider: serves from a process of its own and ends it on close', async () => {
  const provider = await forkProvider()
  const { bytes } = anthropicStream({ seed: 4 })
  const response = await request(requestUrl(provider.origin, 'anthropic', { seed: 4 }))
  assert.ok(Buffer.concat(await chunksFrom(response)).equals(bytes))
  await provider.close()
  await assert.rejects(request(provider.origin), { code: 'ECONNREFUSED' })
})
