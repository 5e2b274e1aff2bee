import type { TokenStream } from '../main/index.ts'

/** First sight of progress, and time between two, ms. */
const TERMINAL = { firstMs: 500, everyMs: 200 }
const LOG = { firstMs: 2000, everyMs: 5000 }

/**
 * How far a long input has come, on stderr: on a terminal, one line redrawn in place; elsewhere a
 * line at a time. Silent for short inputs.
 */
export class Progress {
  readonly #stream: TokenStream
  readonly #bytesTotal: number | null
  readonly #inPlace: boolean = process.stderr.isTTY
  #timer: NodeJS.Timeout | null = null
  #drawn = false

  constructor(stream: TokenStream, bytesTotal: number | null) {
    this.#stream = stream
    this.#bytesTotal = bytesTotal
    const { firstMs, everyMs } = this.#inPlace ? TERMINAL : LOG
    this.#timer = setTimeout(() => {
      this.#draw()
      this.#timer = setInterval(() => this.#draw(), everyMs).unref()
    }, firstMs).unref()
  }

  /** Stops, and clears its line. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#drawn && this.#inPlace) process.stderr.write('\r\u001b[K')
  }

  #draw(): void {
    this.#drawn = true
    const line = `millrace: ${this.#line()}`
    if (!this.#inPlace) process.stderr.write(`${line}\n`)
    else process.stderr.write(`\r${line.slice(0, process.stderr.columns - 1)}\u001b[K`)
  }

  #line(): string {
    const { bytes, tokens, durationMs } = this.#stream.stats()
    const megabytes = (bytes / 1e6).toFixed(1)
    const total = this.#bytesTotal
    const share = total === null ? '' : ` of ${(total / 1e6).toFixed(1)}`
    const percent = total === null ? '' : ` (${Math.floor((bytes / total) * 100)} %)`
    const rate = (bytes / 1000 / durationMs).toFixed(1)
    return `${megabytes}${share} MB${percent}, ${tokens.toLocaleString('en')} tokens, ${rate} MB/s`
  }
}
