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
import { POSITION } from '../dialects/dialect.ts'
import * as layout from './wasm-layout.ts'
import { Image, wtf8 } from './wasm-image.ts'
import { buildTrie, type Trie, type TrieNode, writeTrie } from './wasm-trie.ts'

const SHAPES: Readonly<Record<ValueShape, number>> = {
  delta: layout.SHAPE_DELTA,
  word: layout.SHAPE_WORD,
  object: layout.SHAPE_OBJECT,
  list: layout.SHAPE_LIST,
  error: layout.SHAPE_ERROR,
  any: layout.SHAPE_ANY,
}

/** Quotes, and first letters of `true` and `false`: what a condition's value begins with. */
const KIND_STRING = 0x22
const KIND_TRUE = 0x74
const KIND_FALSE = 0x66

/** All bits of a 64-bit word. */
const ALL = 0xffff_ffff_ffff_ffffn

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
  if (trie === null || types.length > layout.TYPE_OTHER) return null
  const texts = [...types, ...wantedOf(dialect.rules)]
  if (texts.some((text) => wtf8(text).length > layout.PROGRAM_TEXT_BYTES_MAX)) return null
  return new ProgramWriter(dialect, trie, types, base).write(templates)
}

class ProgramWriter {
  readonly #dialect: CompiledDialect
  readonly #trie: Trie
  readonly #types: readonly string[]
  readonly #image: Image

  constructor(dialect: CompiledDialect, trie: Trie, types: readonly string[], base: number) {
    this.#dialect = dialect
    this.#trie = trie
    this.#types = types
    this.#image = new Image(base)
  }

  write(templates: TemplateRegion | null): Uint8Array {
    const image = this.#image
    const { payload, sentinels, discriminator, rules } = this.#dialect
    const { root, framesBytes, keyBytesMax } = this.#trie
    const program = image.allocate(layout.PROGRAM_SIZE)
    const isText = payload === 'text'
    const isFast = !isText && sentinels.every((text) => !text.startsWith('{'))
    image.word(program + layout.PROGRAM_IS_TEXT, isText ? 1 : 0)
    image.word(program + layout.PROGRAM_IS_FAST, isFast ? 1 : 0)
    image.word(program + layout.PROGRAM_SENTINELS, image.texts(sentinels))
    image.word(program + layout.PROGRAM_SENTINEL_COUNT, sentinels.length)
    image.word(program + layout.PROGRAM_TYPES, image.texts(this.#types))
    image.word(program + layout.PROGRAM_TYPE_COUNT, this.#types.length)
    writeTrie(image, root)
    image.word(program + layout.PROGRAM_ROOT, root.address)
    image.word(program + layout.PROGRAM_FRAMES, image.allocate(framesBytes))
    image.word(program + layout.PROGRAM_FRAMES_BYTES, framesBytes)
    image.word(program + layout.PROGRAM_KEY_BYTES_MAX, keyBytesMax)
    this.#writeRef(program + layout.PROGRAM_TYPE_REF, root, discriminator)
    image.word(program + layout.PROGRAM_RULES, image.end)
    this.#writeRules(rules, root)
    image.word(program + layout.PROGRAM_RULES_END, image.end)
    image.word(program + layout.PROGRAM_WRITER_COUNT, countWriters(rules))
    if (templates !== null) this.#writeTemplates(program, templates)
    // Last, since rules must follow each other without a gap.
    this.#writePending()
    return image.bytes
  }

  #writeTemplates(program: number, { address, count }: TemplateRegion): void {
    const image = this.#image
    const { slots, elements, framesBytes } = this.#trie
    if (framesBytes > layout.TEMPLATE_FRAMES_BYTES_MAX) return
    image.word(program + layout.PROGRAM_TEMPLATES, address)
    image.word(program + layout.PROGRAM_TEMPLATE_COUNT, count)
    const order = image.allocate(count * 4)
    for (let index = 0; index < count; index++) {
      image.word(order + index * 4, address + index * layout.TEMPLATE_SIZE)
    }
    image.word(program + layout.PROGRAM_ORDER, order)
    const entries = image.allocate(slots.length * layout.SLOT_ENTRY_SIZE)
    for (const [index, { frame, slot, bit }] of slots.entries()) {
      const entry = entries + index * layout.SLOT_ENTRY_SIZE
      image.word(entry + layout.SLOT_FRAME, frame.offset)
      image.word(entry + layout.SLOT_OFFSET, slot)
      image.long(entry + layout.SLOT_BIT, bit)
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

  /** What rules point to, written once all rules are. */
  readonly #pending: (() => void)[] = []

  #writePending(): void {
    for (const write of this.#pending) write()
  }

  #writeRules(rules: readonly CompiledRule[], scope: TrieNode): void {
    for (const rule of rules) {
      switch (rule.form) {
        case 'scope':
          this.#writeScope(rule, scope)
          break
        case 'value':
          this.#writeValue(rule, scope)
          break
        case 'tool':
          this.#writeTool(rule, scope)
          break
        default:
          this.#writeMark(rule, scope)
      }
    }
  }

  #writeScope(rule: CompiledScope, outer: TrieNode): void {
    const image = this.#image
    const at = image.allocate(layout.SCOPE_RULES)
    const list = rule.each === null ? null : outer.find(rule.each)
    const inner = list === null ? outer : (list.element as TrieNode)
    this.#writeHead(at, layout.FORM_SCOPE, rule, outer, list === null ? 0n : list.eachBit)
    image.byte(at + layout.RULE_FLAGS, rule.index === POSITION ? layout.RULE_POSITION : 0)
    if (list !== null) {
      image.long(at + layout.SCOPE_EACH_BIT, list.eachBit)
      image.word(at + layout.SCOPE_FRAME, inner.frame.offset)
      image.word(at + layout.SCOPE_ELEMENT, inner.address)
    }
    this.#writeRef(at + layout.SCOPE_CHOICE, inner, rule.choice)
    this.#writeRef(at + layout.SCOPE_INDEX, inner, rule.index === POSITION ? null : rule.index)
    this.#writeRules(rule.rules, inner)
    image.word(at + layout.RULE_NEXT, image.end)
  }

  #writeValue(rule: CompiledValue, scope: TrieNode): void {
    const image = this.#image
    const at = image.allocate(layout.VALUE_SIZE)
    const needs = rule.paths.reduce((bits, keys) => bits | scope.find(keys).bit, 0n)
    this.#writeHead(at, layout.FORM_VALUE, rule, scope, needs)
    image.byte(at + layout.RULE_KIND, rule.kind)
    image.byte(at + layout.RULE_SHAPE, SHAPES[rule.shape])
    image.byte(at + layout.RULE_FLAGS, rule.skipEmpty ? layout.RULE_SKIP_EMPTY : 0)
    image.word(at + layout.VALUE_REF_COUNT, rule.paths.length)
    this.#pending.push(() => {
      const refs = image.allocate(rule.paths.length * layout.REF_SIZE)
      image.word(at + layout.VALUE_REFS, refs)
      for (const [index, keys] of rule.paths.entries()) {
        this.#writeRef(refs + index * layout.REF_SIZE, scope, keys)
      }
    })
  }

  #writeTool(rule: CompiledTool, scope: TrieNode): void {
    const at = this.#image.allocate(layout.TOOL_SIZE)
    const paths = [rule.kind, rule.id, rule.name, rule.arguments, rule.input]
    const needs = paths.reduce((bits, keys) => bits | (keys ? scope.find(keys).bit : 0n), 0n)
    this.#writeHead(at, layout.FORM_TOOL, rule, scope, needs)
    this.#image.byte(at + layout.RULE_FLAGS, rule.skipEmpty ? layout.RULE_SKIP_EMPTY : 0)
    for (const [index, keys] of paths.entries()) {
      this.#writeRef(at + layout.TOOL_KIND + index * layout.REF_SIZE, scope, keys)
    }
  }

  #writeMark(rule: CompiledBlockStop | CompiledEnd, scope: TrieNode): void {
    const image = this.#image
    const at = image.allocate(layout.MARK_SIZE)
    const form = rule.form === 'end' ? layout.FORM_END : layout.FORM_BLOCK_STOP
    this.#writeHead(at, form, rule, scope, 0n)
    const name = rule.form === 'end' ? rule.name : null
    if (name === null) return
    this.#pending.push(() => {
      image.word(at + layout.END_NAME, image.text(name))
      image.word(at + layout.END_NAME_BYTES, wtf8(name).length)
    })
  }

  #writeHead(
    at: number,
    form: number,
    rule: CompiledConditions,
    scope: TrieNode,
    needs: bigint,
  ): void {
    const image = this.#image
    image.byte(at + layout.RULE_FORM, form)
    image.word(at + layout.RULE_NEXT, image.end)
    image.long(at + layout.RULE_NEEDS, needs)
    image.long(at + layout.RULE_TYPES, this.#typeBits(rule))
    image.word(at + layout.RULE_CONDITION_COUNT, rule.conditions.length)
    this.#pending.push(() => {
      const conditions = image.allocate(rule.conditions.length * layout.CONDITION_SIZE)
      image.word(at + layout.RULE_CONDITIONS, conditions)
      for (const [index, condition] of rule.conditions.entries()) {
        this.#writeCondition(conditions + index * layout.CONDITION_SIZE, condition, scope)
      }
    })
  }

  #typeBits({ on, off }: CompiledConditions): bigint {
    const bitsOf = (names: readonly string[]): bigint =>
      names.reduce((bits, name) => bits | (1n << BigInt(this.#types.indexOf(name))), 0n)
    return (on === null ? ALL : bitsOf(on)) & ~bitsOf(off)
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

function countWriters(rules: readonly CompiledRule[]): number {
  return rules.reduce((count, rule) => {
    return count + (rule.form === 'scope' ? countWriters(rule.rules) : 1)
  }, 0)
}
