import type { StreamLimits } from '../limits.ts'
import type { DecodeErrorCode } from '../rows.ts'
import type { SlabAllocator } from '../slabs.ts'
import { Carry } from './carry.ts'
import { crc32 } from './crc32.ts'
import type { FailureFrame, Frame, Framer } from './framer.ts'
import { decodeUtf8 } from './utf8.ts'

/** Total length, length of the headers, CRC of those two: 32 bits each, big-endian. */
export const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const FRAME_BYTES_MIN: number = PRELUDE_BYTES + CRC_BYTES

const TYPE_STRING = 7
/** Bytes of a header's value by its type; -1: two bytes say how many follow. */
const VALUE_BYTES: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]

/**
 * AWS event streams: frames of headers and a payload, with a CRC over the prelude and one over all.
 *
 * A frame that fails a CRC or whose lengths contradict each other ends the stream: where the next
 * one begins is not known. A frame is looked at when its prelude is whole, and when all of it is;
 * it is copied once where a chunk ends inside it, apart from the doubling of a carry.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export class AwsFramer implements Framer {
  readonly #limits: StreamLimits
  /** The unfinished frame. */
  readonly #frame: Carry
  #offset = 0
  /** Length of the frame at hand, 0 while its prelude is not whole. */
  #frameBytes = 0

  constructor(limits: StreamLimits, slabs: SlabAllocator) {
    this.#limits = limits
    this.#frame = new Carry(slabs)
  }

  get pendingBytes(): number {
    return this.#frame.length
  }

  *push(chunk: Uint8Array): Generator<Frame, void> {
    for (let start = 0; start < chunk.length;) {
      const wanted = (this.#frameBytes || PRELUDE_BYTES) - this.#frame.length
      const piece = chunk.subarray(start, start + wanted)
      if (piece.length < wanted || this.#frame.length > 0) {
        if (!this.#frame.append(piece)) {
          yield this.#failure('BUFFERS_EXHAUSTED', 'no buffer is left for an unfinished event')
          return
        }
        start += piece.length
        if (piece.length < wanted) return
      }
      const bytes = this.#frame.length > 0 ? this.#frame.bytes : piece
      const frame = this.#frameBytes === 0 ? this.#takePrelude(bytes) : this.#takeFrame(bytes)
      if (frame !== null) yield frame
      if (frame?.kind === 'failure') return
      if (bytes.length === PRELUDE_BYTES) continue
      if (this.#frame.length === 0) start += wanted
      this.#frame.clear()
      this.#offset += this.#frameBytes
      this.#frameBytes = 0
    }
  }

  /** An unfinished frame is none. */
  *end(): Generator<Frame, void> {}

  release(): void {
    this.#frame.clear()
  }

  #takePrelude(prelude: Uint8Array): FailureFrame | null {
    const view = viewOf(prelude)
    const total = view.getUint32(0)
    const failure = this.#checkCrc(prelude, 'prelude')
    if (failure !== null) return failure
    if (total < FRAME_BYTES_MIN || view.getUint32(4) > total - FRAME_BYTES_MIN) {
      return this.#failure('FRAME_CORRUPT', `frame of ${total} bytes has impossible lengths`)
    }
    const { eventBytesMax } = this.#limits
    if (total > eventBytesMax) {
      return this.#failure('EVENT_TOO_LARGE', `event exceeds eventBytesMax, ${eventBytesMax} bytes`)
    }
    this.#frameBytes = total
    return null
  }

  #takeFrame(frame: Uint8Array): Frame {
    const failure = this.#checkCrc(frame, 'frame')
    if (failure !== null) return failure
    const payloadAt = PRELUDE_BYTES + viewOf(frame).getUint32(4)
    const headers = readHeaders(frame.subarray(PRELUDE_BYTES, payloadAt))
    if (headers === null) {
      return this.#failure('FRAME_CORRUPT', `headers of the frame are not whole`)
    }
    const data = frame.subarray(payloadAt, frame.length - CRC_BYTES)
    const offset = this.#offset
    const header = (name: string): string => decodeUtf8(headers.get(name) ?? NO_BYTES)
    switch (header(':message-type')) {
      case 'exception':
        return { kind: 'exception', type: header(':exception-type'), data, offset }
      case 'error': {
        const message = new TextEncoder().encode(header(':error-message'))
        return { kind: 'exception', type: header(':error-code'), data: message, offset }
      }
      default: {
        const tally = { replacements: 0 }
        const name = decodeUtf8(headers.get(':event-type') ?? NO_BYTES, tally)
        const { replacements: nameReplaced } = tally
        return { kind: 'payload', data, name, nameReplaced, id: null, offset }
      }
    }
  }

  /** The last four bytes are the CRC of those before. */
  #checkCrc(bytes: Uint8Array, what: string): FailureFrame | null {
    const at = bytes.length - CRC_BYTES
    const sent = viewOf(bytes).getUint32(at)
    const computed = crc32(bytes.subarray(0, at))
    if (sent === computed) return null
    const message = `CRC of the ${what} is ${hex(computed)}, ${hex(sent)} was sent`
    return this.#failure('FRAME_CORRUPT', message)
  }

  #failure(code: DecodeErrorCode, message: string): FailureFrame {
    return { kind: 'failure', code, message, offset: this.#offset }
  }
}

const NO_BYTES = new Uint8Array(0)

/** The headers that are strings, by name; `null` where one is cut or of no known type. */
function readHeaders(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> | null {
  const headers = new Map<string, Uint8Array>()
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length;) {
    const typeAt = at + 1 + (bytes[at] as number)
    const type = bytes[typeAt] ?? VALUE_BYTES.length
    const fixedBytes = VALUE_BYTES[type]
    if (fixedBytes === undefined) return null
    const valueAt = typeAt + (fixedBytes < 0 ? 3 : 1)
    if (valueAt > bytes.length) return null
    const end = valueAt + (fixedBytes < 0 ? view.getUint16(typeAt + 1) : fixedBytes)
    if (end > bytes.length) return null
    if (type === TYPE_STRING) {
      const name = decodeUtf8(bytes.subarray(at + 1, typeAt))
      headers.set(name, bytes.subarray(valueAt, end))
    }
    at = end
  }
  return headers
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
