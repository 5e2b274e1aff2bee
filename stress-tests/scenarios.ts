import type { Gate } from './gate.ts'
import { holds } from './gate.ts'
import {
  measureBulk,
  measureLatency,
  type BulkResult,
  type LatencyResult,
  type Progress,
} from './measure.ts'
import { median } from './memory.ts'
import { brokenPipeline, millracePipeline, type Pipeline } from './pipeline.ts'

export interface Scenario {
  readonly name: string
  /** What it shows, in a line. */
  readonly about: string
  run(size: Size, progress: Progress): Promise<readonly Gate[]>
}

/** `full` is what counts; `tiny` shows in a test that the scenario still runs. */
export type Size = 'full' | 'tiny'

const PLANS = {
  full: {
    warmUpLatency: { tokensPerSecond: 10_000, streams: 100, seconds: 10 },
    warmUpBulk: { tokens: 2_000_000, streams: 4, samples: 20 },
    latency: { tokensPerSecond: 10_000, streams: 100, seconds: 4 },
    bulk: { tokens: 4_000_000, streams: 4, samples: 60 },
  },
  tiny: {
    warmUpLatency: { tokensPerSecond: 10_000, streams: 10, seconds: 0.1 },
    warmUpBulk: { tokens: 2000, streams: 2, samples: 3 },
    latency: { tokensPerSecond: 10_000, streams: 10, seconds: 0.1 },
    bulk: { tokens: 20_000, streams: 2, samples: 20 },
  },
} as const

const MB = 1e6

/** Latency is the median of so many runs: a machine has bad seconds, a pipeline bad habits. */
const LATENCY_WINDOWS = 5

async function measure(
  pipeline: Pipeline,
  size: Size,
  progress: Progress,
): Promise<readonly Gate[]> {
  const plan = PLANS[size]
  try {
    // Code is compiled, pools grow to their size; what is measured is what goes on for ever.
    await measureBulk(pipeline, plan.warmUpBulk, warmUp(progress))
    await measureLatency(pipeline, plan.warmUpLatency, warmUp(progress))
    const windows: LatencyResult[] = []
    for (let window = 0; window < LATENCY_WINDOWS; window++) {
      windows.push(await measureLatency(pipeline, plan.latency, progress))
    }
    const bulk = await measureBulk(pipeline, plan.bulk, progress)
    const stream = pipeline.open()
    const bufferBytes = await pipeline.bufferBytes()
    stream.end()
    return gatesOf(plan.latency.tokensPerSecond, windows, bulk, bufferBytes)
  } finally {
    await pipeline.close()
  }
}

function gatesOf(
  pacePerSecond: number,
  windows: readonly LatencyResult[],
  bulk: BulkResult,
  bufferBytes: number,
): readonly Gate[] {
  const pacedPerSecond = median(windows.map(({ tokensPerSecond }) => tokensPerSecond))
  const p99Us = median(windows.map(({ latencyUs }) => latencyUs.getValueAtPercentile(99)))
  const wrong = [bulk, ...windows].reduce((sum, result) => sum + result.wrong, 0)
  return [
    // At an even pace the run can only lose time, and a little at its end: 1 %.
    min('tokens/s, paced', '1/s', 0.99 * pacePerSecond, pacedPerSecond),
    max('added latency p99', 'us', 1000, p99Us),
    min('tokens/s, bulk', '1/s', 10_000, bulk.tokens / bulk.seconds),
    min('bytes, bulk', 'MB/s', 100, bulk.bytes / bulk.seconds / MB),
    max('buffers', 'bytes', 2 * MB, bufferBytes),
    max('heap growth', 'B/token', 0.05, bulk.heapSlope),
    max('RSS growth', 'MiB', 2, bulk.rssGrowthBytes / 2 ** 20),
    max('lost, doubled, reordered', 'tokens', 0, wrong),
  ]
}

function max(name: string, unit: string, limit: number, measured: number): Gate {
  return { name, unit, sense: 'max', limit, measured }
}

function min(name: string, unit: string, limit: number, measured: number): Gate {
  return { name, unit, sense: 'min', limit, measured }
}

function warmUp(progress: Progress): Progress {
  return (line) => progress(`warm-up, not counted: ${line}`)
}

const CAUGHT_BY_CANARY = ['added latency p99', 'heap growth']

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'million-tokens',
    about: 'the floor: 10,000 tokens/s under 1 ms, 100 MB/s, flat memory over millions of tokens',
    run: async (size, progress) => measure(await millracePipeline(), size, progress),
  },
  {
    name: 'canary',
    about: 'a pipeline that leaks and dawdles on purpose: the same gates must catch it',
    async run(size, progress) {
      const gates = await measure(await brokenPipeline(), size, progress)
      return CAUGHT_BY_CANARY.map((name) => gates.find((gate) => gate.name === name)!).map(
        (gate) => ({
          name: `${gate.name} (${gate.measured.toPrecision(3)} ${gate.unit}) caught`,
          unit: 'gate',
          sense: 'min',
          limit: 1,
          // A figure that was not measured caught nothing.
          measured: Number.isFinite(gate.measured) && !holds(gate) ? 1 : 0,
        }),
      )
    },
  },
]
