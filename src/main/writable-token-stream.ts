import { MillraceError } from '../shared/errors.ts'
import { chunkBytes } from './chunk.ts'
import type { StreamState } from './stream-state.ts'
import { TokenStream } from './token-stream.ts'

/** A {@link TokenStream} that its owner writes by hand. Made by `Millrace.open`. */
export class WritableTokenStream extends TokenStream {
  readonly #state: StreamState
  #ended = false

  /** @internal */
  constructor(state: StreamState) {
    super(state)
    this.#state = state
  }

  /**
   * Takes one chunk, whole. Text is encoded; a surrogate pair must lie within one string.
   *
   * @param chunk - May be reused by the caller as soon as this returns.
   * @returns True if more may follow now. False: await {@link drained} first.
   * @throws {MillraceError} `WRITE_BACKPRESSURED` where the last write returned false and
   *   `drained()` has not resolved; `WRITE_AFTER_END` after `end()`; `OPTION_INVALID` for a chunk
   *   that is neither bytes nor text.
   */
  write(chunk: Uint8Array | string): boolean {
    if (this.#ended) {
      throw new MillraceError('WRITE_AFTER_END', 'write() came after end()')
    }
    // A string's bytes are new, and nobody else's.
    return this.#state.write(chunkBytes(chunk), typeof chunk === 'string')
  }

  /** Resolves when the next chunk may be written, or when the stream wants none any more. */
  drained(): Promise<void> {
    return this.#state.drained()
  }

  /** No more chunks come; what was written is decoded and delivered. Idempotent. */
  end(): void {
    this.#ended = true
    this.#state.end()
  }
}
