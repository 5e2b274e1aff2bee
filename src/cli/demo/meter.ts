import { performance } from 'node:perf_hooks'
import { build, type Histogram } from 'hdr-histogram-js'
import type { Millrace } from '../../main/index.ts'

/** Longest latency told apart, microseconds; a longer one counts as this. */
const LATENCY_US_MAX = 60_000_000

/** Mismatches that are shown in words; all are counted. */
const MISMATCHES_SHOWN = 3

/** Percentiles of added latency, ms; null before the first token. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** What one phase has come to. */
export class Meter {
  /** Streams that came to their end. */
  streams = 0
  bytes = 0
  tokens = 0
  mismatches = 0
  readonly mismatchesShown: string[] = []
  heapBytesPeak = 0
  inFlightBytesPeak = 0
  channelBytes = 0
  #startMs = 0
  #endMs = 0
  readonly #latencyUs: Histogram = build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_US_MAX,
    numberOfSignificantValueDigits: 3,
  })

  start(): void {
    this.#startMs = performance.now()
  }

  stop(): void {
    this.#endMs = performance.now()
  }

  get stopped(): boolean {
    return this.#endMs > 0
  }

  /** From the first request to the last token, or to now. 0 before the start. */
  get seconds(): number {
    if (this.#startMs === 0) return 0
    return ((this.#endMs || performance.now()) - this.#startMs) / 1000
  }

  /** @param latencyMs - NaN for a token that nobody awaited: counted, not timed. */
  token(latencyMs: number): void {
    this.tokens += 1
    // A histogram takes NaN for a sample.
    if (Number.isNaN(latencyMs)) return
    this.#latencyUs.recordValue(Math.min(Math.max(0, latencyMs * 1000), LATENCY_US_MAX))
  }

  mismatch(what: string): void {
    this.mismatches += 1
    if (this.mismatchesShown.length < MISMATCHES_SHOWN) this.mismatchesShown.push(what)
  }

  latency(): Latency | null {
    if (this.#latencyUs.totalCount === 0) return null
    const at = (percentile: number): number =>
      this.#latencyUs.getValueAtPercentile(percentile) / 1000
    return { p50: at(50), p99: at(99), p999: at(99.9) }
  }

  /** Looks at memory; peaks are of what was seen. */
  async sample(mill: Millrace): Promise<void> {
    this.heapBytesPeak = Math.max(this.heapBytesPeak, process.memoryUsage().heapUsed)
    const { inFlightBytes, memoryBytes } = await mill.stats()
    this.inFlightBytesPeak = Math.max(this.inFlightBytesPeak, inFlightBytes)
    this.channelBytes = memoryBytes
  }
}
