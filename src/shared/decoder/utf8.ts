/** Where U+FFFD are counted that stand for malformed input; a DecodeCounts will do. */
export interface Replacements {
  replacements: number
}

// ignoreBOM keeps U+FEFF: a byte order mark means something at the start of a body only.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const REPLACEMENT = '\ufffd'

/**
 * Decodes UTF-8 as WHATWG does: one U+FFFD for each maximal part of a malformed sequence, each
 * counted into `tally`.
 *
 * @see https://encoding.spec.whatwg.org/#utf-8-decoder
 */
export function decodeUtf8(bytes: Uint8Array, tally?: Replacements): string {
  const text = decoder.decode(bytes)
  if (tally !== undefined && text.includes(REPLACEMENT)) {
    tally.replacements += countReplacements(text) - countSentReplacements(bytes)
  }
  return text
}

function countReplacements(text: string): number {
  let count = 0
  for (let at = text.indexOf(REPLACEMENT); at >= 0; at = text.indexOf(REPLACEMENT, at + 1)) count++
  return count
}

/** U+FFFD that were sent as such: EF BF BD. Always whole, since EF only ever leads a sequence. */
function countSentReplacements(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) count++
  }
  return count
}
