import type { ExpectedUsage, ProviderFailure } from './expected.ts'
import type { Random } from './random.ts'

/** One fact that an event tells a decoder, in the terms of the expected message. */
export type Said =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  | { readonly kind: 'signature'; readonly text: string }
  | {
      readonly kind: 'call'
      readonly index: number
      readonly id: string
      readonly name: string
    }
  | { readonly kind: 'arguments'; readonly index: number; readonly text: string }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'usage'; readonly usage: ExpectedUsage }
  | { readonly kind: 'error'; readonly error: ProviderFailure }
  | { readonly kind: 'terminator'; readonly name: string }

/** One SSE event (or comment) as its provider writes it, lines ended by LF, and what it says. */
export interface WireEvent {
  readonly wire: string
  readonly said: readonly Said[]
}

export const KEEP_ALIVE: WireEvent = { wire: ': keep-alive\n\n', said: [] }

/**
 * `text` as a JSON string, in one of the spellings that servers use: as it is, all but ASCII as
 * `\u` escapes (Python's default), or with `<`, `>` and `&` escaped (Go's default).
 */
export function jsonString(text: string, random: Random): string {
  const json = JSON.stringify(text)
  switch (random.below(4)) {
    case 0:
      return json.replace(BEYOND_ASCII, unicodeEscape)
    case 1:
      return json.replace(HTML_SPECIAL, unicodeEscape)
    default:
      return json
  }
}

const BEYOND_ASCII = /[\u007f-\uffff]/g
const HTML_SPECIAL = /[<>&]/g

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
