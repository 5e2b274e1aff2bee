/**
 * JSON over bytes: accepts and refuses what `JSON.parse(new TextDecoder().decode(bytes))` does.
 *
 * A value becomes a node that knows its place in the bytes. Strings are decoded when asked for, so
 * that only what is extracted costs anything (json-text.ts). Nesting is kept on a stack of our own
 * and bounded, so no input exhausts the engine's. An object's members are a Map, in which the last
 * of equal keys wins wholly and `__proto__` is a key like any other.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
import type { Keys } from '../dialects/compile.ts'
import type { StreamLimits } from '../limits.ts'
import { decodeJsonString } from './json-text.ts'

/** Bytes `start` to `end`, exclusive; those of a string include its quotes. */
export interface JsonLeaf {
  readonly type: 'string' | 'number' | 'true' | 'false' | 'null'
  readonly start: number
  readonly end: number
}

export interface JsonObject {
  readonly type: 'object'
  readonly start: number
  end: number
  readonly members: Map<string, JsonNode>
}

export interface JsonArray {
  readonly type: 'array'
  readonly start: number
  end: number
  readonly items: JsonNode[]
}

export type JsonNode = JsonLeaf | JsonObject | JsonArray

/** Why bytes are refused: they are no JSON, or pass a limit; whichever shows first. */
export type JsonRefusal = 'malformed' | 'too-deep' | 'number-too-long'

export type JsonLimits = Pick<StreamLimits, 'jsonDepthMax' | 'jsonNumberBytesMax'>

export const UNBOUNDED: JsonLimits = { jsonDepthMax: Infinity, jsonNumberBytesMax: Infinity }

const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const LETTER_E_CAPITAL = 0x45
const ARRAY_START = 0x5b
const BACKSLASH = 0x5c
const ARRAY_END = 0x5d
const LETTER_E = 0x65
const LETTER_U = 0x75
const OBJECT_START = 0x7b
const OBJECT_END = 0x7d

/** What may follow a backslash, `u` apart: `" / \ b f n r t`. */
const SHORT_ESCAPES = new Set([0x22, 0x2f, 0x5c, 0x62, 0x66, 0x6e, 0x72, 0x74])

const LITERALS = (['true', 'false', 'null'] as const).map((type) => {
  return { type, bytes: new TextEncoder().encode(type) }
})

/** Parses the one value that `bytes` hold, blanks around it and a leading byte order mark apart. */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): JsonNode | JsonRefusal {
  const reader = new Reader(bytes, limits)
  const value = reader.readValue()
  return value !== null && reader.isAtEnd ? value : reader.refusal
}

/**
 * Parses the payload of an event: one value, or several objects one after the other, which some
 * servers put into one event.
 */
export function parsePayload(bytes: Uint8Array, limits: JsonLimits): JsonNode[] | JsonRefusal {
  const reader = new Reader(bytes, limits)
  const values: JsonNode[] = []
  for (;;) {
    const value = reader.readValue()
    if (value === null) return reader.refusal
    values.push(value)
    if (reader.isAtEnd) return values
    if (value.type !== 'object' || reader.peek() !== OBJECT_START) return 'malformed'
  }
}

/** The value at `keys`, where there is one. */
export function find(node: JsonNode, keys: Keys): JsonNode | undefined {
  let found: JsonNode | undefined = node
  for (const key of keys) found = found?.type === 'object' ? found.members.get(key) : undefined
  return found
}

/** A container that has begun and not ended, and the key that waits for its value. */
interface Open {
  readonly node: JsonObject | JsonArray
  key: string
}

class Reader {
  refusal: JsonRefusal = 'malformed'
  readonly #bytes: Uint8Array
  readonly #limits: JsonLimits
  readonly #open: Open[] = []
  #at: number

  constructor(bytes: Uint8Array, limits: JsonLimits) {
    this.#bytes = bytes
    this.#limits = limits
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  }

  peek(): number | undefined {
    return this.#bytes[this.#at]
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Reads a value and the blanks around it; `null` where there is none, see `refusal`. */
  readValue(): JsonNode | null {
    for (;;) {
      this.#skipBlanks()
      let node = this.#readStart()
      if (node === null) return null
      if (node.type === 'object' || node.type === 'array') {
        if (!this.#enter(node)) return null
        if (this.peek() !== endOf(node)) {
          if (node.type === 'object' && !this.#readKey()) return null
          continue
        }
        node = this.#leave()
      }
      // The value is whole: it goes into its parent, and every parent that ends here is whole, too.
      for (;;) {
        this.#skipBlanks()
        const parent = this.#open.at(-1)
        if (parent === undefined) return node
        if (parent.node.type === 'array') parent.node.items.push(node)
        else parent.node.members.set(parent.key, node)
        if (this.peek() === COMMA) break
        if (this.peek() !== endOf(parent.node)) return null
        node = this.#leave()
      }
      this.#at++
      if (this.#open.at(-1)?.node.type === 'object' && !this.#readKey()) return null
    }
  }

  /** A leaf, or a container whose first byte was read. */
  #readStart(): JsonNode | null {
    const start = this.#at
    switch (this.peek()) {
      case OBJECT_START:
        this.#at++
        return { type: 'object', start, end: start, members: new Map() }
      case ARRAY_START:
        this.#at++
        return { type: 'array', start, end: start, items: [] }
      case QUOTE:
        return this.#skipString() ? { type: 'string', start, end: this.#at } : null
      default:
        return this.#readLiteral() ?? this.#readNumber()
    }
  }

  #enter(node: JsonObject | JsonArray): boolean {
    if (this.#open.length === this.#limits.jsonDepthMax) {
      this.refusal = 'too-deep'
      return false
    }
    this.#open.push({ node, key: '' })
    this.#skipBlanks()
    return true
  }

  /** Reads the last byte of the innermost container. */
  #leave(): JsonNode {
    const { node } = this.#open.pop() as Open
    node.end = ++this.#at
    return node
  }

  /** Reads a key and its colon. */
  #readKey(): boolean {
    this.#skipBlanks()
    const start = this.#at
    if (this.peek() !== QUOTE || !this.#skipString()) return false
    const open = this.#open.at(-1) as Open
    open.key = decodeJsonString(this.#bytes.subarray(start, this.#at))
    this.#skipBlanks()
    if (this.peek() !== COLON) return false
    this.#at++
    return true
  }

  #skipBlanks(): void {
    while (isBlank(this.peek())) this.#at++
  }

  #skipString(): boolean {
    for (this.#at++; this.peek() !== QUOTE; this.#at++) {
      const byte = this.peek()
      if (byte === undefined || byte < 0x20) return false
      if (byte === BACKSLASH && !this.#skipEscape()) return false
    }
    this.#at++
    return true
  }

  /** From the backslash to the last byte of the escape. */
  #skipEscape(): boolean {
    const letter = this.#bytes[++this.#at]
    if (letter !== LETTER_U) return letter !== undefined && SHORT_ESCAPES.has(letter)
    for (let digit = 0; digit < 4; digit++) {
      if (!isHexDigit(this.#bytes[++this.#at])) return false
    }
    return true
  }

  #readLiteral(): JsonLeaf | null {
    const start = this.#at
    const literal = LITERALS.find(({ bytes }) => {
      return bytes.every((byte, at) => byte === this.#bytes[start + at])
    })
    if (literal === undefined) return null
    this.#at += literal.bytes.length
    return { type: literal.type, start, end: this.#at }
  }

  #readNumber(): JsonLeaf | null {
    const start = this.#at
    if (this.peek() === MINUS) this.#at++
    if (this.peek() === ZERO) this.#at++
    else if (!this.#skipDigits()) return null
    if (this.peek() === DOT) {
      this.#at++
      if (!this.#skipDigits()) return null
    }
    if (this.peek() === LETTER_E || this.peek() === LETTER_E_CAPITAL) {
      this.#at++
      if (this.peek() === PLUS || this.peek() === MINUS) this.#at++
      if (!this.#skipDigits()) return null
    }
    if (this.#at - start > this.#limits.jsonNumberBytesMax) {
      this.refusal = 'number-too-long'
      return null
    }
    return { type: 'number', start, end: this.#at }
  }

  /** At least one. */
  #skipDigits(): boolean {
    const start = this.#at
    while (isDigit(this.peek())) this.#at++
    return this.#at > start
  }
}

function endOf(node: JsonObject | JsonArray): number {
  return node.type === 'object' ? OBJECT_END : ARRAY_END
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false
  const lower = byte | 0x20
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66)
}
