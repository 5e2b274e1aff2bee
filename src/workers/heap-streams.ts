import { broken } from '../shared/assert.ts'
import type { ChannelViews } from '../shared/channel-ends.ts'
import { CARRY, CARRY_BYTES, STREAMS_MAX } from '../shared/channel-layout.ts'
import type { OpenFrame } from '../shared/control-protocol.ts'
import type { ChannelDecoder } from '../shared/decoder/channel-decoder.ts'
import { createDecoderOn } from '../shared/decoder/create-decoder.ts'
import type { DecodeCounts, Decoder } from '../shared/decoder/decoder.ts'
import type { WasmEngine } from '../shared/decoder/wasm-engine.ts'
import { dialectReceived } from '../shared/dialects/dialects.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { SlabArena } from '../shared/slab-arena.ts'

/**
 * A decoder for each stream, with memory of the thread's own. So a stream's state dies with the
 * thread, and there is nothing to adopt.
 */
export class HeapStreams implements ChannelDecoder {
  readonly rows: RowWriter = new RowWriter()
  readonly #bytes: Uint8Array
  readonly #engine: WasmEngine | null
  readonly #slabs: SlabArena
  readonly #decoders: (Decoder | null)[] = new Array<Decoder | null>(STREAMS_MAX).fill(null)

  constructor({ bytes }: ChannelViews, engine: WasmEngine | null, leaseBytesMax: number) {
    this.#bytes = bytes
    this.#engine = engine
    if (engine !== null) engine.lentBytesMax = leaseBytesMax
    this.#slabs = new SlabArena(bytes.subarray(CARRY, CARRY + CARRY_BYTES), leaseBytesMax)
  }

  get slabBytes(): number {
    return this.#slabs.bytesInUse + (this.#engine?.lentBytes ?? 0)
  }

  get leasedBytes(): number {
    return this.#slabs.leasedBytes
  }

  get decoderBytes(): number {
    return this.#engine?.heap.bytes.length ?? 0
  }

  resetRows(): void {
    this.rows.reset()
  }

  open(row: number, _state: number, { dialect, ...options }: OpenFrame): void {
    const table = dialectReceived(dialect)
    this.#decoders[row] = createDecoderOn(this.#engine, table, options, this.#slabs)
  }

  decode(row: number, _state: number, at: number, byteLength: number): number {
    this.#decoderOf(row).push(this.#bytes.subarray(at, at + byteLength), this.rows)
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
  }

  adopt(row: number): void {
    broken(`the stream in row ${row} was open in another thread`)
  }

  settle(): void {}

  #decoderOf(row: number): Decoder {
    return this.#decoders[row] ?? broken(`no stream is open in row ${row}`)
  }
}
