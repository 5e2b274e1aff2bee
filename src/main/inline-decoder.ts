import type { Decoder } from '../shared/decoder/decoder.ts'
import { createDecoderOn } from '../shared/decoder/create-decoder.ts'
import type { MillraceError } from '../shared/errors.ts'
import { RowWriter } from '../shared/row-writer.ts'
import { chunkBytes } from './chunk.ts'
import { inlineEngine } from './decoder-module.ts'
import { Assembler } from './assembler.ts'
import { resolveStreamOptions, type DecodeOptions } from './options.ts'
import type { TokenBatch } from './token-batch.ts'

/** Options of {@link createDecoder}: those of a stream that concern its bytes. */
export type DecoderOptions = Pick<
  DecodeOptions,
  'dialect' | 'strict' | 'lineBytesMax' | 'eventBytesMax' | 'jsonDepthMax'
>

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
export function createDecoder(options: DecoderOptions): InlineDecoder {
  return new InlineDecoder(options)
}

/** Made by {@link createDecoder}. */
export class InlineDecoder {
  readonly #decoder: Decoder
  readonly #assembler: Assembler
  readonly #rows = new RowWriter()
  #ended = false
  #truncation: MillraceError | null = null

  /** @internal */
  constructor(options: DecoderOptions) {
    const { dialect, limits, strict } = resolveStreamOptions(options)
    this.#decoder = createDecoderOn(inlineEngine(), dialect, { limits, strict })
    this.#assembler = new Assembler(dialect)
  }

  /**
   * Decodes a chunk, cut anywhere; text is encoded, and a surrogate pair must lie within one
   * string.
   *
   * @returns What its bytes completed, maybe nothing; after {@link failure}, nothing more.
   */
  push(chunk: Uint8Array | string): TokenBatch {
    const bytes = chunkBytes(chunk)
    if (!this.#ended) this.#decoder.push(bytes, this.#rows)
    return this.#take()
  }

  /** No more chunks come. @returns What the end completed. */
  end(): TokenBatch {
    if (this.#ended) return this.#take()
    this.#ended = true
    this.#decoder.end(this.#rows)
    this.#decoder.release()
    const { batch, error } = this.#assembler.end(this.#rows.toBatch())
    this.#rows.reset()
    this.#truncation = error
    return batch
  }

  /** Why the stream failed: a limit passed, or, after `end()`, `STREAM_TRUNCATED`. Else `null`. */
  get failure(): MillraceError | null {
    return this.#assembler.failure ?? this.#truncation
  }

  #take(): TokenBatch {
    const batch = this.#assembler.read(this.#rows.toBatch())
    this.#rows.reset()
    return batch
  }
}
