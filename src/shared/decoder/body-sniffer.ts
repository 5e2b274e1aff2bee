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
  readonly #bytesMax: number
  #bytes = 0
  #markBytes = 0
  #isInMark = true

  /**
   * @param isJson - A JSON document is how the stream begins.
   * @param bytesMax - What has not told by then is a stream.
   */
  constructor(isJson: boolean, bytesMax: number) {
    this.#isJson = isJson
    this.#bytesMax = bytesMax
  }

  /** Looks at the next chunk; returns the place of the byte that decided, or its length. */
  look(chunk: Uint8Array): number {
    for (const [at, byte] of chunk.entries()) {
      this.kind = this.#tell(byte)
      if (this.kind === 'unknown' && ++this.#bytes === this.#bytesMax) this.kind = 'stream'
      if (this.kind !== 'unknown') return at
    }
    return chunk.length
  }

  #tell(byte: number): BodyKind {
    if (this.#isInMark && byte === MARK[this.#markBytes]) {
      this.#markBytes++
      return 'unknown'
    }
    const isMarkCut = this.#isInMark && this.#markBytes % MARK.length !== 0
    this.#isInMark = false
    if (isMarkCut) return 'stream'
    return BLANKS.has(byte) ? 'unknown' : this.#kindOf(byte)
  }

  #kindOf(byte: number): BodyKind {
    if (byte === 0x3c) return 'html'
    return !this.#isJson && (byte === 0x7b || byte === 0x5b) ? 'json' : 'stream'
  }
}
