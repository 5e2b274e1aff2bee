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
 * The sender looks at the clock in every turn of the event loop, since no timer of Node's is exact
 * to a tenth of a millisecond. It takes a core for itself.
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
  const intervalMs = 1000 / tokensPerSecond
  const first = traffic.sent
  collectGarbage()
  const startMs = nowMs()
  traffic.onDelivered = (token) => {
    const dueMs = startMs + (token - first) * intervalMs
    latencies[token - first] = (nowMs() - dueMs) * 1000
  }
  for (let sent = 0; sent < tokens;) {
    while (sent < tokens && startMs + sent * intervalMs <= nowMs()) {
      const room = pipe.send()
      if (room !== undefined) await room
      sent++
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await traffic.empty()
  return latencies.sort()
}
