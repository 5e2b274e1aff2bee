/**
 * Bytes pass through unchanged; the message is extracted beside them.
 *
 * Two may end both: the body's reader, by leaving, and the stream's signal. What the decoder makes
 * of the bytes is the message's affair alone, and what the source does is everybody's.
 */
import { watchAbort } from './abort-watch.ts'
import type { Message } from './message.ts'
import { SilenceTimer } from './silence-timer.ts'
import { openSource, sourceError, type ChunkReader, type Source } from './source.ts'
import { sourceSilent, streamAborted } from './stream-errors.ts'
import type { StreamState } from './stream-state.ts'
import { TokenStream } from './token-stream.ts'

/** What `Millrace.relay` gives. */
export interface Relay {
  /**
   * The source's bytes, unchanged. Cancelling it cancels the source, and fails the message with
   * `STREAM_ABORTED`. Aborting `signal` does the same and fails the body as well.
   */
  readonly body: ReadableStream<Uint8Array>
  /** Settles as `final()` does; may be left alone. */
  readonly message: Promise<Message>
}

/**
 * @param stream - Written here, and read by a `final()` of its own.
 * @param timeoutMs - The longest wait for a chunk that the body's reader has asked for; 0 is none.
 */
export function startRelay(source: Source, stream: StreamState, timeoutMs: number): Relay {
  const message = new TokenStream(stream).final()
  // Who relays and never asks for the message has not left a rejection unhandled.
  message.catch(() => {})
  const passage = new Passage(source, stream, timeoutMs)
  return { body: new ReadableStream(passage, { highWaterMark: 0 }), message }
}

type Controller = ReadableStreamDefaultController<Uint8Array>

/** What stands behind the body: reads the source as the body is read, and writes the stream. */
class Passage {
  readonly #source: Source
  readonly #stream: StreamState
  readonly #timeoutMs: number
  #opening: Promise<ChunkReader> | null = null
  readonly #silence: SilenceTimer
  #onSilence: () => void = () => {}
  #unwatchAbort: () => void = () => {}
  /** The reader or the signal want no more. */
  #left = false

  constructor(source: Source, stream: StreamState, timeoutMs: number) {
    this.#source = source
    this.#stream = stream
    this.#timeoutMs = timeoutMs
    this.#silence = new SilenceTimer(timeoutMs, () => this.#onSilence())
  }

  start(body: Controller): void {
    const { signal } = this.#stream.options
    if (signal === null) return
    // Not left to the stream, which has no more use for the signal once the protocol has ended.
    this.#unwatchAbort = watchAbort(signal, (reason) => {
      this.#leave()
      body.error(streamAborted(reason))
      this.#release(reason).catch(() => {})
    })
  }

  async pull(body: Controller): Promise<void> {
    try {
      const chunk = await this.#read()
      if (chunk !== null) await this.#stream.drained()
      if (this.#left) return
      if (chunk === null) {
        this.#unwatchAbort()
        this.#stream.end()
        body.close()
      } else {
        // The reader may do with the chunk what it likes, so the stream keeps none of it.
        this.#stream.write(chunk, false)
        body.enqueue(chunk)
      }
    } catch (error) {
      this.#unwatchAbort()
      this.#stream.end(sourceError(error))
      this.#release(error).catch(() => {})
      throw error
    }
  }

  async cancel(reason: unknown): Promise<void> {
    this.#leave()
    this.#stream.abort(reason)
    await this.#release(reason)
  }

  async #read(): Promise<Uint8Array | null> {
    const reader = await this.#open()
    if (this.#left) return null
    const timeoutMs = this.#timeoutMs
    if (timeoutMs === 0) return reader.read()
    const silence = new Promise<never>((_, reject) => {
      this.#onSilence = () => reject(sourceSilent(timeoutMs, this.#stream.stats().bytes))
    })
    this.#silence.restart()
    try {
      return await Promise.race([reader.read(), silence])
    } finally {
      this.#silence.stop()
    }
  }

  #leave(): void {
    this.#left = true
    this.#unwatchAbort()
    // A read that hangs is not waited for.
    this.#silence.stop()
  }

  #open(): Promise<ChunkReader> {
    return (this.#opening ??= this.#openSource())
  }

  async #openSource(): Promise<ChunkReader> {
    const stream = this.#stream
    const reader = await openSource(this.#source, stream.options.dialect?.framing ?? null)
    if (stream.detector !== null) stream.detector.contentType = reader.contentType
    return reader
  }

  /** Also a source that nobody has read from holds a connection. */
  async #release(reason: unknown): Promise<void> {
    const reader = await this.#open()
    await reader.cancel(reason)
  }
}
