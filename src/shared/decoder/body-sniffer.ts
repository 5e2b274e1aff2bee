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
  #markBytes = 0
  #isInMark = true
  #isGzipBegun = false

  /** @param stream - `text`: anything is one; `json`: it begins as a document does. */
  constructor(stream: StreamKind) {
    this.#stream = stream
  }

  /** Looks at the next chunk; returns the place of the byte that decided, or its length. */
  look(chunk: Uint8Array): number {
    for (const [at, byte] of chunk.entries()) {
      if (this.#isGzipBegun) {
        this.kind = byte === GZIP_START[1] ? 'gzip' : 'stream'
        return at
      }
      this.#isGzipBegun = byte === GZIP_START[0] && this.#isInMark && this.#markBytes === 0
      if (this.#isGzipBegun) continue
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
    if (this.#stream === 'text') return 'stream'
    if (byte === 0x3c) return 'html'
    return this.#stream !== 'json' && (byte === 0x7b || byte === 0x5b) ? 'json' : 'stream'
  }
}
