/**
 * Main's half of one channel: its memory, its streams, and the worker's task.
 *
 * The task runs while there are streams and for LINGER_MS after the last; a running piscina task
 * keeps the process alive, so an idle Millrace holds nothing. Frames may be written before the task
 * runs: the ring holds them.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { add, load, store } from '#atomics'
import { attachMain, type MainEnd, viewsOf } from '../shared/channel-ends.ts'
import {
  alignedPayload,
  CHANNEL_BYTES,
  CHUNK_SPACE_WANTED,
  CONTROL_COUNT,
  createChannelMemory,
  FRAME_BYTE_LENGTH,
  FRAME_BYTES_AT,
  FRAME_OVERHEAD_BYTES,
  FRAME_STREAM_ID,
  RECORD_CLOSED,
  RECORD_ROWS,
  RECORD_SPACE_WANTED,
  rowOf,
  ROWS_STREAM_ID,
  STREAM_ABORT,
  STREAM_GENERATION,
  STREAMS_MAX,
  streamId,
  streamWord,
} from '../shared/channel-layout.ts'
import {
  DECODE_TASK_NAME,
  type ChannelConfig,
  type ChannelTask,
  type WorkerStats,
} from '../shared/control-protocol.ts'
import { broken } from '../shared/assert.ts'
import { MillraceError } from '../shared/errors.ts'
import { answerDoorbell, claimOrWant, ringBell, releaseAsked } from '../shared/wait-strategy.ts'
import { ControlClient } from './control-client.ts'
import { RowReader } from './row-reader.ts'
import { ChannelInput, type FrameSender } from './channel-input.ts'
import type { StreamState } from './stream-state.ts'

/** How long the worker's task outlives its last stream, ms: a next one soon finds it warm. */
const LINGER_MS = 50

/** Record bytes read in one go before the event loop gets its turn. */
const DRAIN_BYTES_MAX = 256 * 1024

/** One run of the worker's task. */
interface Run {
  readonly control: ControlClient
  readonly doorbell: MessagePort
}

export class Channel implements FrameSender {
  readonly #pool: Piscina
  readonly #config: ChannelConfig
  readonly #module: WebAssembly.Module | null
  #end!: MainEnd
  #reader!: RowReader
  #freeRows!: number[]
  /** By row. Rows whose stream was aborted stay here until the worker has said CLOSED. */
  readonly #inputs = new Map<number, ChannelInput>()
  /** Streams that found the chunk ring full, in order. */
  #spaceWaiters: ChannelInput[] = []
  /** Streams that found every row taken, while some were about to be free. */
  #rowWaiters: StreamState[] = []
  #closing = 0
  #run: Run | null = null
  #lingering: NodeJS.Timeout | null = null
  #destroyed: MillraceError | null = null

  /** @param module - The decoder; `null` where the plain one must do. */
  constructor(pool: Piscina, config: ChannelConfig, module: WebAssembly.Module | null) {
    this.#pool = pool
    this.#config = config
    this.#module = module
    this.#reset()
  }

  /** Streams that the channel works for, or will once a row is free. */
  get load(): number {
    return this.#inputs.size + this.#rowWaiters.length
  }

  /** Bytes of shared memory. */
  get memoryBytes(): number {
    return CHANNEL_BYTES
  }

  /** Gives a stream a row and starts it. It fails with TOO_MANY_STREAMS where there is none. */
  open(stream: StreamState): void {
    const row = this.#freeRows.pop()
    if (row !== undefined) {
      const input = new ChannelInput(this, stream, row)
      this.#inputs.set(row, input)
      this.#ensureRun()
      stream.attach(input)
    } else if (this.#closing > 0) {
      this.#rowWaiters.push(stream)
    } else {
      const message = `all ${STREAMS_MAX} streams of the channel are open; use more workers`
      stream.fail(new MillraceError('TOO_MANY_STREAMS', message, { streamsMax: STREAMS_MAX }))
    }
  }

  /** The worker's counters; `null` while its task does not run. */
  async workerStats(): Promise<WorkerStats | null> {
    const run = this.#run
    if (run === null) return null
    try {
      return await run.control.call('stats', (remote) => remote.stats())
    } catch (error) {
      if (this.#run !== run) return null
      throw error
    }
  }

  /** Starts the task once, so that a worker that cannot start is known now. */
  async warmUp(): Promise<void> {
    await this.#start()
    this.#lingerIfIdle()
  }

  /** Ends every stream with `error`, and the task. The pool is destroyed by its owner. */
  destroy(error: MillraceError): void {
    this.#destroyed = error
    this.#die(error)
  }

  // ---- frames: FrameSender -----------------------------------------------------------------

  nextId(row: number): number {
    const { words } = this.#end
    const generation = words[streamWord(row, STREAM_GENERATION)]! + 1
    words[streamWord(row, STREAM_GENERATION)] = generation
    store(words, streamWord(row, STREAM_ABORT), 0)
    return streamId(row, generation)
  }

  frame(input: ChannelInput, type: number, payload: Uint8Array): boolean {
    const { chunks, words, bytes } = this.#end
    const claimBytes = payload.length + FRAME_OVERHEAD_BYTES
    const at = claimOrWant(words, CHUNK_SPACE_WANTED, chunks, type, claimBytes)
    if (at < 0) {
      if (!input.waitsForSpace) this.#spaceWaiters.push(input)
      input.waitsForSpace = true
      return false
    }
    const from = alignedPayload(payload.byteOffset)
    words[(at + FRAME_STREAM_ID) >> 2] = input.id
    words[(at + FRAME_BYTES_AT) >> 2] = from
    words[(at + FRAME_BYTE_LENGTH) >> 2] = payload.length
    bytes.set(payload, at + from)
    chunks.commit(from + payload.length)
    chunks.publish()
    ringBell(words)
    return true
  }

  markAborted(input: ChannelInput): void {
    store(this.#end.words, streamWord(input.row, STREAM_ABORT), 1)
  }

  closing(): void {
    this.#closing++
  }

  // ---- records -----------------------------------------------------------------------------

  #answer(): void {
    answerDoorbell(this.#end.words, () => this.#drain())
  }

  #drain(): void {
    const { records, words } = this.#end
    let bytes = 0
    while (bytes < DRAIN_BYTES_MAX && records.next()) {
      bytes += records.payloadBytes
      this.#record(records.type, records.payloadOffset, records.payloadBytes)
    }
    if (releaseAsked(words, RECORD_SPACE_WANTED, records)) ringBell(words)
    if (bytes >= DRAIN_BYTES_MAX) setImmediate(() => this.#drainRest(records))
    this.#retryFrames()
  }

  #drainRest(records: MainEnd['records']): void {
    // After a death the ring is another one.
    if (records === this.#end.records) this.#drain()
  }

  #record(type: number, at: number, payloadBytes: number): void {
    // Every record begins with its stream's id.
    const id = this.#end.words[(at + ROWS_STREAM_ID) >> 2]!
    const input = this.#inputs.get(rowOf(id))
    if (input === undefined || input.id !== id) broken(`record of stream ${id}, which is not open`)
    if (type === RECORD_ROWS) {
      const rows = this.#reader.read(at, payloadBytes)
      input.stream.receive(rows, this.#reader.consumedBytes)
    } else if (type === RECORD_CLOSED) {
      this.#free(input)
    } else {
      broken(`record type ${type}`)
    }
  }

  #free(input: ChannelInput): void {
    this.#inputs.delete(input.row)
    this.#freeRows.push(input.row)
    this.#closing--
    input.stream.finished()
    const waiting = this.#rowWaiters.shift()
    if (waiting !== undefined) this.open(waiting)
    this.#lingerIfIdle()
  }

  #retryFrames(): void {
    const waiters = this.#spaceWaiters
    if (waiters.length === 0) return
    this.#spaceWaiters = []
    for (const input of waiters) {
      input.waitsForSpace = false
      input.retry()
    }
  }

  // ---- the worker's task -------------------------------------------------------------------

  #ensureRun(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering)
    this.#lingering = null
    // One that is about to end leaves what it does not see to the next, which #ended() starts.
    if (this.#run === null) void this.#start().catch(() => {})
  }

  /** Resolves when the worker is configured; its failure is also the streams'. */
  async #start(): Promise<void> {
    const control = new MessageChannel()
    const doorbell = new MessageChannel()
    const run: Run = {
      control: new ControlClient(control.port1, () => this.#announceControl()),
      doorbell: doorbell.port1,
    }
    this.#run = run
    doorbell.port1.on('message', () => {
      if (this.#run === run) this.#answer()
    })
    const task: ChannelTask = {
      buffer: this.#end.words.buffer as SharedArrayBuffer,
      controlPort: control.port2,
      module: this.#module,
      controlCount: load(this.#end.words, CONTROL_COUNT),
      doorbellPort: doorbell.port2,
    }
    const transferList = [control.port2, doorbell.port2]
    this.#pool.run(task, { name: DECODE_TASK_NAME, transferList }).then(
      () => this.#ended(run),
      (error: unknown) => this.#crashed(run, error),
    )
    try {
      await run.control.call('configure', (remote) => remote.configure(this.#config))
    } catch (error) {
      this.#crashed(run, error)
      throw this.#destroyed ?? workerExited(error)
    }
  }

  // After a post: the worker, parked or not, yields to its event loop when it sees the count move.
  #announceControl(): void {
    const { words } = this.#end
    add(words, CONTROL_COUNT, 1)
    ringBell(words)
  }

  #lingerIfIdle(): void {
    if (this.load > 0 || this.#lingering !== null || this.#run === null) return
    this.#lingering = setTimeout(() => {
      this.#lingering = null
      const run = this.#run
      if (run === null) return
      run.control.call('shutdown', (remote) => remote.shutdown()).catch(() => {})
    }, LINGER_MS)
  }

  #ended(run: Run): void {
    if (this.#run !== run) return
    this.#endRun(run, new MillraceError('WORKER_EXITED', 'the task has ended'))
    if (this.load > 0) this.#ensureRun()
  }

  #crashed(run: Run, error: unknown): void {
    if (this.#run === run) this.#die(workerExited(error))
  }

  // What the worker held is gone. Its memory is left to it, since piscina reports a death before
  // the thread has ended; the next run gets a new one.
  #die(error: MillraceError): void {
    if (this.#run !== null) this.#endRun(this.#run, error)
    const streams = [...this.#inputs.values()].map((input) => input.detach())
    streams.push(...this.#rowWaiters)
    this.#inputs.clear()
    this.#rowWaiters = []
    this.#spaceWaiters = []
    this.#closing = 0
    if (this.#lingering !== null) clearTimeout(this.#lingering)
    this.#lingering = null
    this.#reset()
    for (const stream of streams) stream.fail(error)
  }

  #endRun(run: Run, error: MillraceError): void {
    this.#run = null
    run.control.close(error)
    run.doorbell.close()
  }

  #reset(): void {
    this.#end = attachMain(viewsOf(createChannelMemory().buffer))
    this.#reader = new RowReader(this.#end.words)
    this.#freeRows = Array.from({ length: STREAMS_MAX }, (_, index) => STREAMS_MAX - 1 - index)
  }
}

function workerExited(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError('WORKER_EXITED', `the worker ended: ${message}`, {}, error)
}
