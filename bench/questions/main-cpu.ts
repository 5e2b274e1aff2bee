import { createMillrace, type Millrace } from '../../src/main/index.ts'
import { median } from '../../stress-tests/memory.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { makeFixture, streamOf } from '../fixtures.ts'
import { CHAT_EVENT_BYTES } from '../fixtures/chat.ts'
import { deliver } from '../millrace.ts'
import { Sink } from '../sink.ts'
import { ThreadClock, type ThreadCpu } from '../thread-clock.ts'

export const mainCpuBench: Bench = {
  name: 'main-cpu',
  question: 'How much of the main thread does a token take, strings and reading loop included?',
  notMeasured: 'sockets and HTTP; the source is write()',
  run: answer,
}

interface Measured extends ThreadCpu {
  readonly tokens: number
  readonly tokensPerBatch: number
}

async function answer(context: Context): Promise<Answer> {
  const tiny = context.size === 'tiny'
  const mill = await createMillrace({ workers: 1 })
  const bulk: Measured[] = []
  const drip: Measured[] = []
  try {
    for (let run = 0; run < context.runs; run++) {
      context.progress(`run ${run + 1} of ${context.runs}`)
      bulk.push(await measureBulk(mill, tiny ? 1 : 32, context))
      drip.push(await measureDrip(mill, tiny ? { streams: 20, turns: 5 } : DRIP))
    }
  } finally {
    await mill.close()
  }
  const rows = [
    rowOf('64 KiB chunks, batches()', bulk),
    rowOf(`an event a chunk, ${DRIP.streams} streams, batches()`, drip),
  ]
  const [bulkNs, dripNs] = rows.map((row) => Number(row['main ns/token']))
  return { rows, bars: { 'main-cpu-bulk': bulkNs! / 1000, 'main-cpu-drip': dripNs! / 1000 } }
}

const DRIP = { streams: 1000, turns: 300 }

async function measureBulk(mill: Millrace, rounds: number, context: Context): Promise<Measured> {
  const fixture = makeFixture('chat', context.fixtureSize)
  const chunks = streamOf(fixture, rounds)
  const clock = new ThreadClock()
  const sink = new Sink()
  const stream = mill.open({ dialect: fixture.dialect, accumulate: false })
  const consumed = (async () => {
    for await (const batch of stream.batches()) deliver(batch, sink)
  })()
  for (const chunk of chunks) if (!stream.write(chunk)) await stream.drained()
  stream.end()
  await consumed
  return measured(clock, sink, fixture.tokens.length * rounds, stream.stats().meanTokensPerBatch)
}

/**
 * Every stream gets one event a turn, each in a chunk of its own; the next turn begins when all
 * have been delivered. Between the two main sleeps in its event loop, which takes no CPU.
 */
async function measureDrip(
  mill: Millrace,
  { streams: count, turns }: { streams: number; turns: number },
): Promise<Measured> {
  const fixture = makeFixture('chat', { events: turns, chunkBytes: CHAT_EVENT_BYTES })
  const streams = Array.from({ length: count }, () =>
    mill.open({ dialect: fixture.dialect, accumulate: false }),
  )
  const sink = new Sink()
  let wanted = 0
  let reached: (() => void) | null = null
  const consumed = streams.map(async (stream) => {
    for await (const batch of stream.batches()) {
      deliver(batch, sink)
      if (sink.tokens === wanted) reached?.()
    }
  })
  const clock = new ThreadClock()
  for (const chunk of fixture.body) {
    wanted += count
    const done = new Promise<void>((resolve) => (reached = resolve))
    for (const stream of streams) if (!stream.write(chunk)) await stream.drained()
    await done
  }
  const result = measured(clock, sink, count * turns, streams[0]!.stats().meanTokensPerBatch)
  for (const stream of streams) {
    stream.write(fixture.tail)
    stream.end()
  }
  await Promise.all(consumed)
  return result
}

function measured(clock: ThreadClock, sink: Sink, tokens: number, batch: number): Measured {
  if (sink.tokens !== tokens) throw new Error(`${sink.tokens} tokens came of ${tokens}`)
  const cpu = clock.lap() ?? { mainNs: NaN, workersNs: NaN, helpersNs: NaN }
  return { ...cpu, tokens, tokensPerBatch: batch }
}

function rowOf(what: string, runs: readonly Measured[]): Row {
  const perToken = (key: keyof ThreadCpu): number =>
    median(runs.map((one) => one[key] / one.tokens))
  return {
    what,
    'tokens a run': runs[0]!.tokens,
    'tokens/batch': median(runs.map((one) => one.tokensPerBatch)),
    'main ns/token': perToken('mainNs'),
    'worker ns/token': perToken('workersNs'),
    'V8 helpers ns/token': perToken('helpersNs'),
  }
}
