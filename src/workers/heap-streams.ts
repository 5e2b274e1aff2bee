import { broken } from '../shared/assert.ts'
import type { WorkerEnd } from '../shared/channel-ends.ts'
import type { OpenFrame } from '../shared/control-protocol.ts'
import type { ChannelDecoder } from '../shared/decoder/channel-decoder.ts'
import type { DecodeCounts, Decoder } from '../shared/decoder/decoder.ts'
import { createPlainDecoder } from '../shared/decoder/plain-decoder.ts'
import { dialectReceived } from '../shared/dialects/dialects.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { SlabArena } from '../shared/slab-arena.ts'

/**
 * A plain decoder for each stream, with its state on the heap of the thread. So it dies with the
 * thread, and there is nothing to adopt.
 */
export class HeapStreams implements ChannelDecoder {
  readonly views: WorkerEnd
  readonly rows: RowWriter = new RowWriter()
  readonly templateHits = 0
  readonly templateMisses = 0
  streamsOnHeap = 0
  readonly #slabs: SlabArena
  readonly #decoders: (Decoder | null)[]

  /** @param region - For slabs, which are leased from the heap where it is full. */
  constructor(end: WorkerEnd, region: Uint8Array, leaseBytesMax: number) {
    this.views = end
    this.#slabs = new SlabArena(region, leaseBytesMax)
    this.#decoders = new Array<Decoder | null>(end.layout.streamsMax).fill(null)
  }

  get slabBytes(): number {
    return this.#slabs.bytesInUse
  }

  get leasedBytes(): number {
    return this.#slabs.leasedBytes
  }

  resetRows(): void {
    this.rows.reset()
  }

  open(row: number, _state: number, { dialect, ...options }: OpenFrame): void {
    const table = dialectReceived(dialect)
    this.#decoders[row] = createPlainDecoder(table, options, this.#slabs)
    this.streamsOnHeap++
  }

  decode(row: number, _state: number, at: number, byteLength: number): number {
    const { bytes } = this.views
    this.#decoderOf(row).push(bytes.subarray(at, at + byteLength), this.rows)
    return byteLength
  }

  end(row: number): void {
    this.#decoderOf(row).end(this.rows)
  }

  counts(row: number): DecodeCounts {
    return this.#decoderOf(row).counts
  }

  close(row: number): void {
    this.#decoderOf(row).release()
    this.#decoders[row] = null
    this.streamsOnHeap--
  }

  adopt(row: number): void {
    broken(`the stream in row ${row} was open on another thread's heap`)
  }

  settle(): void {}

  #decoderOf(row: number): Decoder {
    return this.#decoders[row] ?? broken(`no stream is open in row ${row}`)
  }
}
