// Every recording cut in two at every place: `npm run test:cuts`. `npm test` samples the places.

import { spawnSync } from 'node:child_process'

const { status } = spawnSync(process.execPath, ['--test', 'dist/test/wasm-corpus.test.js'], {
  stdio: 'inherit',
  env: { ...process.env, MILLRACE_CUTS: 'all' },
})
process.exitCode = status ?? 1
