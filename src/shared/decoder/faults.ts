/** Why a decoder gives up an event, or the stream. */
import { asciiJson } from '../ascii-json.ts'
import { CHOICE_MAX } from '../dialects/dialect.ts'
import { EXCERPT_BYTES_MAX } from '../limits.ts'
import { DECODE_ERROR_CODES, type DecodeErrorCode } from '../rows.ts'
import { decodeUtf8 } from './utf8.ts'

export const GZIP_MESSAGE = 'body is gzip, no event stream: it must be inflated first'

/** @param value - What was sent in its place, as it was sent. */
export function indexMessage(value: Uint8Array, max: number): string {
  const sent = decodeUtf8(value.subarray(0, EXCERPT_BYTES_MAX))
  const what = max === CHOICE_MAX ? 'choice' : 'index'
  return `event has ${sent} for its ${what}, which must be an integer from 0 to ${max}`
}

interface FaultKind {
  readonly code: DecodeErrorCode
  /** `limit` is the one that was passed, and `value` what did, where the fault is that. */
  readonly message: (limit: number, data: Uint8Array, value: Uint8Array) => string
  /** The data is part of the message, and no excerpt. */
  readonly isBlind?: true
}

/** `sent` is the CRC as it was sent. */
const crcMessage = (what: string) => (computed: number, sent: Uint8Array) =>
  `CRC of the ${what} is ${hex(computed)}, ${Buffer.from(sent).toString('hex')} was sent`

/** By number: the WASM decoder has no strings. Its failure.ts has the same numbers by name. */
const FAULTS: readonly FaultKind[] = [
  { code: 'LINE_TOO_LONG', message: (max) => `line exceeds lineBytesMax, ${max} bytes` },
  { code: 'EVENT_TOO_LARGE', message: (max) => `event exceeds eventBytesMax, ${max} bytes` },
  { code: 'EVENT_TOO_LARGE', message: (max) => `body exceeds eventBytesMax, ${max} bytes` },
  { code: 'BUFFERS_EXHAUSTED', message: () => 'no buffer is left for an unfinished line' },
  { code: 'BUFFERS_EXHAUSTED', message: () => 'no buffer is left for an unfinished event' },
  { code: 'BUFFERS_EXHAUSTED', message: () => 'no buffer is left for the body' },
  { code: 'BUFFERS_EXHAUSTED', message: () => 'no buffer is left for the rows of an event' },
  { code: 'NOT_A_STREAM', message: () => 'body is HTML, no event stream' },
  { code: 'NOT_A_STREAM', message: () => 'body is a JSON document, no event stream' },
  { code: 'JSON_TOO_DEEP', message: (max) => `event is nested deeper than jsonDepthMax, ${max}` },
  { code: 'EVENT_MALFORMED', message: () => 'event is empty' },
  { code: 'EVENT_MALFORMED', message: () => 'event is not valid JSON' },
  { code: 'EVENT_MALFORMED', message: () => 'event holds malformed UTF-8' },
  { code: 'EVENT_CONCATENATED', message: () => 'event holds several JSON values' },
  { code: 'NOT_A_STREAM', message: () => GZIP_MESSAGE },
  { code: 'EVENT_MALFORMED', message: (max, _, value) => indexMessage(value, max) },
  { code: 'FRAME_CORRUPT', message: crcMessage('prelude'), isBlind: true },
  { code: 'FRAME_CORRUPT', message: crcMessage('frame'), isBlind: true },
  { code: 'FRAME_CORRUPT', message: (bytes) => `frame of ${bytes} bytes has impossible lengths` },
  { code: 'FRAME_CORRUPT', message: () => 'headers of the frame are not whole' },
  {
    code: 'JSON_NUMBER_TOO_LONG',
    message: (max) => `event has a number over jsonNumberBytesMax, ${max} bytes`,
  },
]

/** A fault as its row has it. */
export interface FaultReport {
  /** Index into DECODE_ERROR_CODES. */
  readonly code: number
  readonly text: string
}

/**
 * @param data - What the excerpt is taken from.
 * @param value - Of an event with one that cannot be an index, that.
 */
export function reportFault(
  fault: number,
  limit: number,
  offset: number,
  data: Uint8Array,
  value: Uint8Array,
): FaultReport {
  const { code, message, isBlind = false } = FAULTS[fault] as FaultKind
  const excerpt = isBlind ? '' : decodeUtf8(data.subarray(0, EXCERPT_BYTES_MAX))
  return {
    code: DECODE_ERROR_CODES.indexOf(code),
    text: asciiJson({ offset, message: message(limit, data, value), excerpt }),
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
