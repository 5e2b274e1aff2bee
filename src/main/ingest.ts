/** Pulls one source into one stream: read, write, wait for room, until either ends. */
import { BUSY_MS_MAX, SOURCE_LINGER_MS } from '../shared/limits.ts'
import { openSource, sourceError, type ChunkReader, type Source } from './source.ts'
import type { StreamState } from './stream-state.ts'

/** Never rejects: what goes wrong with the source is the stream's failure. */
export async function ingest(open: () => Source, stream: StreamState): Promise<void> {
  let reader: ChunkReader
  try {
    reader = await openSource(open(), stream.options.dialect?.framing ?? null)
    if (stream.detector !== null) stream.detector.contentType = reader.contentType
  } catch (error) {
    stream.end(sourceError(error))
    return
  }
  let lingering: NodeJS.Timeout | null = null
  let cancelled = false
  const cancel = (reason: unknown): void => {
    cancelled = true
    if (lingering !== null) clearTimeout(lingering)
    void reader.cancel(reason)
  }
  const pace = new Pace()
  stream.ownSource((reason) => {
    if (reason !== undefined) cancel(reason)
    else lingering ??= setTimeout(cancel, SOURCE_LINGER_MS, undefined)
  })
  try {
    for (;;) {
      await stream.drained()
      if (pace.overdue()) await new Promise((resolve) => setImmediate(resolve))
      if (cancelled) break
      const reading = reader.read()
      const chunk = reading instanceof Promise ? await reading : reading
      if (chunk === null || cancelled) break
      if (stream.inputDone && !(reading instanceof Promise)) {
        // It has no connection to leave reusable, and may go on for ever without a pause.
        cancel(undefined)
        break
      }
      stream.write(chunk, true)
    }
    stream.end()
  } catch (error) {
    if (!cancelled) stream.end(sourceError(error))
  } finally {
    if (lingering !== null) clearTimeout(lingering)
  }
}

/** Lets timers and sockets live beside a source whose chunks are ready at once. */
class Pace {
  #sinceMs = performance.now()

  /** Whether reads that never waited may have kept the event loop from turning for too long. */
  overdue(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#sinceMs < BUSY_MS_MAX) return false
    this.#sinceMs = nowMs
    return true
  }
}
