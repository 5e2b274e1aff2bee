/**
 * One stream on the caller's thread: the window between its source and its consumer.
 *
 *     source -> write() -> [pending] -> StreamInput.offer() -> decoder, here or on a worker
 *                                                                   |
 *     consumer <- take() <- [queue of batches] <- Assembler <- receive()
 *
 * Bytes are charged to the stream's credit when they are offered, and refunded when the consumer is
 * done with the batch they became: a consumer that stops stops its own source. At most one chunk
 * waits in `pending`, and the queue holds at most what one window decodes to.
 */
import { Credit } from '../shared/credit.ts'
import { DialectDetector } from '../shared/decoder/dialect-detector.ts'
import type { Dialect } from '../shared/dialects/dialect.ts'
import { sse } from '../shared/dialects/records.ts'
import { MillraceError } from '../shared/errors.ts'
import type { RowBatch } from '../shared/rows.ts'
import { Assembler } from './assembler.ts'
import { watchAbort } from './abort-watch.ts'
import { MessageBuilder, type Message } from './message.ts'
import { LatencyProbe, LatencySamples } from './latency.ts'
import type { StreamOptions } from './options.ts'
import type { StreamStats } from './stats.ts'
import { SilenceTimer } from './silence-timer.ts'
import { sourceEndless, sourceSilent, streamAborted } from './stream-errors.ts'
import type { StreamInput } from './stream-input.ts'
import type { TokenBatch } from './token-batch.ts'

interface QueuedBatch {
  readonly batch: TokenBatch
  /** Input bytes to refund once the consumer is done with the batch. */
  bytes: number
}

export class StreamState {
  readonly options: StreamOptions
  /** Whose stream it is; while that is to be recognised, raw events. */
  dialect: Dialect = sse
  readonly #credit: Credit
  #assembler: Assembler = new Assembler(sse)
  /** Keeps what is written until the dialect is recognised; `null` once it is. */
  detector: DialectDetector | null = null
  readonly #unwatchAbort: () => void
  readonly #counts = { chunks: 0, bytes: 0, batches: 0, startMs: performance.now(), endMs: 0 }
  /** Set once, by attach(). */
  #input: StreamInput | null = null
  #cancelSource: ((reason: unknown) => void) | null = null
  readonly #onClosed: (stream: StreamState, failure: MillraceError | null) => void
  readonly #latency: LatencyProbe

  #pending: Uint8Array | null = null
  #ending = false
  #endSent = false
  #sourceError: MillraceError | null = null
  #drainWaiters: (() => void)[] = []
  readonly #silence: SilenceTimer
  readonly #deadline?: NodeJS.Timeout
  #flowing = false

  #queue: QueuedBatch[] = []
  /** Input bytes of the batch that the consumer holds now. */
  #heldBytes = 0
  #consumer: (() => void) | null = null
  #dropHeld: () => boolean = () => false
  #onFailed: () => void = noop

  #message: MessageBuilder | null = null
  #messageFailure: unknown = null

  #failure: MillraceError | null = null
  #closed = false

  /** @param onClosed - Runs once, when the stream takes and gives no more. */
  constructor(
    options: StreamOptions,
    onClosed: (stream: StreamState, failure: MillraceError | null) => void,
    latency: LatencySamples = new LatencySamples(),
  ) {
    this.options = options
    this.#onClosed = onClosed
    this.#latency = new LatencyProbe(latency)
    const { durationMs, timeoutMs } = options
    if (durationMs > 0) {
      this.#deadline = setTimeout(() => this.#cut(sourceEndless(durationMs)), durationMs).unref()
    }
    this.#silence = new SilenceTimer(timeoutMs, () => {
      this.#cut(sourceSilent(timeoutMs, this.#counts.bytes))
    })
    this.#credit = new Credit(options.windowBytes)
    if (options.dialect === null) this.detector = new DialectDetector(options.limits)
    this.#use(options.dialect ?? sse, false)
    this.#unwatchAbort =
      options.signal === null ? noop : watchAbort(options.signal, (reason) => this.abort(reason))
  }

  /** Starts the stream on a placement. */
  attach(input: StreamInput): void {
    this.#input = input
    if (this.#failure !== null) input.abort()
    else this.#flow()
  }

  /** Tells how to release the source when the stream needs no more of it. */
  ownSource(cancel: (reason: unknown) => void): void {
    this.#cancelSource = cancel
    if (this.#ending || this.#failure !== null) cancel(this.#failure ?? undefined)
  }

  // ---- the source's side -------------------------------------------------------------------

  /** True when a chunk would be taken now. */
  get writable(): boolean {
    return this.#pending === null && !this.#ending && this.#credit.availableBytes > 0
  }

  /** True once the stream wants no more input: it was ended, has failed, or the protocol ended. */
  get inputDone(): boolean {
    return this.#ending || this.#failure !== null
  }

  /**
   * Takes a chunk. At most one waits at a time: false means that this one does, and that the next
   * write must follow `drained()`.
   *
   * @param mayKeep - True if the chunk's memory stays as it is; else what waits is copied.
   */
  write(chunk: Uint8Array, mayKeep: boolean): boolean {
    if (this.#pending !== null) {
      throw new MillraceError(
        'WRITE_BACKPRESSURED',
        `a chunk of ${this.#pending.length} bytes still waits; await drained() before writing on`,
        { pendingBytes: this.#pending.length },
      )
    }
    if (this.inputDone || chunk.length === 0) return this.writable || this.inputDone
    this.#counts.chunks++
    this.#counts.bytes += chunk.length
    this.#latency.wrote(chunk.length, chunk.length <= this.#credit.availableBytes)
    if (this.detector === null) this.#pending = chunk
    else this.#recognize((detector) => detector.push(chunk))
    this.#flow()
    if (this.#pending !== null && !mayKeep) this.#pending = this.#pending.slice()
    return this.writable || this.inputDone
  }

  /** Resolves when a write would be taken, or when none is wanted any more. */
  async drained(): Promise<void> {
    while (!this.writable && !this.inputDone) {
      await new Promise<void>((resolve) => this.#drainWaiters.push(resolve))
    }
  }

  /** No more bytes come. With an error, the stream fails with it after what came before. */
  end(error: MillraceError | null = null): void {
    if (this.#ending) return
    if (error === null) this.#recognize((detector) => detector.end())
    this.#ending = true
    this.#sourceError = error
    this.#flow()
  }

  /** Looks on for the dialect; once it is known, what was kept waits as the first chunk. */
  #recognize(look: (detector: DialectDetector) => Dialect | null): void {
    const detector = this.detector
    if (detector === null) return
    let dialect: Dialect | null = null
    try {
      dialect = look(detector)
    } catch (error) {
      this.fail(error as MillraceError)
    }
    if (dialect === null) return
    this.detector = null
    this.#use(dialect, true)
    if (detector.seen.length > 0) this.#pending = detector.seen
  }

  #use(dialect: Dialect, isRecognized: boolean): void {
    const { accumulate, finalBytesMax, limits } = this.options
    this.dialect = dialect
    this.#assembler = new Assembler(dialect, isRecognized, limits)
    this.#message = accumulate ? new MessageBuilder(dialect, finalBytesMax) : null
  }

  /** There may be room again: in the ring, or in the window. */
  resume(): void {
    this.#flow()
  }

  // An inline decoder delivers from within offer(), and that refunds, which would flow again.
  #flow(): void {
    if (this.#flowing || this.#input === null || this.#failure !== null) return
    this.#flowing = true
    this.#offerPending(this.#input)
    if (this.#pending === null && this.#ending && !this.#endSent) {
      this.#endSent = true
      this.#endSent = this.#input.end()
    }
    this.#flowing = false
    this.#setTimer()
    if (this.writable || this.inputDone) this.#wakeDrained()
  }

  #offerPending(input: StreamInput): void {
    while (this.#pending !== null) {
      const room = Math.min(this.#pending.length, this.#credit.availableBytes)
      if (room === 0) break
      // Charged before the offer: an inline decoder calls receive(), which refunds, from within it.
      this.#credit.charge(room)
      const pending = this.#pending
      const taken = input.offer(room === pending.length ? pending : pending.subarray(0, room))
      this.#credit.uncharge(room - taken)
      // Decoding may have ended the stream, and dropped what waited.
      if (this.#pending === null) break
      this.#pending = taken === pending.length ? null : pending.subarray(taken)
      if (taken < room) break
    }
  }

  #wakeDrained(): void {
    if (this.#drainWaiters.length === 0) return
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  // Runs while the stream waits for its source, and only then: a slow consumer is no timeout.
  #setTimer(): void {
    if (this.writable && !this.inputDone) this.#silence.restart()
    else this.#silence.stop()
  }

  /** Takes no more of the source; what came before is decoded. */
  #cut(error: MillraceError): void {
    this.end(error)
    this.#cancelSource?.(this.#sourceError)
  }

  // ---- the decoder's side ------------------------------------------------------------------

  /** Rows of this stream, and how many of its input bytes the decoder has taken since the last. */
  receive(rows: RowBatch, consumedBytes: number): void {
    if (this.#failure !== null || this.#closed) return
    const batch = this.#assembler.read(rows)
    this.#enqueue(batch, consumedBytes)
    this.#latency.received(consumedBytes)
    if (this.#assembler.failure !== null) this.fail(this.#assembler.failure)
    else if (this.#assembler.terminated) this.#endAtTerminator()
  }

  // The protocol has ended; what a provider sends after that means nothing, and some keep the
  // connection open for it. The source is left to run out or is cancelled by its reader.
  #endAtTerminator(): void {
    if (this.#ending) return
    this.#pending = null
    this.end()
    this.#cancelSource?.(undefined)
  }

  /** The decoder has taken the end: nothing more comes. */
  finished(): void {
    if (this.#closed) return
    if (this.#failure === null) {
      // Some servers send no end and keep the connection open: after an answer, silence is one.
      const isEnd = this.#sourceError?.code === 'TIMEOUT' && this.#assembler.answered
      const broken = isEnd ? null : this.#sourceError
      const { batch, error } = this.#assembler.end(undefined, broken !== null)
      this.#enqueue(batch, 0)
      // A connection that breaks after the protocol's own end has lost nothing.
      this.#failure = this.#assembler.terminated ? null : (broken ?? error)
    }
    this.#close()
  }

  #enqueue(batch: TokenBatch, bytes: number): void {
    if (batch.length > 0) {
      this.#counts.batches++
      this.#accumulate(batch)
      this.#queue.push({ batch, bytes })
      this.#wakeConsumer()
      return
    }
    // Bytes that became no token: refunded with what lies before them, or at once.
    const last = this.#queue.at(-1)
    if (last !== undefined) last.bytes += bytes
    else if (this.#heldBytes > 0) this.#heldBytes += bytes
    else this.#refund(bytes)
  }

  #refund(bytes: number): void {
    if (bytes === 0) return
    this.#credit.refund(bytes)
    this.#flow()
  }

  #accumulate(batch: TokenBatch): void {
    try {
      this.#message?.add(batch)
    } catch (error) {
      // final() rejects with it; who reads events is not concerned.
      this.#messageFailure = error
      this.#message = null
    }
  }

  // ---- ending ------------------------------------------------------------------------------

  /** Ends the stream with an error; what was received before it is still delivered. */
  fail(error: MillraceError): void {
    if (this.#failure !== null || this.#closed) return
    this.#failure = error
    this.#release(error)
  }

  #release(reason: MillraceError): void {
    this.#input?.abort()
    this.#cancelSource?.(reason)
    this.#close()
  }

  /**
   * Ends the stream at the caller's wish: what is buffered is dropped. Once the protocol has ended
   * and every token was taken, nothing is lost by it, and it is no failure.
   */
  abort(reason: unknown): void {
    const isDropping = this.#dropHeld() || this.#queue.length > 0
    this.#queue = []
    this.#heldBytes = 0
    const error = streamAborted(reason)
    if (isDropping || !(this.#closed || this.#assembler.terminated)) this.#failure ??= error
    if (!this.#closed) this.#release(error)
    this.#wakeConsumer()
    if (this.#failure !== null) this.#onFailed()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#pending = null
    this.#ending = true
    this.#counts.endMs = performance.now()
    this.#silence.stop()
    clearTimeout(this.#deadline)
    this.#unwatchAbort()
    this.#wakeDrained()
    this.#wakeConsumer()
    if (this.#failure !== null) this.#onFailed()
    this.#onClosed(this, this.#failure)
  }

  // ---- the consumer's side -----------------------------------------------------------------

  /** @param drop - Drops what the reader has taken and not passed on; says if there was any. */
  ownReader(drop: () => boolean): void {
    this.#dropHeld = drop
  }

  /** The next batch if one is ready, else `null`. Refunds the one before it. */
  take(): TokenBatch | null {
    // A worker's word for it takes a turn of the event loop, which a busy reader need not wait for.
    if (this.#queue.length === 0 && !this.#closed) this.#input?.poll()
    if (this.#queue.length === 0) this.#credit.reopen()
    // Refunded before the queue is looked at: an inline decoder may fill it from within.
    const done = this.#heldBytes
    this.#heldBytes = 0
    this.#refund(done)
    const item = this.#queue.shift() ?? null
    this.#heldBytes = item?.bytes ?? 0
    return item?.batch ?? null
  }

  /** The next batch, or `null` at the end. @throws {MillraceError} the stream's failure. */
  async next(): Promise<TokenBatch | null> {
    for (;;) {
      const batch = this.take()
      if (batch !== null) return batch
      if (this.exhausted) break
      await new Promise<void>((resolve) => this.whenReady(resolve))
    }
    if (this.#failure !== null) throw this.#failure
    return null
  }

  /** True once take() has nothing more to give. */
  get exhausted(): boolean {
    return this.#closed && this.#queue.length === 0
  }

  /** What ended the stream before its end; it counts once the stream is exhausted. */
  get failure(): MillraceError | null {
    return this.#failure
  }

  /** Runs `onFailed` when the stream fails, read or not. */
  whenFailed(onFailed: () => void): void {
    this.#onFailed = onFailed
    if (this.#closed && this.#failure !== null) onFailed()
  }

  /** Runs `wake` once, when take() may have something or the stream is exhausted. */
  whenReady(wake: () => void): void {
    this.#consumer = wake
  }

  #wakeConsumer(): void {
    const wake = this.#consumer
    this.#consumer = null
    wake?.()
  }

  /** The message so far, and why there is no more of it. @throws {MillraceError} */
  result(): { message: Message; failure: MillraceError | null } {
    if (this.#message === null) throw this.#messageFailure
    return { message: this.#message.toFinal(), failure: this.#failure }
  }

  /** @throws {MillraceError} `OPTION_INVALID` where there will be no message to give. */
  requireAccumulated(): void {
    if (this.options.accumulate) return
    throw new MillraceError('OPTION_INVALID', 'final() needs accumulate, which is false', {
      option: 'accumulate',
    })
  }

  stats(): StreamStats {
    const { chunks, bytes, batches, startMs, endMs } = this.#counts
    const { deltas: tokens, errors } = this.#assembler
    return Object.freeze({
      dialect: this.detector === null ? this.dialect.name : 'auto',
      placement: this.options.placement,
      chunks,
      bytes,
      batches,
      tokens,
      errors,
      inFlightBytes: this.#credit.inFlightBytes,
      durationMs: (this.#closed ? endMs : performance.now()) - startMs,
      meanChunkBytes: chunks === 0 ? 0 : bytes / chunks,
      meanTokensPerBatch: batches === 0 ? 0 : tokens / batches,
    })
  }
}

function noop(): void {}
