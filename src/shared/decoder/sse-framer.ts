import type { StreamLimits } from '../limits.ts'
import type { DecodeErrorCode } from '../rows.ts'
import type { SlabAllocator } from '../slabs.ts'
import { Carry } from './carry.ts'
import type { DecodeCounts, DecodeOptions } from './decoder.ts'
import type { FailureFrame, Frame, Framer } from './framer.ts'
import { decodeUtf8 } from './utf8.ts'

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const LINE_FEED = new Uint8Array([LF])

/** Longest known field name, bytes. */
const FIELD_NAME_BYTES_MAX = 5
/** A longer `retry` is this: the largest delay that timers take. Milliseconds. */
const RETRY_MS_MAX = 2 ** 31 - 1

/**
 * Server-Sent Events, byte for byte as WHATWG has them.
 *
 * Every byte is looked at once to find the line ends, and copied at most twice, apart from the
 * doubling of a carry: into the line's carry where a chunk ends inside the line, into the event's
 * data at the end of the line. An event is out with the byte that ends its blank line; where that
 * is a CR, an LF after it belongs to the same line end.
 *
 * A line's length is checked at every byte, an event's at the end of each of its data lines, so
 * that the same bytes fail at the same place however they are cut.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseFramer implements Framer {
  /** The last valid `retry` field, milliseconds, `null` before any. */
  retryMs: number | null = null
  lastEventId = ''

  readonly #limits: StreamLimits
  readonly #flushIncomplete: boolean
  readonly #counts: DecodeCounts
  /** The unfinished line, where it is worth keeping: a comment is only measured. */
  readonly #line: Carry
  /** Data lines of the unfinished event, joined by LF. */
  readonly #data: Carry

  #lineBytes = 0
  #lineIsComment = false
  #lineOffset = 0
  #isFirstLine = true
  #afterCr = false

  #isOpen = false
  #eventOffset = 0
  #hasData = false
  #name = ''
  #nameReplaced = 0
  #idChanged = false
  #idReplaced = 0

  constructor(options: DecodeOptions, slabs: SlabAllocator, counts: DecodeCounts) {
    this.#limits = options.limits
    this.#flushIncomplete = options.flushIncomplete ?? false
    this.#counts = counts
    this.#line = new Carry(slabs)
    this.#data = new Carry(slabs)
  }

  get pendingBytes(): number {
    return this.#lineBytes + this.#data.length
  }

  *push(chunk: Uint8Array): Generator<Frame, void> {
    const chunkOffset = this.#lineOffset + this.#lineBytes
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte !== LF && byte !== CR) continue
      const isSecondHalf = byte === LF && this.#afterCr && at === start && this.#lineBytes === 0
      const frame = isSecondHalf ? null : this.#endLine(chunk.subarray(start, at))
      start = at + 1
      this.#afterCr = byte === CR
      this.#lineOffset = chunkOffset + start
      if (frame === null) continue
      yield frame
      if (frame.kind === 'failure') return
      this.#line.clear()
      if (frame.kind === 'payload') this.#data.clear()
    }
    const failure = this.#keep(chunk.subarray(start))
    if (failure !== null) yield failure
  }

  /** An event without its blank line is none, unless the options say otherwise. */
  *end(): Generator<Frame, void> {
    if (!this.#flushIncomplete) return
    const line = this.#lineBytes > 0 ? this.#endLine(LINE_FEED.subarray(1)) : null
    if (line !== null) yield line
    const event = line?.kind === 'failure' ? null : this.#endEvent()
    if (event !== null) yield event
  }

  release(): void {
    this.#line.clear()
    this.#data.clear()
    this.#lineBytes = 0
  }

  /** Keeps the start of a line until the rest of it comes. */
  #keep(piece: Uint8Array): FailureFrame | null {
    if (piece.length === 0) return null
    if (this.#lineBytes === 0) this.#lineIsComment = piece[0] === COLON
    this.#lineBytes += piece.length
    if (this.#lineBytes > this.#limits.lineBytesMax) return this.#lineTooLong()
    if (this.#lineIsComment || this.#line.append(piece)) return null
    return this.#failure('BUFFERS_EXHAUSTED', 'no buffer is left for an unfinished line')
  }

  #endLine(piece: Uint8Array): Frame | null {
    const isCut = this.#lineBytes > 0
    const lineBytes = this.#lineBytes + piece.length
    if (lineBytes > this.#limits.lineBytesMax) return this.#lineTooLong()
    this.#lineBytes = 0
    if (!isCut) return this.#takeLine(piece)
    if (this.#lineIsComment) return this.#takeComment()
    if (!this.#line.append(piece)) {
      return this.#failure('BUFFERS_EXHAUSTED', 'no buffer is left for an unfinished line')
    }
    const frame = this.#takeLine(this.#line.bytes)
    // A frame may still be a view of the line: `push` clears it once the frame was seen.
    if (frame === null) this.#line.clear()
    return frame
  }

  #takeLine(whole: Uint8Array): Frame | null {
    const line = this.#isFirstLine ? this.#withoutMark(whole) : whole
    this.#isFirstLine = false
    if (line.length === 0) return this.#endEvent()
    if (line[0] === COLON) return this.#takeComment()
    if (!this.#isOpen) this.#eventOffset = this.#lineOffset
    this.#isOpen = true
    const colon = line.indexOf(COLON)
    if (colon < 0) return this.#takeField(line, line.subarray(line.length))
    const valueAt = line[colon + 1] === SPACE ? colon + 2 : colon + 1
    return this.#takeField(line.subarray(0, colon), line.subarray(valueAt))
  }

  #takeField(name: Uint8Array, value: Uint8Array): Frame | null {
    switch (name.length <= FIELD_NAME_BYTES_MAX ? String.fromCharCode(...name) : '') {
      case 'data':
        return this.#takeData(value)
      case 'event':
        this.#takeName(value)
        return null
      case 'id':
        this.#takeId(value)
        return null
      case 'retry':
        this.#takeRetry(value)
        return null
      default:
        return { kind: 'stray', name: decodeUtf8(name), value, offset: this.#lineOffset }
    }
  }

  #takeData(value: Uint8Array): FailureFrame | null {
    const { eventBytesMax } = this.#limits
    const separator = this.#hasData ? LINE_FEED : LINE_FEED.subarray(1)
    this.#hasData = true
    if (this.#data.length + separator.length + value.length > eventBytesMax) {
      return this.#failure('EVENT_TOO_LARGE', `event exceeds eventBytesMax, ${eventBytesMax} bytes`)
    }
    if (this.#data.append(separator) && this.#data.append(value)) return null
    return this.#failure('BUFFERS_EXHAUSTED', 'no buffer is left for an unfinished event')
  }

  #takeName(value: Uint8Array): void {
    if (value.length > this.#limits.eventNameBytesMax) {
      this.#counts.ignoredFields++
      return
    }
    const tally = { replacements: 0 }
    this.#name = decodeUtf8(value, tally)
    this.#nameReplaced = tally.replacements
  }

  #takeId(value: Uint8Array): void {
    if (value.includes(0)) return
    if (value.length > this.#limits.eventIdBytesMax) {
      this.#counts.ignoredFields++
      return
    }
    const tally = { replacements: 0 }
    this.lastEventId = decodeUtf8(value, tally)
    this.#idReplaced = tally.replacements
    this.#idChanged = true
  }

  #takeRetry(value: Uint8Array): void {
    if (value.length === 0) return
    let ms = 0
    for (const byte of value) {
      if (byte < 0x30 || byte > 0x39) return
      ms = Math.min(ms * 10 + byte - 0x30, RETRY_MS_MAX)
    }
    this.retryMs = ms
  }

  #takeComment(): null {
    this.#isFirstLine = false
    this.#counts.comments++
    return null
  }

  /** A blank line: dispatches the event if it has data, and forgets its name in any case. */
  #endEvent(): Frame | null {
    const [name, nameReplaced, idReplaced] = [this.#name, this.#nameReplaced, this.#idReplaced]
    const hasData = this.#hasData
    this.#name = ''
    this.#nameReplaced = 0
    this.#hasData = false
    this.#isOpen = false
    if (!hasData) return null
    const id = this.#idChanged ? this.lastEventId : null
    this.#idChanged = false
    const { bytes: data } = this.#data
    const offset = this.#eventOffset
    return { kind: 'payload', data, name, id, nameReplaced, idReplaced, offset }
  }

  /** The first line without its byte order mark; its offset moves along. */
  #withoutMark(line: Uint8Array): Uint8Array {
    if (line[0] !== 0xef || line[1] !== 0xbb || line[2] !== 0xbf) return line
    this.#lineOffset += 3
    return line.subarray(3)
  }

  #lineTooLong(): FailureFrame {
    const { lineBytesMax } = this.#limits
    return this.#failure('LINE_TOO_LONG', `line exceeds lineBytesMax, ${lineBytesMax} bytes`)
  }

  #failure(code: DecodeErrorCode, message: string): FailureFrame {
    const offset = this.#isOpen ? this.#eventOffset : this.#lineOffset
    return { kind: 'failure', code, message, offset }
  }
}
