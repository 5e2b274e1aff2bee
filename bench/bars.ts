/** What the library holds itself to: every bar with its limit and, where there is one, its goal. */
import type { Gate } from '../stress-tests/gate.ts'

interface Bar extends Omit<Gate, 'name' | 'measured'> {
  /** What it says. Ratios are taken within one run. */
  readonly about: string
  /** Where we want to be; a bar holds without it. */
  readonly goal?: number
}

const BASELINE = 'eventsource-parser + JSON.parse'

const atLeast = (limit: number, unit: string, about: string, goal?: number): Bar =>
  goal === undefined
    ? { sense: 'min', limit, unit, about }
    : { sense: 'min', limit, unit, about, goal }

const atMost = (limit: number, unit: string, about: string): Bar => ({
  sense: 'max',
  limit,
  unit,
  about,
})

export type BarName =
  | 'inline'
  | 'inline-no-hit'
  | 'records-only'
  | 'dialects'
  | 'dialects-no-hit'
  | 'worker-batches'
  | 'worker-events'
  | 'worker-openai-sdk'
  | 'worker-ai-sdk'
  | 'main-cpu-bulk'
  | 'main-cpu-drip'
  | 'latency-10k-p99'
  | 'latency-10k-p999'
  | 'latency-100k-p99'
  | 'linear-time'
  | 'linear-scans'
  | 'heap-slope'
  | 'rss-growth'
  | 'buffers'
  | 'collections'
  | 'leak-caught'
  | 'kept-batches'
  | 'kept-strings'
  | 'floor-tokens'
  | 'floor-bytes'

export const BARS: Readonly<Record<BarName, Bar>> = {
  inline: atLeast(15, 'x', `inline, chat to strings, against ${BASELINE}`, 25),
  'inline-no-hit': atLeast(6, 'x', 'the same without any template hit'),
  'records-only': atLeast(20, 'x', 'inline, records only (no strings), against the same', 45),
  dialects: atLeast(
    12,
    'x',
    'inline, the slowest of all dialects, against what one writes by hand',
  ),
  'dialects-no-hit': atLeast(5, 'x', 'the same without any template hit'),
  'worker-batches': atLeast(9, 'x', `one worker, batches() to strings, against ${BASELINE}`),
  'worker-events': atLeast(6, 'x', 'one worker, for await per token, against the same'),
  'worker-openai-sdk': atLeast(50, 'x', 'one worker, for await, against the openai SDK'),
  'worker-ai-sdk': atLeast(200, 'x', 'one worker, for await, against the AI SDK'),
  'main-cpu-bulk': atMost(0.3, 'us', 'main-thread CPU a token, write() and batches(), 64 KiB'),
  'main-cpu-drip': atMost(3, 'us', 'main-thread CPU a token, an event a chunk, 1,000 streams'),
  'latency-10k-p99': atMost(250, 'us', 'added latency p99, 10,000 tokens/s over 100 streams'),
  'latency-10k-p999': atMost(1000, 'us', 'the same, p99.9 beyond that of the echo control'),
  'latency-100k-p99': atMost(1000, 'us', 'added latency p99, 100,000 tokens/s, 1,000 streams'),
  'linear-time': atMost(2.3, 'x', 'time for twice the bytes, worst chunking'),
  'linear-scans': atMost(3, 'bytes', 'bytes scanned a byte, worst chunking'),
  'heap-slope': atMost(0.05, 'B', 'growth of the heap after collection, a token'),
  'rss-growth': atMost(2, 'MiB', 'resident memory, last third of the run over its middle'),
  buffers: atMost(2, 'MB', 'shared memory of one channel'),
  collections: atMost(0, '', 'garbage collections in the worker over a million tokens'),
  'leak-caught': atLeast(1, '', 'the same with a leak of 8 bytes a token planted'),
  'kept-batches': atMost(3, 'x', 'heap of a consumer that keeps every batch, of its text'),
  'kept-strings': atMost(3, 'x', 'heap of a consumer that keeps every token as a string'),
  'floor-tokens': atLeast(10_000, '/s', 'the floor: tokens through one worker'),
  'floor-bytes': atLeast(100, 'MB/s', 'the floor: bytes through one worker'),
}

/** A bar with what was measured: a gate. */
export interface MeasuredBar extends Gate {
  readonly about: string
  readonly goal: number | null
}

export function measuredBar(name: BarName, measured: number): MeasuredBar {
  const { goal = null, ...bar } = BARS[name]
  return { name, ...bar, goal, measured }
}
