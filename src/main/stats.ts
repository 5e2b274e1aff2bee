/** Counters as frozen plain objects: a snapshot of one moment, safe to keep, log or send. */
import type { WorkerStats } from '../shared/control-protocol.ts'
import type { LatencyStats } from './latency.ts'
import type { Placement } from './options.ts'

/** What is counted of one stream, and of all together. */
export interface StreamCounts {
  /** Chunks and bytes taken from the source. */
  readonly chunks: number
  readonly bytes: number
  /** Batches that reached the caller's thread, and the tokens (deltas of any kind) in them. */
  readonly batches: number
  readonly tokens: number
  /** Malformed events and errors of the provider. */
  readonly errors: number
  /** Bytes taken from the source and not yet consumed; at most `windowBytes` a stream. */
  readonly inFlightBytes: number
  readonly meanChunkBytes: number
  readonly meanTokensPerBatch: number
}

/** One stream's counters. */
export interface StreamStats extends StreamCounts {
  readonly dialect: string
  readonly placement: Placement
  readonly durationMs: number
}

/** All streams and workers of one Millrace. */
export interface MillraceStats extends StreamCounts {
  readonly streamsOpen: number
  readonly streamsEnded: number
  /** Added latency: from a chunk's write until what it completed was ready; `null` before any. */
  readonly latencyMs: LatencyStats | null
  /** Memory of all channels, what large events have leased included, bytes. */
  readonly memoryBytes: number
  /** The streams that are open now. */
  readonly streams: readonly StreamStats[]
  /** The workers whose task runs now; an idle one has none. */
  readonly workers: readonly WorkerStats[]
}

const SUMMED = ['chunks', 'bytes', 'batches', 'tokens', 'errors'] as const

/** Sums of the streams that have ended. */
export class StreamTotals {
  #streamsEnded = 0
  readonly #ended = { chunks: 0, bytes: 0, batches: 0, tokens: 0, errors: 0 }

  add(stream: StreamStats): void {
    this.#streamsEnded++
    for (const key of SUMMED) this.#ended[key] += stream[key]
  }

  snapshot(
    open: readonly StreamStats[],
    machinery: Pick<MillraceStats, 'latencyMs' | 'memoryBytes' | 'workers'>,
  ): MillraceStats {
    const sums = { ...this.#ended }
    for (const stream of open) for (const key of SUMMED) sums[key] += stream[key]
    return Object.freeze({
      streamsOpen: open.length,
      streamsEnded: this.#streamsEnded,
      ...sums,
      inFlightBytes: open.reduce((sum, stream) => sum + stream.inFlightBytes, 0),
      meanChunkBytes: sums.chunks === 0 ? 0 : sums.bytes / sums.chunks,
      meanTokensPerBatch: sums.batches === 0 ? 0 : sums.tokens / sums.batches,
      ...machinery,
      streams: Object.freeze(open),
    })
  }
}
