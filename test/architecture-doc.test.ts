/** docs/ARCHITECTURE.md has a place for every file. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const ROOT = new URL('../../', import.meta.url)
const DOC = readFileSync(new URL('docs/ARCHITECTURE.md', ROOT), 'utf8')

/** Files of a folder below that are named beside it. */
const EXTRA: Readonly<Record<string, readonly string[]>> = {
  main: [],
  workers: [],
  shared: ['check.ts', 'compile.ts', 'dialect.ts'],
  'shared/decoder': [],
}

for (const folder of ['main', 'workers', 'shared', 'shared/decoder']) {
  test(`ARCHITECTURE.md: names every file of src/${folder}, and none that is not there`, () => {
    const heading = `### src/${folder}`
    const section = DOC.split(/^##/m).find((part) => `##${part}`.split(/[,\n]/)[0] === heading)
    assert.ok(section !== undefined, heading)
    const named = [...section.matchAll(/`([\w-]+\.ts)`/g)].map(([, name]) => name!)
    const files = readdirSync(new URL(`src/${folder}/`, ROOT)).filter((name) =>
      name.endsWith('.ts'),
    )
    assert.deepEqual([...new Set(named)].toSorted(), [...files, ...EXTRA[folder]!].toSorted())
  })
}
