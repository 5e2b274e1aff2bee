/** `npm run test:mutants` takes minutes: this tells in time where it would find nothing to do. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Mutant {
  readonly name: string
}

interface Mutants {
  readonly mutants: readonly Mutant[]
  readonly pathOf: (mutant: Mutant) => string
  readonly isPlaceable: (mutant: Mutant, source: string) => boolean
}

const root = new URL('../../', import.meta.url)
const script = new URL('scripts/mutants.js', root)
const { mutants, pathOf, isPlaceable } = (await import(script.href)) as Mutants

test('mutants: the sources have the place of each, once', () => {
  const sources = new Map<string, string>()
  const lost = mutants.filter((mutant) => {
    const path = pathOf(mutant)
    if (!sources.has(path)) sources.set(path, readFileSync(new URL(path, root), 'utf8'))
    return !isPlaceable(mutant, sources.get(path)!)
  })
  assert.deepEqual(
    lost.map(({ name }) => name),
    [],
  )
  assert.ok(mutants.length > 150, `${mutants.length} mutants`)
})

test('mutants: each has a name of its own', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length)
})
