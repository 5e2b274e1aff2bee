/**
 * Added latency of a Millrace: from a chunk's write to the moment when all that it completed was
 * ready for its reader. How long a reader keeps it waiting is no part of that.
 *
 * One chunk in sixteen is timed: looking at the clock twice costs as much as a small chunk.
 */

/** Chunks of a stream of which one is timed. */
export const LATENCY_EVERY = 16

/** The samples that are kept are the last ones; a power of two. */
const SAMPLES_MAX = 4096

/** Percentiles, ms, of the last samples. */
export interface LatencyStats {
  /** At most 4,096. */
  readonly samples: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class LatencySamples {
  readonly #latestMs = new Float64Array(SAMPLES_MAX)
  #taken = 0

  add(latencyMs: number): void {
    this.#latestMs[this.#taken++ & (SAMPLES_MAX - 1)] = latencyMs
  }

  /** `null` before the first sample. */
  snapshot(): LatencyStats | null {
    const samples = Math.min(this.#taken, SAMPLES_MAX)
    if (samples === 0) return null
    const sorted = this.#latestMs.slice(0, samples).sort()
    const at = (share: number): number => sorted[Math.ceil(samples * share) - 1]!
    return Object.freeze({ samples, p50: at(0.5), p99: at(0.99), max: at(1) })
  }
}

/** Times some chunks of one stream. */
export class LatencyProbe {
  readonly #samples: LatencySamples
  #chunks = 0
  #writtenBytes = 0
  #receivedBytes = 0
  /** The chunk that is timed: where it ends in the input, 0 for none, and when it came. */
  #timedBytes = 0
  #timedMs = 0

  constructor(samples: LatencySamples) {
    this.#samples = samples
  }

  /** @param fits - There is room for all of the chunk: its reader does not keep it waiting. */
  wrote(bytes: number, fits: boolean): void {
    this.#writtenBytes += bytes
    if (this.#chunks++ % LATENCY_EVERY !== 0 || !fits || this.#timedBytes !== 0) return
    this.#timedBytes = this.#writtenBytes
    this.#timedMs = performance.now()
  }

  /** What so many more bytes have become is ready for the reader. */
  received(bytes: number): void {
    this.#receivedBytes += bytes
    if (this.#timedBytes === 0 || this.#receivedBytes < this.#timedBytes) return
    this.#timedBytes = 0
    this.#samples.add(performance.now() - this.#timedMs)
  }
}
