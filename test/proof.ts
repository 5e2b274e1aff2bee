/** Which kinds of tokens the recordings of each provider hold, as docs/DIALECTS.md shows it. */
import { createDecoder, type TokenEvent } from '../src/main/index.ts'
import { bodyOf, type Recording, recordings } from './recordings.ts'
import { type Service, serviceOf, services } from './services.ts'

/** Columns: a kind of token, and how its events are known. */
const KINDS: readonly (readonly [name: string, is: (event: TokenEvent) => boolean])[] = [
  ['text', ({ type }) => type === 'text-delta'],
  ['reasoning', ({ type }) => type === 'reasoning-delta'],
  ['signature', ({ type }) => type === 'reasoning-signature'],
  ['refusal', ({ type }) => type === 'refusal-delta'],
  ['tool call', ({ type }) => type === 'tool-input-start'],
  ['tool plan', ({ type }) => type === 'plan-delta'],
  ['hosted block', ({ type }) => type === 'hosted-block'],
  ['annotation', ({ type }) => type === 'annotation'],
  ['sources', ({ type }) => type === 'sources'],
  ['log probabilities', ({ type }) => type === 'logprobs'],
  ['safety', ({ type }) => type === 'safety'],
  ['finish', ({ type }) => type === 'finish'],
  ['usage', ({ type }) => type === 'usage'],
  ['error', (event) => event.type === 'error' && event.error.code === 'PROVIDER_ERROR'],
  ['end', ({ type }) => type === 'end'],
  ['event', ({ type }) => type === 'event'],
]

/** A recording and the kinds that it holds, as positions in {@link KINDS}. */
interface Held {
  readonly recording: Recording
  readonly kinds: ReadonlySet<number>
}

/** A service's recordings, numbered on from those of the services before it. */
interface Section {
  readonly service: Service
  readonly first: number
  readonly held: readonly Held[]
}

async function kindsOf({ file, dialect }: Recording): Promise<Set<number>> {
  const decoder = createDecoder({ dialect: dialect === 'other' ? 'sse' : dialect })
  const events = [...decoder.push(await bodyOf(file)), ...decoder.end()]
  return new Set([...KINDS.keys()].filter((kind) => events.some(KINDS[kind]![1])))
}

/** In an order that lets the recordings of most cells follow each other. */
function ordered(held: readonly Held[]): Held[] {
  const count = (kind: number): number => held.filter(({ kinds }) => kinds.has(kind)).length
  const columns = [...KINDS.keys()].toSorted((a, b) => count(b) - count(a))
  const key = ({ kinds, recording }: Held): string =>
    columns.map((kind) => (kinds.has(kind) ? 'a' : 'b')).join('') + recording.file
  return held.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

async function collect(): Promise<Section[]> {
  const held = new Map<Service, Held[]>(services.map((service) => [service, []]))
  for (const recording of recordings) {
    held.get(serviceOf(recording))!.push({ recording, kinds: await kindsOf(recording) })
  }
  let first = 1
  return [...held].map(([service, own]) => {
    const section = { service, first, held: ordered(own) }
    first += own.length
    return section
  })
}

/** `1–3, 7` of 1, 2, 3, 7. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [from: number, to: number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges
    .map(([from, to]) => (from === to ? `${from}` : `${from}${to === from + 1 ? ', ' : '–'}${to}`))
    .join(', ')
}

/** How many recordings of a section hold a kind, and which. */
function cell({ first, held }: Section, kind: number): string {
  const numbers = held.flatMap(({ kinds }, at) => (kinds.has(kind) ? [first + at] : []))
  return numbers.length === 0 ? '' : `**${numbers.length}**: ${rangesOf(numbers)}`
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`

const headingOf = ({ name, dialect }: Service): string => `${name}: ${dialect}`

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

function proofRow(section: Section): string {
  const { service, held } = section
  const { name, dialect } = service
  const cells = [...KINDS.keys()].map((kind) => cell(section, kind))
  if (held.length === 0) return row([name, `\`${dialect}\``, 'by table only', ...cells])
  const wire = held.filter(({ recording }) => recording.recorded === 'wire').length
  const link = `[${name}](#${anchorOf(headingOf(service))})`
  return row([link, `\`${dialect}\``, `${held.length}, ${wire} off the wire`, ...cells])
}

function totals(sections: readonly Section[]): string {
  const held = sections.flatMap((section) => section.held)
  const counts = [...KINDS.keys()].map((kind) => held.filter(({ kinds }) => kinds.has(kind)).length)
  return row(['all', '', held.length, ...counts])
}

function list({ service, first, held }: Section): string[] {
  if (held.length === 0) return []
  const lines = [
    '',
    `### ${headingOf(service)}`,
    '',
    '| no. | recording | how |',
    row(['---:', '---', '---']),
  ]
  for (const [at, { recording }] of held.entries()) {
    const { file, recorded, mutation, source } = recording
    const how = mutation === undefined ? recorded : `${recorded}: ${mutation}`
    const from = source.repo.replace('https://github.com/', '')
    lines.push(row([first + at, `\`${file.replace('streams/', '')}\``, `${how}; ${from}`]))
  }
  return lines
}

/** A table of which recordings prove each cell, and the recordings that its numbers stand for. */
export async function proofText(): Promise<string> {
  const sections = await collect()
  const proven = sections.filter(({ held }) => held.length > 0)
  const cells = proven.flatMap((section) => [...KINDS.keys()].filter((kind) => cell(section, kind)))
  const made = new Map<string, number>()
  for (const { recorded } of recordings) made.set(recorded, (made.get(recorded) ?? 0) + 1)
  const columns = ['provider', 'dialect', 'recordings', ...KINDS.map(([name]) => name)]
  return [
    `${recordings.length} recordings prove ${cells.length} cells of ${proven.length} rows:`,
    `${[...made].map(([how, count]) => `${count} \`${how}\``).join(', ')}.`,
    '',
    row(columns),
    row(columns.map(() => '---')),
    ...sections.map(proofRow),
    totals(sections),
    ...sections.flatMap(list),
  ].join('\n')
}
