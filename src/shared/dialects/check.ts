/**
 * Whether a value is a {@link Dialect}: what its types say, and what they cannot.
 *
 * A user's table comes from JavaScript as often as from TypeScript, and a key that is misspelt
 * would do silently less than it says. So every error names the place: `rules[2].rules[0].path`.
 */
import { MillraceError } from '../errors.ts'
import { type Dialect, POSITION } from './dialect.ts'

/** Throws where the value is not what it must be. */
type Check = (value: unknown, at: string) => void
type Table = Readonly<Record<string, unknown>>

/** Rules within rules within rules: more than any provider needs. */
const RULE_DEPTH_MAX = 8

const VALUE_NAMES: readonly string[] = (
  'text reasoning refusal id model role finish signature hosted-block tool-plan request-id ' +
  'usage logprobs error annotation sources safety finish-detail'
).split(' ')

/**
 * @throws {MillraceError} `DIALECT_INVALID`, with the place as `details.path`.
 */
export function checkDialect(dialect: unknown): asserts dialect is Dialect {
  table(DIALECT, ['name', 'framing', 'payload', 'end', 'rules'])(dialect, '')
  const { payload, rules } = dialect as Dialect
  if (payload === 'text' && rules.length > 0) {
    throw invalid('rules', 'there are none where payloads are text')
  }
}

const string: Check = (value, at) => {
  if (typeof value !== 'string') throw invalid(at, `must be a string, not ${shown(value)}`)
}

const path: Check = (value, at) => {
  string(value, at)
  if (value !== '' && (value as string).split('.').includes('')) {
    throw invalid(at, `path ${shown(value)} has an empty key`)
  }
}

const yes: Check = (value, at) => {
  if (value !== true) throw invalid(at, `must be true where it is given, not ${shown(value)}`)
}

const name: Check = (value, at) => {
  string(value, at)
  if (!/^[a-z][a-z0-9-]*$/.test(value as string)) {
    throw invalid(at, `${shown(value)} is not of lower case letters, digits and dashes`)
  }
  if (value === 'auto') throw invalid(at, `'auto' has the dialect recognised, and names none`)
}

function oneOf(...known: readonly string[]): Check {
  return (value, at) => {
    if (known.includes(value as string)) return
    throw invalid(at, `must be one of ${known.join(', ')}, not ${shown(value)}`)
  }
}

function list(item: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) throw invalid(at, `must be an array, not ${shown(value)}`)
    for (const [index, entry] of value.entries()) item(entry, `${at}[${index}]`)
  }
}

/** A rule for none of the types there are would never run. */
function some(check: Check): Check {
  return (value, at) => {
    list(check)(value, at)
    if ((value as unknown[]).length === 0) throw invalid(at, 'names nothing')
  }
}

const paths: Check = (value, at) => {
  if (!Array.isArray(value)) return path(value, at)
  if (value.length === 0) throw invalid(at, 'must hold a path')
  list(path)(value, at)
}

/** An object with these keys and no others, of which some must be there. */
function table(fields: Readonly<Record<string, Check>>, required: readonly string[]): Check {
  return (value, at) => {
    const given = objectOf(value, at)
    for (const key of Object.keys(given)) {
      if (fields[key] === undefined || !Object.hasOwn(fields, key)) {
        throw invalid(join(at, key), `is unknown here; known are ${Object.keys(fields).join(', ')}`)
      }
      if (given[key] !== undefined) fields[key](given[key], join(at, key))
    }
    const missing = required.find((key) => given[key] === undefined)
    if (missing !== undefined) throw invalid(join(at, missing), 'is missing')
  }
}

const conditions: Check = (value, at) => {
  for (const [key, wanted] of Object.entries(objectOf(value, at))) {
    path(key, at)
    list((item, place) => {
      if (typeof item !== 'boolean') string(item, place)
    })(wanted, `${at}['${key}']`)
  }
}

const CONDITIONS = { on: some(string), off: some(string), when: conditions, unless: conditions }

const VALUE = table(
  {
    emit: oneOf(...VALUE_NAMES),
    path: paths,
    skipEmpty: yes,
    whole: yes,
    as: string,
    ...CONDITIONS,
  },
  ['path'],
)
const RULES: ReadonlyMap<unknown, Check> = new Map([
  ...VALUE_NAMES.map((emit) => [emit, VALUE] as const),
  [
    'tool',
    table(
      {
        emit: string,
        kind: path,
        id: path,
        name: path,
        arguments: path,
        input: path,
        parts: path,
        skipEmpty: yes,
        ...CONDITIONS,
      },
      [],
    ),
  ],
  ['block-stop', table({ emit: string, ...CONDITIONS }, [])],
  ['end', table({ emit: string, name: string, ...CONDITIONS }, [])],
])

const rules: Check = (value, at) => list(rule)(value, at)
const SCOPE = table({ each: path, choice: path, index: path, rules, ...CONDITIONS }, ['rules'])

const rule: Check = (value, at) => {
  const given = objectOf(value, at)
  if (at.split('rules[').length - 1 > RULE_DEPTH_MAX) {
    throw invalid(at, `rules are nested deeper than ${RULE_DEPTH_MAX}`)
  }
  if (given['emit'] === undefined) {
    SCOPE(value, at)
    if (given['index'] === POSITION && given['each'] === undefined) {
      throw invalid(
        join(at, 'index'),
        `'${POSITION}' is the position in an array: there is no each`,
      )
    }
    return
  }
  const check = RULES.get(given['emit'])
  if (check === undefined) {
    const known = [...RULES.keys()].join(', ')
    throw invalid(join(at, 'emit'), `must be one of ${known}, not ${shown(given['emit'])}`)
  }
  check(value, at)
  checkModifiers(given, at)
}

/** Modifiers that mean something only to some values. */
function checkModifiers({ emit, whole, as }: Table, at: string): void {
  if (whole === true && !['text', 'reasoning', 'refusal'].includes(emit as string)) {
    throw invalid(join(at, 'whole'), `means nothing for '${String(emit)}', which is no delta`)
  }
  if (as !== undefined && !['role', 'finish', 'hosted-block'].includes(emit as string)) {
    throw invalid(join(at, 'as'), `means nothing for '${String(emit)}'`)
  }
}

const USAGE = table(
  {
    merge: oneOf('last', 'fields'),
    only: list(string),
    input: paths,
    output: paths,
    total: paths,
    cachedInput: paths,
    reasoning: paths,
  },
  ['merge'],
)

const DIALECT: Readonly<Record<string, Check>> = {
  name,
  framing: oneOf('sse', 'ndjson', 'json-array', 'aws-eventstream'),
  signs: list(table({ type: string, has: path, each: path }, [])),
  payload: oneOf('json', 'text'),
  oneValue: yes,
  wrapped: table({ on: string, path }, ['on', 'path']),
  sentinels: list(string),
  discriminator: path,
  end: oneOf('terminator', 'finish', 'none'),
  trailer: yes,
  usage: USAGE,
  toolInput: yes,
  rules,
}

function objectOf(value: unknown, at: string): Table {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table
  throw invalid(at, `must be an object, not ${shown(value)}`)
}

function join(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function invalid(at: string, problem: string): MillraceError {
  const message = at === '' ? `a dialect ${problem}` : `${at} ${problem}`
  return new MillraceError('DIALECT_INVALID', message, { path: at })
}
