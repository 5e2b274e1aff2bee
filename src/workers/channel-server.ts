/**
 * The worker's half of a channel: frames in, records out.
 *
 * Frames of one stream that lie next to each other become one batch of rows. A batch leaves when
 * another stream's frame comes or the ring is empty, with the count of bytes that it took, so that
 * main can refund them even where they became no token.
 */
import type { MessagePort } from 'node:worker_threads'
import {
  CHUNK_SPACE_WANTED,
  CLOSED_BYTE_LENGTH,
  CLOSED_HEADER_BYTES,
  CLOSED_STREAM_ID,
  FRAME_ABORT,
  FRAME_BYTE_LENGTH,
  FRAME_BYTES_AT,
  FRAME_DATA,
  FRAME_END,
  FRAME_OPEN,
  FRAME_STREAM_ID,
  RECORD_CLOSED,
  RECORD_SPACE_WANTED,
  rowOf,
  STREAM_ABORT,
  STREAMS_MAX,
  streamWord,
  type WorkerEnd,
} from '../shared/channel-layout.ts'
import {
  packFrame,
  unpackFrame,
  type ChannelConfig,
  type OpenFrame,
  type WorkerStats,
} from '../shared/control-protocol.ts'
import { load } from '#atomics'
import { broken } from '../shared/assert.ts'
import type { Decoder } from '../shared/decoder/decoder.ts'
import { createDecoderOn } from '../shared/decoder/create-decoder.ts'
import type { WasmEngine } from '../shared/decoder/wasm-engine.ts'
import { findDialect } from '../shared/dialects/dialects.ts'
import { BACKPRESSURED } from '../shared/ring-buffer.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { SlabArena } from '../shared/slab-arena.ts'
import {
  claimOrWant,
  doorbellNeeded,
  releaseAsked,
  WORKED,
  workOrWait,
} from '../shared/wait-strategy.ts'
import { collectionCount } from './collection-count.ts'
import { RowRecords } from './row-records.ts'

/** Frame bytes after which a turn publishes, so that the first tokens do not wait for the last. */
const TURN_BYTES_MAX = 64 * 1024

export class ChannelServer {
  readonly #end: WorkerEnd
  readonly #doorbell: MessagePort
  readonly #engine: WasmEngine | null
  readonly #slabs: SlabArena
  readonly #records: RowRecords
  readonly #decoders: (Decoder | null)[] = new Array<Decoder | null>(STREAMS_MAX).fill(null)
  /** Rows of the stream whose frames are being decoded, and the bytes that they came from. */
  readonly #rows = new RowWriter()
  #currentId = 0
  #consumedBytes = 0
  readonly #stats = { streamsOpen: 0, frames: 0, batches: 0, recordRingFull: 0 }

  constructor(
    end: WorkerEnd,
    doorbell: MessagePort,
    config: ChannelConfig,
    engine: WasmEngine | null,
  ) {
    this.#engine = engine
    if (engine !== null) engine.lentBytesMax = config.leaseBytesMax
    this.#end = end
    this.#doorbell = doorbell
    this.#slabs = new SlabArena(end.carry, config.leaseBytesMax)
    this.#records = new RowRecords(end, (type, bytes) => this.#claim(type, bytes))
  }

  get idle(): boolean {
    return this.#stats.streamsOpen === 0
  }

  /** Decodes what is there, up to a bound, and publishes it. False where there was nothing. */
  turn(): boolean {
    const { chunks } = this.#end
    let bytes = 0
    while (bytes < TURN_BYTES_MAX && chunks.next()) {
      this.#stats.frames++
      bytes += chunks.payloadBytes
      this.#frame(chunks.type, chunks.payloadOffset)
    }
    if (bytes === 0) return false
    this.#flush()
    this.#publish()
    return true
  }

  stats(): WorkerStats {
    const { bytesInUse, leasedBytes } = this.#slabs
    const slabBytes = bytesInUse + (this.#engine?.lentBytes ?? 0)
    const decoderBytes = this.#engine?.heap.bytes.length ?? 0
    const collections = collectionCount()
    return { ...this.#stats, slabBytes, leasedBytes, decoderBytes, collections }
  }

  #frame(type: number, at: number): void {
    const { words, bytes } = this.#end
    const id = words[(at + FRAME_STREAM_ID) >> 2]!
    const from = at + words[(at + FRAME_BYTES_AT) >> 2]!
    const payload = bytes.subarray(from, from + words[(at + FRAME_BYTE_LENGTH) >> 2]!)
    if (id !== this.#currentId) {
      this.#flush()
      this.#currentId = id
    }
    switch (type) {
      case FRAME_OPEN:
        return this.#open(id, payload)
      case FRAME_DATA:
        return this.#data(id, payload)
      case FRAME_END:
        return this.#closeStream(id, true)
      case FRAME_ABORT:
        return this.#closeStream(id, false)
      default:
        broken(`frame type ${type}`)
    }
  }

  #open(id: number, payload: Uint8Array): void {
    const row = rowOf(id)
    if (this.#decoders[row] !== null) broken(`stream ${id} opened over row ${row}, which is open`)
    const { dialect, strict, limits } = unpackFrame<OpenFrame>(payload.slice())
    const options = { strict, limits }
    this.#decoders[row] = createDecoderOn(this.#engine, findDialect(dialect), options, this.#slabs)
    this.#stats.streamsOpen++
  }

  #data(id: number, payload: Uint8Array): void {
    // Set by main, which then also sends ABORT; the data before that frame is no longer wanted.
    const aborted = load(this.#end.words, streamWord(rowOf(id), STREAM_ABORT)) !== 0
    if (!aborted) this.#decoderOf(id).push(payload, this.#rows)
    this.#consumedBytes += payload.length
  }

  #closeStream(id: number, ended: boolean): void {
    const decoder = this.#decoderOf(id)
    if (ended) decoder.end(this.#rows)
    else this.#rows.reset()
    this.#flush()
    decoder.release()
    this.#decoders[rowOf(id)] = null
    this.#stats.streamsOpen--
    const summary = packFrame({ counts: decoder.counts })
    const at = this.#claim(RECORD_CLOSED, CLOSED_HEADER_BYTES + summary.length)
    const { words, bytes, records } = this.#end
    words[(at + CLOSED_STREAM_ID) >> 2] = id
    words[(at + CLOSED_BYTE_LENGTH) >> 2] = summary.length
    bytes.set(summary, at + CLOSED_HEADER_BYTES)
    records.commit()
  }

  #decoderOf(id: number): Decoder {
    return this.#decoders[rowOf(id)] ?? broken(`stream ${id} is not open`)
  }

  #flush(): void {
    if (this.#rows.rowCount === 0 && this.#consumedBytes === 0) return
    this.#stats.batches++
    this.#records.write(this.#currentId, this.#consumedBytes, this.#rows)
    this.#rows.reset()
    this.#consumedBytes = 0
  }

  #publish(): void {
    const { words, chunks, records } = this.#end
    const published = records.publish()
    const asked = releaseAsked(words, CHUNK_SPACE_WANTED, chunks)
    if (published || asked) this.#ringMain()
  }

  #ringMain(): void {
    if (doorbellNeeded(this.#end.words)) this.#doorbell.postMessage(0)
  }

  /** Claims, waiting for main to drain the ring where it is full. Never fails. */
  #claim(type: number, payloadBytes: number): number {
    const { words, records } = this.#end
    const claim = (): number => claimOrWant(words, RECORD_SPACE_WANTED, records, type, payloadBytes)
    let at = claim()
    if (at !== BACKPRESSURED) return at
    this.#stats.recordRingFull++
    // Without #publish(), which gives the frames back: main would write over the one in hand.
    if (records.publish()) this.#ringMain()
    const again = (): boolean => (at = claim()) !== BACKPRESSURED
    while (workOrWait(words, again) !== WORKED);
    return at
  }
}
