/** Payloads in a wrapping: base64 inside JSON, and failures that the framing itself reports. */
import type { Keys } from '../dialects/compile.ts'
import type { ExceptionFrame } from './framer.ts'
import { find, type JsonLimits, type JsonRefusal, parseJson, UNBOUNDED } from './json.ts'
import { decodeJsonString } from './json-text.ts'
import { decodeUtf8, type Replacements } from './utf8.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The payload that a JSON value holds as base64 at `keys`. */
export function unwrap(data: Uint8Array, keys: Keys, limits: JsonLimits): Uint8Array | JsonRefusal {
  const node = parseJson(data, limits)
  if (typeof node === 'string') return node
  const inner = find(node, keys)
  if (inner?.type !== 'string') return 'malformed'
  const text = decodeJsonString(data.subarray(inner.start, inner.end))
  return BASE64.test(text) ? Buffer.from(text, 'base64') : 'malformed'
}

/**
 * A failure as the row of a provider's error has it: the members of the payload, after its type; or
 * the payload as a message, where it is no object.
 */
export function exceptionText(
  { type, data }: Pick<ExceptionFrame, 'type' | 'data'>,
  jsonDepthMax: number,
  tally: Replacements,
): string {
  const node = parseJson(data, { ...UNBOUNDED, jsonDepthMax })
  const text = decodeUtf8(data, tally)
  const typed = `{"type":${JSON.stringify(type)}`
  if (typeof node === 'string' || node.type !== 'object') {
    return `${typed},"message":${JSON.stringify(text)}}`
  }
  const members = text.slice(text.indexOf('{') + 1)
  return node.members.size === 0 ? `${typed}}` : `${typed},${members}`
}
