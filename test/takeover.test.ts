/** A worker may die at any moment: its successor goes on, and no token is lost or doubled. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { testSeed } from './chunking.ts'
import type { CrashReport } from './model/crash-run.ts'

const SCRIPT = fileURLToPath(new URL('./model/crash-run.js', import.meta.url))
/** One in so many pairs of deaths is tried; crash-run.ts says how to try all. */
const STRIDE = 16

test('takeover: whatever is written last, nothing is lost, doubled, torn or held', async (t) => {
  const seed = testSeed()
  const args = ['--conditions=model', SCRIPT, `${seed}`, '2000', `${STRIDE}`]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 })
  const { sweeps, mutants } = JSON.parse(stdout) as CrashReport
  assert.ok(sweeps.length > 30 && mutants.length > 25)
  for (const { name, plays, deaths, failure } of sweeps) {
    await t.test(`play: ${name}`, (each) => {
      assert.equal(failure, null, `MILLRACE_SEED=${seed}`)
      // Fewer would mean that the worker has hardly written anything.
      assert.ok(deaths > 80)
      each.diagnostic(`${plays} plays, ${deaths} deaths`)
    })
  }
  for (const { name, plays, failure } of mutants) {
    await t.test(`mutant: ${name}, is caught`, (each) => {
      assert.notEqual(failure, null)
      each.diagnostic(`in play ${plays}: ${failure?.split('\n')[0]}`)
    })
  }
})
