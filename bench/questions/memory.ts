import { measureBulk } from '../../stress-tests/measure.ts'
import { millracePipeline } from '../../stress-tests/pipeline.ts'
import type { Answer, Bench, Context } from '../bench.ts'
import { collectGarbage } from '../collect-garbage.ts'

export const memoryBench: Bench = {
  name: 'memory',
  question: 'Does memory stay where it is while tokens pass through?',
  notMeasured: 'what a consumer keeps; this one keeps nothing',
  run: answer,
}

const STREAMS = 4
const WARM_UP = { tokens: 2_000_000, streams: STREAMS, samples: 20 }
const MIB = 1024 * 1024

async function answer({ size, memoryTokens, progress }: Context): Promise<Answer> {
  globalThis.gc ??= collectGarbage as NodeJS.GCFunction
  const pipeline = await millracePipeline()
  try {
    const plan = { tokens: memoryTokens, streams: STREAMS, samples: size === 'tiny' ? 10 : 50 }
    // Code is compiled, pools grow to their size; what is measured is what goes on for ever.
    if (size !== 'tiny') await measureBulk(pipeline, WARM_UP, progress)
    const { tokens, heapSlope, rssGrowthBytes, wrong, samples } = await measureBulk(
      pipeline,
      plan,
      progress,
    )
    if (wrong > 0) throw new Error(`${wrong} of ${tokens} tokens were wrong`)
    const bufferBytes = await pipeline.bufferBytes()
    const bars = {
      'heap-slope': heapSlope,
      'rss-growth': rssGrowthBytes / MIB,
      buffers: bufferBytes / 1e6,
    }
    const row = {
      tokens,
      'heap B/token': heapSlope,
      'RSS growth MiB': bars['rss-growth'],
      'heap MiB at the end': samples.at(-1)!.heapBytes / MIB,
      'RSS MiB at the end': samples.at(-1)!.rssBytes / MIB,
      'shared MB': bars.buffers,
    }
    return { rows: [row], bars }
  } finally {
    await pipeline.close()
  }
}
