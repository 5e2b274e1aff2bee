/**
 * docs/DIALECTS.md says which recordings prove what; `MILLRACE_UPDATE=1` writes it anew after a
 * change.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dialects } from '../src/main/index.ts'
import { proofText } from './proof.ts'
import { sharedData, SHARED_DATA_MISSING } from './shared-data.ts'

const path: string = fileURLToPath(new URL('../../docs/DIALECTS.md', import.meta.url))
const BEGIN = '<!-- proof: begin -->\n'
const END = '\n<!-- proof: end -->'

test(
  'docs/DIALECTS.md: names the recordings that prove each cell',
  { skip: sharedData() === null && SHARED_DATA_MISSING },
  async () => {
    const doc = readFileSync(path, 'utf8')
    const begin = doc.indexOf(BEGIN) + BEGIN.length
    const end = doc.indexOf(END)
    assert.ok(begin >= BEGIN.length && end >= begin)
    const proof = await proofText()
    if (process.env['MILLRACE_UPDATE'] === '1') {
      writeFileSync(path, doc.slice(0, begin) + proof + doc.slice(end))
    } else assert.equal(doc.slice(begin, end), proof)
  },
)

test('docs/DIALECTS.md: lists every dialect', () => {
  const doc = readFileSync(path, 'utf8')
  const listed = [
    ...doc.matchAll(/^\| `([a-z0-9-]+)` \| (?:SSE|NDJSON|JSON array|AWS frames) \|/gm),
  ]
  assert.deepEqual(
    listed.map(([, name]) => name),
    Object.keys(dialects),
  )
})
