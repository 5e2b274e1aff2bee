import { broken } from '../shared/assert.ts'
import type { ChannelViews } from '../shared/channel-ends.ts'
import { CARRY, CARRY_BYTES, STREAMS_MAX } from '../shared/channel-layout.ts'
import type { OpenFrame } from '../shared/control-protocol.ts'
import type { ChannelDecoder } from '../shared/decoder/channel-decoder.ts'
import type { DecodeCounts, Decoder } from '../shared/decoder/decoder.ts'
import { createPlainDecoder } from '../shared/decoder/plain-decoder.ts'
import { findDialect } from '../shared/dialects/dialects.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { SlabArena } from '../shared/slab-arena.ts'

/**
 * The plain decoder behind a channel, where there is no other: a decoder per stream, on this
 * thread's heap. So a stream's state dies with the thread, and there is nothing to adopt.
 */
export class PlainStreams implements ChannelDecoder {
  readonly rows: RowWriter = new RowWriter()
  readonly #bytes: Uint8Array
  readonly #slabs: SlabArena
  readonly #decoders: (Decoder | null)[] = new Array<Decoder | null>(STREAMS_MAX).fill(null)

  constructor({ bytes }: ChannelViews, leaseBytesMax: number) {
    this.#bytes = bytes
    this.#slabs = new SlabArena(bytes.subarray(CARRY, CARRY + CARRY_BYTES), leaseBytesMax)
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

  open(row: number, _state: number, { dialect, strict, limits }: OpenFrame): void {
    const options = { strict, limits }
    this.#decoders[row] = createPlainDecoder(findDialect(dialect), options, this.#slabs)
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
