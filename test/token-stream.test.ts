import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import {
  createMillrace,
  type DecodeOptions,
  type Millrace,
  type Placement,
  type Source,
  type TokenStream,
} from '../src/main/index.ts'
import { bytes, chat, chunksOf, delta, DONE, FINISH, hanging } from './chat-bytes.ts'
import { brief, collect, collectUntilFailure, failureOf, textOf } from './reading.ts'

for (const placement of ['inline', 'worker'] as const) {
  describe(placement, () => tests(placement))
}

function tests(placement: Placement): void {
  let mill: Millrace
  before(async () => {
    mill = await createMillrace()
  })
  after(() => mill.close())

  const decode = (source: Source, options: Partial<DecodeOptions> = {}): TokenStream =>
    mill.decode(source, { dialect: 'openai-chat', placement, ...options })

  const HELLO = chat('Hel', 'lo ', 'wörld 🌍')
  const SOURCES: Record<string, () => Source> = {
    'a Response': () => new Response(HELLO, { headers: { 'content-type': 'text/event-stream' } }),
    'a ReadableStream': () => new Response(HELLO).body!,
    'a Node Readable': () => Readable.from(chunksOf(HELLO, 7)),
    'a sync iterable': () => chunksOf(HELLO, 1),
    'an async iterable of strings': () => stringsOf(HELLO),
    'a string': () => HELLO,
    'a Uint8Array': () => bytes(HELLO),
  }
  for (const [name, source] of Object.entries(SOURCES)) {
    test(`decode: reads ${name}`, async () => {
      const events = await collect(decode(source()))
      assert.equal(textOf(events), 'Hello wörld 🌍')
      assert.deepEqual(events.slice(-2), [
        { type: 'finish', choice: 0, reason: 'stop' },
        { type: 'end', terminator: '[DONE]' },
      ])
    })
  }

  test('decode: a surrogate pair split over two string chunks stays whole', async () => {
    const at = HELLO.indexOf('🌍') + 1
    const events = await collect(decode([HELLO.slice(0, at), HELLO.slice(at)]))
    assert.equal(textOf(events), 'Hello wörld 🌍')
  })

  const REFUSED: { name: string; source: () => Source; code: string; details?: object }[] = [
    {
      name: 'a status that is not 2xx, with the start of its body',
      source: () => new Response('{"error":"slow down"}', { status: 429 }),
      code: 'HTTP_STATUS',
      details: { status: 429, excerpt: '{"error":"slow down"}' },
    },
    {
      name: 'an HTML page under status 200',
      source: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      code: 'CONTENT_TYPE',
      details: { contentType: 'text/html', excerpt: '<html>' },
    },
    {
      name: 'a response without a body',
      source: () => new Response(null, { status: 204 }),
      code: 'BODY_MISSING',
    },
    { name: 'a locked stream', source: lockedStream, code: 'BODY_USED' },
    { name: 'a number', source: () => 7 as unknown as Source, code: 'OPTION_INVALID' },
    {
      name: 'an iterable with a null in it',
      source: () => [delta('a'), null, DONE] as unknown as Source,
      code: 'SOURCE_FAILED',
    },
    {
      name: 'an iterable of numbers',
      source: () => [1, 2] as unknown as Source,
      code: 'SOURCE_FAILED',
    },
  ]
  for (const { name, source, code, details = {} } of REFUSED) {
    test(`decode: refuses ${name}`, async () => {
      const error = await failureOf(collect(decode(source())))
      assert.equal(error.code, code)
      for (const [key, value] of Object.entries(details)) assert.equal(error.details[key], value)
    })
  }

  test('decode: refuses a body that was read already', async () => {
    const response = new Response(HELLO)
    await response.text()
    assert.equal((await failureOf(collect(decode(response)))).code, 'BODY_USED')
  })

  test('decode: a source that fails delivers what came before, then throws', async () => {
    const { events, error } = await collectUntilFailure(decode(failing(delta('a') + delta('b'))))
    assert.equal(textOf(events), 'ab')
    assert.equal(error.code, 'SOURCE_FAILED')
    assert.match(error.message, /socket hang up/)
  })

  test('decode: a source that fails after the protocol has ended has lost nothing', async () => {
    assert.equal(textOf(await collect(decode(failing(HELLO)))), 'Hello wörld 🌍')
  })

  test('decode: a stream without its end is truncated, and no finish is invented', async () => {
    const { events, error } = await collectUntilFailure(decode(delta('half')))
    assert.equal(error.code, 'STREAM_TRUNCATED')
    assert.equal(textOf(events), 'half')
    assert.ok(!events.some((event) => event.type === 'finish' || event.type === 'end'))
  })

  test('decode: a malformed event is reported and the stream goes on', async () => {
    const events = await collect(decode(`${delta('a')}data: {oops\n\n${chat('b')}`))
    assert.deepEqual(
      events.filter((event) => event.type === 'text-delta' || event.type === 'error').map(brief),
      ['a', 'EVENT_MALFORMED', 'b'],
    )
    const error = events.find((event) => event.type === 'error')!.error
    assert.equal(error.details['offset'], bytes(delta('a')).length)
    assert.match(String(error.details['excerpt']), /\{oops/)
  })

  test('strict: a malformed event ends the stream after what came before', async () => {
    const source = `${delta('a')}data: {oops\n\n${chat('b')}`
    const { events, error } = await collectUntilFailure(decode(source, { strict: true }))
    assert.equal(error.code, 'EVENT_MALFORMED')
    assert.equal(textOf(events), 'a')
  })

  test('lineBytesMax: a longer line ends its stream with the numbers, and no other', async () => {
    const other = decode(HELLO)
    const source = [delta('a'), 'data: ', 'x'.repeat(2000)]
    const { events, error } = await collectUntilFailure(decode(source, { lineBytesMax: 1024 }))
    assert.equal(error.code, 'LINE_TOO_LONG')
    assert.match(error.message, /1024/)
    assert.equal(textOf(events), 'a')
    assert.equal(textOf(await collect(other)), 'Hello wörld 🌍')
  })

  test('timeout: a silent source fails the stream after what came before', async () => {
    const { source, cancelled } = hanging(delta('a'))
    const { events, error } = await collectUntilFailure(decode(source, { timeout: 20 }))
    assert.equal(error.code, 'TIMEOUT')
    assert.equal(textOf(events), 'a')
    await cancelled
  })

  test('durationMax: a source that goes on fails the stream after what came before', async () => {
    const source = async function* (): AsyncGenerator<string> {
      for (;;) {
        yield delta('a')
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const { events, error } = await collectUntilFailure(decode(source(), { durationMax: 50 }))
    assert.equal(error.code, 'DURATION_EXCEEDED')
    assert.deepEqual(error.details, { durationMax: 50 })
    assert.match(textOf(events), /^a+$/, 'what came before is delivered')
  })

  test('end: a connection that is kept open after the end is not waited for', async () => {
    const { source, cancelled } = hanging(HELLO)
    assert.equal(textOf(await collect(decode(source))), 'Hello wörld 🌍')
    await cancelled
  })

  test('leaving a loop early: cancels the source and ends the stream', async () => {
    const { source, cancelled } = hanging(delta('a'), delta('b'))
    const stream = decode(source)
    for await (const event of stream) {
      assert.equal(brief(event), 'a')
      break
    }
    await cancelled
    const error = await failureOf(stream.final())
    assert.equal(error.code, 'STREAM_ABORTED')
    assert.equal((error.details['partial'] as { text: object }).text instanceof Object, true)
  })

  test('cancel: rejects the pending next() and cancels the source', async () => {
    const { source, cancelled } = hanging(delta('a'))
    const stream = decode(source)
    const events = stream[Symbol.asyncIterator]()
    assert.equal(brief((await events.next()).value), 'a')
    const pending = events.next()
    stream.cancel('enough')
    const error = await failureOf(pending)
    assert.equal(error.code, 'STREAM_ABORTED')
    assert.equal(error.cause, 'enough')
    assert.deepEqual(await events.next(), { done: true, value: undefined })
    await cancelled
  })

  test('leaving a loop: at the last event loses nothing, before it final() says so', async () => {
    const all = ['a', 'b', 'finish', 'end']
    for (const last of all) {
      const stream = decode(chat('a', 'b'))
      for await (const event of stream) if (brief(event) === last) break
      const final = stream.final()
      if (last === 'end') assert.equal((await final).text[0], 'ab')
      else assert.equal((await failureOf(final)).code, 'STREAM_ABORTED')
    }
  })

  test('leaving a loop: at the protocol’s end is no failure, and cancels the source', async () => {
    const { source, cancelled } = hanging(chat('a'))
    const stream = decode(source)
    for await (const event of stream) if (event.type === 'end') break
    assert.equal((await stream.final()).text[0], 'a')
    await cancelled
  })

  test('cancel: drops what is left of the batch in hand', async () => {
    const stream = decode(chat('a', 'b', 'c'))
    const events = stream[Symbol.asyncIterator]()
    assert.equal(brief((await events.next()).value), 'a')
    stream.cancel()
    assert.equal((await failureOf(events.next())).code, 'STREAM_ABORTED')
    assert.equal((await events.next()).done, true)
  })

  test('signal: aborting rejects what is pending, with the reason as its cause', async () => {
    const controller = new AbortController()
    const { source, cancelled } = hanging(delta('a'))
    const pending = collect(decode(source, { signal: controller.signal }))
    const reason = new Error('user left')
    controller.abort(reason)
    const error = await failureOf(pending)
    assert.equal(error.code, 'STREAM_ABORTED')
    assert.equal(error.cause, reason)
    await cancelled
  })

  test('signal: one that has aborted already fails the stream', async () => {
    const error = await failureOf(collect(decode(HELLO, { signal: AbortSignal.abort('no') })))
    assert.equal(error.code, 'STREAM_ABORTED')
  })

  test('next: concurrent calls are answered in order', async () => {
    const events = decode(chunksOf(chat('a', 'b', 'c'), 5))[Symbol.asyncIterator]()
    const results = await Promise.all(Array.from({ length: 7 }, () => events.next()))
    assert.deepEqual(
      results.map(({ done, value }) => (done ? 'done' : brief(value))),
      ['a', 'b', 'c', 'finish', 'end', 'done', 'done'],
    )
  })

  test('return: settles the pending next() as done', async () => {
    const { source } = hanging()
    const events = decode(source)[Symbol.asyncIterator]()
    const pending = events.next()
    await events.return!()
    assert.deepEqual(await pending, { done: true, value: undefined })
  })

  test('a second reader: is refused with STREAM_USED', async () => {
    const stream = decode(HELLO)
    await collect(stream)
    assert.throws(() => stream.batches(), { code: 'STREAM_USED' })
  })

  test('iterating ready results: leaves room for timers', async () => {
    const events = decode(chat(...Array.from({ length: 20_000 }, () => 'x')), {
      windowBytes: 4 * 1024 * 1024,
    })
    let fired = false
    setTimeout(() => (fired = true), 1)
    let seenDuring = false
    for await (const event of events) {
      if (event.type === 'text-delta') for (let spin = 0; spin < 1000; spin++) Math.sqrt(spin)
      seenDuring ||= fired
    }
    assert.ok(seenDuring)
  })

  test('final: alone reads the stream', async () => {
    const message = await decode(HELLO).final()
    assert.equal(message.text[0], 'Hello wörld 🌍')
    assert.deepEqual(message.textDeltas, ['Hel', 'lo ', 'wörld 🌍'])
    assert.equal(message.finishReason[0], 'stop')
  })

  test('final: beside an iterator waits for it and agrees with it', async () => {
    const stream = decode(HELLO)
    const events = await collect(stream)
    assert.equal((await stream.final()).text[0], textOf(events))
  })

  test('final: a reader that stopped reading does not keep it from a failure', async () => {
    const { source } = hanging(delta('a'), delta('b'))
    const stream = decode(source, { timeout: 20 })
    assert.equal(brief((await stream[Symbol.asyncIterator]().next()).value), 'a')
    const error = await failureOf(stream.final())
    assert.equal(error.code, 'TIMEOUT')
    assert.equal((error.details['partial'] as { text: Record<string, string> }).text[0], 'ab')
  })

  test('signal: however many streams share one, it has one listener', async () => {
    const { signal } = new AbortController()
    const streams = Array.from({ length: 20 }, () => decode(HELLO, { signal }))
    assert.equal(getEventListeners(signal, 'abort').length, 1)
    for (const stream of streams) await stream.final()
  })

  test('final: carries what was received when the stream fails', async () => {
    const error = await failureOf(decode(delta('half')).final())
    assert.equal(error.code, 'STREAM_TRUNCATED')
    assert.equal((error.details['partial'] as { text: Record<string, string> }).text[0], 'half')
  })

  test('final: rejects with PROVIDER_ERROR and the message so far', async () => {
    const source = `${delta('a')}data: {"error":{"message":"overloaded","code":529}}\n\n${DONE}`
    const error = await failureOf(decode(source).final())
    assert.equal(error.code, 'PROVIDER_ERROR')
    assert.equal(error.details['code'], 529)
    assert.equal((error.details['partial'] as { text: Record<string, string> }).text[0], 'a')
  })

  test('finalBytesMax: a longer message is FINAL_TOO_LARGE, and events still flow', async () => {
    const stream = decode(chat('x'.repeat(2000)), { finalBytesMax: 1024 })
    assert.equal(textOf(await collect(stream)).length, 2000)
    assert.equal((await failureOf(stream.final())).code, 'FINAL_TOO_LARGE')
  })

  test('accumulate: false keeps nothing, and final() says so', async () => {
    const stream = decode(HELLO, { accumulate: false })
    await collect(stream)
    assert.equal((await failureOf(stream.final())).code, 'OPTION_INVALID')
  })

  test('textStream: holds the answer and nothing else', async () => {
    const texts: string[] = []
    for await (const text of decode(chunksOf(HELLO, 3)).textStream) texts.push(text)
    assert.deepEqual(texts, ['Hel', 'lo ', 'wörld 🌍'])
  })

  test('textStream: throws the provider error after the text', async () => {
    const stream = decode(`${delta('a')}data: {"error":{"message":"no"}}\n\n${DONE}`)
    const texts: string[] = []
    const error = await failureOf(
      (async () => {
        for await (const text of stream.textStream) texts.push(text)
      })(),
    )
    assert.deepEqual([texts, error.code], [['a'], 'PROVIDER_ERROR'])
  })

  test('batches: give the same tokens as the events', async () => {
    const texts: string[] = []
    for await (const batch of decode(HELLO).batches()) {
      for (let index = 0; index < batch.length; index++) {
        if (batch.type(index) === 'text-delta') texts.push(batch.text(index))
      }
    }
    assert.deepEqual(texts, ['Hel', 'lo ', 'wörld 🌍'])
  })

  test('toReadableStream: carries the events, and cancelling it cancels the source', async () => {
    const events = await collect(decode(HELLO).toReadableStream())
    assert.equal(textOf(events), 'Hello wörld 🌍')
    const { source, cancelled } = hanging(delta('a'))
    await decode(source).toReadableStream().cancel('bye')
    await cancelled
  })

  test('stats: count chunks, bytes, tokens and errors of one stream', async () => {
    const text = `data: {oops\n\n${HELLO}`
    const stream = decode(chunksOf(text, 10))
    await collect(stream)
    const stats = stream.stats()
    assert.equal(stats.bytes, bytes(text).length)
    assert.equal(stats.chunks, Math.ceil(stats.bytes / 10))
    assert.equal(stats.tokens, 3)
    assert.equal(stats.errors, 1)
    assert.equal(stats.inFlightBytes, 0)
    assert.equal(stats.placement, placement)
  })

  test('open: streams written by hand decode as they are written', async () => {
    const stream = mill.open({ dialect: 'openai-chat', placement })
    const events = stream[Symbol.asyncIterator]()
    stream.write(delta('a'))
    assert.equal(brief((await events.next()).value), 'a')
    stream.write(FINISH + DONE)
    stream.end()
    assert.equal(brief((await events.next()).value), 'finish')
    assert.throws(() => stream.write('x'), { code: 'WRITE_AFTER_END' })
  })

  test('write: is backpressured by the window, loses nothing and refuses a second', async () => {
    const stream = mill.open({ dialect: 'openai-chat', placement, windowBytes: 1024 })
    const chunk = bytes(delta('x'.repeat(3000)) + delta('y'.repeat(3000)))
    assert.equal(stream.write(chunk), false)
    assert.throws(() => stream.write('more'), { code: 'WRITE_BACKPRESSURED' })
    // What waits is the stream's own: the caller may use its memory again.
    chunk.fill(0)
    const events = collect(stream)
    await stream.drained()
    stream.write(FINISH + DONE)
    stream.end()
    assert.equal(textOf(await events), 'x'.repeat(3000) + 'y'.repeat(3000))
  })

  test('windowBytes: a source is not read ahead of its consumer', async () => {
    let pulled = 0
    function* source(): Generator<string> {
      for (let index = 0; index < 1000; index++) {
        const event = delta(String(index).padStart(100, '.'))
        pulled += event.length
        yield event
      }
      yield FINISH + DONE
    }
    const stream = decode(source(), { windowBytes: 4096 })
    const events = stream[Symbol.asyncIterator]()
    let seen = 0
    for (let event = await events.next(); !event.done; event = await events.next()) {
      if (event.value.type !== 'text-delta') continue
      assert.equal(Number(event.value.text.replaceAll('.', '')), seen)
      seen++
      // In flight: a window, the chunk that waits, and the batch in the consumer's hands.
      assert.ok(pulled <= (seen + 1) * 161 + 2 * 4096 + 161, `${pulled} pulled at token ${seen}`)
    }
    assert.equal(seen, 1000)
  })
}

async function* stringsOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 11) yield text.slice(at, at + 11)
}

async function* failing(text: string): AsyncGenerator<Uint8Array> {
  yield bytes(text)
  throw new Error('socket hang up')
}

function lockedStream(): ReadableStream<Uint8Array> {
  const stream = new Response(chat('x')).body!
  stream.getReader()
  return stream
}
