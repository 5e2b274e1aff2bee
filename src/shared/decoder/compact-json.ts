import { type JsonNode, parseJson, UNBOUNDED } from './json.ts'
import { decodeJsonString } from './json-text.ts'

/**
 * A JSON text without blanks and needless escapes, as `JSON.stringify` would write it, but with
 * every number as it was sent: a tool's argument may be an id above 2^53. Equal keys become one.
 */
export function compactJson(text: string): string {
  const bytes = new TextEncoder().encode(text)
  // What is bounded was when the event was decoded.
  const node = parseJson(bytes, UNBOUNDED)
  return typeof node === 'string' ? text : write(node, bytes)
}

function write(node: JsonNode, bytes: Uint8Array): string {
  switch (node.type) {
    case 'object':
      return `{${Array.from(node.members, ([key, value]) => {
        return `${JSON.stringify(key)}:${write(value, bytes)}`
      }).join(',')}}`
    case 'array':
      return `[${node.items.map((item) => write(item, bytes)).join(',')}]`
    case 'string':
      return JSON.stringify(decodeJsonString(bytes.subarray(node.start, node.end)))
    default:
      return new TextDecoder().decode(bytes.subarray(node.start, node.end))
  }
}
