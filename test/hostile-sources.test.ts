/** Sources and callers that misbehave. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDecoder, createMillrace, type Message, type Millrace } from '../src/main/index.ts'
import { bytes, chat, delta, DONE } from './chat-bytes.ts'
import { collect, failureOf, textOf } from './reading.ts'

const CHAT = { dialect: 'openai-chat' } as const

let mill: Millrace
before(async () => {
  mill = await createMillrace()
})
after(() => mill.close())

test('decodeFile: checks its options before it opens the file', async () => {
  const open = (): number => readdirSync('/proc/self/fd').length
  const opened = open()
  for (let time = 0; time < 20; time++) {
    assert.throws(() => mill.decodeFile(import.meta.filename, { dialect: 'none' }), {
      code: 'DIALECT_UNKNOWN',
    })
  }
  assert.throws(() => mill.decodeFile('/no/such/file', { dialect: 'none' }))
  // An error of a file that was opened for nothing would come now, and have no listener.
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(open() < opened + 10)
})

test('decode: an iterator whose promises are of another realm is awaited', async () => {
  const foreign = runInNewContext('(value) => Promise.resolve(value)') as <T>(
    value: T,
  ) => Promise<T>
  const chunks = [chat('a')]
  const source: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const value = chunks.shift()
        return foreign(value === undefined ? { done: true, value } : { done: false, value })
      },
    }),
  }
  assert.equal(textOf(await collect(mill.decode(source, CHAT))), 'a')
})

test('decode: an endless source is left once the protocol has ended', async () => {
  let leave!: () => void
  const left = new Promise<void>((resolve) => (leave = resolve))
  function* endless(): Generator<string> {
    try {
      yield chat('a')
      for (;;) yield ': more\n'
    } finally {
      leave()
    }
  }
  assert.equal(textOf(await collect(mill.decode(endless(), CHAT))), 'a')
  await left
})

test('decode: a source that never waits leaves room for timers', async () => {
  function* comments(): Generator<string> {
    for (let count = 0; count < 200_000; count++) yield ':c\n'
    yield chat('a')
  }
  let fired = false
  setTimeout(() => (fired = true), 1)
  const source = (function* () {
    for (const chunk of comments()) yield chunk
    assert.ok(fired)
  })()
  assert.equal(textOf(await collect(mill.decode(source, CHAT))), 'a')
})

for (const placement of ['worker', 'inline'] as const) {
  const options = { ...CHAT, placement }

  test(`decode: an endless async source is left after its end, ${placement}`, async () => {
    let leave!: () => void
    const left = new Promise<void>((resolve) => (leave = resolve))
    async function* endless(): AsyncGenerator<string> {
      try {
        yield chat('a')
        for (;;) yield ': more\n'
      } finally {
        leave()
      }
    }
    assert.equal((await mill.decode(endless(), options).final()).text[0], 'a')
    await left
  })

  test(`decode: a Readable that hangs is destroyed when it is left, ${placement}`, async () => {
    const ways: ((source: Readable) => unknown)[] = [
      (source) => mill.decode(source, options).cancel(),
      async (source) => {
        for await (const _ of mill.decode(source, options)) break
      },
      (source) => failureOf(mill.decode(source, { ...options, timeout: 20 }).final()),
      (source) => {
        const controller = new AbortController()
        const message = mill.decode(source, { ...options, signal: controller.signal }).final()
        controller.abort()
        return failureOf(message)
      },
    ]
    for (const way of ways) {
      const source = new Readable({ read() {} })
      source.push(delta('a'))
      await way(source)
      if (!source.closed) await once(source, 'close')
    }
  })

  test(`decode: a chunk larger than the window is read whole, ${placement}`, async () => {
    const text = 'x'.repeat(100)
    const large = delta(text).repeat(3000)
    const small = { ...options, windowBytes: 64 * 1024 }
    const final = await mill.decode(large + chat('!'), small).final()
    assert.equal(final.text[0], `${text.repeat(3000)}!`)
    const { body, message } = mill.relay(large + chat('!'), small)
    let passed = 0
    for await (const chunk of body) passed += chunk.length
    assert.equal(passed, bytes(large + chat('!')).length)
    assert.equal((await message).text[0], final.text[0])
    const tokens: string[] = []
    for await (const token of mill.decode(large + chat('!'), small).textStream) tokens.push(token)
    assert.equal(tokens.join(''), final.text[0])
  })

  test(`final: settles beside an idle iterator when the stream fails, ${placement}`, async () => {
    const ends: ((own: Millrace, controller: AbortController) => unknown)[] = [
      (_, controller) => controller.abort(),
      (own) => own.close(),
    ]
    for (const end of ends) {
      const own = await createMillrace()
      const controller = new AbortController()
      const stream = own.open({ ...options, signal: controller.signal })
      stream.write(delta('a'))
      await stream.batches().next()
      const failure = failureOf(stream.final())
      await end(own, controller)
      assert.match((await failure).code, /STREAM_ABORTED|MILLRACE_CLOSED/)
      await own.close()
    }
  })

  test(`batches: a slow reader leaves room for timers, ${placement}`, async () => {
    let fired = 0
    const timer = setInterval(() => fired++, 1)
    const events = Array.from({ length: 600 }, () => delta('x'))
    let batches = 0
    const narrow = { ...options, windowBytes: 1024 }
    for await (const _ of mill.decode([...events, DONE], narrow).batches()) {
      batches++
      const untilMs = performance.now() + 3
      while (performance.now() < untilMs);
    }
    clearInterval(timer)
    assert.ok(batches >= 20, `${batches} batches`)
    assert.ok(fired >= batches / 4, `${fired} timers beside ${batches} batches`)
  })
}

test('final: refuses at once where nothing is accumulated, and reads nothing', async () => {
  const stream = mill.decode([chat('a')], { ...CHAT, accumulate: false })
  assert.equal((await failureOf(stream.final())).code, 'OPTION_INVALID')
  assert.equal(textOf(await collect(stream)), 'a')
})

test('decode: a refusal whose body stays open is still a refusal', async () => {
  let cancelled = false
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(bytes('slow down')),
    cancel: () => void (cancelled = true),
  })
  const error = await failureOf(mill.decode(new Response(body, { status: 503 }), CHAT).final())
  assert.equal(error.code, 'HTTP_STATUS')
  assert.equal(error.details['excerpt'], 'slow down')
  assert.ok(cancelled)
})

test('decode: a provider error that ends the stream is its failure', async () => {
  const source = 'data: {"error":{"message":"overloaded"}}\n\n'
  assert.equal((await failureOf(mill.decode(source, CHAT).final())).code, 'PROVIDER_ERROR')
  assert.equal((await failureOf(collect(mill.decode(source, CHAT)))).code, 'PROVIDER_ERROR')
})

test('bufferedBytesMax: an event beyond it ends its stream, and no other', async () => {
  const small = await createMillrace({ bufferedBytesMax: 1024 * 1024 })
  const large = [delta('a'), 'data: ', ...Array.from({ length: 60 }, () => 'x'.repeat(50_000))]
  const other = small.open(CHAT)
  other.write(delta('unfinished').slice(0, 40))
  const error = await failureOf(small.decode(large, CHAT).final())
  assert.equal(error.code, 'BUFFERS_EXHAUSTED')
  assert.equal((error.details['partial'] as Message).text[0], 'a')
  other.write(delta('unfinished').slice(40) + DONE)
  other.end()
  assert.equal((await other.final()).text[0], 'unfinished')
  await small.close()
  const whole = await mill.decode([...large, '\n\n', DONE], CHAT).final()
  assert.equal(whole.badJson, 1)
})

test('timeout: empty chunks are no bytes', async () => {
  let stop = false
  async function* empty(): AsyncGenerator<string> {
    while (!stop) {
      await new Promise((resolve) => setImmediate(resolve))
      yield ''
    }
  }
  const error = await failureOf(mill.decode(empty(), { ...CHAT, timeout: 20 }).final())
  stop = true
  assert.equal(error.code, 'TIMEOUT')
})

test('write: refuses what is neither bytes nor text, and the stream goes on', async () => {
  const stream = mill.open(CHAT)
  for (const chunk of [5, { a: 1 }, [1, 2], null, undefined, new ArrayBuffer(3)]) {
    assert.throws(() => stream.write(chunk as unknown as string), { code: 'OPTION_INVALID' })
  }
  stream.write(chat('a'))
  stream.end()
  assert.equal((await stream.final()).text[0], 'a')
  assert.equal(stream.stats().bytes, bytes(chat('a')).length)
  const decoder = createDecoder(CHAT)
  assert.throws(() => decoder.push(5 as unknown as string), { code: 'OPTION_INVALID' })
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('the task: ends and starts again any number of times, and leaves no port', async () => {
  const ports = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
  const cycle = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      assert.equal((await mill.decode(chat('a'), CHAT).final()).text[0], 'a')
      while ((await mill.stats()).workers.length > 0) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }
  await cycle(2)
  const few = ports()
  await cycle(15)
  collectGarbage()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(ports() <= few + 2, `${ports()} ports, ${few} before`)
  assert.equal((await mill.decode(chat('b'), CHAT).final()).text[0], 'b')
})

test('decode: a promise is no source, and the error says what to do', async () => {
  const source = Promise.resolve('data: {}\n\n') as unknown as string
  await assert.rejects(mill.decode(source, CHAT).final(), /not a Promise: await it/)
})
