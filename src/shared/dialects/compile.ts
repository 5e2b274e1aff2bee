/**
 * Checks a dialect and brings it into the one form that decoders walk: paths cut into keys, names
 * turned into row kinds, defaults filled in. Still plain data.
 */
import { MillraceError } from '../errors.ts'
import {
  ROW_ANNOTATION,
  ROW_FINISH,
  ROW_HOSTED_BLOCK,
  ROW_ID,
  ROW_LOGPROBS,
  ROW_MODEL,
  ROW_PROVIDER_ERROR,
  ROW_REASONING,
  ROW_REFUSAL,
  ROW_ROLE,
  ROW_SIGNATURE,
  ROW_TEXT,
  ROW_USAGE,
  type RowKind,
} from '../rows.ts'
import {
  type Conditions,
  type Dialect,
  type Paths,
  POSITION,
  type Rule,
  type ValueRule,
} from './dialect.ts'

/** Keys from a scope's value down. None: the value itself. */
export type Keys = readonly string[]

/** The value at `keys` is one of `values`, or, where `holds` is false, none of them. */
export interface ValueCondition {
  readonly keys: Keys
  readonly values: readonly (string | boolean)[]
  readonly holds: boolean
}

export interface CompiledConditions {
  /** Event types to run for, `null` for any, and not to run for. */
  readonly on: readonly string[] | null
  readonly off: readonly string[]
  readonly conditions: readonly ValueCondition[]
}

export interface CompiledScope extends CompiledConditions {
  readonly form: 'scope'
  readonly each: Keys | null
  readonly choice: Keys | null
  /** `POSITION` where the element's place in the array is its index. */
  readonly index: Keys | typeof POSITION | null
  readonly rules: readonly CompiledRule[]
}

/** What a value must be to count: see the names in dialect.ts. */
export type ValueShape = 'delta' | 'word' | 'object' | 'list' | 'error' | 'any'

export interface CompiledValue extends CompiledConditions {
  readonly form: 'value'
  readonly kind: RowKind
  readonly shape: ValueShape
  readonly paths: readonly Keys[]
  readonly skipEmpty: boolean
}

export interface CompiledTool extends CompiledConditions {
  readonly form: 'tool'
  readonly kind: Keys | null
  readonly id: Keys | null
  readonly name: Keys | null
  readonly arguments: Keys | null
  readonly input: Keys | null
  readonly skipEmpty: boolean
}

export interface CompiledBlockStop extends CompiledConditions {
  readonly form: 'block-stop'
}

export interface CompiledEnd extends CompiledConditions {
  readonly form: 'end'
  /** `null`: the event's type. */
  readonly name: string | null
}

export type CompiledRule =
  | CompiledScope
  | CompiledValue
  | CompiledTool
  | CompiledBlockStop
  | CompiledEnd

export interface CompiledDialect {
  readonly name: string
  readonly payload: 'json' | 'text'
  readonly sentinels: readonly string[]
  readonly discriminator: Keys | null
  readonly rules: readonly CompiledRule[]
}

const VALUES: ReadonlyMap<string, { kind: RowKind; shape: ValueShape }> = new Map([
  ['text', { kind: ROW_TEXT, shape: 'delta' }],
  ['reasoning', { kind: ROW_REASONING, shape: 'delta' }],
  ['refusal', { kind: ROW_REFUSAL, shape: 'delta' }],
  ['id', { kind: ROW_ID, shape: 'word' }],
  ['model', { kind: ROW_MODEL, shape: 'word' }],
  ['role', { kind: ROW_ROLE, shape: 'word' }],
  ['finish', { kind: ROW_FINISH, shape: 'word' }],
  ['signature', { kind: ROW_SIGNATURE, shape: 'word' }],
  ['hosted-block', { kind: ROW_HOSTED_BLOCK, shape: 'word' }],
  ['usage', { kind: ROW_USAGE, shape: 'object' }],
  ['logprobs', { kind: ROW_LOGPROBS, shape: 'list' }],
  ['error', { kind: ROW_PROVIDER_ERROR, shape: 'error' }],
  ['annotation', { kind: ROW_ANNOTATION, shape: 'any' }],
])

/** Rules within rules within rules: more than any provider needs. */
const RULE_DEPTH_MAX = 8

const compiled = new WeakMap<Dialect, CompiledDialect>()

/**
 * Compiles a dialect, once for each object.
 *
 * @throws {MillraceError} `DIALECT_INVALID`.
 */
export function compileDialect(dialect: Dialect): CompiledDialect {
  const known = compiled.get(dialect)
  if (known !== undefined) return known
  const made = compile(dialect)
  compiled.set(dialect, made)
  return made
}

function compile(dialect: Dialect): CompiledDialect {
  const { name, payload, sentinels = [], discriminator, rules } = dialect
  requireKeys('dialect', dialect)
  check(/^[a-z][a-z0-9-]*$/.test(name), `name '${name}' is not of lower case letters, digits, -`)
  check(payload === 'json' || payload === 'text', `payload '${payload}' is neither json nor text`)
  check(payload === 'json' || rules.length === 0, 'a dialect of text payloads has no rules')
  return {
    name,
    payload,
    sentinels,
    discriminator: optionalKeys(discriminator),
    rules: rules.map((rule) => compileRule(rule, 1)),
  }
}

/** The keys that each sort of table may have. */
const KEYS = {
  dialect: 'name framing payload sentinels discriminator end usage toolInput rules',
  scope: 'each choice index rules',
  value: 'emit path skipEmpty',
  tool: 'emit kind id name arguments input skipEmpty',
  'block-stop': 'emit',
  end: 'emit name',
}
const CONDITION_KEYS = 'on off when unless'

function compileRule(rule: Rule, depth: number): CompiledRule {
  check(depth <= RULE_DEPTH_MAX, `rules are nested deeper than ${RULE_DEPTH_MAX}`)
  const conditions = compileConditions(rule)
  if (!('emit' in rule)) {
    requireKeys('scope', rule)
    const { each, choice, index, rules } = rule
    check(index !== POSITION || each !== undefined, `index '${POSITION}' without each`)
    return {
      form: 'scope',
      ...conditions,
      each: optionalKeys(each),
      choice: optionalKeys(choice),
      index: index === POSITION ? POSITION : optionalKeys(index),
      rules: rules.map((inner) => compileRule(inner, depth + 1)),
    }
  }
  switch (rule.emit) {
    case 'tool':
      requireKeys('tool', rule)
      return {
        form: 'tool',
        ...conditions,
        kind: optionalKeys(rule.kind),
        id: optionalKeys(rule.id),
        name: optionalKeys(rule.name),
        arguments: optionalKeys(rule.arguments),
        input: optionalKeys(rule.input),
        skipEmpty: rule.skipEmpty ?? false,
      }
    case 'block-stop':
      requireKeys('block-stop', rule)
      return { form: 'block-stop', ...conditions }
    case 'end':
      requireKeys('end', rule)
      return { form: 'end', ...conditions, name: rule.name ?? null }
    default:
      return { ...conditions, ...compileValue(rule) }
  }
}

function compileValue(rule: ValueRule): Omit<CompiledValue, keyof CompiledConditions> {
  const value = VALUES.get(rule.emit)
  if (value === undefined) throw invalid(`there is nothing called '${String(rule.emit)}' to emit`)
  requireKeys('value', rule)
  const paths = listOf(rule.path).map(keysOf)
  return { form: 'value', ...value, paths, skipEmpty: rule.skipEmpty ?? false }
}

function compileConditions({ on, off, when = {}, unless = {} }: Conditions): CompiledConditions {
  const list = (table: typeof when, holds: boolean): ValueCondition[] => {
    return Object.entries(table).map(([path, values]) => ({ keys: keysOf(path), values, holds }))
  }
  return {
    on: on ?? null,
    off: off ?? [],
    conditions: [...list(when, true), ...list(unless, false)],
  }
}

/** One path, or several, as a list. */
export function listOf(paths: Paths): readonly string[] {
  return typeof paths === 'string' ? [paths] : paths
}

/** The keys of a path. */
export function keysOf(path: string): Keys {
  if (path === '') return []
  const keys = path.split('.')
  check(!keys.includes(''), `path '${path}' has an empty key`)
  return keys
}

function optionalKeys(path: string | undefined): Keys | null {
  return path === undefined ? null : keysOf(path)
}

/** A key that is not known is a typing error, and the rule would silently do less than it says. */
function requireKeys(what: keyof typeof KEYS, table: object): void {
  const known = `${KEYS[what]} ${what === 'dialect' ? '' : CONDITION_KEYS}`.split(' ')
  for (const key of Object.keys(table)) check(known.includes(key), `a ${what} has no '${key}'`)
}

function check(holds: boolean, message: string): void {
  if (!holds) throw invalid(message)
}

function invalid(message: string): MillraceError {
  return new MillraceError('DIALECT_INVALID', message)
}
