import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { CommandError, EXIT } from './exit.ts'
import { escapeControls } from './terminal-text.ts'

/**
 * Standard output: one write at a time, as fast as its reader takes it.
 *
 * Where nothing can be written any more, `closed` aborts, with how the command then ends, and
 * further writes are dropped. A closed pipe (`| head -1`) is no failure.
 */
export class Output {
  readonly #stream: Writable
  readonly #safe: (text: string) => string
  readonly #closing = new AbortController()
  #highSurrogate = ''

  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream
    this.#safe = stream.isTTY === true ? escapeControls : (text) => text
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const isClosedPipe = error.code === 'EPIPE' || error.code === 'EOF'
      this.#closing.abort(
        isClosedPipe
          ? new CommandError(EXIT.ok, '')
          : new CommandError(EXIT.stream, `cannot write the output: ${error.message}`, error),
      )
    })
  }

  /** Aborts, with a {@link CommandError}, when no more can be written. */
  get closed(): AbortSignal {
    return this.#closing.signal
  }

  /** Resolves when more may be written. A surrogate pair may lie across two writes. */
  async write(text: string): Promise<void> {
    const joined = this.#highSurrogate + text
    const cut = isHighSurrogate(joined.charCodeAt(joined.length - 1)) ? -1 : joined.length
    this.#highSurrogate = cut === -1 ? joined.slice(-1) : ''
    await this.#write(this.#safe(joined.slice(0, cut)))
  }

  /** Writes what is left and resolves when it has left the process. */
  async end(): Promise<void> {
    if (this.#highSurrogate !== '') await this.#write('\ufffd')
    if (this.closed.aborted) return
    await new Promise<void>((resolve) => this.#stream.write('', () => resolve()))
  }

  async #write(text: string): Promise<void> {
    if (text === '' || this.closed.aborted || this.#stream.write(text)) return
    // The signal also ends the wait where the pipe is closed instead of drained.
    await once(this.#stream, 'drain', { signal: this.closed }).catch((error: unknown) => {
      if (!this.closed.aborted) throw error
    })
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
