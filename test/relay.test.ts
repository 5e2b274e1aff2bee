import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { createMillrace, type Millrace, type Source } from '../src/main/index.ts'
import { bytes, chat, delta, DONE, hanging } from './chat-bytes.ts'

const CHAT = { dialect: 'openai-chat' } as const
const HELLO = bytes(chat('Hel', 'lo'))

let mill: Millrace
before(async () => {
  mill = await createMillrace()
})
after(() => mill.close())

test('relay: passes bytes on unchanged and extracts the message beside them', async () => {
  const chunks = [HELLO.subarray(0, 50), HELLO.subarray(50)]
  const { body, message } = mill.relay(chunks, CHAT)
  assert.deepEqual(new Uint8Array(await new Response(body).arrayBuffer()), HELLO)
  assert.equal((await message).text[0], 'Hello')
})

test('relay: what the decoder makes of the bytes never touches them', async () => {
  const broken = mill.relay(['data: {oops', HELLO], { ...CHAT, strict: true })
  assert.equal(await new Response(broken.body).text(), `data: {oops${chat('Hel', 'lo')}`)
  await assert.rejects(broken.message, { code: 'EVENT_MALFORMED' })
})

test('relay: is read at the pace of its body, and cancelling that cancels the source', async () => {
  const { source, cancelled } = hanging(delta('a'))
  const { body, message } = mill.relay(source, CHAT)
  const reader = body.getReader()
  assert.equal((await reader.read()).value?.length, bytes(delta('a')).length)
  await reader.cancel('client left')
  await cancelled
  await assert.rejects(message, { code: 'STREAM_ABORTED' })
})

test('relay: cancelling it before its first read cancels the source', async () => {
  let cancelled = false
  const source = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) })
  await mill.relay(source, CHAT).body.cancel()
  assert.ok(cancelled)
})

const reason = new Error('user left')
const ABORTED = { code: 'STREAM_ABORTED', cause: reason }

test('relay: aborting its signal fails body and message and cancels the source', async () => {
  const controller = new AbortController()
  const { source, cancelled } = hanging(delta('a'))
  const { body, message } = mill.relay(source, { ...CHAT, signal: controller.signal })
  const reader = body.getReader()
  await reader.read()
  const pending = reader.read()
  controller.abort(reason)
  await assert.rejects(pending, ABORTED)
  await assert.rejects(message, { code: 'STREAM_ABORTED' })
  await cancelled
})

test('relay: leaves no timer behind, at whatever moment it is left', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const few = timers()
  for (const turns of [0, 1, 2, 3, 8]) {
    const controller = new AbortController()
    const { source, cancelled } = hanging(delta('a'))
    const { body } = mill.relay(source, { ...CHAT, signal: controller.signal })
    const reader = body.getReader()
    await reader.read()
    const pending = reader.read()
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    controller.abort(reason)
    await assert.rejects(pending, ABORTED)
    await cancelled
  }
  assert.equal(timers(), few)
})

test('relay: aborting its signal cancels a source that nobody has read from', async () => {
  const controller = new AbortController()
  let cancel!: () => void
  const cancelled = new Promise<void>((resolve) => (cancel = resolve))
  const source = new ReadableStream<Uint8Array>({ cancel: () => cancel() }, { highWaterMark: 0 })
  const { body } = mill.relay(source, { ...CHAT, signal: controller.signal })
  controller.abort(reason)
  await cancelled
  await assert.rejects(new Response(body).text(), ABORTED)
})

test('relay: a signal that was aborted before cancels a source of any sort', async () => {
  for (const wrap of [
    (body: ReadableStream<Uint8Array>): Source => body,
    (body: ReadableStream<Uint8Array>): Source => new Response(body),
    (body: ReadableStream<Uint8Array>): Source => Readable.fromWeb(body as never),
  ]) {
    let cancel!: () => void
    const cancelled = new Promise<void>((resolve) => (cancel = resolve))
    const body = new ReadableStream<Uint8Array>({ cancel: () => cancel() }, { highWaterMark: 0 })
    const relay = mill.relay(wrap(body), { ...CHAT, signal: AbortSignal.abort(reason) })
    await cancelled
    await assert.rejects(relay.message, { code: 'STREAM_ABORTED' })
    await assert.rejects(new Response(relay.body).text(), ABORTED)
  }
})

test('relay: aborting its signal cancels the source after the message has come, too', async () => {
  const controller = new AbortController()
  const { source, cancelled } = hanging(chat('a'))
  const { body, message } = mill.relay(source, { ...CHAT, signal: controller.signal })
  const reader = body.getReader()
  await reader.read()
  assert.equal((await message).text[0], 'a')
  const pending = reader.read()
  controller.abort(reason)
  await assert.rejects(pending, ABORTED)
  await cancelled
})

test('relay: aborting its signal once the body was read to its end changes nothing', async () => {
  const controller = new AbortController()
  const { body, message } = mill.relay(HELLO, { ...CHAT, signal: controller.signal })
  assert.equal(await new Response(body).text(), chat('Hel', 'lo'))
  assert.equal((await message).text[0], 'Hello')
  controller.abort(reason)
  assert.equal((await message).text[0], 'Hello')
})

const FAILING: readonly [name: string, code: string, source: () => Source][] = [
  ['breaks', 'SOURCE_FAILED', breaking],
  ['is refused', 'HTTP_STATUS', () => new Response('slow down', { status: 429 })],
  ['is silent', 'TIMEOUT', () => hanging(delta('a')).source],
]
for (const [name, code, source] of FAILING) {
  test(`relay: a source that ${name} fails body and message, which has the partial`, async () => {
    const { body, message } = mill.relay(source(), { ...CHAT, timeout: 20 })
    await assert.rejects(new Response(body).text(), code === 'SOURCE_FAILED' ? reason : { code })
    const text = code === 'HTTP_STATUS' ? {} : { 0: 'a' }
    await assert.rejects(message, (error: { code: string; details: { partial: unknown } }) => {
      assert.equal(error.code, code)
      assert.deepEqual({ ...(error.details.partial as { text: object }).text }, text)
      return true
    })
  })
}

test('relay: times out on its source, and cancels it', async () => {
  const { source, cancelled } = hanging(delta('a'))
  const { body } = mill.relay(source, { ...CHAT, timeout: 20 })
  await assert.rejects(new Response(body).text(), { code: 'TIMEOUT' })
  await cancelled
})

test('relay: what it has passed on is its reader’s, to change or to hand away', async () => {
  const wide = delta('x'.repeat(4000))
  const { body, message } = mill.relay([wide, DONE].map(bytes), { ...CHAT, windowBytes: 1024 })
  for await (const chunk of body) structuredClone(chunk, { transfer: [chunk.buffer] })
  assert.equal((await message).text[0]?.length, 4000)
})

test('close: fails the message of a relay, and lets its body go on', async () => {
  const other = await createMillrace()
  const chunks = [delta('a'), delta('b'), DONE]
  const { body, message } = other.relay(chunks, CHAT)
  const reader = body.getReader()
  await reader.read()
  await other.close()
  await assert.rejects(message, { code: 'MILLRACE_CLOSED' })
  reader.releaseLock()
  let rest = ''
  for await (const chunk of body) rest += Buffer.from(chunk).toString()
  assert.equal(rest, chunks.slice(1).join(''))
})

function* breaking(): Generator<string> {
  yield delta('a')
  throw reason
}
