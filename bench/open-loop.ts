import { atPace, dueMs, type Pace } from '../stress-tests/pace.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Pipe } from './pipes.ts'

export interface Load {
  readonly tokensPerSecond: number
  readonly streams: number
  readonly tokens: number
}

/**
 * Sends tokens at an even pace and measures each from the time when it was due: a pipe that stalls
 * meets the tokens that came due meanwhile, and their wait counts.
 *
 * @returns Microseconds, sorted.
 */
export async function latenciesUs(
  pipe: Pipe,
  { tokens, tokensPerSecond }: Pick<Load, 'tokens' | 'tokensPerSecond'>,
  nowMs: () => number = () => performance.now(),
): Promise<Float64Array> {
  const { traffic } = pipe
  const latencies = new Float64Array(tokens)
  const first = traffic.sent
  collectGarbage()
  const pace: Pace = { count: tokens, startMs: nowMs(), perSecond: tokensPerSecond }
  traffic.onDelivered = (token) => {
    latencies[token - first] = (nowMs() - dueMs(pace, token - first)) * 1000
  }
  await atPace(pace, () => pipe.send(), nowMs)
  await traffic.empty()
  return latencies.sort()
}
