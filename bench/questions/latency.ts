import { median } from '../../stress-tests/memory.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { latenciesUs, type Load } from '../open-loop.ts'
import { echoPipe, millracePipe } from '../pipes.ts'
import { quantile } from '../statistics.ts'

export const latencyBench: Bench = {
  name: 'latency',
  question: 'How long after its bytes were due is a token in the hands of its consumer?',
  notMeasured: 'sockets; the sender spins on the main thread and keeps its core awake',
  run: answer,
}

const LOADS: readonly Load[] = [
  { tokensPerSecond: 10_000, streams: 100, tokens: 40_000 },
  { tokensPerSecond: 100_000, streams: 1000, tokens: 300_000 },
]

/** Tokens of each load in a tiny run. */
const TINY_TOKENS = 500

async function answer(context: Context): Promise<Answer> {
  const figures: Figures[] = []
  for (const load of LOADS) {
    const tokens = context.size === 'tiny' ? TINY_TOKENS : load.tokens
    figures.push(await measure({ ...load, tokens }, context))
  }
  const [calm, busy] = figures
  return {
    rows: figures.flatMap(({ rows }) => rows),
    bars: {
      'latency-10k-p99': calm!.p99Us,
      'latency-10k-p999': calm!.p999OverControlUs,
      'latency-100k-p99': busy!.p99Us,
    },
  }
}

interface Figures {
  readonly rows: readonly Row[]
  readonly p99Us: number
  readonly p999OverControlUs: number
}

/** Millrace and the control in turns; every figure is the median of the runs' own. */
async function measure(load: Load, { runs, progress }: Context): Promise<Figures> {
  const echo = { pipe: await echoPipe(), runs: [] as Float64Array[] }
  const ours = { pipe: await millracePipe(load.streams), runs: [] as Float64Array[] }
  // The first run compiles code, in two threads, and is not counted.
  for (let run = 0; run <= runs; run++) {
    progress(`${load.tokensPerSecond} tokens/s: run ${run} of ${runs}`)
    for (const lane of [echo, ours]) {
      const sorted = await latenciesUs(lane.pipe, load)
      if (run > 0) lane.runs.push(sorted)
    }
  }
  await echo.pipe.close()
  await ours.pipe.close()
  const over = ours.runs.map((sorted, run) => {
    return quantile(sorted, 0.999) - quantile(echo.runs[run]!, 0.999)
  })
  return {
    rows: [rowOf('bare echo', load, echo.runs), rowOf('millrace, batches()', load, ours.runs)],
    p99Us: median(ours.runs.map((sorted) => quantile(sorted, 0.99))),
    p999OverControlUs: median(over),
  }
}

function rowOf(what: string, load: Load, runs: readonly Float64Array[]): Row {
  const us = (p: number): number => median(runs.map((sorted) => quantile(sorted, p)))
  return {
    what,
    'tokens/s': load.tokensPerSecond,
    streams: load.streams,
    'p50 us': us(0.5),
    'p99 us': us(0.99),
    'p99.9 us': us(0.999),
    'max us': us(1),
  }
}
