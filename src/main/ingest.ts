/** Pulls one source into one stream: read, write, wait for room, until either ends. */
import { MillraceError } from '../shared/errors.ts'
import { openSource, type ChunkReader, type Source } from './source.ts'
import type { StreamState } from './stream-state.ts'

/**
 * How long a source may take to end by itself after the protocol's end, ms. A body read to its end
 * leaves its connection reusable; a cancelled one costs the next request a new connection.
 */
const LINGER_MS = 500

/** Never rejects: what goes wrong with the source is the stream's failure. */
export async function ingest(source: Source, stream: StreamState): Promise<void> {
  let reader: ChunkReader
  try {
    reader = await openSource(source)
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
  stream.ownSource((reason) => {
    if (reason !== undefined) cancel(reason)
    else lingering ??= setTimeout(cancel, LINGER_MS, undefined)
  })
  try {
    for (;;) {
      await stream.drained()
      if (cancelled) break
      const reading = reader.read()
      const chunk = reading instanceof Promise ? await reading : reading
      if (chunk === null || cancelled) break
      stream.write(chunk, true)
    }
    stream.end()
  } catch (error) {
    if (!cancelled) stream.end(sourceError(error))
  } finally {
    if (lingering !== null) clearTimeout(lingering)
  }
}

function sourceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError('SOURCE_FAILED', `the source failed: ${message}`, {}, error)
}
