import { MillraceError } from '../shared/errors.ts'
import { BUSY_MS_MAX } from '../shared/limits.ts'
import type { TokenEvent } from './events.ts'
import type { Message } from './message.ts'
import type { StreamStats } from './stats.ts'
import type { StreamState } from './stream-state.ts'
import type { TokenBatch } from './token-batch.ts'

/** Results between two looks at the clock, which costs as much as a result. */
const CLOCK_EVERY = 64

/**
 * One provider response as tokens.
 *
 * Read it once, in one of four ways: events (`for await`), {@link batches}, {@link textStream} or
 * {@link toReadableStream}. {@link final} may stand beside any of them, or alone.
 *
 * What each kind of trouble does in each of them, the README says in a table: a malformed event and
 * the provider's own error are `error` events, and the stream goes on; what ends the stream is
 * thrown after everything that came before it; an abort is thrown at once.
 */
export class TokenStream implements AsyncIterable<TokenEvent> {
  readonly #state: StreamState
  /** How the stream is read, once it is. */
  #reading = false
  #settle: () => void = () => {}
  readonly #settled: Promise<void> = new Promise((resolve) => (this.#settle = resolve))

  /** @internal Made by `decode`, `decodeFile` and `open`. */
  constructor(state: StreamState) {
    this.#state = state
    // A reader that has stopped reading would keep final() waiting for ever.
    state.whenFailed(() => this.#settle())
  }

  /** Events in the provider's order. Concurrent `next()` calls queue in order. */
  [Symbol.asyncIterator](): AsyncIterableIterator<TokenEvent> {
    return this.#iterate((batch, index) => batch.event(index))
  }

  /**
   * Tokens by batch, as columns: no object per token. A batch holds what was decoded at a time, one
   * token or thousands, and stays valid as long as it is kept.
   */
  batches(): AsyncIterableIterator<TokenBatch> {
    return this.#iterate(null)
  }

  /** The answer's text deltas of choice 0, and nothing else. */
  get textStream(): AsyncIterableIterator<string> {
    let problem: MillraceError | null = null
    return this.#iterate(
      (batch, index) => {
        const type = batch.type(index)
        if (type === 'text-delta' && batch.choice(index) === 0) return batch.text(index)
        if (type === 'error') {
          const event = batch.event(index)
          if (event.type === 'error' && event.error.code === 'PROVIDER_ERROR')
            problem ??= event.error
        }
        return SKIP
      },
      () => problem,
    )
  }

  /**
   * The whole message. Alone it reads the stream; beside an iterator, the iterator does, and this
   * waits for it, or for the stream's failure.
   *
   * @throws {MillraceError} The stream's failure, `PROVIDER_ERROR` or, where the iterator left
   *   early, `STREAM_ABORTED`, each with what was received in `details.partial`; `FINAL_TOO_LARGE`
   *   over `finalBytesMax`; `OPTION_INVALID` with `accumulate: false`.
   */
  async final(): Promise<Message> {
    this.#state.requireAccumulated()
    if (!this.#reading) await this.#drain()
    await this.#settled
    const { message, failure } = this.#state.result()
    if (failure !== null) throw withPartial(failure, message)
    if (message.error !== null) {
      const error = new MillraceError(
        'PROVIDER_ERROR',
        `the provider reported: ${message.error.message}`,
        { ...message.error },
      )
      throw withPartial(error, message)
    }
    return message
  }

  /** The events as a web stream; cancelling it is leaving early. Backpressure passes through. */
  toReadableStream(): ReadableStream<TokenEvent> {
    const events = this[Symbol.asyncIterator]()
    return new ReadableStream<TokenEvent>(
      {
        async pull(controller) {
          const { done, value } = await events.next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        async cancel(reason) {
          await events.throw?.(reason).catch(() => {})
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Stops: cancels the source, drops what is buffered, frees what the stream holds. */
  cancel(reason?: unknown): void {
    this.#state.abort(reason)
    this.#settle()
  }

  /** This stream's counters now. */
  stats(): StreamStats {
    return this.#state.stats()
  }

  async #drain(): Promise<void> {
    this.#claim()
    try {
      while ((await this.#state.next()) !== null);
    } catch {
      // The failure is in the state; final() reports it with the message.
    }
    this.#settle()
  }

  #claim(): void {
    if (this.#reading) {
      throw new MillraceError(
        'STREAM_USED',
        'the stream is being read already; use one of its readers, and final() beside it',
      )
    }
    this.#reading = true
  }

  #iterate(pick: null, problem?: () => MillraceError | null): BatchIterator<TokenBatch>
  #iterate<T>(pick: Pick<T>, problem?: () => MillraceError | null): BatchIterator<T>
  #iterate<T>(pick: Pick<T> | null, problem: () => MillraceError | null = () => null): unknown {
    this.#claim()
    return new BatchIterator<T>(this.#state, pick, problem, this.#settle)
  }
}

/** Not a value of the iteration: the token is passed over. */
const SKIP: unique symbol = Symbol('skip')

type Pick<T> = (batch: TokenBatch, index: number) => T | typeof SKIP

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void
  reject(error: unknown): void
}

/**
 * An async iterator over a stream's batches or over their tokens, written out by hand: an async
 * generator costs twice as much an item, and a chain of async functions four promises a wait.
 */
class BatchIterator<T> implements AsyncIterableIterator<T> {
  readonly #state: StreamState
  /** `null`: whole batches. */
  readonly #pick: Pick<T> | null
  readonly #problem: () => MillraceError | null
  readonly #onDone: () => void
  #batch: TokenBatch | null = null
  #index = 0
  #done = false
  /** Calls of next() that wait, in order. */
  #waiters: Waiter<T>[] = []
  readonly #serve = (): void => this.#serveWaiters()
  #busySinceMs = 0
  #sinceClock = 0

  constructor(
    state: StreamState,
    pick: Pick<T> | null,
    problem: () => MillraceError | null,
    onDone: () => void,
  ) {
    this.#state = state
    this.#pick = pick
    this.#problem = problem
    this.#onDone = onDone
    state.ownReader(() => this.#drop())
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T>> {
    const isFirst = this.#waiters.length === 0
    const mustYield = isFirst && this.#overdue()
    if (isFirst && !mustYield) {
      const value = this.#ready()
      if (value !== SKIP) return Promise.resolve({ done: false, value })
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      if (mustYield) setImmediate(this.#serve)
      else if (isFirst) this.#serveWaiters()
    })
  }

  return(): Promise<IteratorResult<T>> {
    this.#leave(undefined)
    return Promise.resolve({ done: true, value: undefined })
  }

  throw(reason?: unknown): Promise<IteratorResult<T>> {
    this.#leave(reason)
    return Promise.reject(reason)
  }

  // Done first, so that calls of next() that still wait are settled as done: the abort that this
  // causes is no news to them.
  #leave(reason: unknown): void {
    if (this.#done) return
    this.#done = true
    this.#state.abort(reason)
    this.#finish()
    this.#serveWaiters()
  }

  /** The next value if one is at hand. */
  #ready(): T | typeof SKIP {
    if (this.#done) return SKIP
    for (;;) {
      const batch = this.#batch
      if (batch !== null) {
        while (this.#index < batch.length) {
          const value = this.#pick!(batch, this.#index++)
          if (value !== SKIP) return value
        }
        this.#batch = null
      }
      const next = this.#state.take()
      if (next === null) return SKIP
      if (this.#pick === null) return next as T
      this.#batch = next
      this.#index = 0
    }
  }

  #serveWaiters(): void {
    this.#sinceClock = 0
    this.#busySinceMs = 0
    while (this.#waiters.length > 0) {
      const value = this.#ready()
      if (value === SKIP && !this.#done && !this.#state.exhausted) {
        this.#state.whenReady(this.#serve)
        return
      }
      const waiter = this.#waiters.shift()!
      if (value === SKIP) this.#settleAtEnd(waiter)
      else waiter.resolve({ done: false, value })
    }
  }

  #settleAtEnd(waiter: Waiter<T>): void {
    const problem = this.#done ? null : (this.#state.failure ?? this.#problem())
    this.#finish()
    if (problem === null) waiter.resolve({ done: true, value: undefined })
    else waiter.reject(problem)
  }

  #finish(): void {
    this.#done = true
    this.#batch = null
    this.#onDone()
  }

  /** Whether there was something left of the batch in hand. */
  #drop(): boolean {
    const hasRest = this.#batch !== null && this.#index < this.#batch.length
    this.#batch = null
    return hasRest
  }

  // Leaves #sinceClock at its top when it says yes; it starts again when the waiter is served.
  #overdue(): boolean {
    // A consumer may take its time over a batch.
    if (this.#pick !== null && ++this.#sinceClock < CLOCK_EVERY) return false
    const nowMs = performance.now()
    if (this.#busySinceMs === 0) this.#busySinceMs = nowMs
    if (nowMs - this.#busySinceMs >= BUSY_MS_MAX) return true
    this.#sinceClock = 0
    return false
  }
}

function withPartial(error: MillraceError, partial: Message): MillraceError {
  return new MillraceError(error.code, error.message, { ...error.details, partial }, error)
}
