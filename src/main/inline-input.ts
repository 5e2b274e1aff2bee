/** The inline placement: a stream decoded on the caller's own thread, as it is written. */
import { createDecoderOn } from '../shared/decoder/create-decoder.ts'
import type { Decoder } from '../shared/decoder/decoder.ts'
import type { WasmEngine } from '../shared/decoder/wasm-engine.ts'
import { RowWriter } from '../shared/row-writer.ts'
import type { StreamInput } from './stream-input.ts'
import type { StreamState } from './stream-state.ts'

export class InlineInput implements StreamInput {
  readonly #stream: StreamState
  readonly #engine: WasmEngine | null
  /** Made when the first bytes come: the dialect may not be known before. */
  #decoder: Decoder | null = null
  readonly #rows = new RowWriter()

  /** @param engine - `null` where the plain decoder must do. */
  constructor(stream: StreamState, engine: WasmEngine | null) {
    this.#stream = stream
    this.#engine = engine
  }

  offer(bytes: Uint8Array): number {
    this.#open().push(bytes, this.#rows)
    this.#deliver(bytes.length)
    return bytes.length
  }

  end(): boolean {
    const decoder = this.#open()
    decoder.end(this.#rows)
    this.#deliver(0)
    decoder.release()
    this.#stream.finished()
    return true
  }

  abort(): void {
    this.#decoder?.release()
  }

  // offer() has delivered all there is.
  poll(): void {}

  #open(): Decoder {
    const { dialect, options } = this.#stream
    return (this.#decoder ??= createDecoderOn(this.#engine, dialect, options))
  }

  #deliver(consumedBytes: number): void {
    const batch = this.#rows.toBatch()
    this.#rows.reset()
    this.#stream.receive(batch, consumedBytes)
  }
}
