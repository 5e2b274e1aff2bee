/** An even pace: tokens that go out by the clock, however long each takes to come back. */
export interface Pace {
  readonly count: number
  readonly startMs: number
  readonly perSecond: number
}

/** When a token is due. */
export function dueMs({ startMs, perSecond }: Pace, token: number): number {
  return startMs + (token * 1000) / perSecond
}

/**
 * Calls `send` for each token as soon as it is due; resolves when all are sent. A promise that
 * `send` returns is waited for, and what came due meanwhile follows at once.
 *
 * It looks at the clock in every turn of the event loop, since no timer of Node's is exact to a
 * tenth of a millisecond, and takes a core for itself. Callbacks, since a promise a turn, at half a
 * million turns a second, would keep the collector busier than what is measured does.
 */
export function atPace(
  pace: Pace,
  send: (token: number) => Promise<void> | void,
  nowMs: () => number = () => performance.now(),
): Promise<void> {
  const { count, startMs, perSecond } = pace
  return new Promise((resolve, reject) => {
    let sent = 0
    function turn(): void {
      const due = Math.min(count, 1 + Math.floor(((nowMs() - startMs) * perSecond) / 1000))
      try {
        while (sent < due) {
          const room = send(sent++)
          if (room !== undefined) return void room.then(turn, reject)
        }
      } catch (error) {
        return reject(error)
      }
      if (sent < count) setImmediate(turn)
      else resolve()
    }
    turn()
  })
}
