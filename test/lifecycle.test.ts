import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync, mkdtempSync } from 'node:fs'
import diagnostics from 'node:diagnostics_channel'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Worker } from 'node:worker_threads'
import {
  createMillrace,
  type Millrace,
  type MillraceError,
  type Placement,
  type StreamStats,
  type WritableTokenStream,
} from '../src/main/index.ts'
import { bytes, chat, delta, hanging } from './chat-bytes.ts'
import { collect } from './reading.ts'

const run = promisify(execFile)
const MAIN = new URL('../src/main/index.js', import.meta.url).href

/** Streams opened and ended in each way. `MILLRACE_STREAMS` asks for more. */
const STREAMS = Number(process.env['MILLRACE_STREAMS'] ?? 100_000)

/** Compiled code, and what test runners write down, bytes. */
const HEAP_NOISE_BYTES = 2 * 1024 * 1024

const HELLO = bytes(chat('Hel', 'lo'))
const BROKEN = new Error('broken source')

/** Ways to end a stream. Each leaves nothing behind. */
const ENDINGS: Record<string, (mill: Millrace, placement: Placement) => Promise<void>> = {
  async 'read to its end'(mill, placement) {
    await mill.decode(HELLO, { dialect: 'openai-chat', placement }).final()
  },
  async 'left early'(mill, placement) {
    for await (const _ of mill.decode(HELLO, { dialect: 'openai-chat', placement })) break
  },
  async 'cancelled at once'(mill, placement) {
    mill.decode(HELLO, { dialect: 'openai-chat', placement }).cancel()
  },
  async 'cancelled in mid-event'(mill, placement) {
    const stream = mill.open({ dialect: 'openai-chat', placement })
    stream.write(delta('a') + delta('unfinished').slice(0, 40))
    await stream[Symbol.asyncIterator]().next()
    stream.cancel()
  },
  async aborted(mill, placement) {
    const controller = new AbortController()
    const { signal } = controller
    const stream = mill.decode(HELLO, { dialect: 'openai-chat', placement, signal })
    controller.abort()
    await assert.rejects(stream.final())
  },
  async truncated(mill, placement) {
    const stream = mill.decode(delta('half'), { dialect: 'openai-chat', placement })
    await assert.rejects(stream.final(), { code: 'STREAM_TRUNCATED' })
  },
  async 'failed by its source'(mill, placement) {
    const source = (function* () {
      yield delta('a')
      throw BROKEN
    })()
    const stream = mill.decode(source, { dialect: 'openai-chat', placement })
    await assert.rejects(stream.final(), { code: 'SOURCE_FAILED' })
  },
  async 'failed by a limit'(mill, placement) {
    const options = { dialect: 'openai-chat', placement, lineBytesMax: 256 } as const
    const stream = mill.decode(`data: ${'x'.repeat(300)}`, options)
    await assert.rejects(stream.final(), { code: 'LINE_TOO_LONG' })
  },
  async 'failed by its timeout'(mill, placement) {
    const { source } = hanging(delta('a'))
    const stream = mill.decode(source, { dialect: 'openai-chat', placement, timeout: 1 })
    await assert.rejects(stream.final(), { code: 'TIMEOUT' })
  },
  async 'ended by throw()'(mill, placement) {
    const stream = mill.decode(HELLO, { dialect: 'openai-chat', placement })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    await assert.rejects(events.throw!(BROKEN), BROKEN)
  },
  async 'left early, from a Readable that hangs'(mill, placement) {
    const source = new Readable({ read() {} })
    source.push(delta('a'))
    for await (const _ of mill.decode(source, { dialect: 'openai-chat', placement })) break
    if (!source.closed) await once(source, 'close')
  },
  async 'cancelled as a web stream'(mill, placement) {
    const { source, cancelled } = hanging(delta('a'))
    const events = mill.decode(source, { dialect: 'openai-chat', placement }).toReadableStream()
    const reader = events.getReader()
    await reader.read()
    await reader.cancel()
    await cancelled
  },
  async relayed(mill, placement) {
    const { body, message } = mill.relay(HELLO, { dialect: 'openai-chat', placement })
    for await (const _ of body);
    await message
  },
}

/** Opens streams, a fifth each: idle, in mid-event, with tokens unread, being read, and ended. */
function openInEveryState(mill: Millrace, placement: Placement): WritableTokenStream[] {
  return Array.from({ length: 1000 }, (_, index) => {
    const stream = mill.open({ dialect: 'openai-chat', placement })
    const state = index % 5
    if (state === 1) stream.write(delta('unfinished').slice(0, 40))
    if (state >= 2) stream.write(state === 4 ? HELLO : delta('a'))
    if (state === 3) collect(stream).catch(() => {})
    if (state === 4) stream.end()
    return stream
  })
}

/** All but those that had come to their end, which may have come through. */
async function assertFailed(streams: WritableTokenStream[], codes: RegExp): Promise<void> {
  let failed = 0
  for (const stream of streams) {
    await stream.final().catch(({ code }) => {
      assert.match(code, codes)
      failed++
    })
  }
  assert.ok(failed >= streams.length * 0.8, `${failed} failed`)
}

/** Ways to end all streams of a Millrace at once. */
const ENDINGS_OF_ALL: Record<string, (placement: Placement) => Promise<void>> = {
  async 'closed with their Millrace'(placement) {
    const mill = await createMillrace()
    const streams = openInEveryState(mill, placement)
    await mill.close()
    await assertFailed(streams, /MILLRACE_CLOSED/)
    assert.equal((await mill.stats()).streamsOpen, 0)
  },
  async 'left by a worker that dies'(placement) {
    const workers: Worker[] = []
    const started = (worker: Worker): unknown => workers.push(worker)
    process.on('worker', started)
    const mill = await createMillrace()
    const streams = openInEveryState(mill, placement)
    process.off('worker', started)
    assert.notEqual(workers.length, 0)
    for (const worker of workers) await worker.terminate()
    // A stream may live on with another worker, and then breaks off here.
    for (const stream of streams) stream.end()
    await assertFailed(streams, /WORKER_EXITED|STREAM_TRUNCATED/)
    const stream = mill.decode(HELLO, { dialect: 'openai-chat', placement })
    assert.equal((await stream.final()).text[0], 'Hello')
    assert.equal((await mill.stats()).streamsOpen, 0)
    await mill.close()
  },
}

for (const placement of ['worker', 'inline'] as const) {
  test(`${placement}: ${STREAMS} streams, ended in every way, leave the baseline`, async () => {
    const mill = await createMillrace()
    const ways = Object.values(ENDINGS)
    const wave = async (streams: number): Promise<void> => {
      for (let at = 0; at < streams; at += 256) {
        const some = Array.from({ length: Math.min(256, streams - at) }, (_, index) => index + at)
        await Promise.all(some.map((index) => ways[index % ways.length]!(mill, placement)))
      }
    }
    // Keeps the worker's task running, so that there is somebody to ask.
    const anchor = mill.open({ dialect: 'openai-chat', placement })
    anchor.write(delta('anchor'))
    const endingsOfAll = async (): Promise<void> => {
      for (const endAll of Object.values(ENDINGS_OF_ALL)) await endAll(placement)
    }
    await wave(Math.min(5000, STREAMS / 4))
    await endingsOfAll()
    await settled(mill)
    const before = externalBytes()
    const heapBefore = process.memoryUsage().heapUsed
    await wave(STREAMS)
    for (let times = STREAMS / 20_000; times > 0; times--) await endingsOfAll()
    const stats = await settled(mill)
    assert.equal(stats.streamsOpen, 1)
    assert.equal(stats.inFlightBytes, bytes(delta('anchor')).length)
    if (placement === 'worker') assert.equal(stats.workers.length, 1)
    for (const worker of stats.workers) {
      assert.equal(worker.streamsOpen, placement === 'worker' ? 1 : 0)
      assert.equal(worker.slabBytes, 0)
      assert.equal(worker.leasedBytes, 0)
    }
    const grown = await leastGrowth(before, heapBefore)
    // Each stream had some 5 KB outside of the heap.
    assert.ok(grown.external < 16 * 1024 * 1024, `${grown.external} bytes more`)
    // The smallest thing that a stream could leave behind is 16 bytes.
    const heapMax = HEAP_NOISE_BYTES + 10 * STREAMS
    assert.ok(grown.heap < heapMax, `${grown.heap} bytes more in the heap`)
    if (placement === 'worker') await carriesAndGivesBack(mill)
    // Every row is free again: as many streams as there are rows open at once.
    const all = Array.from({ length: 1023 }, () => mill.open({ dialect: 'openai-chat', placement }))
    for (const stream of all) stream.write(chat('x'))
    for (const stream of all) stream.end()
    for (const stream of all) assert.equal((await stream.final()).text[0], 'x')
    await mill.close()
  })
}

/** The counter that must come back to 0 does count. */
async function carriesAndGivesBack(mill: Millrace): Promise<void> {
  const stream = mill.open({ dialect: 'openai-chat' })
  stream.write(delta('unfinished').slice(0, 40))
  const carried = async (): Promise<number> => (await mill.stats()).workers[0]?.slabBytes ?? -1
  while ((await carried()) <= 0);
  stream.cancel()
  while ((await carried()) !== 0);
}

/** The plain decoder leases from its thread's heap, which nobody counts here. */
const skip = process.env['MILLRACE_DECODER'] === 'plain' && 'the plain decoder was asked for'

test('stats: memory that a large event leased is given up with it', { skip }, async () => {
  const mill = await createMillrace()
  const memoryBytes = async (): Promise<number> => (await mill.stats()).memoryBytes
  const usual = await memoryBytes()
  assert.ok(usual < 2_000_000)
  const stream = mill.open({ dialect: 'openai-chat', accumulate: false })
  const events = stream[Symbol.asyncIterator]()
  const event = bytes(delta('x'.repeat(2_000_000)))
  for (let at = 0; at < event.length; at += 65_536) {
    if (!stream.write(event.subarray(at, at + 65_536))) await stream.drained()
  }
  assert.equal((await events.next()).done, false)
  assert.ok((await memoryBytes()) > usual + 2_000_000)
  stream.cancel()
  while ((await memoryBytes()) > usual);
  assert.equal((await mill.decode(HELLO, { dialect: 'openai-chat' }).final()).text[0], 'Hello')
  await mill.close()
})

test('open: the stream after the last row is TOO_MANY_STREAMS, others are unharmed', async () => {
  const mill = await createMillrace()
  const all = Array.from({ length: 1024 }, () => mill.open({ dialect: 'openai-chat' }))
  const excess = mill.open({ dialect: 'openai-chat' })
  await assert.rejects(excess.final(), { code: 'TOO_MANY_STREAMS' })
  all[0]!.write(chat('x'))
  all[0]!.end()
  assert.equal((await all[0]!.final()).text[0], 'x')
  await mill.close()
})

test('open: a row that is about to be free is waited for, by as many as there are', async () => {
  const mill = await createMillrace()
  const open = (): WritableTokenStream => mill.open({ dialect: 'openai-chat' })
  const all = Array.from({ length: 1024 }, open)
  all[0]!.cancel()
  all[1]!.cancel()
  const first = open()
  const left = open()
  await assert.rejects(open().final(), { code: 'TOO_MANY_STREAMS' })
  // Who leaves the queue makes room in it.
  left.cancel()
  const second = open()
  await assert.rejects(open().final(), { code: 'TOO_MANY_STREAMS' })
  for (const stream of [first, second]) {
    stream.write(chat('x'))
    stream.end()
  }
  assert.deepEqual((await first.final()).text, { 0: 'x' })
  assert.deepEqual((await second.final()).text, { 0: 'x' })
  await mill.close()
})

test('close: fails open streams with MILLRACE_CLOSED and cancels their sources', async () => {
  const mill = await createMillrace()
  const { source, cancelled } = hanging(delta('a'))
  const final = mill.decode(source, { dialect: 'openai-chat' }).final()
  final.catch(() => {})
  const inline = mill.open({ dialect: 'openai-chat', placement: 'inline' })
  await mill.close()
  await assert.rejects(final, { code: 'MILLRACE_CLOSED' })
  await assert.rejects(inline.final(), { code: 'MILLRACE_CLOSED' })
  await cancelled
  assert.throws(() => mill.decode('', { dialect: 'sse' }), { code: 'MILLRACE_CLOSED' })
  await mill.close()
})

test('an idle Millrace: does not hold the process', async () => {
  await runs(`
    const mill = await createMillrace({ workers: 2 })
    await mill.decode(${JSON.stringify(chat('x'))}, { dialect: 'openai-chat' }).final()
    console.log('idle')`)
})

test('a busy Millrace: holds the process until its streams have ended', async () => {
  const { stdout } = await runs(`
    const mill = await createMillrace()
    const stream = mill.open({ dialect: 'openai-chat' })
    stream.final().then((message) => console.log(message.text[0]))
    stream.write(${JSON.stringify(chat('late'))})
    stream.end()`)
  assert.equal(stdout, 'late\n')
})

test('await using: closes the Millrace at the end of its block', async () => {
  const mill = await createMillrace()
  await mill[Symbol.asyncDispose]()
  assert.throws(() => mill.decode('', { dialect: 'sse' }), { code: 'MILLRACE_CLOSED' })
})

test('workerUrl: starts the worker from there, and fails where there is none', async () => {
  const workerUrl = new URL('../src/workers/decode-worker.js', import.meta.url)
  const mill = await createMillrace({ workerUrl })
  assert.equal((await mill.decode(HELLO, { dialect: 'openai-chat' }).final()).text[0], 'Hello')
  await mill.close()
  const missing = createMillrace({ workerUrl: new URL('./none.js', import.meta.url) })
  await assert.rejects(missing, { code: 'WORKER_EXITED', message: /none\.js/ })
})

test('diagnostics_channel: says when streams start, end and fail', async () => {
  const seen: string[] = []
  const subscribe = (name: string): void => {
    diagnostics.subscribe(`millrace:stream:${name}`, (message) => {
      const { stats, error } = message as { stats: StreamStats; error?: MillraceError }
      seen.push(`${name} ${stats.bytes}${error === undefined ? '' : ` ${error.code}`}`)
    })
  }
  for (const name of ['start', 'end', 'failure']) subscribe(name)
  const mill = await createMillrace()
  await mill.decode(HELLO, { dialect: 'openai-chat' }).final()
  await assert.rejects(mill.decode('', { dialect: 'openai-chat' }).final())
  await mill.close()
  assert.deepEqual(seen, [
    'start 0',
    `end ${HELLO.length}`,
    'start 0',
    'failure 0 STREAM_TRUNCATED',
  ])
})

test('decodeFile: decodes a file, and fails with the cause where there is none', async () => {
  const mill = await createMillrace()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  const path = join(folder, 'stream.sse')
  writeFileSync(path, chat('from ', 'a file'))
  const message = await mill.decodeFile(path, { dialect: 'openai-chat' }).final()
  assert.equal(message.text[0], 'from a file')
  const missing = mill.decodeFile(join(folder, 'none'), { dialect: 'openai-chat' }).final()
  await assert.rejects(missing, { code: 'SOURCE_FAILED', message: /ENOENT/ })
  await mill.close()
})

test('a slow consumer: stops its own socket, and memory stays flat', async () => {
  const { server, written, url } = await endlessServer()
  const mill = await createMillrace()
  const stream = mill.decode(await fetch(url), { dialect: 'openai-chat' })
  const batches = stream.batches()
  await batches.next()
  // The server writes until the kernel's buffers and the stream's window are full, then no more.
  const stalledAt = await settledValue(written)
  assert.ok(stalledAt < 32 * 1024 * 1024, `${stalledAt} bytes went out to a consumer that sleeps`)
  assert.ok(stream.stats().inFlightBytes <= 256 * 1024)
  const before = externalBytes()
  const other = await mill.decode(HELLO, { dialect: 'openai-chat' }).final()
  assert.equal(other.text[0], 'Hello')
  assert.equal(await settledValue(written), stalledAt)
  assert.ok(externalBytes() - before < 1024 * 1024)
  // Once it reads again, bytes flow again.
  while (written() === stalledAt) await batches.next()
  stream.cancel()
  server.closeAllConnections()
  server.close()
  await mill.close()
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Memory outside of the JavaScript heap that something still holds. */
function externalBytes(): number {
  collectGarbage()
  return process.memoryUsage().external
}

/** What is collected is swept a little later: the least growth that is seen is what stays. */
async function leastGrowth(
  externalBefore: number,
  heapBefore: number,
): Promise<{ external: number; heap: number }> {
  const least = { external: Infinity, heap: Infinity }
  for (let times = 0; times < 20; times++) {
    least.external = Math.min(least.external, externalBytes() - externalBefore)
    least.heap = Math.min(least.heap, process.memoryUsage().heapUsed - heapBefore)
    await turn()
  }
  return least
}

async function settled(mill: Millrace): Promise<Awaited<ReturnType<Millrace['stats']>>> {
  for (;;) {
    const stats = await mill.stats()
    const workersBusy = stats.workers.some((worker) => worker.streamsOpen > 1)
    if (stats.streamsOpen === 1 && !workersBusy) return stats
    await turn()
  }
}

/** The value once it has stayed the same over many turns of the event loop. */
async function settledValue(read: () => number): Promise<number> {
  let value = read()
  for (let same = 0; same < 20_000; same++) {
    await turn()
    if (read() !== value) same = 0
    value = read()
  }
  return value
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function endlessServer(): Promise<{ server: Server; written: () => number; url: string }> {
  const event = delta('x'.repeat(200)).repeat(100)
  let socket: Socket | null = null
  const server = createServer((_request, response) => {
    socket = response.socket
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const send = (): void => {
      while (!response.destroyed && response.write(event));
    }
    response.on('drain', send)
    send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { server, written: () => socket?.bytesWritten ?? 0, url: `http://127.0.0.1:${port}/` }
}

/** Runs a module in a process of its own, which must end by itself, with code 0. */
async function runs(body: string): Promise<{ stdout: string }> {
  const source = `import { createMillrace } from ${JSON.stringify(MAIN)}\n${body}`
  return run(process.execPath, ['--input-type=module', '--eval', source], { timeout: 20_000 })
}
