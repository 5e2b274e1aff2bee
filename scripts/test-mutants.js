// Plants each mutant in a copy of the sources, compiles it, and runs tests against it until one
// fails: `npm run test:mutants [-- NAME...]`. Fails if a mutant survives. With `--resume`, those
// are left out that were caught before, by these very sources and tests.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { MutantTree } from './mutant-tree.js'
import { isOfWasm, mutants } from './mutants.js'
import { root, seconds } from './run.js'

/** By where the fault is: test files from quick to slow. The first to fail catches the mutant. */
const TESTS = {
  wasm: words(`
    wasm-edges plain-decoder framers wrapped wasm-aws template-fuzz fuzz wasm-decoder.prop
    wasm-template wasm-takeover wasm-corpus suites`),
  main: words(`
    silence-timer batch-rows.prop usage tool-calls assembler message openai-chat dialects wrapped
    auto provider corpus token-stream bounds`),
  plain: words('plain-decoder plain-decoder.prop framers sse wrapped dialects suites fuzz'),
}

function words(text) {
  return text.trim().split(/\s+/)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { resume: { type: 'boolean', default: false } },
})

const chosen = mutants.filter(({ name }) => {
  return positionals.length === 0 || positionals.some((word) => name.includes(word))
})

function testsOf(mutant) {
  const { file } = mutant
  if (isOfWasm(mutant)) return TESTS.wasm
  return file.startsWith('src/main/') ? TESTS.main : TESTS.plain
}

/** By mutant: the test file that caught it the last time, and of which sources that was. */
const path = join(root, 'node_modules', '.cache', 'millrace', 'mutants.json')
const known = readKnown()
const sources = hashOfSources()

function readKnown() {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

function hashOfSources() {
  const hash = createHash('sha256')
  for (const folder of ['src', 'test']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true }).toSorted()) {
      if (!entry.endsWith('.ts')) continue
      hash.update(entry).update(readFileSync(join(root, folder, entry)))
    }
  }
  return hash.digest('hex')
}

function keyOf({ file, find, replace }) {
  return createHash('sha256')
    .update(JSON.stringify([file, find, replace]))
    .digest('hex')
}

function remember(mutant, test) {
  known[keyOf(mutant)] = { test, sources }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(known))
}

/** What caught it the last time is tried first. */
function inOrder(mutant) {
  const tests = testsOf(mutant)
  const { test } = known[keyOf(mutant)] ?? {}
  return tests.includes(test) ? [test, ...tests.filter((name) => name !== test)] : tests
}

const queue = chosen.filter((mutant) => {
  return !(values.resume && known[keyOf(mutant)]?.sources === sources)
})
if (queue.length < chosen.length) {
  console.log(`${chosen.length - queue.length} of ${chosen.length} were caught before`)
}

const trees = Array.from({ length: Math.min(2, availableParallelism()) }, () => new MutantTree())
process.on('exit', () => {
  for (const tree of trees) tree.remove()
})
// An interrupted pass leaves nothing behind but what it found.
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

/** Has each tree take one item after the other, so that none waits for the others. */
async function forEach(items, take) {
  const next = items.values()
  await Promise.all(
    trees.map(async (tree) => {
      for (const item of next) await take(tree, item)
    }),
  )
}

await forEach([...new Set(queue.flatMap(testsOf))], async (tree, test) => {
  const begun = performance.now()
  if (!(await tree.passes(test))) throw new Error(`${test} fails without any mutant`)
  console.log(`ok    ${test} without any mutant, ${seconds(begun)}`)
})

const started = performance.now()
const caughtBy = new Map()
const survivors = []
let done = 0

function left() {
  const ms = ((performance.now() - started) / done) * (queue.length - done)
  return ms < 60_000 ? `${Math.round(ms / 1000)} s left` : `${Math.round(ms / 60_000)} min left`
}

await forEach(queue, async (tree, mutant) => {
  const begun = performance.now()
  const { isCaught, outcome } = await tree.try(mutant, inOrder(mutant))
  done++
  if (isCaught) {
    remember(mutant, outcome)
    caughtBy.set(outcome, (caughtBy.get(outcome) ?? 0) + 1)
  } else survivors.push(mutant.name)
  const what = isCaught ? `ok    ${mutant.name}: caught by` : `FAIL  ${mutant.name}:`
  console.log(`${what} ${outcome}, ${seconds(begun)} (${done}/${queue.length}, ${left()})`)
})

for (const [test, count] of caughtBy) console.log(`${test} caught ${count}`)
console.log(`${queue.length - survivors.length} of ${queue.length} mutants caught`)
for (const name of survivors) console.log(`survived: ${name}`)
process.exitCode = survivors.length > 0 ? 1 : 0
