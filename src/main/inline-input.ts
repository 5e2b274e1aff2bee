/** The inline placement: a stream decoded on the caller's own thread, as it is written. */
import { createDecoderOn } from '../shared/decoder/create-decoder.ts'
import type { Decoder } from '../shared/decoder/decoder.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { inlineEngine } from './decoder-module.ts'
import type { StreamInput, StreamState } from './stream-state.ts'

export class InlineInput implements StreamInput {
  readonly #stream: StreamState
  readonly #decoder: Decoder
  readonly #rows = new RowWriter()

  constructor(stream: StreamState) {
    this.#stream = stream
    const { dialect, limits, strict } = stream.options
    this.#decoder = createDecoderOn(inlineEngine(), dialect, { limits, strict })
  }

  offer(bytes: Uint8Array): number {
    this.#decoder.push(bytes, this.#rows)
    this.#deliver(bytes.length)
    return bytes.length
  }

  end(): boolean {
    this.#decoder.end(this.#rows)
    this.#deliver(0)
    this.#decoder.release()
    this.#stream.finished()
    return true
  }

  abort(): void {
    this.#decoder.release()
  }

  #deliver(consumedBytes: number): void {
    const batch = this.#rows.toBatch()
    this.#rows.reset()
    this.#stream.receive(batch, consumedBytes)
  }
}
