// Everything that must hold before a release, in one command: `npm run check`.
// All steps run, whatever fails before them: one run names every problem.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, npm, run, seconds } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-check-'))

/** The one tarball that the package steps look at; `pack` builds and makes it. */
function tarball() {
  const [name] = readdirSync(folder)
  return name === undefined ? join(folder, 'not-packed.tgz') : join(folder, name)
}

/** @type {[name: string, command: () => string[]][]} */
const steps = [
  ['format', () => [bin('oxfmt'), '--check', '.']],
  ['lint', () => [bin('oxlint'), '--type-aware', '--deny-warnings', '.']],
  ['types', () => [bin('tsc'), '-p', 'tsconfig.json', '--noEmit']],
  ['pack', () => [...npm, 'pack', '--silent', '--pack-destination', folder]],
  ['tidy', () => [process.execPath, '--test', '--test-reporter=spec', 'dist/test/tidy.test.js']],
  ['knip', () => [bin('knip')]],
  ['publint', () => [bin('publint'), 'run', tarball(), '--strict']],
  ['attw', () => [bin('attw'), tarball(), '--profile', 'esm-only']],
  ['package', () => [process.execPath, 'scripts/packed-package.js', tarball()]],
]

let failed = 0
try {
  for (const [name, command] of steps) {
    const started = performance.now()
    const { ok, output } = run(command())
    console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)} ${seconds(started).padStart(7)}`)
    if (ok) continue
    failed++
    console.log(output.trimEnd().replace(/^/gm, '      '))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (failed > 0) console.log(`${failed} of ${steps.length} steps failed`)
process.exitCode = failed > 0 ? 1 : 0
