import { TOOL_PARTS_MAX } from '../shared/limits.ts'

type Container = Record<string, unknown> | unknown[]
type Key = string | number

/** `$`, then keys: `.name`, `[0]`, `['name']` or `["name"]`. */
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/y

/**
 * A tool call's arguments that come as values with their places, Gemini's way:
 * `{jsonPath: '$.a.b[0]', stringValue: '…', willContinue: true}`.
 *
 * A string that will continue is the front of the next one at the same place. What has no place, or
 * one that leaves a gap in an array, is ignored.
 */
export class PartialArguments {
  readonly #root: Container = newObject()
  #count = 0
  /** Place of the string that goes on, `''` where none does. */
  #open = ''

  /** @param parts - The array as it was sent, raw JSON, or `''`. */
  add(parts: string): void {
    if (parts === '') return
    for (const part of JSON.parse(parts) as unknown[]) {
      if (typeof part === 'object' && part !== null) this.#addPart(part as Record<string, unknown>)
    }
  }

  toJson(): string {
    return JSON.stringify(this.#root)
  }

  #addPart(part: Record<string, unknown>): void {
    const { jsonPath, willContinue } = part
    if (typeof jsonPath !== 'string' || this.#count === TOOL_PARTS_MAX) return
    const keys = keysOf(jsonPath)
    const last = keys?.pop()
    if (keys === null || last === undefined) return
    const value = valueOf(part)
    const parent = value === undefined ? null : this.#enter(keys, last)
    if (parent === null) return
    this.#count++
    const before = own(parent, last)
    const continues = this.#open === jsonPath && typeof before === 'string'
    const whole = continues && typeof value === 'string' ? before + value : value
    if (set(parent, last, whole)) this.#open = willContinue === true ? jsonPath : ''
  }

  /** The container that holds the last key, made where it is missing. */
  #enter(keys: readonly Key[], last: Key): Container | null {
    let parent: Container = this.#root
    for (const [at, key] of keys.entries()) {
      const found = own(parent, key)
      const next = at + 1 < keys.length ? (keys[at + 1] as Key) : last
      const inner = isContainer(found) ? found : typeof next === 'number' ? [] : newObject()
      if (inner !== found && !set(parent, key, inner)) return null
      parent = inner
    }
    return parent
  }
}

/** The keys of a place, or `null` where it is none. */
function keysOf(jsonPath: string): Key[] | null {
  const keys: Key[] = []
  STEP.lastIndex = jsonPath.startsWith('$') ? 1 : 0
  while (STEP.lastIndex < jsonPath.length) {
    const match = STEP.exec(jsonPath)
    if (match === null || keys.length === PATH_KEYS_MAX) return null
    const [, name, index, single, double] = match
    keys.push(index === undefined ? (name ?? single ?? (double as string)) : Number(index))
  }
  return keys
}

/** Deeper than this a place is taken for none. */
const PATH_KEYS_MAX = 64

function valueOf(part: Record<string, unknown>): unknown {
  const { stringValue, numberValue, boolValue } = part
  if (typeof stringValue === 'string') return stringValue
  if (typeof numberValue === 'number') return numberValue
  if (typeof boolValue === 'boolean') return boolValue
  return 'nullValue' in part ? null : undefined
}

/** Without a prototype: `__proto__` is a key like any other. */
function newObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function own(container: Container, key: Key): unknown {
  return Object.hasOwn(container, key) ? (container as Record<Key, unknown>)[key] : undefined
}

/** False where the key does not fit: a name in an array, or a place that leaves a gap in one. */
function set(container: Container, key: Key, value: unknown): boolean {
  if (Array.isArray(container) && (typeof key !== 'number' || key > container.length)) return false
  ;(container as Record<Key, unknown>)[key] = value
  return true
}
