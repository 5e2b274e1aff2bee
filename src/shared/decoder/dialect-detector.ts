/**
 * Recognises whose stream it is from its first bytes: the framing by how they begin, then the
 * dialect by the first payload that has a dialect's sign. What was looked at is kept, to be decoded
 * from the start.
 */
import { compileDialect, type CompiledDialect, type CompiledSign } from '../dialects/compile.ts'
import type { Dialect, Framing } from '../dialects/dialect.ts'
import { DIALECTS_KNOWN } from '../dialects/dialects.ts'
import { MillraceError } from '../errors.ts'
import {
  DETECTION_EVENTS_MAX,
  EXCERPT_BYTES_MAX,
  limitPassed,
  type StreamLimits,
} from '../limits.ts'
import { GZIP_START } from './body-sniffer.ts'
import { Carry } from './carry.ts'
import { crc32 } from './crc32.ts'
import { createFramer } from './create-framer.ts'
import { GZIP_MESSAGE } from './faults.ts'
import type { FailureFrame, Frame, Framer } from './framer.ts'
import { HeapSlabs } from './heap-slabs.ts'
import { find, type JsonNode, parseJson, parsePayload } from './json.ts'
import { decodeJsonString } from './json-text.ts'
import { newCounts } from './plain-decoder.ts'
import { decodeUtf8 } from './utf8.ts'

const OBJECT_START = 0x7b
const ARRAY_START = 0x5b
const TAG_START = 0x3c

const MARK_AND_BLANKS = new Set([0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0a, 0x0d])
/** Of an AWS frame, with the CRC of the eight bytes before. */
const PRELUDE_BYTES = 12

/** By the media type of a response that says more than its first bytes. */
const FRAMINGS: ReadonlyMap<string, Framing> = new Map([
  ['text/event-stream', 'sse'],
  ['application/x-ndjson', 'ndjson'],
  ['application/vnd.amazon.eventstream', 'aws-eventstream'],
])

export class DialectDetector {
  readonly #limits: StreamLimits
  readonly #slabs: HeapSlabs
  readonly #seen: Carry
  /** Of the response, `''` where there is none. */
  contentType = ''
  #framing: Framing | null = null
  #framer: Framer | null = null
  #events = 0
  /** The provider reported an error, and has said nothing else. */
  #hasError = false

  constructor(limits: StreamLimits) {
    this.#limits = limits
    this.#slabs = new HeapSlabs(8 * (limits.lineBytesMax + limits.eventBytesMax))
    this.#seen = new Carry(this.#slabs)
  }

  /** All bytes so far. */
  get seen(): Uint8Array {
    return this.#seen.bytes
  }

  /**
   * Looks at the next chunk.
   *
   * @returns The dialect, or `null` while more bytes are needed.
   * @throws {MillraceError} `DIALECT_UNRECOGNIZED`, `NOT_A_STREAM`, `LINE_TOO_LONG`,
   *   `EVENT_TOO_LARGE`, `BUFFERS_EXHAUSTED`.
   */
  push(chunk: Uint8Array): Dialect | null {
    if (!this.#seen.append(chunk)) throw this.#unrecognized('the bytes so far tell nothing')
    if (this.#framer === null) {
      const framing = framingOf(this.seen)
      if (framing === null) return null
      this.#framing = FRAMINGS.get(mediaTypeOf(this.contentType)) ?? framing
      this.#framer = this.#newFramer(this.#framing)
      return this.#search(this.#framer.push(this.seen))
    }
    return this.#search(this.#framer.push(chunk))
  }

  /**
   * The source has ended.
   *
   * @throws {MillraceError} `DIALECT_UNRECOGNIZED`, `NOT_A_STREAM`, `LINE_TOO_LONG`,
   *   `EVENT_TOO_LARGE`, `BUFFERS_EXHAUSTED`.
   */
  end(): Dialect {
    const found = this.#framer === null ? null : this.#search(this.#framer.end())
    if (found !== null) return found
    // Its decoder reports the error as any other of this dialect would.
    if (this.#hasError || this.#isJsonDocument()) return dialectNamed('openai-chat')
    throw this.#unrecognized(this.seen.length === 0 ? 'the body is empty' : 'the source ended')
  }

  #newFramer(framing: Framing): Framer {
    const options = { limits: this.#limits, strict: false, flushIncomplete: true }
    return createFramer(framing, options, this.#slabs, newCounts())
  }

  #search(frames: Iterable<Frame>): Dialect | null {
    if (this.#framing === 'aws-eventstream') return dialectNamed('bedrock-eventstream')
    for (const frame of frames) {
      if (frame.kind === 'failure') throw failed(frame, this.#limits)
      if (frame.kind === 'stray') this.#hasError ||= frame.name === 'error'
      if (frame.kind !== 'payload') continue
      const found = this.#recognize(frame.data, frame.name)
      if (found !== null) return found
      if (++this.#events === DETECTION_EVENTS_MAX) {
        throw this.#unrecognized(`the first ${DETECTION_EVENTS_MAX} events tell nothing`)
      }
    }
    return null
  }

  #recognize(data: Uint8Array, name: string): Dialect | null {
    const values = parsePayload(data, this.#limits)
    const value = typeof values === 'string' ? undefined : values[0]
    if (value?.type !== 'object') return null
    this.#hasError ||= value.members.has('error') || name === 'error'
    const known = DIALECTS_KNOWN.find((dialect) => {
      const compiled = compileDialect(dialect)
      return dialect.framing === this.#framing && hasSign(compiled, value, data, name)
    })
    return known ?? null
  }

  #isJsonDocument(): boolean {
    const node = parseJson(this.seen, this.#limits)
    return typeof node !== 'string' && node.type === 'object'
  }

  #unrecognized(why: string): MillraceError {
    const { seen } = this
    const excerpt = decodeUtf8(seen.subarray(0, EXCERPT_BYTES_MAX))
    const message = `cannot tell whose stream this is, name its dialect: ${why}`
    return new MillraceError('DIALECT_UNRECOGNIZED', message, { bytes: seen.length, excerpt })
  }
}

/** How a body is framed, by its first bytes; `null` while there are too few. */
function framingOf(bytes: Uint8Array): Framing | null {
  if (bytes[0] === GZIP_START[0]) {
    if (bytes.length < 2) return null
    if (bytes[1] === GZIP_START[1]) {
      throw new MillraceError('NOT_A_STREAM', GZIP_MESSAGE, { offset: 0, excerpt: '' })
    }
  }
  // No text begins with a zero byte; every AWS frame below 16 MiB does.
  if (bytes[0] === 0) {
    if (bytes.length < PRELUDE_BYTES) return null
    const { buffer, byteOffset } = bytes
    const sent = new DataView(buffer, byteOffset).getUint32(PRELUDE_BYTES - 4)
    return sent === crc32(bytes.subarray(0, PRELUDE_BYTES - 4)) ? 'aws-eventstream' : 'sse'
  }
  switch (bytes.find((byte) => !MARK_AND_BLANKS.has(byte))) {
    case undefined:
      return null
    case OBJECT_START:
      return 'ndjson'
    case ARRAY_START:
      return 'json-array'
    case TAG_START:
      throw new MillraceError('NOT_A_STREAM', 'body is HTML, no event stream', {
        offset: 0,
        excerpt: decodeUtf8(bytes.subarray(0, EXCERPT_BYTES_MAX)),
      })
    default:
      return 'sse'
  }
}

function hasSign(
  { signs, discriminator }: CompiledDialect,
  value: JsonNode,
  bytes: Uint8Array,
  name: string,
): boolean {
  const node = discriminator === null ? undefined : find(value, discriminator)
  const own = node?.type === 'string' ? decodeJsonString(bytes.subarray(node.start, node.end)) : ''
  const type = own || name
  return signs.some((sign) => type.startsWith(sign.type) && holds(sign, value))
}

function holds({ each, has }: CompiledSign, value: JsonNode): boolean {
  const isThere = (node: JsonNode): boolean => (find(node, has)?.type ?? 'null') !== 'null'
  if (each === null) return isThere(value)
  const list = find(value, each)
  return list?.type === 'array' && list.items.some(isThere)
}

/** As the decoder of whatever dialect would report it. */
function failed({ code, message, offset }: FailureFrame, limits: StreamLimits): MillraceError {
  const details = { offset, excerpt: '', ...limitPassed(code, limits) }
  return new MillraceError(code, message, details)
}

function dialectNamed(name: string): Dialect {
  return DIALECTS_KNOWN.find((dialect) => dialect.name === name) as Dialect
}

export function mediaTypeOf(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
