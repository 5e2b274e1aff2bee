/** Bytes pass through unchanged; the message is extracted beside them. */
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

/** @param stream - Written here, and read by its own `final()`. */
export function startRelay(source: Source, stream: WritableTokenStream): Relay {
  const message = stream.final()
  // Who relays and never asks for the message has not left a rejection unhandled.
  message.catch(() => {})
  let opened: ChunkReader | null = null
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          opened ??= await openSource(source)
          const chunk = await opened.read()
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
          throw error
        }
      },
      async cancel(reason) {
        stream.cancel(reason)
        await opened?.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, message }
}
