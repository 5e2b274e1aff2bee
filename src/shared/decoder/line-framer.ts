import type { StreamLimits } from '../limits.ts'
import type { SlabAllocator } from '../slabs.ts'
import { Carry } from './carry.ts'
import type { FailureFrame, Frame, Framer } from './framer.ts'

const LF = 0x0a
const CR = 0x0d
const BLANKS = new Set([0x20, 0x09, CR])

/**
 * NDJSON: one payload a line. Lines end with LF, and the last with the source; blank ones are
 * skipped, and so is a byte order mark before the first.
 *
 * Every byte is looked at once to find the line ends, and copied once where a chunk ends inside its
 * line, apart from the doubling of a carry.
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export class LineFramer implements Framer {
  readonly #limits: StreamLimits
  readonly #line: Carry
  #offset = 0
  #isFirst = true

  constructor(limits: StreamLimits, slabs: SlabAllocator) {
    this.#limits = limits
    this.#line = new Carry(slabs)
  }

  get pendingBytes(): number {
    return this.#line.length
  }

  *push(chunk: Uint8Array): Generator<Frame, void> {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const frame = this.#endLine(chunk.subarray(start, end))
      start = end + 1
      if (frame !== null) yield frame
      if (frame?.kind === 'failure') return
      this.#line.clear()
    }
    const failure = this.#keep(chunk.subarray(start))
    if (failure !== null) yield failure
  }

  *end(): Generator<Frame, void> {
    const frame = this.#endLine(NOTHING)
    if (frame !== null) yield frame
  }

  release(): void {
    this.#line.clear()
  }

  /** Keeps the start of a line until the rest of it comes. */
  #keep(piece: Uint8Array): FailureFrame | null {
    if (this.#line.length + piece.length > this.#limits.lineBytesMax) return this.#tooLong()
    if (piece.length === 0 || this.#line.append(piece)) return null
    const message = 'no buffer is left for an unfinished line'
    return { kind: 'failure', code: 'BUFFERS_EXHAUSTED', message, offset: this.#offset }
  }

  #endLine(piece: Uint8Array): Frame | null {
    const isCut = this.#line.length > 0
    const failure = isCut ? this.#keep(piece) : null
    if (failure !== null) return failure
    const whole = isCut ? this.#line.bytes : piece
    if (whole.length > this.#limits.lineBytesMax) return this.#tooLong()
    const marked = this.#isFirst && whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf
    this.#isFirst = false
    const data = whole.subarray(marked ? 3 : 0, whole.at(-1) === CR ? -1 : undefined)
    const offset = this.#offset + (marked ? 3 : 0)
    this.#offset += whole.length + 1
    if (data.every((byte) => BLANKS.has(byte))) return null
    return { kind: 'payload', data, name: '', id: null, offset }
  }

  #tooLong(): FailureFrame {
    const { lineBytesMax } = this.#limits
    const message = `line exceeds lineBytesMax, ${lineBytesMax} bytes`
    return { kind: 'failure', code: 'LINE_TOO_LONG', message, offset: this.#offset }
  }
}

const NOTHING = new Uint8Array(0)
