/**
 * The trie of keys that a dialect's rules read, scope by scope.
 *
 * Values of one scope lie in one frame: a word of bits that says which are there, and a slot for
 * each. An array whose elements are a scope has a frame of its own for them.
 */
import type {
  CompiledConditions,
  CompiledDialect,
  CompiledRule,
  Keys,
} from '../dialects/compile.ts'
import { CHOICE_MAX, INDEX_MAX, POSITION } from '../dialects/dialect.ts'
import type { Image } from './wasm-image.ts'
import { wtf8 } from './wasm-image.ts'
import * as layout from './wasm-layout.ts'

const BITS_MAX = 64
const ALL = 0xffff_ffff_ffff_ffffn

/** What stands for malformed UTF-8, which the decoder does not look for in a key. */
const REPLACEMENT = '\ufffd'

/** The values of one scope. */
export class Frame {
  /** Where it lies among all frames, bytes. */
  offset = 0
  slotCount = 0
  bitCount = 0

  /** A bit of its own; 0 where there is none left. */
  takeBit(): bigint {
    return this.bitCount === BITS_MAX ? 0n : 1n << BigInt(this.bitCount++)
  }
}

/** A value at one path of a scope. */
export class TrieNode {
  readonly frame: Frame
  readonly children: Map<string, TrieNode> = new Map()
  /** Some rule reads the value itself. */
  isRead = false
  /** The node of an element, where some rule reads those. */
  element: TrieNode | null = null
  /** Where some scope has its choice or index here: the largest that it can be, else 0. */
  indexMax = 0
  bit = 0n
  eachBit = 0n
  slot: number = layout.SLOT_UNREAD
  address = 0

  constructor(frame: Frame) {
    this.frame = frame
  }

  /** The node below; made where there is none. */
  find(keys: Keys): TrieNode {
    const [key, ...rest] = keys
    if (key === undefined) return this
    let child = this.children.get(key)
    if (child === undefined) this.children.set(key, (child = new TrieNode(this.frame)))
    return child.find(rest)
  }

  /** Bits of this value and of all below it in the scope. */
  get bits(): bigint {
    let bits = this.bit | this.eachBit
    for (const child of this.children.values()) bits |= child.bits
    return bits
  }
}

export interface Trie {
  readonly root: TrieNode
  /** Nodes of values that are read, and of elements. */
  readonly slots: readonly TrieNode[]
  readonly elements: readonly TrieNode[]
  readonly framesBytes: number
  readonly keyBytesMax: number
}

/** What names the values that are read. */
type TrieSource = Pick<CompiledDialect, 'discriminator' | 'rules'>

/** Builds the trie; `null` where a scope has more values than a word has bits, or a key is odd. */
export function buildTrie({ discriminator, rules }: TrieSource): Trie | null {
  const root = new TrieNode(new Frame())
  if (discriminator !== null) root.find(discriminator).isRead = true
  readRules(rules, root)
  const nodes = nodesFrom(root)
  const keys = nodes.flatMap(({ children }) => [...children.keys()])
  const keyBytesMax = Math.max(0, ...keys.map((key) => wtf8(key).length))
  if (keyBytesMax > layout.PROGRAM_TEXT_BYTES_MAX) return null
  if (keys.some((key) => key.includes(REPLACEMENT))) return null
  if (!numberBits(root)) return null
  const slots = nodes.filter(({ isRead }) => isRead)
  const elements = nodes.flatMap(({ element }) => element ?? [])
  return { root, slots, elements, framesBytes: placeFrames(root), keyBytesMax }
}

function readRules(rules: readonly CompiledRule[], scope: TrieNode): void {
  for (const rule of rules) {
    readConditions(rule, scope)
    switch (rule.form) {
      case 'scope': {
        const inner = rule.each === null ? scope : elementOf(scope.find(rule.each))
        readIndex(inner, rule.index === POSITION ? null : rule.index, INDEX_MAX)
        readIndex(inner, rule.choice, CHOICE_MAX)
        readRules(rule.rules, inner)
        break
      }
      case 'value':
        readAll(scope, rule.paths)
        break
      case 'tool':
        readAll(scope, [rule.kind, rule.id, rule.name, rule.arguments, rule.input, rule.parts])
        break
      default:
    }
  }
}

function readIndex(scope: TrieNode, keys: Keys | null, max: number): void {
  if (keys === null) return
  const node = scope.find(keys)
  node.isRead = true
  node.indexMax = node.indexMax === 0 ? max : Math.min(node.indexMax, max)
}

function readConditions({ conditions }: CompiledConditions, scope: TrieNode): void {
  for (const { keys } of conditions) scope.find(keys).isRead = true
}

function readAll(scope: TrieNode, paths: readonly (Keys | null)[]): void {
  for (const keys of paths) {
    if (keys !== null) scope.find(keys).isRead = true
  }
}

function elementOf(list: TrieNode): TrieNode {
  list.element ??= new TrieNode(new Frame())
  return list.element
}

function nodesFrom(node: TrieNode): TrieNode[] {
  const below = [...node.children.values(), ...(node.element === null ? [] : [node.element])]
  return [node, ...below.flatMap(nodesFrom)]
}

/** False where some scope has more values than bits. */
function numberBits(node: TrieNode): boolean {
  if (node.isRead && (node.bit = node.frame.takeBit()) === 0n) return false
  if (node.isRead) node.slot = node.frame.slotCount++
  if (node.element !== null) {
    node.eachBit = node.frame.takeBit()
    if (node.eachBit === 0n || !numberBits(node.element)) return false
  }
  return [...node.children.values()].every(numberBits)
}

/** Gives every frame and slot its place; returns how many bytes all take. */
function placeFrames(root: TrieNode): number {
  // The first slot of all takes what nobody reads.
  let end = layout.SLOT_SIZE
  const place = (node: TrieNode): void => {
    const { frame } = node
    if (frame.offset === 0) {
      frame.offset = end
      end += layout.FRAME_SLOTS + frame.slotCount * layout.SLOT_SIZE
    }
    if (node.isRead) node.slot = frame.offset + layout.FRAME_SLOTS + node.slot * layout.SLOT_SIZE
    for (const child of node.children.values()) place(child)
    if (node.element !== null) place(node.element)
  }
  place(root)
  return end
}

/** Writes the nodes and their key tables, children before their parents. */
export function writeTrie(image: Image, node: TrieNode): void {
  for (const child of node.children.values()) writeTrie(image, child)
  if (node.element !== null) writeTrie(image, node.element)
  node.address = image.allocate(layout.NODE_SIZE)
  image.long(node.address + layout.NODE_BIT, node.bit)
  image.long(node.address + layout.NODE_EACH_BIT, node.eachBit)
  image.long(node.address + layout.NODE_KEEP, ALL & ~node.bits)
  image.word(node.address + layout.NODE_FRAME, node.frame.offset)
  image.word(node.address + layout.NODE_SLOT, node.slot)
  image.word(node.address + layout.NODE_ELEMENT, node.element?.address ?? 0)
  if (node.children.size > 0) writeKeys(image, node)
}

function writeKeys(image: Image, { address, children }: TrieNode): void {
  const size = 2 ** Math.ceil(Math.log2(children.size * 2))
  const keys = Array.from(children, ([key, child]) => ({ bytes: wtf8(key), child }))
  const multiplier = findMultiplier(
    keys.map(({ bytes }) => bytes),
    size,
  )
  const table = image.allocate(size * layout.KEY_SIZE)
  const taken = new Set<number>()
  for (const { bytes, child } of keys) {
    let index = hashKey(bytes, multiplier) % size
    while (taken.has(index)) index = (index + 1) % size
    taken.add(index)
    const entry = table + index * layout.KEY_SIZE
    for (const [at, byte] of bytes.subarray(0, 16).entries()) image.byte(entry + at, byte)
    image.word(entry + layout.KEY_BYTES, bytes.length)
    if (bytes.length > 16) image.word(entry + layout.KEY_REST, image.blob(bytes.subarray(16)))
    image.word(entry + layout.KEY_NODE, child.address)
  }
  image.word(address + layout.NODE_KEYS, table)
  image.word(address + layout.NODE_KEYS_MASK, size - 1)
  image.long(address + layout.NODE_MULTIPLIER, multiplier)
}

/** Multipliers to try; most tables are without a collision after a few. */
const MULTIPLIER_TRIES = 64

function findMultiplier(keys: readonly Uint8Array[], size: number): bigint {
  let best = 1n
  let bestPlaces = 0
  let multiplier = 0x9e37_79b9_7f4a_7c15n
  for (let attempt = 0; attempt < MULTIPLIER_TRIES && bestPlaces < keys.length; attempt++) {
    const places = new Set(keys.map((key) => hashKey(key, multiplier) % size)).size
    if (places > bestPlaces) [best, bestPlaces] = [multiplier, places]
    multiplier = ((multiplier * 0xd134_2543_de82_ef95n) & ALL) | 1n
  }
  return best
}

/** As findKey in wasm/json.ts has it. */
function hashKey(key: Uint8Array, multiplier: bigint): number {
  const hashed =
    key.length < 8
      ? wordOf(key)
      : wordOf(key.subarray(0, 8)) ^ rotateLeft(wordOf(key.subarray(key.length - 8)), 27n)
  return Number((((hashed + BigInt(key.length)) * multiplier) & ALL) >> 40n)
}

function wordOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n)
}

function rotateLeft(word: bigint, by: bigint): bigint {
  return ((word << by) | (word >> (64n - by))) & ALL
}
