// Plants each mutant in a copy of the WASM decoder's source, compiles it, and runs the decoder's
// tests against it: `npm run test:mutants [-- NAME...]`. Fails if one survives.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { framingMutants } from './framing-mutants.js'
import { payloadMutants } from './payload-mutants.js'
import { root, run, seconds } from './run.js'

const sources = join(root, 'src', 'shared', 'decoder')
/** From quick to slow: the first to fail catches the mutant. */
const tests = [
  'wasm-edges',
  'plain-decoder',
  'framers',
  'wrapped',
  'wasm-aws',
  'wasm-decoder.prop',
  'wasm-template',
  'wasm-takeover',
  'wasm-corpus',
]
/** An endless loop is caught, too. */
const testMsMax = 120_000

/** Compiles the decoder in `folder`; returns the complaint, '' if there is none. */
function compile(folder) {
  const script = join(root, 'scripts', 'build-wasm.js')
  const out = join(folder, 'decoder.wasm')
  const { ok, output } = run([process.execPath, script, '--sources', folder, '--out', out])
  return ok ? '' : output
}

/** The name of the test file that fails on the decoder in `folder`, `null` if none does. */
function catcher(folder) {
  const env = { ...process.env, MILLRACE_WASM: join(folder, 'decoder.wasm') }
  return tests.find((name) => {
    const file = join(root, 'dist', 'test', `${name}.test.js`)
    return !run([process.execPath, '--test', file], { env, timeout: testMsMax }).ok
  })
}

/** Returns what became of the mutant, and whether that is well. */
function tryMutant({ file, find, replace }) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-mutant-'))
  try {
    cpSync(join(sources, 'wasm'), join(folder, 'wasm'), { recursive: true })
    for (const name of ['wasm-layout.ts', 'wasm-template-layout.ts']) {
      cpSync(join(sources, name), join(folder, name))
    }
    const path = join(folder, 'wasm', file)
    const source = readFileSync(path, 'utf8')
    if (source.split(find).length !== 2) return [false, `NOT FOUND ONCE in ${file}`]
    writeFileSync(
      path,
      source.replace(find, () => replace),
    )
    const complaint = compile(folder)
    if (complaint !== '') return [false, `NOT COMPILED: ${complaint}`]
    const caughtBy = catcher(folder)
    return caughtBy === undefined ? [false, 'SURVIVED'] : [true, `caught by ${caughtBy}`]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
const chosen = [...framingMutants, ...payloadMutants].filter(({ name }) => {
  return asked.length === 0 || asked.some((word) => name.includes(word))
})
const healthy = tests.find((name) => {
  return !run([process.execPath, '--test', join(root, 'dist', 'test', `${name}.test.js`)]).ok
})
if (healthy !== undefined) throw new Error(`${healthy} fails without any mutant`)
let survivors = 0
for (const mutant of chosen) {
  const started = performance.now()
  const [isCaught, outcome] = tryMutant(mutant)
  if (!isCaught) survivors++
  console.log(`${isCaught ? 'ok  ' : 'FAIL'}  ${mutant.name}: ${outcome}, ${seconds(started)}`)
}
console.log(`${chosen.length - survivors} of ${chosen.length} mutants caught`)
process.exitCode = survivors > 0 ? 1 : 0
