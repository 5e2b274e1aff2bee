import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { Piscina } from 'piscina'
import { Channel } from '../src/main/channel.ts'
import { MillraceError } from '../src/main/index.ts'
import { resolveStreamOptions } from '../src/main/options.ts'
import { StreamState } from '../src/main/stream-state.ts'
import { TokenStream } from '../src/main/token-stream.ts'
import { decodeWorkerUrl } from '../src/main/worker-url.ts'
import { bytes, chat, delta } from './chat-bytes.ts'

test('worker death: streams of the plain decoder fail with WORKER_EXITED', async () => {
  const pool = new Piscina({
    filename: fileURLToPath(decodeWorkerUrl),
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Infinity,
    execArgv: [],
  })
  pool.on('error', () => {})
  const channel = new Channel(pool, { leaseBytesMax: 1024 * 1024 }, null)
  const open = (): { state: StreamState; stream: TokenStream } => {
    const state = new StreamState(resolveStreamOptions({ dialect: 'openai-chat' }), () => {})
    channel.open(state)
    return { state, stream: new TokenStream(state) }
  }
  const first = open()
  const events = first.stream[Symbol.asyncIterator]()
  first.state.write(bytes(delta('before')), true)
  assert.equal((await events.next()).value.text, 'before')
  const pending = events.next()
  await pool.threads[0]!.terminate()
  await assert.rejects(pending, { code: 'WORKER_EXITED' })

  const second = open()
  second.state.write(bytes(chat('after')), true)
  second.state.end()
  assert.equal((await second.stream.final()).text[0], 'after')
  channel.destroy(new MillraceError('MILLRACE_CLOSED', 'the test is over'))
  await pool.destroy()
})
