/** Which kinds of tokens the recordings of each dialect hold, as docs/DIALECTS.md shows it. */
import { createDecoder, type TokenEvent } from '../src/main/index.ts'
import { bodyOf, recordings } from './recordings.ts'

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
]

/** By dialect, by kind: the recordings that hold it. */
type Proof = Map<string, Map<string, string[]>>

async function collect(): Promise<Proof> {
  const proof: Proof = new Map()
  for (const { file, dialect } of recordings) {
    if (dialect === 'other') continue
    const kinds = proof.get(dialect) ?? new Map<string, string[]>()
    proof.set(dialect, kinds)
    const decoder = createDecoder({ dialect })
    const events = [...decoder.push(await bodyOf(file)), ...decoder.end()]
    for (const [kind, is] of KINDS) {
      if (!events.some(is)) continue
      kinds.set(kind, [...(kinds.get(kind) ?? []), file.replace('streams/', '')])
    }
  }
  return proof
}

/** A table of how many recordings prove each cell, and a list that names one for each. */
export async function proofText(): Promise<string> {
  const proof = await collect()
  const names = KINDS.map(([name]) => name)
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const lines = [row(['dialect', ...names]), row(['---', ...names.map(() => '---:')])]
  for (const [dialect, kinds] of proof) {
    const counts = names.map((name) => String(kinds.get(name)?.length ?? ''))
    lines.push(row([`\`${dialect}\``, ...counts]))
  }
  for (const [dialect, kinds] of proof) {
    lines.push('', `\`${dialect}\`:`, '')
    for (const [kind, files] of kinds) lines.push(`- ${kind}:`, `  \`${files[0]}\``)
  }
  return lines.join('\n')
}
