import type {
  CompiledConditions,
  CompiledDialect,
  CompiledRule,
  CompiledScope,
  CompiledTool,
  CompiledValue,
  Keys,
  ValueShape,
} from '../dialects/compile.ts'
import { CHOICE_MAX, INDEX_MAX, POSITION } from '../dialects/dialect.ts'
import type { RowWriter } from '../row-writer.ts'
import {
  FLAG_WHOLE,
  ROW_BLOCK_STOP,
  ROW_ID,
  ROW_MODEL,
  ROW_PROVIDER_ERROR,
  ROW_REASONING,
  ROW_REFUSAL,
  ROW_ROLE,
  ROW_TERMINATOR,
  ROW_TEXT,
  ROW_TOOL_ARGUMENTS,
  ROW_TOOL_ID,
  ROW_TOOL_INPUT,
  ROW_TOOL_KIND,
  ROW_TOOL_NAME,
  ROW_TOOL_PARTS,
  type RowKind,
} from '../rows.ts'
import { indexMessage } from './faults.ts'
import type { PayloadFrame } from './framer.ts'
import { find, type JsonNode } from './json.ts'
import { decodeIndex, decodeJsonString } from './json-text.ts'
import { decodeUtf8, type Replacements } from './utf8.ts'

const NO_BYTES = new Uint8Array(0)

/** Choices from here on have no bit: what is sent once per choice is sent each time. */
const CHOICES_TOLD_APART = 16

/** Bits of the masks of id and model. */
const ANY_NAME = 0
const GOOD_NAME = 1

/** What an event is called outside of its payload; '' for nothing. */
export type EventName = Pick<PayloadFrame, 'name' | 'nameReplaced'>

/** A value that rules run over, and the choice and index that hold inside it. */
interface Scope {
  readonly node: JsonNode
  readonly choice: number
  readonly index: number
}

/**
 * Runs a dialect's rules over parsed payloads and writes what they find as rows.
 *
 * All that it remembers of a stream is which facts were sent, in one 16-bit mask per row kind: of
 * the id and model whether any was (bit 0), and one that is not empty (bit 1); of each choice its
 * role, and whether it has text, reasoning or a refusal at all, which is what an empty delta says.
 */
export class Extractor {
  readonly #dialect: CompiledDialect
  readonly #tally: Replacements
  /** By row kind. */
  readonly #said = new Uint16Array(Math.max(ROW_ROLE, ROW_MODEL, ROW_ID) + 1)

  /** Why the event at hand is malformed, though its JSON is not. */
  #fault: string | null = null

  // The payload at hand: forgotten after it, since its bytes lie in a slab.
  #bytes: Uint8Array = NO_BYTES
  #type = ''
  /** Where the payload itself tells it. */
  #typeNode: JsonNode | null = null
  #rows: RowWriter | null = null

  constructor(dialect: CompiledDialect, tally: Replacements) {
    this.#dialect = dialect
    this.#tally = tally
  }

  /** What was sent so far of what is sent once, to {@link restore} it. */
  save(): Uint16Array {
    return this.#said.slice()
  }

  /** Forgets what an event has sent that is given up. */
  restore(said: Uint16Array): void {
    this.#said.set(said)
  }

  /** Why the event that was extracted must be given up; `null` where it need not be. */
  takeFault(): string | null {
    const fault = this.#fault
    this.#fault = null
    return fault
  }

  /** Writes the rows of one payload. `event` has its type where the payload tells none. */
  extract(node: JsonNode, bytes: Uint8Array, event: EventName, rows: RowWriter): void {
    this.#bytes = bytes
    this.#rows = rows
    const { discriminator, rules } = this.#dialect
    const type = discriminator === null ? undefined : find(node, discriminator)
    this.#typeNode = type?.type === 'string' && !isEmptyString(type) ? type : null
    this.#type = this.#typeNode === null ? event.name : this.#text(this.#typeNode)
    if (this.#typeNode === null) this.#tally.replacements += event.nameReplaced ?? 0
    this.#apply(rules, { node, choice: 0, index: -1 })
    this.#bytes = NO_BYTES
    this.#rows = null
    this.#typeNode = null
  }

  #apply(rules: readonly CompiledRule[], scope: Scope): void {
    for (const rule of rules) {
      if (!this.#holds(rule, scope.node)) continue
      switch (rule.form) {
        case 'scope':
          this.#enter(rule, scope)
          break
        case 'value':
          this.#writeValue(rule, scope)
          break
        case 'tool':
          this.#writeTool(rule, scope)
          break
        case 'block-stop':
          this.#write(ROW_BLOCK_STOP, scope, '')
          break
        case 'end':
          this.#write(ROW_TERMINATOR, scope, rule.name ?? this.#sentType())
          break
      }
    }
  }

  /** The type, to be passed on: what is malformed in an event's name was counted with it. */
  #sentType(): string {
    return this.#typeNode === null ? this.#type : this.#text(this.#typeNode, this.#tally)
  }

  #holds({ on, off, conditions }: CompiledConditions, node: JsonNode): boolean {
    if (on !== null && !on.includes(this.#type)) return false
    if (off.includes(this.#type)) return false
    return conditions.every(({ keys, values, holds }) => {
      return values.some((value) => this.#equals(find(node, keys), value)) === holds
    })
  }

  #equals(node: JsonNode | undefined, value: string | boolean): boolean {
    if (typeof value === 'boolean') return node?.type === String(value)
    return node?.type === 'string' && this.#text(node) === value
  }

  #enter(rule: CompiledScope, outer: Scope): void {
    if (rule.each === null) {
      this.#enterOne(rule, outer.node, outer, -1)
      return
    }
    const list = find(outer.node, rule.each)
    if (list?.type !== 'array') return
    for (const [position, item] of list.items.entries()) {
      this.#enterOne(rule, item, outer, position)
    }
  }

  #enterOne(rule: CompiledScope, node: JsonNode, outer: Scope, position: number): void {
    let { choice, index } = outer
    if (rule.choice !== null) choice = Math.max(this.#index(node, rule.choice, CHOICE_MAX), 0)
    if (rule.index === POSITION) index = position
    else if (rule.index !== null) index = this.#index(node, rule.index, INDEX_MAX)
    this.#apply(rule.rules, { node, choice, index })
  }

  #writeValue(rule: CompiledValue, scope: Scope): void {
    if (this.#isDone(rule.kind, scope.choice)) return
    let empty = false
    for (const keys of rule.paths) {
      const node = find(scope.node, keys)
      if (node === undefined || !hasShape(node, rule.shape)) continue
      const isText = rule.shape === 'delta' || rule.shape === 'word'
      const text = rule.as ?? (isText ? this.#text(node, this.#tally) : this.#raw(node))
      if (text !== '') {
        this.#writeFact(rule, scope, text)
        return
      }
      empty = true
    }
    if (!empty || rule.skipEmpty) return
    const isName = rule.kind === ROW_ID || rule.kind === ROW_MODEL
    if (rule.shape !== 'delta' && !isName) return
    if (this.#isFirst(rule.kind, isName ? ANY_NAME : scope.choice))
      this.#write(rule.kind, scope, '')
  }

  /** Writes a value that is not empty, unless it is one that is sent once and was sent. */
  #writeFact({ kind, whole }: CompiledValue, scope: Scope, text: string): void {
    switch (kind) {
      case ROW_ID:
      case ROW_MODEL:
        this.#isFirst(kind, ANY_NAME)
        if (this.#isFirst(kind, GOOD_NAME)) this.#write(kind, scope, text)
        break
      case ROW_ROLE:
        if (this.#isFirst(kind, scope.choice)) this.#write(kind, scope, text)
        break
      case ROW_TEXT:
      case ROW_REASONING:
      case ROW_REFUSAL:
        this.#isFirst(kind, scope.choice)
        this.#write(whole ? kind | (FLAG_WHOLE << 8) : kind, scope, text)
        break
      case ROW_PROVIDER_ERROR:
        this.#write(kind, { ...scope, index: -1 }, text)
        break
      default:
        this.#write(kind, scope, text)
    }
  }

  #writeTool(rule: CompiledTool, scope: Scope): void {
    const kind = this.#word(scope, rule.kind)
    const id = this.#word(scope, rule.id)
    const name = this.#word(scope, rule.name)
    const fragment = rule.arguments === null ? undefined : find(scope.node, rule.arguments)
    const whole = wholeOf(fragment) ?? this.#inputOf(rule, scope)
    const isFragment = fragment?.type === 'string'
    const parts = rule.parts === null ? undefined : find(scope.node, rule.parts)
    const hasParts = parts?.type === 'array' && parts.items.length > 0
    if (kind + id + name === '' && !isFragment && whole === null && !hasParts) return
    if (kind !== '') this.#write(ROW_TOOL_KIND, scope, kind)
    if (id !== '') this.#write(ROW_TOOL_ID, scope, id)
    if (name !== '') this.#write(ROW_TOOL_NAME, scope, name)
    if (whole !== null) this.#write(ROW_TOOL_INPUT, scope, this.#raw(whole))
    else if (rule.parts !== null && !isFragment) {
      this.#write(ROW_TOOL_PARTS, scope, hasParts ? this.#raw(parts) : '')
    } else {
      const text = isFragment ? this.#text(fragment, this.#tally) : ''
      this.#write(ROW_TOOL_ARGUMENTS, scope, text)
    }
  }

  #inputOf({ input, skipEmpty }: CompiledTool, scope: Scope): JsonNode | null {
    const node = input === null ? undefined : find(scope.node, input)
    if (skipEmpty && node?.type === 'object' && node.members.size === 0) return null
    return node?.type === 'string' && !isEmptyString(node) ? node : wholeOf(node)
  }

  /** Whether a rule for what is sent once has nothing left to send. */
  #isDone(kind: RowKind, choice: number): boolean {
    if (kind !== ROW_ID && kind !== ROW_MODEL && kind !== ROW_ROLE) return false
    const bit = kind === ROW_ROLE ? choice : GOOD_NAME
    return bit < CHOICES_TOLD_APART && ((this.#said[kind] as number) & (1 << bit)) !== 0
  }

  /** True the first time it is asked for this kind and bit; always, for bits that do not exist. */
  #isFirst(kind: RowKind, bit: number): boolean {
    if (bit >= CHOICES_TOLD_APART) return true
    const said = this.#said[kind] as number
    this.#said[kind] = said | (1 << bit)
    return (said & (1 << bit)) === 0
  }

  #word(scope: Scope, keys: Keys | null): string {
    const node = keys === null ? undefined : find(scope.node, keys)
    return node?.type === 'string' ? this.#text(node, this.#tally) : ''
  }

  /** -1 where there is none. What cannot be one is the event's fault. */
  #index(node: JsonNode, keys: Keys, max: number): number {
    const value = find(node, keys)
    if (value === undefined || value.type === 'null') return -1
    const bytes = this.#bytes.subarray(value.start, value.end)
    const index = decodeIndex(bytes, max)
    if (index < 0) this.#fault ??= indexMessage(bytes, max)
    return index
  }

  #text({ start, end }: JsonNode, tally?: Replacements): string {
    return decodeJsonString(this.#bytes.subarray(start, end), tally)
  }

  #raw({ start, end }: JsonNode): string {
    return decodeUtf8(this.#bytes.subarray(start, end), this.#tally)
  }

  #write(kind: RowKind, { choice, index }: Scope, text: string): void {
    this.#rows?.write(kind, choice, index, text)
  }
}

function wholeOf(node: JsonNode | undefined): JsonNode | null {
  return node?.type === 'object' || node?.type === 'array' ? node : null
}

/** Two quotes. */
function isEmptyString({ start, end }: JsonNode): boolean {
  return end - start === 2
}

function hasShape(node: JsonNode, shape: ValueShape): boolean {
  switch (shape) {
    case 'delta':
    case 'word':
      return node.type === 'string'
    case 'object':
      return node.type === 'object'
    case 'list':
      return node.type === 'array' && node.items.length > 0
    case 'error':
      return node.type === 'object' || (node.type === 'string' && !isEmptyString(node))
    case 'any':
      return node.type !== 'null'
  }
}
