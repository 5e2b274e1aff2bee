/**
 * Families of events: one event, and the places in it whose values change from one to the next.
 * What templates are learnt from, made by grammar from a dialect's table, or found in recordings.
 */
import type { Conditions, Dialect, Rule, ToolRule } from '../src/shared/dialects/dialect.ts'
import { POSITION } from '../src/shared/dialects/dialect.ts'
import { awsFrame } from './aws-frames.ts'
import { bodyOf, recordings } from './recordings.ts'

export type Random = () => number

export function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)]!
}

/** A value that may be another in the next event. */
export interface Hole {
  readonly kind: 'string' | 'number' | 'blanks'
  /** First byte, and the byte after the last: of a string what is between its quotes. */
  readonly start: number
  readonly end: number
}

export interface Family {
  readonly name: string
  readonly event: Buffer
  /** In the order of the event, apart from each other. */
  readonly holes: readonly Hole[]
  /** Bytes before the payload. */
  readonly lead: number
  /** Of AWS frames: the event's type, told by a header. The event is the payload then. */
  readonly frameType: string | null
}

/** What a stream of the dialect begins with. */
export function startOf({ framing }: Dialect): string {
  return framing === 'json-array' ? '[{}' : ''
}

/** The event as it is sent. */
export function wire({ frameType }: Family, event: Buffer): Buffer {
  if (frameType === null) return event
  return awsFrame({ ':event-type': frameType, ':message-type': 'event' }, event)
}

/** The event with these bytes in its holes. */
export function eventWith({ event, holes }: Family, values: readonly Buffer[]): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (const [index, { start, end }] of holes.entries()) {
    parts.push(event.subarray(at, start), values[index]!)
    at = end
  }
  return Buffer.concat([...parts, event.subarray(at)])
}

const LONG = 'a long one, so that it goes on over every block of sixteen bytes that there is'

/** Insides of strings as JSON has them. */
export const STRINGS: readonly Buffer[] = (
  `|a| there|fifteen bytes..|sixteen bytes...|seventeen bytes..|${LONG}|${LONG}\\"|data: x|error|` +
  '\\n|\\"|\\\\|a\\u00e9b|\\ud83d\\ude00|\\ud800|caf\u00e9 \u4e2d\u6587|\u{1f600}|\ufeff|\u2028|' +
  `0123456789abcde\\n|${x(31)}|${x(32)}|${x(33)}|${x(63)}|${x(63)}\\"|${x(64)}|${x(64)}\\\\|` +
  `${x(65)}|{\\"a\\":1}|[1,2]|text`
)
  .split('|')
  .map((text) => Buffer.from(text))

function x(count: number): string {
  return 'x'.repeat(count)
}

export const NUMBERS: readonly Buffer[] =
  '0|1|2|9|10|-1|-0|1.5|-2.25|1e5|1E-5|0.1|123456789012|65535|65536|2147483648|3e+2|0e0'
    .split('|')
    .map((text) => Buffer.from(text))

/** Values for the holes; two with different `turn`s are different in each hole. */
export function valuesOf({ holes }: Family, turn: number, random: Random): readonly Buffer[] {
  return holes.map(({ kind }) => {
    if (kind === 'blanks') return Buffer.alloc(turn % 40, turn % 3 === 2 ? '\t' : ' ')
    if (kind === 'number') {
      return random() < 0.5 ? Buffer.from(String(turn)) : pick(NUMBERS, random)
    }
    const text = pick(STRINGS, random)
    return random() < 0.3 ? Buffer.concat([Buffer.from(String(turn)), text]) : text
  })
}

// ---- By grammar.

type Tree = { [key: string]: Value }
type Value = string | number | boolean | null | Tree | Value[]

/** Keys that few dialects read. */
const OTHERS: Tree = {
  obfuscation: 'xx',
  created: 1_707_756_300,
  object: 'chat.completion.chunk',
  sequence_number: 7,
  note: 'an "',
  'd\u00e9lta': null,
  nested: { a: [1, 'b', { c: -0.5 }], empty: {} },
  list: [1, 2, 3],
}

/** An event of the dialect that some of its rules find something in. */
export function familyOf(dialect: Dialect, random: Random): Family {
  const root: Tree = {}
  const type = { name: '' }
  const count = 1 + Math.floor(random() * 4)
  if (random() < 0.5) addOther(root, random)
  for (let left = count; left > 0; left--) fill(root, dialect.rules, type, random)
  while (random() < 0.4) addOther(root, random)
  const { discriminator } = dialect
  const isNamed = random() < 0.4
  if (discriminator !== undefined && type.name !== '' && (!isNamed || random() < 0.5)) {
    put(root, discriminator, type.name)
  }
  const json = print(root, pick(styles(dialect), random), '\n')
  return framed(dialect, json, isNamed ? type.name : '', random)
}

function addOther(root: Tree, random: Random): void {
  const key = pick(Object.keys(OTHERS), random)
  root[key] ??= structuredClone(OTHERS[key]!)
}

/** Has one of the rules, or one of those inside it, find something. */
function fill(scope: Tree, rules: readonly Rule[], type: { name: string }, random: Random): void {
  if (rules.length === 0) return
  const rule = pick(rules, random)
  satisfy(scope, rule, type, random)
  if ('rules' in rule) {
    const inner = rule.each === undefined ? scope : elementOf(scope, rule.each, random)
    if (inner === null) return
    if (rule.choice !== undefined) put(inner, rule.choice, Math.floor(random() * 3))
    if (rule.index !== undefined && rule.index !== POSITION) put(inner, rule.index, 1)
    fill(inner, rule.rules, type, random)
    if (random() < 0.3) fill(inner, rule.rules, type, random)
    return
  }
  if (rule.emit === 'tool') fillTool(scope, rule, random)
  else if (rule.emit !== 'block-stop' && rule.emit !== 'end') {
    const path = typeof rule.path === 'string' ? rule.path : pick(rule.path, random)
    put(scope, path, structuredClone(pick(VALUES[rule.emit] ?? TEXTS, random)))
  }
}

/** Of holes, and of what stays the same. */
const TEXTS: readonly string[] = ['a', 'said', 'quo"ted', '\\', '']

/** By what a rule emits, unless it is a string. */
const VALUES: Readonly<Record<string, readonly Value[]>> = {
  usage: [{ prompt_tokens: 3, completion_tokens: 4, details: { cached_tokens: 0, note: 'x' } }],
  logprobs: [[{ token: 'a', logprob: -0.5, bytes: [97] }], { content: [{ logprob: -1 }] }],
  error: [{ message: 'no', type: 'server_error', code: 500 }, 'overloaded'],
  annotation: [{ url: 'https://example.com', title: 'b' }, 1],
  safety: [[{ category: 'c', probability: 'LOW' }]],
  'finish-detail': ['SAFETY', { reason: 'r' }],
}

function fillTool(scope: Tree, rule: ToolRule, random: Random): void {
  const places: readonly (readonly [string | undefined, Value])[] = [
    [rule.kind, 'function'],
    [rule.id, 'call_1'],
    [rule.name, 'lookup'],
    [rule.arguments, pick<Value>(['{"a":', { a: 1 }], random)],
    [rule.input, pick<Value>([{}, { a: 'b', n: 1 }, '{"c":2}'], random)],
    [rule.parts, [{ jsonPath: '$.a', stringValue: 'v', willContinue: true }]],
  ]
  for (const [path, value] of places) {
    if (path !== undefined && random() < 0.6) put(scope, path, structuredClone(value))
  }
}

/** Most of the time, so that rules are met whose conditions do not hold. */
function satisfy(
  scope: Tree,
  { on, when, unless }: Conditions,
  type: { name: string },
  random: Random,
): void {
  if (random() < 0.1) return
  if (on !== undefined) type.name = pick(on, random)
  for (const [path, values] of Object.entries(when ?? {})) {
    if (values.length > 0) put(scope, path, pick(values, random))
  }
  if (random() < 0.2) {
    for (const path of Object.keys(unless ?? {})) put(scope, path, 'something else')
  }
}

function elementOf(scope: Tree, each: string, random: Random): Tree | null {
  const found = each === '' ? null : get(scope, each)
  const list: Value[] = Array.isArray(found) ? found : [{}]
  if (found !== list && !put(scope, each, list)) return null
  if (random() < 0.05) list.push({})
  const element = list.at(-1)
  return isTree(element) ? element : null
}

function isTree(value: Value | undefined | null): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function get(tree: Tree, path: string): Value | undefined {
  let value: Value | undefined = tree
  for (const key of path.split('.')) value = isTree(value) ? value[key] : undefined
  return value
}

/** False where something else is in the way. */
function put(tree: Tree, path: string, value: Value): boolean {
  const keys = path.split('.')
  const last = keys.pop()!
  let inner = tree
  for (const key of keys) {
    const next: Value = (inner[key] ??= {})
    if (!isTree(next)) return false
    inner = next
  }
  inner[last] = value
  return path !== ''
}

interface Style {
  readonly comma: string
  readonly colon: string
  readonly isIndented: boolean
}

function styles({ framing }: Dialect): readonly Style[] {
  const tight = { comma: ',', colon: ':', isIndented: false }
  const loose = { comma: ', ', colon: ': ', isIndented: false }
  const indented = { comma: ',', colon: ': ', isIndented: true }
  return framing === 'json-array' ? [indented, indented, tight] : [tight, tight, loose]
}

function print(value: Value, style: Style, newLine: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const inner = style.isIndented ? `${newLine}  ` : ''
  const outer = style.isIndented ? newLine : ''
  const members = Array.isArray(value)
    ? value.map((item) => print(item, style, inner))
    : Object.entries(value).map(
        ([key, item]) => `${JSON.stringify(key)}${style.colon}${print(item, style, inner)}`,
      )
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (members.length === 0) return `${open}${close}`
  return `${open}${inner}${members.join(style.comma + inner)}${outer}${close}`
}

function framed(dialect: Dialect, json: string, type: string, random: Random): Family {
  if (dialect.framing === 'json-array') {
    return holed(dialect.name, pick([',', '\n,\r\n', ', '], random), json, '', random)
  }
  if (dialect.framing === 'aws-eventstream') return holed(dialect.name, '', json, '', random, type)
  const eol = random() < 0.7 ? '\n' : '\r\n'
  if (dialect.framing === 'ndjson') return holed(dialect.name, '', json, eol, random)
  const name = type === '' ? '' : `event: ${type}${eol}`
  const lead = `${name}data:${random() < 0.8 ? ' ' : ''}`
  return holed(dialect.name, lead, json, eol + eol, random)
}

// ---- From recordings.

/** Longer ones are no templates. */
const EVENT_BYTES_MAX = 1000
const RECORDINGS_MAX = 12
const EVENTS_MAX = 40

/**
 * An event of a recording: what comes before its JSON, of a frame its type; the JSON; what comes
 * after it.
 */
export type Recorded = readonly [lead: string, json: string, tail: string]

const PATTERNS: Readonly<Record<Dialect['framing'], RegExp>> = {
  sse: /((?:event: .*\r?\n)?data: ?)(\{.*\})(\r?\n\r?\n)/g,
  ndjson: /()(\{.*\})(\r?\n)/g,
  'json-array': /([,\s]+)(\{(?:.|\r?\n(?=[^{]))*\r?\n\})()/g,
  // Before the header's value lie its kind and, in two bytes, its length.
  'aws-eventstream': /(?<=:event-type[^]{3})([A-Za-z]+)[^{]*(\{.*\})()/g,
}

/** Events of recordings of the dialect, none where there are no recordings; as Latin-1. */
export async function recordedEvents({ name, framing }: Dialect): Promise<readonly Recorded[]> {
  const own = recordings.filter(({ dialect }) => dialect === name).slice(0, RECORDINGS_MAX)
  const bodies = await Promise.all(own.map(({ file }) => bodyOf(file)))
  const found = bodies.flatMap((body) => {
    const text = Buffer.from(body).toString('latin1')
    const events = [...text.matchAll(PATTERNS[framing])].filter(
      ([event]) => event.length < EVENT_BYTES_MAX,
    )
    return events.slice(0, EVENTS_MAX)
  })
  return found.map(([, lead, json, tail]) => [lead!, json!, tail!])
}

export function recordedFamily(dialect: Dialect, event: Recorded, random: Random): Family {
  const [lead, json, tail] = event.map((text) => Buffer.from(text, 'latin1').toString())
  const name = `${dialect.name}, recorded`
  if (dialect.framing === 'aws-eventstream') return holed(name, '', json!, '', random, lead)
  return holed(name, lead!, json!, tail!, random)
}

// ---- Holes.

/** A key with its colon, a string, a number, a literal: whatever is no bracket. */
const LEXEME = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*/g

/** Most holes that a template has; the blanks at its end are two. */
const HOLES_MAX = 8

function holed(
  name: string,
  lead: string,
  json: string,
  tail: string,
  random: Random,
  frameType: string | null = null,
): Family {
  // Latin-1, so that places are bytes.
  const text = Buffer.from(json).toString('latin1')
  const before = Buffer.from(lead).length
  const scalars: Hole[] = []
  for (const match of text.matchAll(LEXEME)) {
    if (match[1] !== undefined) continue
    const isString = match[0].startsWith('"')
    const start = before + match.index + Number(isString)
    const end = start + match[0].length - 2 * Number(isString)
    scalars.push({ kind: isString ? 'string' : 'number', start, end })
  }
  const share = Math.min(0.2 + random() * 0.8, HOLES_MAX / Math.max(scalars.length, 1))
  const holes = scalars.filter(() => random() < share).slice(0, HOLES_MAX)
  if (holes.length === 0 && scalars.length > 0) holes.push(pick(scalars, random))
  const end = before + text.length
  if (random() < 0.1) holes.push({ kind: 'blanks', start: end - 1, end: end - 1 })
  if (random() < 0.1 && tail !== '') holes.push({ kind: 'blanks', start: end, end })
  return { name, event: Buffer.from(lead + json + tail), holes, lead: before, frameType }
}
