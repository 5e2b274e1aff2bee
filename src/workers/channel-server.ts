/**
 * The worker's half of a channel: frames in, records out, in batches that are published whole
 * (commit.ts). Main must be told by a doorbell of what was published.
 *
 * Frames of one stream that lie next to each other become one stretch of rows. It leaves when
 * another stream's frame comes, when there are rows enough, or when the batch ends; with it goes
 * the count of bytes that it took, so that main can refund them even where they became no token.
 *
 * A batch may be decoded again after a death, and must then come to the same records. So between
 * two commits nothing may depend on when things happen: a batch that ends because no frame is left
 * is committed at once, and that main wants no more of a stream counts from a commit on.
 */
import { load, store } from '#atomics'
import { broken } from '../shared/assert.ts'
import type { WorkerEnd } from '../shared/channel-ends.ts'
import {
  CHUNK_SPACE_WANTED,
  CLOSED_BYTES,
  CLOSED_STREAM_ID,
  COPY_DONE,
  COPY_ID,
  COPY_STATE,
  FRAME_ABORT,
  FRAME_BYTE_LENGTH,
  FRAME_BYTES_AT,
  FRAME_DATA,
  FRAME_END,
  FRAME_OPEN,
  FRAME_STREAM_ID,
  HEAP_STREAMS,
  RECORD_CLOSED,
  RECORD_SPACE_WANTED,
  rowOf,
  STREAM_ABORT,
  STREAM_COPIES,
  STREAM_COPY_BYTES,
  STREAM_DIALECT,
  streamWord,
} from '../shared/channel-layout.ts'
import { unpackFrame, type WorkerStats } from '../shared/control-protocol.ts'
import type { ChannelDecoder } from '../shared/decoder/channel-decoder.ts'
import { FrameWatch } from '../shared/frame-watch.ts'
import { BACKPRESSURED } from '../shared/ring-buffer.ts'
import { DECODE_ERROR_CODES, ROW_FATAL } from '../shared/rows.ts'
import { RowWriter } from '../shared/row-writer.ts'
import {
  claimOrWant,
  doorbellNeeded,
  roomAsked,
  SPIN_CHECKS,
  WORKED,
  workOrWait,
} from '../shared/wait-strategy.ts'
import { RowRecords } from './row-records.ts'

/** Where a batch ends at the latest. */
export interface BatchBounds {
  /** Frame bytes, so that the first tokens do not wait for the last. */
  readonly frameBytesMax: number
  /** Streams. At most SLOT_ROWS_MAX. */
  readonly rowsMax: number
  /** Longest ROWS payload, bytes: main drains one record while the worker writes the next. */
  readonly recordBytesMax: number
  /** Looks at the bell before parking, where the record ring is full. */
  readonly spinChecks: number
}

export const BATCH_BOUNDS: BatchBounds = {
  frameBytesMax: 64 * 1024,
  rowsMax: 256,
  recordBytesMax: 32 * 1024,
  spinChecks: SPIN_CHECKS,
}

/** What it knows of {@link WorkerStats}. */
export type ServerStats = Omit<WorkerStats, 'collections'>

/** What a claim returns for a record that a predecessor has published. */
const PUBLISHED = -1

export class ChannelServer {
  readonly #end: WorkerEnd
  readonly #decoder: ChannelDecoder
  readonly #ringMain: () => void
  readonly #bounds: BatchBounds
  readonly #watch: FrameWatch
  readonly #records: RowRecords
  readonly #stats = { streamsOpen: 0, frames: 0, batches: 0, recordRingFull: 0 }

  #toldOnHeap = 0

  // The batch at hand.
  /** End of the last frame that was taken whole, position in the chunk ring. */
  #head: number
  /** Records made, and how many of them a predecessor has published. */
  #made = 0
  #publishedBefore: number
  /** The stream whose rows the decoder holds, and the bytes that they came from. */
  #currentId = 0
  #consumedBytes = 0

  // The record that waits for room.
  #claimType = 0
  #claimBytes = 0
  #claimedAt = 0

  /** @param ringMain - Posts the doorbell. */
  constructor(
    end: WorkerEnd,
    decoder: ChannelDecoder,
    ringMain: () => void,
    bounds: BatchBounds = BATCH_BOUNDS,
  ) {
    this.#end = end
    this.#decoder = decoder
    this.#ringMain = ringMain
    this.#bounds = bounds
    this.#watch = new FrameWatch(end.words)
    const claim = (type: number, bytes: number): number => this.#claim(type, bytes)
    this.#records = new RowRecords(end.records, decoder, claim, bounds.recordBytesMax)
    this.#head = end.commits.head
    this.#publishedBefore = end.commits.sent
    this.#adoptStreams()
  }

  get idle(): boolean {
    return this.#stats.streamsOpen === 0
  }

  /** Decodes one batch of what is there, and publishes it. False where there was nothing. */
  turn(): boolean {
    const { chunks, commits } = this.#end
    const { frameBytesMax, rowsMax } = this.#bounds
    let bytes = 0
    while (bytes < frameBytesMax && commits.rowCount < rowsMax && chunks.next()) {
      bytes += chunks.payloadBytes
      this.#frame()
      // What a predecessor has published comes first: to make it again, decode as it did.
      if (this.#watch.isCareful && this.#made >= this.#publishedBefore) break
    }
    if (bytes === 0) return false
    this.#flush()
    this.#commit()
    return true
  }

  stats(): ServerStats {
    const { slabBytes, leasedBytes, templateHits, templateMisses } = this.#decoder
    return { ...this.#stats, slabBytes, leasedBytes, templateHits, templateMisses }
  }

  #adoptStreams(): void {
    const { commits, layout } = this.#end
    for (let row = 0; row < layout.streamsMax; row++) {
      if (commits.idOf(row) === 0) continue
      this.#decoder.adopt(row, commits.copyOf(row) + COPY_STATE)
      this.#stats.streamsOpen++
    }
  }

  // ---- frames ------------------------------------------------------------------------------

  #frame(): void {
    const { words, chunks } = this.#end
    const at = chunks.payloadOffset
    const id = words[(at + FRAME_STREAM_ID) >> 2]!
    const from = at + words[(at + FRAME_BYTES_AT) >> 2]!
    const byteLength = words[(at + FRAME_BYTE_LENGTH) >> 2]!
    this.#stats.frames++
    if (id !== this.#currentId) {
      this.#flush()
      this.#currentId = id
    }
    switch (chunks.type) {
      case FRAME_OPEN:
        this.#open(id, from, byteLength)
        break
      case FRAME_DATA:
        this.#data(id, from, byteLength)
        break
      case FRAME_END:
        this.#endStream(id)
        break
      case FRAME_ABORT:
        this.#closeStream(id)
        break
      default:
        broken(`frame type ${chunks.type}`)
    }
    this.#watch.done(chunks.position)
    this.#head = chunks.position
  }

  #open(id: number, from: number, byteLength: number): void {
    const { words, bytes, commits, layout } = this.#end
    const { streams } = layout
    const row = rowOf(id)
    // It was poisoned, and opened as done.
    if (this.#isDone(row, id)) return
    if (commits.idOf(row) !== 0) broken(`stream ${id} opened over row ${row}, which is open`)
    // The row's last stream was closed in this batch, and who decodes that again needs its profile,
    // of which there is one copy.
    if (commits.isChanged(row)) this.#commit()
    const copy = commits.change(row)
    words.fill(0, copy >> 2, (copy + STREAM_COPY_BYTES) >> 2)
    words.fill(0, streamWord(row, STREAM_DIALECT, streams), streamWord(row, STREAM_COPIES, streams))
    words[(copy + COPY_ID) >> 2] = id
    this.#stats.streamsOpen++
    if (!this.#mayDecode()) return this.#poison(id)
    const options = unpackFrame(bytes.slice(from, from + byteLength))
    this.#decoder.open(row, copy + COPY_STATE, options)
    this.#tellOnHeap()
  }

  #data(id: number, from: number, byteLength: number): void {
    const row = this.#rowOf(id)
    if (!this.#isDone(row, id) && !this.#isAborted(id)) this.#decode(id, from, byteLength)
    this.#consumedBytes += byteLength
  }

  #decode(id: number, from: number, byteLength: number): void {
    const { chunks, commits } = this.#end
    const row = rowOf(id)
    const state = commits.change(row) + COPY_STATE
    const end = from + byteLength
    for (let at = from; at < end;) {
      if (!this.#mayDecode()) return this.#poison(id)
      at += this.#decoder.decode(row, state, at, end - at)
      this.#watch.rest(chunks.position)
      if (at < end) this.#flushRows(0)
    }
  }

  #endStream(id: number): void {
    const row = this.#rowOf(id)
    const { chunks, commits } = this.#end
    if (!this.#isDone(row, id)) {
      const state = commits.change(row) + COPY_STATE
      if (this.#mayDecode()) {
        this.#decoder.end(row, state)
        this.#watch.rest(chunks.position)
      } else this.#poison(id)
    }
    this.#closeStream(id)
  }

  #closeStream(id: number): void {
    const row = this.#rowOf(id)
    this.#flush()
    const { words, records, commits } = this.#end
    const copy = commits.change(row)
    this.#decoder.close(row, copy + COPY_STATE)
    words[(copy + COPY_ID) >> 2] = 0
    this.#stats.streamsOpen--
    const at = this.#claim(RECORD_CLOSED, CLOSED_BYTES)
    if (at === PUBLISHED) return
    words[(at + CLOSED_STREAM_ID) >> 2] = id
    records.commit()
  }

  // ---- streams that take no more -----------------------------------------------------------

  /**
   * Whether main wants no more of the stream: it says so ahead of the ABORT frame. Published before
   * anything follows from it, since a successor could learn of it earlier; and not looked at while
   * records are made again, since a predecessor that had learnt of it had published it.
   */
  #isAborted(id: number): boolean {
    const { words, layout } = this.#end
    if (this.#made < this.#publishedBefore) return false
    if (load(words, streamWord(rowOf(id), STREAM_ABORT, layout.streams)) === 0) return false
    this.#flush()
    this.#takeNoMore(id)
    return true
  }

  /** Before the frame at hand is decoded, or goes on to be. False where it is poisoned. */
  #mayDecode(): boolean {
    const { chunks, commits } = this.#end
    // A predecessor has got past it, so whatever the worker dies of here, it is not this frame.
    if (this.#publishedBefore > 0 && ((chunks.position - commits.reach) | 0) < 0) return true
    return this.#watch.begin(chunks.position)
  }

  /** The frame at hand has killed two workers: ends its stream, and publishes that. */
  #poison(id: number): void {
    this.#flush()
    // Records that were published after these are of the frame itself, and are not made again.
    this.#made = Math.max(this.#made, this.#publishedBefore)
    const { commits } = this.#end
    const state = commits.copyOf(rowOf(id)) + COPY_STATE
    const { bytes: offset } = this.#decoder.counts(rowOf(id), state)
    const fault = new RowWriter()
    const code = DECODE_ERROR_CODES.indexOf('STREAM_POISONED')
    fault.write(ROW_FATAL, code, -1, JSON.stringify({ offset, message: POISONED_MESSAGE }))
    this.#records.write(id, 0, fault)
    this.#takeNoMore(id)
  }

  // The frame at hand is taken after this commit, by a stream that is done with.
  #takeNoMore(id: number): void {
    const { words, commits } = this.#end
    words[(commits.change(rowOf(id)) + COPY_DONE) >> 2] = 1
    this.#commit()
  }

  #isDone(row: number, id: number): boolean {
    const { words, commits } = this.#end
    return commits.idOf(row) === id && words[(commits.copyOf(row) + COPY_DONE) >> 2] !== 0
  }

  #rowOf(id: number): number {
    const row = rowOf(id)
    if (this.#end.commits.idOf(row) !== id) broken(`stream ${id} is not open`)
    return row
  }

  // ---- records -----------------------------------------------------------------------------

  #flush(): void {
    if (this.#decoder.rows.rowCount === 0 && this.#consumedBytes === 0) return
    this.#flushRows(this.#consumedBytes)
    this.#consumedBytes = 0
  }

  #flushRows(consumedBytes: number): void {
    this.#stats.batches++
    this.#records.write(this.#currentId, consumedBytes, this.#decoder.rows)
    this.#decoder.resetRows()
  }

  /** Publishes the batch as far as it has come. */
  #commit(): void {
    const { words, records, commits } = this.#end
    const hasRecords = records.position !== commits.tail
    const hasTaken = this.#head !== commits.head
    commits.commit(this.#head, records.position)
    this.#decoder.settle()
    this.#tellOnHeap()
    this.#made = this.#publishedBefore = 0
    const isAsked = hasTaken && roomAsked(words, CHUNK_SPACE_WANTED)
    if ((hasRecords || isAsked) && doorbellNeeded(words)) this.#ringMain()
  }

  // At once where there are more, and where there are fewer once that is published.
  #tellOnHeap(): void {
    const { streamsOnHeap } = this.#decoder
    if (streamsOnHeap === this.#toldOnHeap) return
    store(this.#end.words, HEAP_STREAMS, streamsOnHeap)
    this.#toldOnHeap = streamsOnHeap
  }

  /** Shows what records there are, and no more: their batch is not whole. */
  #show(): void {
    const { words, chunks, records, commits } = this.#end
    if (records.position === commits.tail) return
    // Without the one that has no room yet.
    commits.show(records.position, this.#made - 1, chunks.position)
    if (doorbellNeeded(words)) this.#ringMain()
  }

  /** Claims, waiting for main to drain the ring where it is full. Never fails. */
  #claim(type: number, payloadBytes: number): number {
    if (++this.#made <= this.#publishedBefore) return PUBLISHED
    this.#claimType = type
    this.#claimBytes = payloadBytes
    if (this.#tryClaim()) return this.#claimedAt
    this.#stats.recordRingFull++
    this.#show()
    const { spinChecks } = this.#bounds
    while (workOrWait(this.#end.words, this.#tryClaim, spinChecks) !== WORKED);
    return this.#claimedAt
  }

  readonly #tryClaim = (): boolean => {
    const { words, records } = this.#end
    const bytes = this.#claimBytes
    this.#claimedAt = claimOrWant(words, RECORD_SPACE_WANTED, records, this.#claimType, bytes)
    return this.#claimedAt !== BACKPRESSURED
  }
}

const POISONED_MESSAGE = 'the worker died twice while it decoded these bytes'
