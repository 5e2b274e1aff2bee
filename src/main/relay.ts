/** Bytes pass through unchanged; the message is extracted beside them. */
import { MillraceError } from '../shared/errors.ts'
import type { Message } from './message.ts'
import { openSource, type ChunkReader, type Source } from './source.ts'
import type { WritableTokenStream } from './writable-token-stream.ts'

/** What `Millrace.relay` gives. */
export interface Relay {
  /** The source's bytes, unchanged. Cancelling it cancels the source, and fails the message. */
  readonly body: ReadableStream<Uint8Array>
  /** Settles as `final()` does; may be left alone. */
  readonly message: Promise<Message>
}

/**
 * @param stream - Written here, and read by its own `final()`.
 * @param timeoutMs - The longest wait for a chunk that the body's reader has asked for; 0 is none.
 */
export function startRelay(source: Source, stream: WritableTokenStream, timeoutMs: number): Relay {
  const message = stream.final()
  // Who relays and never asks for the message has not left a rejection unhandled.
  message.catch(() => {})
  let opened: ChunkReader | null = null
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          opened ??= await openSource(source)
          const chunk = await within(timeoutMs, Promise.resolve(opened.read()))
          if (chunk === null) {
            stream.end()
            controller.close()
            return
          }
          await stream.drained()
          stream.write(chunk)
          controller.enqueue(chunk)
        } catch (error) {
          stream.cancel(error)
          void opened?.cancel(error)
          throw error
        }
      },
      async cancel(reason) {
        stream.cancel(reason)
        opened ??= await openSource(source)
        await opened.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, message }
}

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  if (timeoutMs === 0) return promise
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `no bytes from the source for ${timeoutMs} ms`
      reject(new MillraceError('TIMEOUT', message, { timeoutMs }))
    }, timeoutMs)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
