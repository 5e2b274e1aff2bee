// Fuzzes the WASM decoder against the plain one: `npm run test:fuzz`, for a million chunkings of
// each fuzz, or `npm run test:fuzz -- [--only grammar|template] [--seconds N | --chunkings N]
// [--seed S]`. Both run at once, each on a core.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'

const files = { grammar: 'fuzz', template: 'template-fuzz' }

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string' },
    chunkings: { type: 'string' },
    seed: { type: 'string' },
  },
})
const { only, seconds, seed } = values
const chunkings = values.chunkings ?? (seconds === undefined ? '1000000' : 'Infinity')

for (const [name, value] of Object.entries({ seconds, chunkings, seed })) {
  if (value === undefined || Number(value) >= 0) continue
  console.error(`--${name} must be a number, not ${value}`)
  process.exit(2)
}
if (only !== undefined && !Object.hasOwn(files, only)) {
  console.error(`--only must be one of ${Object.keys(files).join(', ')}, not ${only}`)
  process.exit(2)
}

const env = {
  ...process.env,
  MILLRACE_FUZZ_CHUNKINGS: chunkings,
  MILLRACE_FUZZ_PROGRESS: '1',
  ...(seconds !== undefined && { MILLRACE_FUZZ_SECONDS: seconds }),
  ...(seed !== undefined && { MILLRACE_SEED: seed }),
}
const chosen = Object.keys(files).filter((name) => only === undefined || name === only)
const statuses = await Promise.all(
  chosen.map(async (name) => {
    // Not by the test runner, which would keep the lines of progress back.
    const options = ['--test-reporter=spec', `dist/test/${files[name]}.test.js`]
    const [status] = await once(spawn(process.execPath, options, { stdio: 'inherit', env }), 'exit')
    return status
  }),
)
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1
