/** Workers die in real threads, under load; tokens come as if nothing had happened. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { Channel } from '../src/main/channel.ts'
import { ChannelRun } from '../src/main/channel-run.ts'
import { decoderModule } from '../src/main/decoder-module.ts'
import { MillraceError } from '../src/main/index.ts'
import { ingest } from '../src/main/ingest.ts'
import { type DecodeOptions, resolveStreamOptions } from '../src/main/options.ts'
import type { Source } from '../src/main/source.ts'
import { StreamState } from '../src/main/stream-state.ts'
import { TokenStream } from '../src/main/token-stream.ts'
import { decodeWorkerUrl } from '../src/main/worker-url.ts'
import { bundledStream, type BundledStream } from '../src/cli/provider/streams.ts'
import { viewsOf } from '../src/shared/channel-ends.ts'
import { ATTACHED, createChannelMemory } from '../src/shared/channel-layout.ts'
import { findDialect } from '../src/shared/dialects/dialects.ts'
import { awsChunk } from './aws-frames.ts'
import { chat, delta } from './chat-bytes.ts'
import { testSeed } from './chunking.ts'
import { POISON } from './poison.ts'

const dyingWorkerUrl = new URL('model/dying-worker.js', import.meta.url)

const needsWasm = decoderModule() === null ? 'needs the WASM decoder' : false

/** A channel whose worker is told by the environment how to die. */
class Rig {
  readonly pool: Piscina
  readonly channel: Channel
  /** Tasks that were started: one, and one more for each death. */
  runs = 0

  constructor(t: TestContext, url: URL, env: NodeJS.ProcessEnv = {}) {
    Object.assign(process.env, env)
    this.pool = new Piscina({
      filename: fileURLToPath(url),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Infinity,
      execArgv: [],
    })
    // Of those that die without a task.
    this.pool.on('error', () => {})
    const run = this.pool.run.bind(this.pool)
    this.pool.run = (...values) => {
      this.runs++
      return run(...values)
    }
    this.channel = new Channel(this.pool, { leaseBytesMax: 2 ** 26 }, decoderModule())
    t.after(async () => {
      for (const name of Object.keys(env)) delete process.env[name]
      this.channel.destroy(new MillraceError('MILLRACE_CLOSED', 'the test is over'))
      await this.pool.destroy()
    })
  }

  decode(source: Source, options: DecodeOptions): TokenStream {
    const state = new StreamState(resolveStreamOptions(options), () => {})
    this.channel.open(state)
    void ingest(() => source, state)
    return new TokenStream(state)
  }
}

/** How far a load has come. */
class Progress {
  tokens = 0
  #wanted = Infinity
  #reached: () => void = () => {}

  count(): void {
    if (++this.tokens === this.#wanted) this.#reached()
  }

  more(tokens: number): Promise<void> {
    this.#wanted = this.tokens + tokens
    return new Promise((resolve) => (this.#reached = resolve))
  }
}

const STREAMS = 24

/** What a worker must have told its successor of a stream. */
interface Load {
  readonly bytes: Uint8Array
  readonly options: DecodeOptions & { readonly dialect: string }
}

const asItIs = ({ dialect, bytes }: BundledStream): Load => ({ bytes, options: { dialect } })

const raw = ({ dialect, bytes }: BundledStream): Load => {
  return { bytes, options: { dialect, raw: true } }
}

/** Without its last blank line. */
const unfinished = ({ dialect, bytes }: BundledStream): Load => {
  return { bytes: bytes.subarray(0, -2), options: { dialect, flushIncomplete: true } }
}

/** Each event of Anthropic's as InvokeModel wraps it. */
const wrapped = ({ bytes }: BundledStream): Load => {
  const lines = Buffer.from(bytes).toString().split('\n')
  const payloads = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
  const frames = payloads.map((payload) => awsChunk(JSON.parse(payload) as object))
  return { bytes: Buffer.concat(frames), options: { dialect: 'bedrock-eventstream' } }
}

/** By turns; those at odd places are Anthropic's. */
const LOADS = [asItIs, asItIs, raw, wrapped, unfinished, raw] as const

/** Streams of all loads in chunks that fit nothing, each read and compared to its end. */
async function decodeAll(rig: Rig, seed: number, tokens: number, progress: Progress) {
  const bundled = Array.from({ length: STREAMS }, (_, index) =>
    bundledStream(index % 2 === 0 ? 'openai-chat' : 'anthropic', {
      seed: seed + index,
      tokens,
      reasoning: 20,
      toolCalls: 2,
    }),
  )
  await Promise.all(bundled.map((stream, index) => decodeOne(rig, stream, index, progress)))
}

async function decodeOne(
  rig: Rig,
  bundled: BundledStream,
  index: number,
  progress: Progress,
): Promise<void> {
  const { expected } = bundled
  const { bytes, options } = LOADS[index % LOADS.length]!(bundled)
  const chunkBytes = 61 + 397 * index
  const chunks = function* (): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  // Some have a dialect that only the caller knows.
  const { dialect: name } = options
  const table = { ...findDialect(name), name: `my-${name}` }
  const stream = rig.decode(chunks(), { ...options, dialect: index % 5 === 0 ? table : name })
  const seen: string[] = []
  for await (const event of stream) {
    if (!('text' in event) || event.text === '' || !isToken(event.type)) continue
    seen.push(event.text)
    progress.count()
  }
  assert.deepEqual(seen, expected.tokens)
  const { text, reasoning, finishReason } = await stream.final()
  assert.equal(text[0] ?? '', expected.text)
  assert.equal(reasoning[0] ?? '', expected.reasoning)
  assert.notEqual(finishReason, null)
}

function isToken(type: string): boolean {
  return type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-input-delta'
}

test(
  'worker death: terminated again and again, it loses and doubles no token',
  { skip: needsWasm },
  async (t) => {
    const seed = testSeed()
    t.diagnostic(`MILLRACE_SEED=${seed}`)
    const rig = new Rig(t, decodeWorkerUrl)
    const progress = new Progress()
    let isOver = false
    const decoded = decodeAll(rig, seed, 6000, progress).finally(() => (isOver = true))
    let kills = 0
    while (!isOver) {
      // More than could be under way, so that no two deaths fall on one frame.
      await Promise.race([progress.more(4000 + ((seed + kills * 7919) % 997)), decoded])
      if (isOver) break
      await rig.pool.threads[0]!.terminate()
      kills++
    }
    await decoded
    assert.ok(kills > 10, `${kills} deaths`)
    t.diagnostic(`${kills} deaths, ${progress.tokens} tokens`)
  },
)

test(
  'worker death: by exit or error instead of any atomic operation, it loses no token',
  { skip: needsWasm },
  async (t) => {
    const seed = testSeed()
    t.diagnostic(`MILLRACE_SEED=${seed}`)
    const env = { MILLRACE_DYING: 'atomics', MILLRACE_SEED: `${seed}` }
    const rig = new Rig(t, dyingWorkerUrl, env)
    const progress = new Progress()
    await decodeAll(rig, seed, 3000, progress)
    assert.ok(rig.runs > 10, `${rig.runs} runs`)
    t.diagnostic(`${rig.runs} runs, ${progress.tokens} tokens`)
  },
)

test(
  'worker death: a stream that kills two workers ends with STREAM_POISONED, others go on',
  { skip: needsWasm },
  async (t) => {
    const rig = new Rig(t, dyingWorkerUrl, { MILLRACE_DYING: 'poison', MILLRACE_SEED: '1' })
    const poisoned = rig.decode([delta('before'), delta(POISON), chat('after')], {
      dialect: 'openai-chat',
    })
    const seen: string[] = []
    const read = (async () => {
      for await (const event of poisoned) if (event.type === 'text-delta') seen.push(event.text)
    })()
    await Promise.all([
      decodeAll(rig, 1, 500, new Progress()),
      assert.rejects(read, { code: 'STREAM_POISONED' }),
    ])
    assert.deepEqual(seen, ['before'])
  },
)

test('worker death: a task that hangs is ended before another uses its memory', async (t) => {
  const rig = new Rig(t, dyingWorkerUrl, { MILLRACE_DYING: 'hang' })
  const [thread] = rig.pool.threads
  const memory = createChannelMemory()
  const { words } = viewsOf(memory.buffer)
  const run = new ChannelRun(rig.pool, memory, decoderModule(), () => {})
  run.task.catch(() => {})
  await run.gone()
  await assert.rejects(run.task, { name: 'AbortError' })
  assert.equal(words[ATTACHED], 0)
  run.close(new MillraceError('WORKER_EXITED', 'the test is over'))
  assert.ok(!rig.pool.threads.includes(thread!))
})
