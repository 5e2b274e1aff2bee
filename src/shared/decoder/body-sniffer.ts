/** What a body is, by its first byte after a byte order mark and blanks. */
export type BodyKind = 'unknown' | 'stream' | 'json' | 'html'

const MARK = [0xef, 0xbb, 0xbf]
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * Tells a stream from what comes in its place when a request fails: a JSON document, unless the
 * stream itself is JSON, or the HTML page of a proxy.
 */
export class BodySniffer {
  kind: BodyKind = 'unknown'
  readonly #isJson: boolean
  #markBytes = 0
  #isInMark = true

  /** @param isJson - A JSON document is how the stream begins. */
  constructor(isJson: boolean) {
    this.#isJson = isJson
  }

  /** Looks at the next chunk; returns the place of the byte that decided, or its length. */
  look(chunk: Uint8Array): number {
    for (const [at, byte] of chunk.entries()) {
      if (this.#isInMark && byte === MARK[this.#markBytes]) {
        this.#markBytes++
        continue
      }
      const isMarkCut = this.#isInMark && this.#markBytes % MARK.length !== 0
      this.#isInMark = false
      if (!isMarkCut && BLANKS.has(byte)) continue
      this.kind = isMarkCut ? 'stream' : this.#kindOf(byte)
      return at
    }
    return chunk.length
  }

  #kindOf(byte: number): BodyKind {
    if (byte === 0x3c) return 'html'
    return !this.#isJson && (byte === 0x7b || byte === 0x5b) ? 'json' : 'stream'
  }
}
