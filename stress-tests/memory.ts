/** Memory over a run: samples, and what they say about growth. */

export interface MemorySample {
  readonly tokens: number
  /** JS heap in use after a collection, bytes. */
  readonly heapBytes: number
  readonly rssBytes: number
}

/** Takes a sample after a full collection. Needs `--expose-gc`. */
export function sampleMemory(tokens: number): MemorySample {
  if (globalThis.gc === undefined) throw new Error('run with node --expose-gc')
  globalThis.gc()
  const { heapUsed, rss } = process.memoryUsage()
  return { tokens, heapBytes: heapUsed, rssBytes: rss }
}

/**
 * Theil-Sen slope of the heap over the tokens, bytes a token: the median of the slopes of all
 * pairs, which a few odd samples cannot move.
 */
export function heapSlope(samples: readonly MemorySample[]): number {
  const slopes: number[] = []
  for (const [index, a] of samples.entries()) {
    for (const b of samples.slice(index + 1)) {
      if (b.tokens !== a.tokens) slopes.push((b.heapBytes - a.heapBytes) / (b.tokens - a.tokens))
    }
  }
  return median(slopes)
}

/** How much more the process held in the run's last third than in its middle one, bytes. */
export function rssGrowth(samples: readonly MemorySample[]): number {
  const third = Math.floor(samples.length / 3)
  const rss = (from: number): number =>
    median(samples.slice(from, from + third).map((sample) => sample.rssBytes))
  return rss(samples.length - third) - rss(third)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length === 0) return NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
