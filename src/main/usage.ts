import { keysOf, listOf } from '../shared/dialects/compile.ts'
import type { Paths, UsageRule } from '../shared/dialects/dialect.ts'
import { USAGE_FIELDS_MAX } from '../shared/limits.ts'
import type { TokenEvent, Usage } from './events.ts'

type Fields = Record<string, unknown>

/**
 * What a stream has used, by the last word of its provider.
 *
 * Counts are cumulative wherever they are sent more than once, so they are never added up: a later
 * usage object replaces the earlier one, or its fields, as the dialect says.
 */
export class UsageMeter {
  readonly #rule: UsageRule | undefined
  #raw: Fields = {}

  constructor(rule: UsageRule | undefined) {
    this.#rule = rule
  }

  /** Whether a usage object says all by itself, so that only who looks at it need read it. */
  get isWhole(): boolean {
    return this.#rule?.merge !== 'fields'
  }

  add(whole: Fields): TokenEvent {
    const only = this.#rule?.only
    const sent = only === undefined ? whole : pick(whole, only)
    if (this.#rule?.merge === 'fields') this.#merge(sent)
    else this.#raw = sent
    const { input, output, total, cachedInput, reasoning } = this.#rule ?? {}
    const usage: Usage = {
      input: this.#count(input),
      output: this.#count(output),
      total: this.#count(total),
      cachedInput: this.#count(cachedInput),
      reasoning: this.#count(reasoning),
    }
    return { type: 'usage', usage, raw: this.#raw }
  }

  /** Into a new object, since the last one was handed out. */
  #merge(sent: Fields): void {
    const merged = Object.entries(this.#raw)
    const known = new Map(merged)
    for (const [field, value] of Object.entries(sent)) {
      if (!known.has(field) && known.size === USAGE_FIELDS_MAX) continue
      if (value !== null || !known.has(field)) known.set(field, value)
    }
    this.#raw = Object.fromEntries(known)
  }

  #count(paths: Paths = []): number | null {
    for (const path of listOf(paths)) {
      let found: unknown = this.#raw
      for (const key of keysOf(path)) found = ownField(found, key)
      if (typeof found === 'number') return found
    }
    return null
  }
}

function pick(fields: Fields, names: readonly string[]): Fields {
  const own = names.filter((name) => Object.hasOwn(fields, name))
  return Object.fromEntries(own.map((name) => [name, fields[name]]))
}

function ownField(value: unknown, key: string): unknown {
  const isObject = typeof value === 'object' && value !== null
  return isObject && Object.hasOwn(value, key) ? (value as Fields)[key] : undefined
}
