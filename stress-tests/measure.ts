/** The measurements behind the gates, the same for every pipeline. */
import { build, type Histogram } from 'hdr-histogram-js'
import type { Pipeline, PipelineStream } from './pipeline.ts'
import { heapSlope, rssGrowth, sampleMemory, type MemorySample } from './memory.ts'
import { atPace, dueMs, type Pace } from './pace.ts'
import { SequenceChecker, STREAM_END, tokenEvent } from './sequence-stream.ts'

export type Progress = (line: string) => void

export interface LatencyResult {
  readonly tokens: number
  readonly tokensPerSecond: number
  /** From each token's intended send time to its delivery, microseconds. */
  readonly latencyUs: Histogram
  readonly wrong: number
}

/**
 * Sends one event a token, each at its intended time, over many streams in turn, and records when
 * each is delivered. Open loop: a pipeline that stalls meets the tokens that were due meanwhile,
 * and their wait counts.
 */
export async function measureLatency(
  pipeline: Pipeline,
  plan: { tokensPerSecond: number; streams: number; seconds: number },
  progress: Progress,
): Promise<LatencyResult> {
  const latencyUs = newHistogram()
  const streams = Array.from({ length: plan.streams }, () => pipeline.open())
  const checkers = streams.map(() => new SequenceChecker())
  const encoder = new TextEncoder()
  const total = plan.tokensPerSecond * plan.seconds
  const startMs = performance.now() + 20
  const pace: Pace = { count: total, startMs, perSecond: plan.tokensPerSecond }

  const consumers = streams.map(async (stream, index) => {
    for await (const batch of stream.batches()) {
      const nowMs = performance.now()
      checkers[index]!.check(batch, (sequence) => {
        record(latencyUs, nowMs - dueMs(pace, sequence * plan.streams + index))
      })
    }
  })
  const reportEvery = Math.ceil(total / 20)
  await atPace(pace, (token) => {
    if (token % reportEvery === 0) progress(`latency: ${percent(token, total)} of ${total} tokens`)
    const index = token % plan.streams
    const stream = streams[index]!
    // A pipeline that falls so far behind that its window is full is waited for, and the wait shows
    // as latency, since the intended times do not move.
    const event = tokenEvent((token - index) / plan.streams)
    if (!stream.write(encoder.encode(event))) return stream.drained()
  })
  await settles(endAll(streams, consumers))
  const seconds = (performance.now() - startMs) / 1000
  return {
    tokens: total,
    tokensPerSecond: total / seconds,
    latencyUs,
    wrong: countWrong(checkers, total),
  }
}

export interface BulkResult {
  readonly tokens: number
  readonly bytes: number
  readonly seconds: number
  readonly wrong: number
  readonly heapSlope: number
  readonly rssGrowthBytes: number
  readonly samples: readonly MemorySample[]
}

/** Events in one bulk chunk, some 58 KB. */
const EVENTS_PER_CHUNK = 200

/**
 * Sends tokens as fast as they are taken, over a few streams, in large chunks; samples memory at
 * even steps. Time spent generating and sampling is not counted.
 */
export async function measureBulk(
  pipeline: Pipeline,
  plan: { tokens: number; streams: number; samples: number },
  progress: Progress,
): Promise<BulkResult> {
  const rounds = Math.ceil(plan.tokens / (EVENTS_PER_CHUNK * plan.streams))
  const total = rounds * EVENTS_PER_CHUNK * plan.streams
  const streams = Array.from({ length: plan.streams }, () => pipeline.open())
  const checkers = streams.map(() => new SequenceChecker())
  const encoder = new TextEncoder()
  let delivered = 0
  let wanted = 0
  let reached: () => void = () => {}
  const consumers = streams.map(async (stream, index) => {
    for await (const batch of stream.batches()) {
      checkers[index]!.check(batch, () => delivered++)
      if (delivered >= wanted) reached()
    }
  })
  const samples: MemorySample[] = []
  let bytes = 0
  let busyMs = 0
  for (let round = 0; round < rounds; round++) {
    const chunk = encoder.encode(chunkOf(round))
    wanted = (round + 1) * EVENTS_PER_CHUNK * plan.streams
    const done = new Promise<void>((resolve) => (reached = resolve))
    const startMs = performance.now()
    for (const stream of streams) {
      if (!stream.write(chunk)) await stream.drained()
      bytes += chunk.length
    }
    // Delivered before the next round: what is in flight stays the same at every sample.
    if (!(await settles(done))) break
    busyMs += performance.now() - startMs
    if (round % Math.ceil(rounds / plan.samples) === 0) {
      samples.push(sampleMemory(wanted))
      progress(`bulk: ${percent(wanted, total)} of ${total} tokens`)
    }
  }
  await settles(endAll(streams, consumers))
  return {
    tokens: total,
    bytes,
    seconds: busyMs / 1000,
    wrong: countWrong(checkers, total),
    heapSlope: heapSlope(samples),
    rssGrowthBytes: rssGrowth(samples),
    samples,
  }
}

/** How long a round, or the end, may take, ms: tokens that have not come by then are lost. */
const ROUND_MS_MAX = 30_000

/** False where `done` takes too long: what is then missing is counted as wrong. */
async function settles(done: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ROUND_MS_MAX)
  })
  const result = await Promise.race([done.then(() => true), late])
  clearTimeout(timer)
  return result
}

function chunkOf(round: number): string {
  let chunk = ''
  for (let event = 0; event < EVENTS_PER_CHUNK; event++) {
    chunk += tokenEvent(round * EVENTS_PER_CHUNK + event)
  }
  return chunk
}

async function endAll(
  streams: readonly PipelineStream[],
  consumers: readonly Promise<void>[],
): Promise<void> {
  const last = new TextEncoder().encode(STREAM_END)
  for (const stream of streams) {
    await stream.drained()
    stream.write(last)
    stream.end()
  }
  await Promise.all(consumers)
}

function countWrong(checkers: readonly SequenceChecker[], total: number): number {
  const missing = total - checkers.reduce((sum, checker) => sum + checker.next, 0)
  return checkers.reduce((sum, checker) => sum + checker.wrong, Math.abs(missing))
}

function newHistogram(): Histogram {
  return build({ highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })
}

// A clock that stands still between intention and delivery may say a little less than nothing.
function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(0, Math.min(60_000_000, Math.round(ms * 1000))))
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`
}
