/**
 * A dialect as the WASM decoder runs it: a trie of the keys that matter, and the rules as records
 * that refer to trie nodes by a bit and a slot. wasm-layout.ts has the offsets.
 */
import type {
  CompiledBlockStop,
  CompiledConditions,
  CompiledDialect,
  CompiledEnd,
  CompiledRule,
  CompiledScope,
  CompiledTool,
  CompiledValue,
  Keys,
  ValueCondition,
  ValueShape,
} from '../dialects/compile.ts'
import { type Framing, POSITION } from '../dialects/dialect.ts'
import { FLAG_WHOLE, ROW_ID, ROW_MODEL } from '../rows.ts'
import { crcTables } from './crc32.ts'
import * as layout from './wasm-layout.ts'
import { TEMPLATE_FRAMES_BYTES_MAX, TEMPLATE_SIZE } from './wasm-template-layout.ts'
import { Image, isWellFormed, wtf8 } from './wasm-image.ts'
import { buildTrie, type Trie, type TrieNode, writeTrie } from './wasm-trie.ts'

const SHAPES: Readonly<Record<ValueShape, number>> = {
  delta: layout.SHAPE_DELTA,
  word: layout.SHAPE_WORD,
  object: layout.SHAPE_OBJECT,
  list: layout.SHAPE_LIST,
  error: layout.SHAPE_ERROR,
  any: layout.SHAPE_ANY,
}

const FRAMINGS: Readonly<Record<Framing, number>> = {
  sse: layout.FRAMING_SSE,
  ndjson: layout.FRAMING_NDJSON,
  'json-array': layout.FRAMING_ARRAY,
  'aws-eventstream': layout.FRAMING_AWS,
}

/** Quotes, and first letters of `true` and `false`: what a condition's value begins with. */
const KIND_STRING = 0x22
const KIND_TRUE = 0x74
const KIND_FALSE = 0x66

/** As wasm/crc.ts reads them: 16 bytes at a time. */
const CRC_TABLES = 16

/** A list tells its rules apart by the bits of a word. */
const RULES_MAX = 64

/** Templates of a program: the address of their region, a multiple of 64, and how many they are. */
export interface TemplateRegion {
  readonly address: number
  readonly count: number
}

/**
 * Compiles a dialect into the bytes that are to lie at `base`, a multiple of 64; the program begins
 * there. `null` where the dialect has more to tell apart than the decoder's words have bits.
 */
export function compileProgram(
  dialect: CompiledDialect,
  base: number,
  templates: TemplateRegion | null,
): Uint8Array | null {
  const trie = buildTrie(dialect)
  const types = typesOf(dialect.rules)
  const { wrapped } = dialect
  const wrapping = wrapped === null ? null : buildTrie({ discriminator: wrapped.keys, rules: [] })
  if (trie === null || hasLongList(dialect.rules)) return null
  if (wrapped !== null && wrapping === null) return null
  const texts = [...types, ...wantedOf(dialect.rules), wrapped?.on ?? '']
  if (texts.some((text) => wtf8(text).length > layout.PROGRAM_TEXT_BYTES_MAX)) return null
  if (!spokenOf(dialect.rules).every(isWellFormed)) return null
  return new ProgramWriter(dialect, trie, wrapping, types, base).write(templates)
}

interface WrittenRule {
  readonly address: number
  /** Bits of which one must be present, else there is nothing to do; 0: none is needed. */
  readonly needs: bigint
}

class ProgramWriter {
  readonly #dialect: CompiledDialect
  readonly #trie: Trie
  readonly #wrapping: Trie | null
  readonly #types: readonly string[]
  readonly #image: Image

  constructor(
    dialect: CompiledDialect,
    trie: Trie,
    wrapping: Trie | null,
    types: readonly string[],
    base: number,
  ) {
    this.#dialect = dialect
    this.#trie = trie
    this.#wrapping = wrapping
    this.#types = types
    this.#image = new Image(base)
  }

  write(templates: TemplateRegion | null): Uint8Array {
    const image = this.#image
    const { framing, payload, oneValue, sentinels, discriminator, rules } = this.#dialect
    const { root } = this.#trie
    const program = image.allocate(layout.PROGRAM_SIZE)
    const isText = payload === 'text'
    const isFast = !isText && this.#isFast()
    image.word(program + layout.PROGRAM_IS_TEXT, isText ? 1 : 0)
    image.word(program + layout.PROGRAM_IS_FAST, isFast ? 1 : 0)
    image.word(program + layout.PROGRAM_FRAMING, FRAMINGS[framing])
    image.word(program + layout.PROGRAM_ONE_VALUE, oneValue ? 1 : 0)
    image.word(program + layout.PROGRAM_SENTINELS, image.texts(sentinels))
    image.word(program + layout.PROGRAM_SENTINEL_COUNT, sentinels.length)
    image.word(program + layout.PROGRAM_TYPES, image.texts(this.#types))
    image.word(program + layout.PROGRAM_TYPE_COUNT, this.#types.length)
    const nameless = this.#types.indexOf('')
    const others = this.#types.length
    image.word(program + layout.PROGRAM_NAMELESS_TYPE, nameless < 0 ? others : nameless)
    this.#writeWalk(program, this.#trie, discriminator)
    image.word(program + layout.PROGRAM_RULES, this.#writeList(rules, root))
    image.word(program + layout.PROGRAM_WRITER_COUNT, countWriters(rules))
    if (framing === 'aws-eventstream') this.#writeFraming(program)
    if (this.#wrapping !== null) this.#writeWrapping(program, this.#wrapping)
    if (templates !== null) this.#writeTemplates(program, templates)
    return image.bytes
  }

  /** Whether an event of the usual shape says the same to every reader. */
  #isFast(): boolean {
    const { framing, wrapped, sentinels } = this.#dialect
    if (framing === 'aws-eventstream' || wrapped !== null) return false
    return sentinels.every((text) => !text.startsWith('{'))
  }

  /** Writes what a walk needs, and where it finds the value at `keys`. */
  #writeWalk(program: number, { root, framesBytes, keyBytesMax }: Trie, keys: Keys | null): void {
    const image = this.#image
    writeTrie(image, root)
    image.word(program + layout.PROGRAM_ROOT, root.address)
    image.word(program + layout.PROGRAM_FRAMES, image.allocate(framesBytes))
    image.word(program + layout.PROGRAM_FRAMES_BYTES, framesBytes)
    image.word(program + layout.PROGRAM_KEY_BYTES_MAX, keyBytesMax)
    this.#writeRef(program + layout.PROGRAM_TYPE_REF, root, keys)
    image.word(program + layout.PROGRAM_MEMO, this.#writeMemo())
  }

  #writeFraming(program: number): void {
    const image = this.#image
    const words = crcTables(CRC_TABLES)
    const tables = image.allocate(words.length * 4)
    for (const [index, word] of words.entries()) image.word(tables + index * 4, word)
    image.word(program + layout.PROGRAM_CRC, tables)
    const headers = image.allocate(layout.HEADERS_BYTES_MAX + layout.SLACK_BYTES)
    image.word(program + layout.PROGRAM_HEADERS, headers)
  }

  /** A program of its own, since a wrapping has other keys than what it holds. */
  #writeWrapping(program: number, trie: Trie): void {
    const image = this.#image
    const { framing, wrapped } = this.#dialect
    const { on, keys } = wrapped as NonNullable<CompiledDialect['wrapped']>
    const wrapping = image.allocate(layout.PROGRAM_SIZE)
    image.word(wrapping + layout.PROGRAM_FRAMING, FRAMINGS[framing])
    this.#writeWalk(wrapping, trie, keys)
    image.word(program + layout.PROGRAM_WRAPPING, wrapping)
    image.word(program + layout.PROGRAM_WRAPPED_TYPE, image.text(on))
    image.word(program + layout.PROGRAM_WRAPPED_TYPE_BYTES, wtf8(on).length)
  }

  #writeTemplates(program: number, { address, count }: TemplateRegion): void {
    const image = this.#image
    const { slots, elements, framesBytes } = this.#trie
    if (framesBytes > TEMPLATE_FRAMES_BYTES_MAX) return
    image.word(program + layout.PROGRAM_TEMPLATES, address)
    image.word(program + layout.PROGRAM_TEMPLATE_COUNT, count)
    const order = image.allocate(count * 4)
    for (let index = 0; index < count; index++) {
      image.word(order + index * 4, address + index * TEMPLATE_SIZE)
    }
    image.word(program + layout.PROGRAM_ORDER, order)
    const entries = image.allocate(slots.length * layout.SLOT_ENTRY_SIZE)
    for (const [index, { frame, slot, bit, indexMax }] of slots.entries()) {
      const entry = entries + index * layout.SLOT_ENTRY_SIZE
      image.word(entry + layout.SLOT_FRAME, frame.offset)
      image.word(entry + layout.SLOT_OFFSET, slot)
      image.long(entry + layout.SLOT_BIT, bit)
      image.word(entry + layout.SLOT_INDEX_MAX, indexMax)
    }
    image.word(program + layout.PROGRAM_SLOTS, entries)
    image.word(program + layout.PROGRAM_SLOT_COUNT, slots.length)
    const offsets = image.allocate(elements.length * 4)
    for (const [index, { frame }] of elements.entries()) {
      image.word(offsets + index * 4, frame.offset)
    }
    image.word(program + layout.PROGRAM_ELEMENTS, offsets)
    image.word(program + layout.PROGRAM_ELEMENT_COUNT, elements.length)
  }

  #writeMemo(): number {
    const { MEMO_COUNT, MEMO_SIZE, MEMO_OPEN } = layout
    const memo = this.#image.allocate(MEMO_COUNT * MEMO_SIZE)
    for (let index = 0; index < MEMO_COUNT; index++) {
      const isLast = index === MEMO_COUNT - 1
      const open = isLast ? layout.MEMO_LAST : layout.MEMO_EMPTY
      this.#image.word(memo + index * MEMO_SIZE + MEMO_OPEN, open)
    }
    return memo
  }

  /** Writes a scope's rules, and the list that tells which of them have something to do. */
  #writeList(rules: readonly CompiledRule[], scope: TrieNode): number {
    const image = this.#image
    const written = rules.map((rule) => this.#writeRule(rule, scope))
    const list = image.allocate(layout.LIST_RULES + rules.length * 4)
    for (const [index, { address }] of written.entries()) {
      image.word(list + layout.LIST_RULES + index * 4, address)
    }
    image.long(
      list + layout.LIST_ALWAYS,
      bitsWhere(written, ({ needs }) => needs === 0n),
    )
    const byBit = image.allocate(scope.frame.bitCount * 8)
    for (let bit = 0; bit < scope.frame.bitCount; bit++) {
      const concerned = bitsWhere(written, ({ needs }) => ((needs >> BigInt(bit)) & 1n) === 1n)
      image.long(byBit + bit * 8, concerned)
    }
    image.word(list + layout.LIST_BY_BIT, byBit)
    const types = [...this.#types, null]
    const byType = image.allocate(types.length * 8)
    for (const [index, type] of types.entries()) {
      image.long(
        byType + index * 8,
        bitsWhere(rules, (rule) => runsFor(rule, type)),
      )
    }
    image.word(list + layout.LIST_BY_TYPE, byType)
    image.long(list + layout.LIST_NAMES, bitsWhere(rules, isNameRule))
    return list
  }

  #writeRule(rule: CompiledRule, scope: TrieNode): WrittenRule {
    switch (rule.form) {
      case 'scope':
        return this.#writeScope(rule, scope)
      case 'value':
        return this.#writeValue(rule, scope)
      case 'tool':
        return this.#writeTool(rule, scope)
      default:
        return this.#writeMark(rule, scope)
    }
  }

  #writeScope(rule: CompiledScope, outer: TrieNode): WrittenRule {
    const image = this.#image
    const address = this.#writeHead(layout.FORM_SCOPE, layout.SCOPE_SIZE, rule, outer)
    const list = rule.each === null ? null : outer.find(rule.each)
    const inner = list === null ? outer : (list.element as TrieNode)
    image.byte(address + layout.RULE_FLAGS, rule.index === POSITION ? layout.RULE_POSITION : 0)
    image.word(address + layout.SCOPE_IS_EACH, list === null ? 0 : 1)
    image.word(address + layout.SCOPE_FRAME, inner.frame.offset)
    image.word(address + layout.SCOPE_ELEMENT, inner.address)
    this.#writeRef(address + layout.SCOPE_CHOICE, inner, rule.choice)
    const index = rule.index === POSITION ? null : rule.index
    this.#writeRef(address + layout.SCOPE_INDEX, inner, index)
    image.word(address + layout.SCOPE_RULES, this.#writeList(rule.rules, inner))
    return { address, needs: list?.eachBit ?? 0n }
  }

  #writeValue(rule: CompiledValue, scope: TrieNode): WrittenRule {
    const image = this.#image
    const address = this.#writeHead(layout.FORM_VALUE, layout.VALUE_SIZE, rule, scope)
    image.byte(address + layout.RULE_KIND, rule.kind)
    image.byte(address + layout.RULE_SHAPE, SHAPES[rule.shape])
    image.byte(address + layout.RULE_FLAGS, rule.skipEmpty ? layout.RULE_SKIP_EMPTY : 0)
    image.word(address + layout.VALUE_REF_COUNT, rule.paths.length)
    image.word(address + layout.VALUE_ROW, rule.kind | (rule.whole ? FLAG_WHOLE << 8 : 0))
    if (rule.as !== null) {
      image.word(address + layout.VALUE_AS, image.text(rule.as))
      image.word(address + layout.VALUE_AS_BYTES, wtf8(rule.as).length)
    }
    const refs = image.allocate(rule.paths.length * layout.REF_SIZE)
    image.word(address + layout.VALUE_REFS, refs)
    for (const [index, keys] of rule.paths.entries()) {
      this.#writeRef(refs + index * layout.REF_SIZE, scope, keys)
    }
    return { address, needs: bitsOf(scope, rule.paths) }
  }

  #writeTool(rule: CompiledTool, scope: TrieNode): WrittenRule {
    const address = this.#writeHead(layout.FORM_TOOL, layout.TOOL_SIZE, rule, scope)
    const skips = rule.skipEmpty ? layout.RULE_SKIP_EMPTY : 0
    const flags = skips | (rule.parts === null ? 0 : layout.RULE_HAS_PARTS)
    this.#image.byte(address + layout.RULE_FLAGS, flags)
    const paths = [rule.kind, rule.id, rule.name, rule.arguments, rule.input, rule.parts]
    for (const [index, keys] of paths.entries()) {
      this.#writeRef(address + layout.TOOL_KIND + index * layout.REF_SIZE, scope, keys)
    }
    return { address, needs: bitsOf(scope, paths) }
  }

  #writeMark(rule: CompiledBlockStop | CompiledEnd, scope: TrieNode): WrittenRule {
    const image = this.#image
    const form = rule.form === 'end' ? layout.FORM_END : layout.FORM_BLOCK_STOP
    const address = this.#writeHead(form, layout.MARK_SIZE, rule, scope)
    const name = rule.form === 'end' ? rule.name : null
    if (name !== null) {
      image.word(address + layout.END_NAME, image.text(name))
      image.word(address + layout.END_NAME_BYTES, wtf8(name).length)
    }
    return { address, needs: 0n }
  }

  /** Makes room for a rule and writes what all have; returns its address. */
  #writeHead(form: number, bytes: number, rule: CompiledConditions, scope: TrieNode): number {
    const image = this.#image
    const address = image.allocate(bytes)
    const count = rule.conditions.length
    const conditions = image.allocate(count * layout.CONDITION_SIZE)
    image.byte(address + layout.RULE_FORM, form)
    image.word(address + layout.RULE_CONDITION_COUNT, count)
    image.word(address + layout.RULE_CONDITIONS, conditions)
    for (const [index, condition] of rule.conditions.entries()) {
      this.#writeCondition(conditions + index * layout.CONDITION_SIZE, condition, scope)
    }
    return address
  }

  #writeCondition(at: number, { keys, values, holds }: ValueCondition, scope: TrieNode): void {
    const image = this.#image
    const wanted = image.allocate(values.length * layout.WANTED_SIZE)
    this.#writeRef(at + layout.CONDITION_REF, scope, keys)
    image.word(at + layout.CONDITION_HOLDS, holds ? 1 : 0)
    image.word(at + layout.CONDITION_VALUES, wanted)
    image.word(at + layout.CONDITION_VALUE_COUNT, values.length)
    for (const [index, value] of values.entries()) {
      const place = wanted + index * layout.WANTED_SIZE
      if (typeof value === 'boolean') {
        image.word(place + layout.WANTED_KIND, value ? KIND_TRUE : KIND_FALSE)
      } else {
        image.word(place + layout.WANTED_KIND, KIND_STRING)
        image.word(place + layout.WANTED_TEXT, image.text(value))
        image.word(place + layout.WANTED_BYTES, wtf8(value).length)
      }
    }
  }

  /** Without keys: a reference to nothing. */
  #writeRef(at: number, scope: TrieNode, keys: Keys | null): void {
    if (keys === null) return
    const node = scope.find(keys)
    this.#image.long(at + layout.REF_BIT, node.bit)
    this.#image.word(at + layout.REF_SLOT, node.slot)
  }
}

/** A bit for each of the items, up to 64, that the test holds for. */
function bitsWhere<Item>(items: readonly Item[], holds: (item: Item) => boolean): bigint {
  return items.reduce((bits, item, at) => bits | (holds(item) ? 1n << BigInt(at) : 0n), 0n)
}

/** Whether a rule runs for events of a type; `null` is any that no rule names. */
function runsFor({ on, off }: CompiledConditions, type: string | null): boolean {
  return type === null ? on === null : (on?.includes(type) ?? true) && !off.includes(type)
}

function bitsOf(scope: TrieNode, paths: readonly (Keys | null)[]): bigint {
  return paths.reduce((bits, keys) => bits | (keys === null ? 0n : scope.find(keys).bit), 0n)
}

function hasLongList(rules: readonly CompiledRule[]): boolean {
  if (rules.length > RULES_MAX) return true
  return rules.some((rule) => rule.form === 'scope' && hasLongList(rule.rules))
}

function isNameRule(rule: CompiledRule): boolean {
  return rule.form === 'value' && (rule.kind === ROW_ID || rule.kind === ROW_MODEL)
}

/** Every event type that a rule names. */
function typesOf(rules: readonly CompiledRule[]): readonly string[] {
  const own = rules.flatMap((rule) => [
    ...(rule.on ?? []),
    ...rule.off,
    ...(rule.form === 'scope' ? typesOf(rule.rules) : []),
  ])
  return [...new Set(own)]
}

/** Every string that a condition names. */
function wantedOf(rules: readonly CompiledRule[]): readonly string[] {
  return rules.flatMap((rule) => [
    ...rule.conditions.flatMap(({ values }) => values.filter((value) => typeof value === 'string')),
    ...(rule.form === 'scope' ? wantedOf(rule.rules) : []),
  ])
}

/** Every string that a rule writes. */
function spokenOf(rules: readonly CompiledRule[]): readonly string[] {
  return rules.flatMap((rule) => {
    if (rule.form === 'scope') return spokenOf(rule.rules)
    if (rule.form === 'value') return rule.as ?? []
    return rule.form === 'end' ? (rule.name ?? []) : []
  })
}

function countWriters(rules: readonly CompiledRule[]): number {
  return rules.reduce((count, rule) => {
    return count + (rule.form === 'scope' ? countWriters(rule.rules) : 1)
  }, 0)
}
