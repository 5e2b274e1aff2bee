import type { Decoder } from '../shared/decoder/decoder.ts'
import { createDecoderOn } from '../shared/decoder/create-decoder.ts'
import { DialectDetector } from '../shared/decoder/dialect-detector.ts'
import type { WasmEngine } from '../shared/decoder/wasm-engine.ts'
import type { Dialect } from '../shared/dialects/dialect.ts'
import { sse } from '../shared/dialects/records.ts'
import type { MillraceError } from '../shared/errors.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { chunkBytes } from './chunk.ts'
import { inlineEngine } from './decoder-module.ts'
import { Assembler } from './assembler.ts'
import { type DecoderOptions, resolveDecoderOptions, type StreamOptions } from './options.ts'
import type { TokenBatch } from './token-batch.ts'

/**
 * A decoder on the caller's thread, synchronous: no workers, no waiting, no flow control.
 *
 * @throws {MillraceError} `OPTION_INVALID`, `DIALECT_UNKNOWN`.
 * @example
 * const decoder = createDecoder({ dialect: 'openai-chat' })
 * for (const event of decoder.push('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')) {
 *   if (event.type === 'text-delta') process.stdout.write(event.text)
 * }
 * for (const event of decoder.end()) console.log(event.type)
 */
export function createDecoder(options: DecoderOptions = {}): InlineDecoder {
  return new InlineDecoder(options)
}

/** Made by {@link createDecoder}. */
export class InlineDecoder {
  readonly #options: StreamOptions
  readonly #engine: WasmEngine | null
  /** Keeps what is pushed until the dialect is recognised; `null` once it is. */
  #detector: DialectDetector | null = null
  /** Of the dialect, once that is known. */
  #decoder: Decoder | null = null
  #assembler: Assembler
  readonly #rows = new RowWriter()
  #ended = false
  #failure: MillraceError | null = null

  /** @internal */
  constructor(options: DecoderOptions) {
    const { stream, module } = resolveDecoderOptions(options)
    const { dialect, limits } = stream
    this.#options = stream
    this.#engine = inlineEngine(module)
    if (dialect === null) this.#detector = new DialectDetector(limits)
    else this.#decoder = createDecoderOn(this.#engine, dialect, stream)
    this.#assembler = new Assembler(dialect ?? sse, false, limits)
  }

  /**
   * Decodes a chunk, cut anywhere; text is encoded, and a surrogate pair must lie within one
   * string.
   *
   * @returns What its bytes completed, maybe nothing; after {@link failure}, nothing more.
   */
  push(chunk: Uint8Array | string): TokenBatch {
    const bytes = chunkBytes(chunk)
    if (this.#decoder === null) this.#recognize((detector) => detector.push(bytes))
    else if (!this.#ended) this.#decoder.push(bytes, this.#rows)
    return this.#take()
  }

  /** No more chunks come. @returns What the end completed. */
  end(): TokenBatch {
    if (this.#ended) return this.#take()
    this.#recognize((detector) => detector.end())
    this.#ended = true
    this.#decoder?.end(this.#rows)
    this.#decoder?.release()
    const { batch, error } = this.#assembler.end(this.#rows.toBatch())
    this.#rows.reset()
    this.#failure ??= error
    return batch
  }

  /**
   * Why the stream failed: a limit passed, a dialect not recognised, or, after `end()`,
   * `STREAM_TRUNCATED`. Else `null`.
   */
  get failure(): MillraceError | null {
    return this.#assembler.failure ?? this.#failure
  }

  /** Looks on for the dialect; once it is known, decodes what was kept. */
  #recognize(look: (detector: DialectDetector) => Dialect | null): void {
    const detector = this.#detector
    if (detector === null) return
    try {
      const dialect = look(detector)
      if (dialect === null) return
      this.#assembler = new Assembler(dialect, true, this.#options.limits)
      this.#decoder = createDecoderOn(this.#engine, dialect, this.#options)
      this.#decoder.push(detector.seen, this.#rows)
    } catch (error) {
      this.#failure = error as MillraceError
    }
    this.#detector = null
  }

  #take(): TokenBatch {
    const batch = this.#assembler.read(this.#rows.toBatch())
    this.#rows.reset()
    return batch
  }
}
