/**
 * Main's half of one channel: its memory, its streams, and the worker's task.
 *
 * The task runs while there are streams and for TASK_LINGER_MS after the last; a running piscina
 * task keeps the process alive, so an idle Millrace holds nothing. Frames may be written before the
 * task runs: the ring holds them.
 *
 * When the worker dies, another goes on where its last publication left off (commit.ts). Only what
 * it held on its own heap is lost: streams of the plain decoder.
 */
import type { Piscina } from 'piscina'
import { load, store } from '#atomics'
import { attachMain, type MainEnd, viewsOf } from '../shared/channel-ends.ts'
import {
  alignedPayload,
  BATCH,
  CHANNEL_BYTES,
  type ChannelMemory,
  CHUNK_SPACE_WANTED,
  createChannelMemory,
  FRAME_BYTE_LENGTH,
  FRAME_BYTES_AT,
  FRAME_OVERHEAD_BYTES,
  FRAME_STREAM_ID,
  HEAP_STREAMS,
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
import type { ChannelConfig, WorkerStats } from '../shared/control-protocol.ts'
import { broken } from '../shared/assert.ts'
import { MillraceError } from '../shared/errors.ts'
import { FRUITLESS_RUNS_MAX, TASK_LINGER_MS } from '../shared/limits.ts'
import {
  answerDeath,
  answerDoorbell,
  claimOrWant,
  releaseAsked,
  ringBell,
} from '../shared/wait-strategy.ts'
import { ChannelRun } from './channel-run.ts'
import { RowReader } from './row-reader.ts'
import { ChannelInput, type FrameSender } from './channel-input.ts'
import type { StreamState } from './stream-state.ts'

/** Record bytes read in one go before the event loop gets its turn. */
const DRAIN_BYTES_MAX = 256 * 1024

export class Channel implements FrameSender {
  readonly #pool: Piscina
  readonly #config: ChannelConfig
  readonly #module: WebAssembly.Module | null
  #memory!: ChannelMemory
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
  #run: ChannelRun | null = null
  /** While a run is over and its thread is not: nobody else may use the memory. */
  #isTakingOver = false
  #isDraining = false
  /** BATCH when the last worker died, and how many have died since it moved. */
  #batchAtDeath = 0
  #fruitlessRuns = 0
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

  /** Bytes of shared memory, leases included. */
  get memoryBytes(): number {
    const { memory, buffer } = this.#memory
    return (memory?.buffer ?? buffer).byteLength
  }

  /** Gives a stream a row and starts it. It fails with TOO_MANY_STREAMS where there is none. */
  open(stream: StreamState): void {
    const row = this.#freeRows.pop()
    // Of those that wait, who has been aborted meanwhile wants no row.
    this.#rowWaiters = this.#rowWaiters.filter(({ failure }) => failure === null)
    if (row !== undefined) {
      const input = new ChannelInput(this, stream, row)
      this.#inputs.set(row, input)
      this.#ensureRun()
      stream.attach(input)
    } else if (this.#closing > this.#rowWaiters.length) {
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
    if (this.#run !== null) this.#endRun(this.#run, error)
    for (const stream of this.#leave()) stream.fail(error)
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
    answerDoorbell(this.#end.words, () => this.drain())
  }

  drain(): void {
    // A reader that is woken by a record may ask for the next one before this one is done with.
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      this.#readRecords()
    } finally {
      this.#isDraining = false
    }
    this.#retryFrames()
  }

  #readRecords(): void {
    const { records, words } = this.#end
    let bytes = 0
    while (bytes < DRAIN_BYTES_MAX && records.next()) {
      bytes += records.payloadBytes
      this.#record(records.type, records.payloadOffset, records.payloadBytes)
    }
    if (releaseAsked(words, RECORD_SPACE_WANTED, records)) ringBell(words)
    if (bytes >= DRAIN_BYTES_MAX) setImmediate(() => this.#drainRest(records))
  }

  #drainRest(records: MainEnd['records']): void {
    // After a death the ring is another one.
    if (records === this.#end.records) this.drain()
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
    if (this.#run === null && !this.#isTakingOver) void this.#start().catch(() => {})
  }

  /** Resolves when the worker is configured. */
  async #start(): Promise<void> {
    const run = new ChannelRun(this.#pool, this.#memory, this.#module, () => {
      if (this.#run === run) this.#answer()
    })
    this.#run = run
    run.task.then(
      () => this.#ended(run),
      (error: unknown) => this.#crashed(run, error),
    )
    try {
      await run.configure(this.#config)
    } catch (error) {
      this.#crashed(run, error)
      throw this.#destroyed ?? workerExited(error)
    }
  }

  #lingerIfIdle(): void {
    if (this.load > 0 || this.#lingering !== null || this.#run === null) return
    this.#lingering = setTimeout(() => {
      this.#lingering = null
      const run = this.#run
      if (run === null) return
      run.control.call('shutdown', (remote) => remote.shutdown()).catch(() => {})
    }, TASK_LINGER_MS)
  }

  #ended(run: ChannelRun): void {
    if (this.#run !== run) return
    this.#endRun(run, new MillraceError('WORKER_EXITED', 'the task has ended'))
    if (this.load > 0) this.#ensureRun()
    // A WebAssembly memory never shrinks: what large events have leased goes with all of it.
    else if (this.memoryBytes > CHANNEL_BYTES) this.#reset()
  }

  #crashed(run: ChannelRun, cause: unknown): void {
    if (this.#run !== run) return
    const error = workerExited(cause)
    this.#endRun(run, error)
    this.#isTakingOver = true
    void this.#takeOver(run, error)
  }

  /** The worker is dead: waits for its thread to end, reads what it has published, and goes on. */
  async #takeOver(run: ChannelRun, error: MillraceError): Promise<void> {
    await run.gone()
    this.#isTakingOver = false
    if (this.#destroyed !== null) return
    const { words } = this.#end
    const batch = load(words, BATCH)
    this.#fruitlessRuns = batch === this.#batchAtDeath ? this.#fruitlessRuns + 1 : 1
    this.#batchAtDeath = batch
    const isHopeless = this.#fruitlessRuns >= FRUITLESS_RUNS_MAX
    const isLost = load(words, HEAP_STREAMS) > 0
    try {
      answerDeath(words, () => this.drain())
    } catch (fault) {
      // What was published makes no sense: a fault of ours, and no reason to end the process.
      this.#die(workerExited(fault))
      return
    }
    if (isHopeless || isLost) this.#die(error)
    else if (this.load > 0) this.#ensureRun()
  }

  /** Goes on with new memory, and without the streams of the old. */
  #die(error: MillraceError): void {
    const streams = this.#leave()
    this.#reset()
    for (const stream of streams) stream.fail(error)
  }

  /** Detaches all streams. */
  #leave(): StreamState[] {
    const streams = [...this.#inputs.values()].map((input) => input.detach())
    streams.push(...this.#rowWaiters)
    this.#inputs.clear()
    this.#rowWaiters = []
    this.#spaceWaiters = []
    this.#closing = 0
    if (this.#lingering !== null) clearTimeout(this.#lingering)
    this.#lingering = null
    return streams
  }

  #endRun(run: ChannelRun, error: MillraceError): void {
    this.#run = null
    run.close(error)
  }

  #reset(): void {
    this.#memory = createChannelMemory()
    this.#end = attachMain(viewsOf(this.#memory.buffer))
    this.#reader = new RowReader(this.#end.words)
    this.#freeRows = Array.from({ length: STREAMS_MAX }, (_, index) => STREAMS_MAX - 1 - index)
    this.#batchAtDeath = 0
    this.#fruitlessRuns = 0
  }
}

function workerExited(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError('WORKER_EXITED', `the worker ended: ${message}`, {}, error)
}
