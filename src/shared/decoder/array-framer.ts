import type { StreamLimits } from '../limits.ts'
import type { SlabAllocator } from '../slabs.ts'
import { Carry } from './carry.ts'
import type { FailureFrame, Frame, Framer } from './framer.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const ARRAY_START = 0x5b
const BACKSLASH = 0x5c
const ARRAY_END = 0x5d
const OBJECT_START = 0x7b
const OBJECT_END = 0x7d

const MARK = new Set([0xef, 0xbb, 0xbf])
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])

/** Where the next byte lies. */
type Place = 'outside' | 'between' | 'inside'

/**
 * A JSON array that is sent piece by piece: one payload an element, each with its last byte.
 *
 * Only brackets and strings are followed, to find where an element ends; whether it is JSON its
 * reader tells. An object in place of the array is a payload as well, and so is whatever else lies
 * around: so a refused request is seen, and nothing is lost in silence. Commas are not counted.
 *
 * Every byte is looked at once, and copied once where a chunk ends inside its element, apart from
 * the doubling of a carry.
 */
export class ArrayFramer implements Framer {
  readonly #limits: StreamLimits
  /** The unfinished element. */
  readonly #element: Carry
  #place: Place = 'outside'
  #wasInArray = false
  #depth = 0
  #isInString = false
  #isEscaped = false
  /** Nothing but a byte order mark and blanks came. */
  #isFresh = true
  #taken = 0
  #offset = 0

  constructor(limits: StreamLimits, slabs: SlabAllocator) {
    this.#limits = limits
    this.#element = new Carry(slabs)
  }

  get pendingBytes(): number {
    return this.#element.length
  }

  *push(chunk: Uint8Array): Generator<Frame, void> {
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      const isFirst = this.#place !== 'inside'
      if (isFirst) {
        if (!this.#begins(byte)) continue
        start = at
        this.#offset = this.#taken + at
      }
      const end = this.#follow(byte, at)
      // What begins an element does not end it: a comma outside of the array is one of its bytes.
      if (end < 0 || (isFirst && end === at)) continue
      const frame = this.#take(chunk.subarray(start, end))
      yield frame
      if (frame.kind === 'failure') return
      this.#element.clear()
      start = end
      // What ends a number lies behind it, and says more than that.
      if (end === at) at--
    }
    this.#taken += chunk.length
    if (this.#place !== 'inside') return
    const failure = this.#keep(chunk.subarray(start))
    if (failure !== null) yield failure
  }

  /** An unfinished element is none, but for a number or the like, which only the end ends. */
  *end(): Generator<Frame, void> {
    if (this.#place === 'inside' && this.#depth === 0 && !this.#isInString)
      yield this.#take(NOTHING)
  }

  release(): void {
    this.#element.clear()
  }

  /** Whether a byte between elements is the first of one. */
  #begins(byte: number): boolean {
    if (BLANKS.has(byte) || (this.#isFresh && MARK.has(byte))) return false
    this.#isFresh = false
    if (this.#place === 'outside' && byte === ARRAY_START) {
      this.#place = 'between'
      return false
    }
    if (this.#place === 'between' && (byte === COMMA || byte === ARRAY_END)) {
      if (byte === ARRAY_END) this.#place = 'outside'
      return false
    }
    this.#wasInArray = this.#place === 'between'
    this.#place = 'inside'
    return true
  }

  /** Where the element ends whose next byte this is, exclusive; -1 where it goes on. */
  #follow(byte: number, at: number): number {
    if (this.#isInString) return this.#followString(byte, at)
    switch (byte) {
      case QUOTE:
        this.#isInString = true
        return -1
      case OBJECT_START:
      case ARRAY_START:
        this.#depth++
        return -1
      case OBJECT_END:
      case ARRAY_END:
        if (this.#depth === 0) return byte === ARRAY_END && this.#wasInArray ? at : -1
        return --this.#depth === 0 ? at + 1 : -1
      default:
        return this.#depth === 0 && (byte === COMMA || BLANKS.has(byte)) ? at : -1
    }
  }

  #followString(byte: number, at: number): number {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === BACKSLASH) this.#isEscaped = true
    else if (byte === QUOTE) {
      this.#isInString = false
      if (this.#depth === 0) return at + 1
    }
    return -1
  }

  #take(piece: Uint8Array): Frame {
    this.#place = this.#wasInArray ? 'between' : 'outside'
    const isCut = this.#element.length > 0
    const failure = isCut ? this.#keep(piece) : null
    if (failure !== null) return failure
    const data = isCut ? this.#element.bytes : piece
    if (data.length > this.#limits.eventBytesMax) return this.#tooLarge()
    return { kind: 'payload', data, name: '', id: null, offset: this.#offset }
  }

  #keep(piece: Uint8Array): FailureFrame | null {
    if (this.#element.length + piece.length > this.#limits.eventBytesMax) return this.#tooLarge()
    if (this.#element.append(piece)) return null
    const message = 'no buffer is left for an unfinished event'
    return { kind: 'failure', code: 'BUFFERS_EXHAUSTED', message, offset: this.#offset }
  }

  #tooLarge(): FailureFrame {
    const { eventBytesMax } = this.#limits
    const message = `event exceeds eventBytesMax, ${eventBytesMax} bytes`
    return { kind: 'failure', code: 'EVENT_TOO_LARGE', message, offset: this.#offset }
  }
}

const NOTHING = new Uint8Array(0)
