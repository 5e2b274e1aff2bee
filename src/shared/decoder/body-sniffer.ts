/** What a body is, by its first byte after a byte order mark and blanks, or its first two. */
export type BodyKind = 'unknown' | 'stream' | 'json' | 'html' | 'gzip'

/** What a stream's payloads are made of, for telling it from other bodies. */
export type StreamKind = 'text' | 'json' | 'other'

const MARK = [0xef, 0xbb, 0xbf]
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])
/** No text begins so: 1f is no character. */
export const GZIP_START: readonly [number, number] = [0x1f, 0x8b]

/**
 * Tells a stream from what comes in its place when a request fails: a JSON document, unless the
 * stream itself is JSON, or the HTML page of a proxy; and from one that nobody has inflated.
 */
export class BodySniffer {
  kind: BodyKind = 'unknown'
  readonly #stream: StreamKind
  readonly #bytesMax: number
  #bytes = 0
  #markBytes = 0
  #isInMark = true
  #isGzipBegun = false

  /**
   * @param stream - `text`: anything is one; `json`: it begins as a document does.
   * @param bytesMax - What has not told by then is a stream.
   */
  constructor(stream: StreamKind, bytesMax: number) {
    this.#stream = stream
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
    if (this.#isGzipBegun) return byte === GZIP_START[1] ? 'gzip' : 'stream'
    this.#isGzipBegun = byte === GZIP_START[0] && this.#isInMark && this.#markBytes === 0
    if (this.#isGzipBegun) return 'unknown'
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
    if (this.#stream === 'text') return 'stream'
    if (byte === 0x3c) return 'html'
    return this.#stream !== 'json' && (byte === 0x7b || byte === 0x5b) ? 'json' : 'stream'
  }
}
