/**
 * docs/DIALECTS.md says which recordings prove what, and where an official client reads them in
 * another way. `MILLRACE_UPDATE=1` writes the proof anew after a change.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createMillrace, dialects, type MillraceError } from '../src/main/index.ts'
import { clientDiffers, expectedOf, onlyBuilderDiffers } from './expected.ts'
import { proofText } from './proof.ts'
import { bodyOf, recordings } from './recordings.ts'
import { services } from './services.ts'
import { sharedData, SHARED_DATA_MISSING } from './shared-data.ts'

const path: string = fileURLToPath(new URL('../../docs/DIALECTS.md', import.meta.url))
const BEGIN = '<!-- proof: begin -->\n'
const END = '\n<!-- proof: end -->'

const skip: string | false = sharedData() === null && SHARED_DATA_MISSING

/** As many entries as test/quirks.test.ts names. */
const QUIRKS = 64

test('docs/DIALECTS.md: names the recordings that prove each cell', { skip }, async () => {
  const doc = readFileSync(path, 'utf8')
  const begin = doc.indexOf(BEGIN) + BEGIN.length
  const end = doc.indexOf(END)
  assert.ok(begin >= BEGIN.length && end >= begin)
  const proof = await proofText()
  if (process.env['MILLRACE_UPDATE'] === '1') {
    writeFileSync(path, doc.slice(0, begin) + proof + doc.slice(end))
  } else assert.equal(doc.slice(begin, end), proof)
})

/** The cells of each row in the doc's table of dialects. */
function dialectRows(): { name: string; whose: string }[] {
  const doc = readFileSync(path, 'utf8')
  const framings = 'SSE|NDJSON|JSON array|AWS frames'
  const rows = doc.matchAll(
    new RegExp(`^\\| \`([a-z0-9-]+)\` \\| (?:${framings}) \\| (.*) \\|$`, 'gm'),
  )
  return [...rows].map(([, name = '', whose = '']) => ({ name, whose }))
}

test('docs/DIALECTS.md: lists every dialect', () => {
  assert.deepEqual(
    dialectRows().map(({ name }) => name),
    Object.keys(dialects),
  )
})

test('docs/DIALECTS.md: whom it names beside a dialect has a row in the proof, and back', () => {
  const lists: readonly [dialect: string, own: string, list: RegExp][] = [
    ['openai-chat', 'OpenAI', /family: (.*)'s compatible endpoint$/],
    ['openai-responses', 'OpenAI', /Responses; (.*) where they imitate it$/],
    ['bedrock-eventstream', 'Bedrock Converse', /InvokeModelWithResponseStream of (.*)$/],
  ]
  for (const [dialect, own, list] of lists) {
    const { whose = '' } = dialectRows().find(({ name }) => name === dialect) ?? {}
    const named = list.exec(whose)?.[1]?.split(/, | and /) ?? []
    const rows = services.filter((service) => service.dialect === dialect)
    const others = rows.map(({ name }) => name).filter((name) => name !== own)
    const prefix = dialect === 'bedrock-eventstream' ? 'Bedrock ' : ''
    assert.deepEqual(named.map((name) => prefix + name).toSorted(), others.toSorted())
  }
})

interface Difference {
  readonly file: string
  readonly client: string
  readonly code: string | null
}

/** Rows of the section's two tables: what differs when iterated, and in the client's builder. */
function differences(): Difference[][] {
  const doc = readFileSync(path, 'utf8')
  const begin = doc.indexOf('\n## Where an SDK and this decoder differ\n')
  const section = doc.slice(begin, doc.indexOf('\n## ', begin + 1))
  const tables = section.split(/^\| --- .*\n/m).slice(1)
  return tables.map((table) => table.slice(0, table.indexOf('\n\n')).split('\n').map(differenceIn))
}

function differenceIn(line: string): Difference {
  const [, file = '', client = '', , , final = '', , quirk = ''] = line.split(/ ?\| ?/)
  const code = /^`([A-Z_]+)`$/.exec(final)?.[1] ?? null
  assert.ok(code !== null || final === 'the message', line)
  assert.ok(quirk === '–' || (Number(quirk) >= 1 && Number(quirk) <= QUIRKS), line)
  return { file: file.replaceAll('`', ''), client, code }
}

const TABLES = [
  ['has every recording that the official client reads otherwise', clientDiffers],
  ["has every recording of which only the client's own message differs", onlyBuilderDiffers],
] as const

for (const [at, [says, isOne]] of TABLES.entries()) {
  test(`docs/DIALECTS.md: ${says}`, { skip }, async (t) => {
    const mill = await createMillrace()
    t.after(() => mill.close())
    const found: Difference[] = []
    for (const recording of recordings) {
      const expected = expectedOf(recording)
      if (!isOne(expected)) continue
      const { file, dialect } = recording
      const stream = mill.decode([await bodyOf(file)], { dialect, placement: 'inline' })
      const code = await stream.final().then(
        () => null,
        (error: MillraceError) => error.code,
      )
      const client = expected.sdk?.lib.replace(/@(?=\d)/, ' ') ?? ''
      found.push({ file: file.replace('streams/', ''), client, code })
    }
    const stated = differences()[at] ?? []
    const byFile = (a: Difference, b: Difference): number => (a.file < b.file ? -1 : 1)
    assert.deepEqual(stated.toSorted(byFile), found.toSorted(byFile))
  })
}
