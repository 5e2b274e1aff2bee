// Fuzzes the WASM decoder against the plain one: `npm run test:fuzz`, for a million chunkings, or
// `npm run test:fuzz -- [--seconds N | --chunkings N] [--seed S]`.

import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    chunkings: { type: 'string' },
    seed: { type: 'string' },
  },
})
const { seconds, seed } = values
const chunkings = values.chunkings ?? (seconds === undefined ? '1000000' : 'Infinity')

for (const [name, value] of Object.entries({ seconds, chunkings, seed })) {
  if (value === undefined || Number(value) >= 0) continue
  console.error(`--${name} must be a number, not ${value}`)
  process.exit(2)
}

const options = ['--test', '--test-reporter=spec', 'dist/test/fuzz.test.js']
const { status } = spawnSync(process.execPath, options, {
  stdio: 'inherit',
  env: {
    ...process.env,
    MILLRACE_FUZZ_CHUNKINGS: chunkings,
    ...(seconds !== undefined && { MILLRACE_FUZZ_SECONDS: seconds }),
    ...(seed !== undefined && { MILLRACE_SEED: seed }),
  },
})
process.exitCode = status ?? 1
