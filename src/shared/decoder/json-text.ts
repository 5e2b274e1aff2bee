/** The values of JSON leaves: strings, indexes, raw text. The bytes were checked by json.ts. */
import { decodeUtf8, type Replacements } from './utf8.ts'

const BACKSLASH = 0x5c
const LETTER_U = 0x75

/** What the short escapes stand for, by their letter. */
const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x22, '"'],
  [0x2f, '/'],
  [0x5c, '\\'],
  [0x62, '\b'],
  [0x66, '\f'],
  [0x6e, '\n'],
  [0x72, '\r'],
  [0x74, '\t'],
])

/**
 * Decodes a JSON string, quotes included in `bytes`.
 *
 * `\ud83d` alone becomes a lone surrogate, as `JSON.parse` has it; malformed UTF-8 becomes U+FFFD
 * and is counted. A malformed sequence never reaches over a backslash or quote, which are ASCII.
 */
export function decodeJsonString(bytes: Uint8Array, tally?: Replacements): string {
  const end = bytes.length - 1
  let text = ''
  let start = 1
  for (;;) {
    const escape = bytes.indexOf(BACKSLASH, start)
    if (escape < 0) return text + decodeUtf8(bytes.subarray(start, end), tally)
    text += decodeUtf8(bytes.subarray(start, escape), tally)
    const letter = bytes[escape + 1] as number
    if (letter === LETTER_U) {
      text += String.fromCharCode(hexOf(bytes.subarray(escape + 2, escape + 6)))
      start = escape + 6
    } else {
      text += SHORT_ESCAPES.get(letter)
      start = escape + 2
    }
  }
}

/** Reads an index: a number of digits only, up to `max`. Else -1: 1.5, -1 and 1e9 are none. */
export function decodeIndex(bytes: Uint8Array, max: number): number {
  let index = 0
  for (const byte of bytes) {
    if (byte < 0x30 || byte > 0x39) return -1
    index = index * 10 + byte - 0x30
    if (index > max) return -1
  }
  return index
}

function hexOf(digits: Uint8Array): number {
  return Number.parseInt(String.fromCharCode(...digits), 16)
}
