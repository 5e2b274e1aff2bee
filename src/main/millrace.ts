import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { MillraceError } from '../shared/errors.ts'
import { Channel } from './channel.ts'
import { inlineEngine } from './decoder-module.ts'
import { reportEnd, reportStart } from './diagnostics.ts'
import { ingest } from './ingest.ts'
import { InlineInput } from './inline-input.ts'
import { LatencySamples } from './latency.ts'
import {
  resolveMillraceOptions,
  resolveStreamOptions,
  type DecodeOptions,
  type MillraceOptions,
  type PoolOptions,
} from './options.ts'
import { startRelay, type Relay } from './relay.ts'
import type { Source } from './source.ts'
import { StreamTotals, type MillraceStats } from './stats.ts'
import { StreamState } from './stream-state.ts'
import { TokenStream } from './token-stream.ts'
import { WritableTokenStream } from './writable-token-stream.ts'

/**
 * Starts a Millrace: a pool of worker threads, each with one channel of shared memory.
 *
 * Resolves when every worker has been started once, so that a broken installation fails here. An
 * idle Millrace does not hold the process; one with open streams does.
 *
 * @param options.workers - Threads. Default 1, which decodes more than most programs can fetch.
 * @throws {MillraceError} `OPTION_INVALID`; `WORKER_EXITED` or `CONTROL_TIMEOUT` where a worker
 *   does not start.
 * @example
 * const mill = await createMillrace({ workers: 1 })
 * try {
 *   const source = ['data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n', 'data: [DONE]\n\n']
 *   for await (const text of mill.decode(source, { dialect: 'openai-chat' }).textStream) {
 *     process.stdout.write(text)
 *   }
 * } finally {
 *   await mill.close()
 * }
 */
export async function createMillrace(options: MillraceOptions = {}): Promise<Millrace> {
  const resolved = resolveMillraceOptions(options)
  const { workers, workerUrl } = resolved
  const pool = new Piscina({
    filename: fileURLToPath(workerUrl),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    idleTimeout: Infinity,
    execArgv: [],
  })
  const mill = new Millrace(pool, resolved)
  try {
    await mill.warmUp()
  } catch (error) {
    await mill.close()
    throw error
  }
  return mill
}

/** Decodes any number of streams at once. Made by {@link createMillrace}. */
export class Millrace {
  readonly #pool: Piscina
  readonly #module: WebAssembly.Module | null
  readonly #channels: Channel[]
  readonly #streams = new Set<StreamState>()
  readonly #totals = new StreamTotals()
  readonly #latency = new LatencySamples()
  #closing: Promise<void> | null = null

  /** @internal */
  constructor(pool: Piscina, { workers, bufferedBytesMax, module }: PoolOptions) {
    this.#pool = pool
    this.#module = module
    // Errors outside any task; the task that dies of one rejects, and that is where it is handled.
    pool.on('error', () => {})
    this.#channels = Array.from(
      { length: workers },
      () => new Channel(pool, { leaseBytesMax: bufferedBytesMax }, module),
    )
  }

  /**
   * Decodes one provider response and yields its tokens in order.
   *
   * Never holds more than `windowBytes` of undelivered input: when the caller stops reading, the
   * source stops being read; other streams go on.
   *
   * @param source - A fetch `Response`, a `ReadableStream`, a Node `Readable`, an iterable, sync or
   *   async, of `Uint8Array` or string, or one of these; UTF-8, cut anywhere.
   * @throws {MillraceError} Now: `OPTION_INVALID`, `DIALECT_UNKNOWN`, `MILLRACE_CLOSED`. From the
   *   stream's readers, for the source: `HTTP_STATUS`, `BODY_MISSING`, `BODY_USED`, `CONTENT_TYPE`,
   *   `SOURCE_FAILED`, `TIMEOUT`, `DURATION_EXCEEDED`; for its bytes: `NOT_A_STREAM`,
   *   `LINE_TOO_LONG`, `EVENT_TOO_LARGE`, `BUFFERS_EXHAUSTED`, `STREAM_TRUNCATED`,
   *   `PROVIDER_ERROR`, and with `strict` `EVENT_MALFORMED`, `JSON_TOO_DEEP`,
   *   `JSON_NUMBER_TOO_LONG`; for the rest: `STREAM_ABORTED`, `MILLRACE_CLOSED`,
   *   `TOO_MANY_STREAMS`, `WORKER_EXITED`.
   * @example
   * const mill = await createMillrace()
   * const stream = mill.decode('data: {"text":"raw"}\n\n', { dialect: 'sse' })
   * for await (const event of stream) console.log(event.type)
   * await mill.close()
   * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
   */
  decode(source: Source, options: DecodeOptions = {}): TokenStream {
    const state = this.#openState(options)
    void ingest(() => source, state)
    return new TokenStream(state)
  }

  /**
   * Decodes a file, read as fast as it is consumed. A file that cannot be read fails the stream
   * with `SOURCE_FAILED`, whose `cause` is Node's error.
   */
  decodeFile(path: string | URL, options: DecodeOptions = {}): TokenStream {
    // The options first: a file that is opened for nothing fails where nobody listens.
    const state = this.#openState(options)
    void ingest(() => createReadStream(path, { highWaterMark: 64 * 1024 }), state)
    return new TokenStream(state)
  }

  /** A stream that is written by hand. Errors as with {@link decode}. */
  open(options: DecodeOptions = {}): WritableTokenStream {
    return new WritableTokenStream(this.#openState(options))
  }

  /**
   * Passes a provider's bytes on unchanged, and extracts the message on the side: for a gateway
   * that relays a response and wants its text and usage.
   *
   * The body sets the pace: its source is read when it is. What the decoder makes of the bytes
   * never touches them: a malformed or truncated stream is the message's failure alone, and so is
   * a {@link close}. A source that fails, or a `Response` that holds no stream, fails both; leaving
   * the body or aborting `signal` ends both, and cancels the source.
   *
   * @throws {MillraceError} As {@link decode}.
   * @example
   * const mill = await createMillrace()
   * const { body, message } = mill.relay('data: [DONE]\n\n', { dialect: 'openai-chat' })
   * await body.pipeTo(new WritableStream()) // a client's response, say
   * console.log((await message).usage)
   * await mill.close()
   */
  relay(source: Source, options: DecodeOptions = {}): Relay {
    const { timeoutMs } = resolveStreamOptions(options)
    // Its reader sets the pace, and may pause: only the source's own silence is a timeout.
    return startRelay(source, this.#openState({ ...options, timeout: 0 }), timeoutMs)
  }

  /** Counters of all streams, open and ended, and of the workers, now. */
  async stats(): Promise<MillraceStats> {
    const asked = await Promise.all(this.#channels.map((channel) => channel.workerStats()))
    const workers = asked.filter((stats) => stats !== null)
    const memoryBytes = this.#channels.reduce((sum, channel) => sum + channel.memoryBytes, 0)
    return this.#totals.snapshot(
      [...this.#streams].map((stream) => stream.stats()),
      { latencyMs: this.#latency.snapshot(), memoryBytes, workers },
    )
  }

  /**
   * Ends everything: open streams fail with `MILLRACE_CLOSED`, the workers stop. Idempotent;
   * resolves when the threads have gone.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  async warmUp(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.warmUp()))
  }

  #openState(options: DecodeOptions): StreamState {
    const resolved = resolveStreamOptions(options)
    if (this.#closing !== null) {
      throw new MillraceError('MILLRACE_CLOSED', 'this Millrace is closed')
    }
    const onClosed = (closed: StreamState, failure: MillraceError | null): void => {
      this.#streams.delete(closed)
      const stats = closed.stats()
      this.#totals.add(stats)
      reportEnd(stats, failure)
    }
    const state = new StreamState(resolved, onClosed, this.#latency)
    this.#streams.add(state)
    reportStart(state.stats())
    if (resolved.placement === 'worker') this.#leastLoaded().open(state)
    else state.attach(new InlineInput(state, inlineEngine(this.#module)))
    return state
  }

  #leastLoaded(): Channel {
    return this.#channels.reduce((least, channel) => (channel.load < least.load ? channel : least))
  }

  async #close(): Promise<void> {
    const error = new MillraceError('MILLRACE_CLOSED', 'this Millrace was closed')
    for (const stream of this.#streams) stream.fail(error)
    for (const channel of this.#channels) channel.destroy(error)
    await this.#pool.destroy()
  }
}
