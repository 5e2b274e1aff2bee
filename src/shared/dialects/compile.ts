/**
 * Checks a dialect and brings it into the one form that decoders walk: paths cut into keys, names
 * turned into row kinds, defaults filled in. Still plain data.
 */
import {
  ROW_ANNOTATION,
  ROW_FINISH,
  ROW_FINISH_DETAIL,
  ROW_HOSTED_BLOCK,
  ROW_ID,
  ROW_LOGPROBS,
  ROW_MODEL,
  ROW_PROVIDER_ERROR,
  ROW_REASONING,
  ROW_REFUSAL,
  ROW_REQUEST_ID,
  ROW_ROLE,
  ROW_SAFETY,
  ROW_SIGNATURE,
  ROW_SOURCES,
  ROW_TEXT,
  ROW_TOOL_PLAN,
  ROW_USAGE,
  type RowKind,
} from '../rows.ts'
import { checkDialect } from './check.ts'
import {
  type Conditions,
  type Dialect,
  type Framing,
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
  /** The row is flagged FLAG_WHOLE. */
  readonly whole: boolean
  /** The text of the row, whatever the value. */
  readonly as: string | null
}

export interface CompiledTool extends CompiledConditions {
  readonly form: 'tool'
  readonly kind: Keys | null
  readonly id: Keys | null
  readonly name: Keys | null
  readonly arguments: Keys | null
  readonly input: Keys | null
  readonly parts: Keys | null
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

export interface CompiledSign {
  readonly type: string
  readonly has: Keys
  readonly each: Keys | null
}

export interface CompiledDialect {
  readonly name: string
  readonly framing: Framing
  readonly signs: readonly CompiledSign[]
  readonly payload: 'json' | 'text'
  readonly oneValue: boolean
  readonly wrapped: { readonly on: string; readonly keys: Keys } | null
  readonly sentinels: readonly string[]
  readonly discriminator: Keys | null
  readonly rules: readonly CompiledRule[]
  /** Some rule is for a text that may have come as deltas before. */
  readonly hasWhole: boolean
}

const VALUES: Readonly<Record<ValueRule['emit'], { kind: RowKind; shape: ValueShape }>> = {
  text: { kind: ROW_TEXT, shape: 'delta' },
  reasoning: { kind: ROW_REASONING, shape: 'delta' },
  refusal: { kind: ROW_REFUSAL, shape: 'delta' },
  id: { kind: ROW_ID, shape: 'word' },
  model: { kind: ROW_MODEL, shape: 'word' },
  role: { kind: ROW_ROLE, shape: 'word' },
  finish: { kind: ROW_FINISH, shape: 'word' },
  signature: { kind: ROW_SIGNATURE, shape: 'word' },
  'hosted-block': { kind: ROW_HOSTED_BLOCK, shape: 'word' },
  usage: { kind: ROW_USAGE, shape: 'object' },
  logprobs: { kind: ROW_LOGPROBS, shape: 'list' },
  error: { kind: ROW_PROVIDER_ERROR, shape: 'error' },
  annotation: { kind: ROW_ANNOTATION, shape: 'any' },
  sources: { kind: ROW_SOURCES, shape: 'list' },
  'tool-plan': { kind: ROW_TOOL_PLAN, shape: 'word' },
  'request-id': { kind: ROW_REQUEST_ID, shape: 'word' },
  safety: { kind: ROW_SAFETY, shape: 'any' },
  'finish-detail': { kind: ROW_FINISH_DETAIL, shape: 'any' },
}

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
  checkDialect(dialect)
  const { name, framing, payload, oneValue = false, sentinels = [], discriminator } = dialect
  const { signs = [], wrapped } = dialect
  const rules = dialect.rules.map(compileRule)
  return {
    name,
    framing,
    signs: signs.map(({ type = '', has = '', each }) => {
      return { type, has: keysOf(has), each: optionalKeys(each) }
    }),
    payload,
    oneValue,
    wrapped: wrapped === undefined ? null : { on: wrapped.on, keys: keysOf(wrapped.path) },
    sentinels,
    discriminator: optionalKeys(discriminator),
    rules,
    hasWhole: hasWhole(rules),
  }
}

function hasWhole(rules: readonly CompiledRule[]): boolean {
  return rules.some((rule) => {
    return rule.form === 'scope' ? hasWhole(rule.rules) : rule.form === 'value' && rule.whole
  })
}

function compileRule(rule: Rule): CompiledRule {
  const conditions = compileConditions(rule)
  if (!('emit' in rule)) {
    const { each, choice, index, rules } = rule
    return {
      form: 'scope',
      ...conditions,
      each: optionalKeys(each),
      choice: optionalKeys(choice),
      index: index === POSITION ? POSITION : optionalKeys(index),
      rules: rules.map(compileRule),
    }
  }
  switch (rule.emit) {
    case 'tool':
      return {
        form: 'tool',
        ...conditions,
        kind: optionalKeys(rule.kind),
        id: optionalKeys(rule.id),
        name: optionalKeys(rule.name),
        arguments: optionalKeys(rule.arguments),
        input: optionalKeys(rule.input),
        parts: optionalKeys(rule.parts),
        skipEmpty: rule.skipEmpty ?? false,
      }
    case 'block-stop':
      return { form: 'block-stop', ...conditions }
    case 'end':
      return { form: 'end', ...conditions, name: rule.name ?? null }
    default:
      return { ...conditions, ...compileValue(rule) }
  }
}

function compileValue(rule: ValueRule): Omit<CompiledValue, keyof CompiledConditions> {
  const { emit, path, whole = false, as = null } = rule
  const { kind, shape } = VALUES[emit]
  return {
    form: 'value',
    kind,
    shape: as === null ? shape : 'any',
    paths: listOf(path).map(keysOf),
    skipEmpty: whole || (rule.skipEmpty ?? false),
    whole,
    as,
  }
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
  return path === '' ? [] : path.split('.')
}

function optionalKeys(path: string | undefined): Keys | null {
  return path === undefined ? null : keysOf(path)
}
