import { asciiJson } from '../ascii-json.ts'
import { compileDialect, type CompiledDialect, type Keys } from '../dialects/compile.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { EXCERPT_BYTES_MAX } from '../limits.ts'
import type { RowWriter } from '../row-writer.ts'
import {
  DECODE_ERROR_CODES,
  type DecodeErrorCode,
  ROW_ERROR,
  ROW_EVENT_DATA,
  ROW_EVENT_ID,
  ROW_EVENT_NAME,
  ROW_FATAL,
  ROW_PROVIDER_ERROR,
  ROW_TERMINATOR,
  type RowKind,
} from '../rows.ts'
import type { SlabAllocator } from '../slabs.ts'
import { PRELUDE_BYTES } from './aws-framer.ts'
import { BodySniffer } from './body-sniffer.ts'
import { Carry } from './carry.ts'
import { createFramer } from './create-framer.ts'
import type { DecodeCounts, DecodeOptions, Decoder } from './decoder.ts'
import { type EventName, Extractor } from './extractor.ts'
import { GZIP_MESSAGE } from './faults.ts'
import type { ExceptionFrame, Frame, Framer, PayloadFrame, StrayFrame } from './framer.ts'
import { type JsonNode, type JsonRefusal, parseJson, parsePayload } from './json.ts'
import { decodeUtf8 } from './utf8.ts'
import { exceptionText, unwrap } from './wrapped.ts'

/** Index of a provider's error that came on a bare `error:` line, see ROW_PROVIDER_ERROR. */
const OUTSIDE_PROTOCOL = 0

export function newCounts(): DecodeCounts {
  return { bytes: 0, events: 0, malformed: 0, comments: 0, replacements: 0, ignoredFields: 0 }
}

/**
 * The decoder in plain TypeScript: it defines what correct means for every other one, and runs
 * where shared WASM memory cannot be had.
 *
 * @throws {MillraceError} `DIALECT_INVALID`.
 */
export function createPlainDecoder(
  dialect: Dialect,
  options: DecodeOptions,
  slabs: SlabAllocator,
): Decoder {
  return new PlainDecoder(compileDialect(dialect), options, slabs)
}

class PlainDecoder implements Decoder {
  readonly counts: DecodeCounts = newCounts()
  failed = false

  readonly #dialect: CompiledDialect
  readonly #options: DecodeOptions
  readonly #framer: Framer
  readonly #extractor: Extractor
  readonly #sniffer: BodySniffer
  /** A body that is no stream, kept from its first byte: whole if JSON, else for its excerpt. */
  readonly #body: Carry
  #bodyOffset = 0
  /** A sentinel was seen. */
  #ended = false

  constructor(dialect: CompiledDialect, options: DecodeOptions, slabs: SlabAllocator) {
    this.#dialect = dialect
    this.#options = options
    const { framing } = dialect
    this.#framer = createFramer(framing, options, slabs, this.counts)
    this.#extractor = new Extractor(dialect, this.counts)
    const isJson = framing === 'ndjson' || framing === 'json-array'
    // By the end of its prelude the first frame has failed, or it is one.
    const sniffedBytes = framing === 'aws-eventstream' ? PRELUDE_BYTES : Infinity
    const kind = dialect.payload === 'text' ? 'text' : isJson ? 'json' : 'other'
    this.#sniffer = new BodySniffer(kind, sniffedBytes)
    this.#body = new Carry(slabs)
  }

  get pendingBytes(): number {
    return this.#framer.pendingBytes + this.#body.length
  }

  push(chunk: Uint8Array, rows: RowWriter): void {
    const offset = this.counts.bytes
    this.counts.bytes += chunk.length
    if (this.failed) return
    let start = 0
    if (this.#sniffer.kind === 'unknown') {
      const at = this.#sniffer.look(chunk)
      if (this.#isBody) {
        this.#framer.release()
        this.#bodyOffset = offset + at
        start = at
      }
    }
    if (this.#sniffer.kind === 'gzip') {
      this.#fail({ code: 'NOT_A_STREAM', offset: 0, message: GZIP_MESSAGE, data: NO_BYTES }, rows)
      return
    }
    if (this.#isBody) this.#keepBody(chunk.subarray(start), rows)
    else this.#takeFrames(this.#framer.push(chunk), rows)
  }

  end(rows: RowWriter): void {
    if (!this.failed && this.#isBody) this.#endBody(rows)
    else if (!this.failed) this.#takeFrames(this.#framer.end(), rows)
    this.release()
  }

  release(): void {
    this.#framer.release()
    this.#body.clear()
  }

  get #isBody(): boolean {
    return this.#sniffer.kind === 'json' || this.#sniffer.kind === 'html'
  }

  #takeFrames(frames: Iterable<Frame>, rows: RowWriter): void {
    for (const frame of frames) {
      this.#takeFrame(frame, rows)
      if (this.failed) break
    }
  }

  #takeFrame(frame: Frame, rows: RowWriter): void {
    switch (frame.kind) {
      case 'payload':
        this.counts.events++
        if (this.#dialect.payload === 'text' || this.#options.raw) this.#takeText(frame, rows)
        if (this.failed) break
        if (this.#dialect.payload === 'json' && !this.#ended) this.#takePayload(frame, rows)
        break
      case 'exception':
        this.counts.events++
        if (!this.#ended) this.#takeException(frame, rows)
        break
      case 'stray':
        if (this.#dialect.payload === 'json' && frame.name === 'error') this.#takeStray(frame, rows)
        break
      case 'failure':
        this.#fail({ ...frame, data: NO_BYTES }, rows)
        break
    }
  }

  #takeText(frame: PayloadFrame, rows: RowWriter): void {
    const { data, name, id, offset, nameReplaced = 0, idReplaced = 0 } = frame
    this.#allOrNothing(offset, data, rows, () => {
      if (name !== '') rows.write(ROW_EVENT_NAME, 0, -1, name)
      if (id !== null) rows.write(ROW_EVENT_ID, 0, -1, id)
      this.counts.replacements += nameReplaced + (id === null ? 0 : idReplaced)
      rows.write(ROW_EVENT_DATA, 0, -1, decodeUtf8(data, this.counts))
    })
  }

  #takePayload(frame: PayloadFrame, rows: RowWriter): void {
    const { data, name, offset } = frame
    const sentinel = this.#dialect.sentinels.find((text) => equals(data, text))
    if (sentinel !== undefined) {
      this.#ended = true
      rows.write(ROW_TERMINATOR, 0, -1, sentinel)
      return
    }
    const { wrapped } = this.#dialect
    if (wrapped !== null && name === wrapped.on) this.#takeWrapped(wrapped.keys, frame, rows)
    else this.#takeJson(data, frame, offset, rows)
  }

  /** The type of what is inside is its own. */
  #takeWrapped(keys: Keys, { data, offset }: PayloadFrame, rows: RowWriter): void {
    const inner = unwrap(data, keys, this.#options.limits)
    if (typeof inner === 'string') this.#refuse(inner, offset, data, rows)
    else this.#takeJson(inner, NO_NAME, offset, rows)
  }

  #takeJson(data: Uint8Array, name: EventName, offset: number, rows: RowWriter): void {
    const values = parsePayload(data, this.#options.limits)
    if (typeof values === 'string') this.#refuse(values, offset, data, rows)
    else if (values.length > 1 && this.#dialect.oneValue) this.#refuseMany(offset, data, rows)
    else this.#extract(values, data, name, offset, rows)
  }

  #takeException(frame: ExceptionFrame, rows: RowWriter): void {
    const { offset, data } = frame
    this.#allOrNothing(offset, data, rows, () => {
      const text = exceptionText(frame, this.#options.limits.jsonDepthMax, this.counts)
      rows.write(ROW_PROVIDER_ERROR, 0, -1, text)
    })
  }

  #extract(
    values: readonly JsonNode[],
    data: Uint8Array,
    name: EventName,
    offset: number,
    rows: RowWriter,
  ): void {
    const extractor = this.#extractor
    const said = extractor.save()
    const { replacements } = this.counts
    const { rowCount, textBytes, wideBytes } = rows
    this.#allOrNothing(offset, data, rows, () => {
      for (const value of values) extractor.extract(value, data, name, rows)
      const message = extractor.takeFault()
      if (message === null) return
      Object.assign(rows, { rowCount, textBytes, wideBytes })
      this.counts.replacements = replacements
      this.counts.malformed++
      extractor.restore(said)
      this.#report({ code: 'EVENT_MALFORMED', offset, message, data }, rows)
    })
  }

  /** Where malformed UTF-8 is an error, an event with some writes that error and nothing else. */
  #allOrNothing(offset: number, data: Uint8Array, rows: RowWriter, write: () => void): void {
    const { replacements } = this.counts
    const { rowCount, textBytes, wideBytes } = rows
    write()
    if (!this.#options.strict || this.counts.replacements === replacements) return
    Object.assign(rows, { rowCount, textBytes, wideBytes })
    this.counts.malformed++
    const message = 'event holds malformed UTF-8'
    this.#fail({ code: 'EVENT_MALFORMED', offset, message, data }, rows)
  }

  /** Some servers end a stream with a bare line `error: {…}`, which WHATWG has a client ignore. */
  #takeStray({ value }: StrayFrame, rows: RowWriter): void {
    if (value.length === 0 || this.#ended) return
    const node = parseJson(value, this.#options.limits)
    const isObject = typeof node === 'object' && node.type === 'object'
    const text = decodeUtf8(value, this.counts)
    rows.write(ROW_PROVIDER_ERROR, 0, OUTSIDE_PROTOCOL, isObject ? text : asciiJson(text))
  }

  #keepBody(bytes: Uint8Array, rows: RowWriter): void {
    const { eventBytesMax } = this.#options.limits
    const isHtml = this.#sniffer.kind === 'html'
    const kept = isHtml ? bytes.subarray(0, EXCERPT_BYTES_MAX - this.#body.length) : bytes
    const at = { offset: this.#bodyOffset, data: NO_BYTES }
    if (this.#body.length + kept.length > eventBytesMax) {
      const message = `body exceeds eventBytesMax, ${eventBytesMax} bytes`
      this.#fail({ code: 'EVENT_TOO_LARGE', message, ...at }, rows)
    } else if (!this.#body.append(kept)) {
      const message = 'no buffer is left for the body'
      this.#fail({ code: 'BUFFERS_EXHAUSTED', message, ...at }, rows)
    } else if (isHtml && this.#body.length === EXCERPT_BYTES_MAX) {
      this.#endBody(rows)
    }
  }

  #endBody(rows: RowWriter): void {
    const data = this.#body.bytes
    const offset = this.#bodyOffset
    if (this.#sniffer.kind === 'html') {
      const message = 'body is HTML, no event stream'
      this.#fail({ code: 'NOT_A_STREAM', offset, message, data }, rows)
      return
    }
    this.counts.events++
    const values = parsePayload(data, this.#options.limits)
    if (typeof values === 'string') this.#refuse(values, offset, data, rows)
    else this.#extract(values.flatMap(itemsOf), data, NO_NAME, offset, rows)
    if (this.failed) return
    const message = 'body is a JSON document, no event stream'
    this.#fail({ code: 'NOT_A_STREAM', offset, message, data }, rows)
  }

  #refuse(refusal: JsonRefusal, offset: number, data: Uint8Array, rows: RowWriter): void {
    this.counts.malformed++
    const { jsonDepthMax, jsonNumberBytesMax } = this.#options.limits
    if (refusal === 'too-deep') {
      const message = `event is nested deeper than jsonDepthMax, ${jsonDepthMax}`
      this.#report({ code: 'JSON_TOO_DEEP', offset, message, data }, rows)
    } else if (refusal === 'number-too-long') {
      const message = `event has a number over jsonNumberBytesMax, ${jsonNumberBytesMax} bytes`
      this.#report({ code: 'JSON_NUMBER_TOO_LONG', offset, message, data }, rows)
    } else {
      const message = data.length === 0 ? 'event is empty' : 'event is not valid JSON'
      this.#report({ code: 'EVENT_MALFORMED', offset, message, data }, rows)
    }
  }

  #refuseMany(offset: number, data: Uint8Array, rows: RowWriter): void {
    this.counts.malformed++
    const message = 'event holds several JSON values'
    this.#report({ code: 'EVENT_CONCATENATED', offset, message, data }, rows)
  }

  /** An error after which the stream goes on, unless `strict`. */
  #report(fault: Fault, rows: RowWriter): void {
    if (this.#options.strict) this.#fail(fault, rows)
    else writeFault(ROW_ERROR, fault, rows)
  }

  #fail(fault: Fault, rows: RowWriter): void {
    writeFault(ROW_FATAL, fault, rows)
    this.failed = true
    this.release()
  }
}

const NO_BYTES = new Uint8Array(0)
const NO_NAME: EventName = { name: '' }

interface Fault {
  readonly code: DecodeErrorCode
  readonly offset: number
  readonly message: string
  /** What the excerpt is taken from. */
  readonly data: Uint8Array
}

function writeFault(kind: RowKind, { code, offset, message, data }: Fault, rows: RowWriter): void {
  const excerpt = decodeUtf8(data.subarray(0, EXCERPT_BYTES_MAX))
  const text = asciiJson({ offset, message, excerpt })
  rows.write(kind, DECODE_ERROR_CODES.indexOf(code), -1, text)
}

/** A JSON document may be a list of payloads: so some servers answer when not asked to stream. */
function itemsOf(value: JsonNode): readonly JsonNode[] {
  return value.type === 'array' ? value.items : [value]
}

/** `text` is ASCII. */
function equals(bytes: Uint8Array, text: string): boolean {
  if (bytes.length !== text.length) return false
  return bytes.every((byte, at) => byte === text.charCodeAt(at))
}
