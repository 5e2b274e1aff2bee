/** What a body is, by its first byte after a byte order mark and blanks. */
export type BodyKind = 'unknown' | 'stream' | 'json' | 'html'

const MARK = [0xef, 0xbb, 0xbf]
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * Tells an event stream from what comes in its place when a request fails: a JSON document, or the
 * HTML page of a proxy.
 */
export class BodySniffer {
  kind: BodyKind = 'unknown'
  #markBytes = 0
  #isInMark = true

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
      this.kind = isMarkCut ? 'stream' : kindOf(byte)
      return at
    }
    return chunk.length
  }
}

function kindOf(byte: number): BodyKind {
  if (byte === 0x7b || byte === 0x5b) return 'json'
  return byte === 0x3c ? 'html' : 'stream'
}
