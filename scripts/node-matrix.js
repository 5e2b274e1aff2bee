// Runs the compiled tests on other versions of Node: `npm run test:matrix [-- MAJOR...]`.
//
// The runtimes come from npm (190 MB each, no install scripts) and stay in the system's temporary
// folder, so that only the first run fetches them.

import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npm, root, run, seconds } from './run.js'

const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']
const platform = process.platform === 'win32' ? 'win' : process.platform
const runtime = `node-${platform}-${process.arch}`

/** Fetches a runtime where it is not there yet. Returns its program, or npm's complaint. */
function fetchNode(major) {
  const folder = join(tmpdir(), 'millrace-node-matrix', major)
  const program = join(folder, 'node_modules', runtime, 'bin', 'node')
  if (existsSync(program)) return { program, complaint: '' }
  mkdirSync(folder, { recursive: true })
  const install = ['install', '--no-save', '--ignore-scripts', '--prefix', folder]
  const { output } = run([...npm, ...install, `${runtime}@${major}`], { cwd: folder })
  return { program, complaint: existsSync(program) ? '' : output }
}

/** The closing counts of node's own runner, such as `# pass 12`. */
const count = (output, name) => Number(output.match(new RegExp(`^# ${name} (\\d+)`, 'm'))?.[1] ?? 0)

function testOn(program) {
  const started = performance.now()
  const files = readdirSync(join(root, 'dist', 'test'))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join('dist', 'test', name))
  const options = ['--test', '--test-reporter=tap', '--test-timeout=600000']
  const { ok, output } = run([program, ...options, ...files])
  const [pass, fail, skipped] = ['pass', 'fail', 'skipped'].map((name) => count(output, name))
  return { ok: ok && pass > 0, output, pass, fail, skipped, time: seconds(started) }
}

const rows = []
for (const major of majors) {
  const { program, complaint } = fetchNode(major)
  if (complaint !== '') {
    rows.push({ node: major, result: 'NOT FETCHED' })
    console.error(complaint)
    continue
  }
  const { ok, output, ...counts } = testOn(program)
  const node = run([program, '--version']).stdout.trim()
  rows.push({ node, result: ok ? 'ok' : 'FAIL', ...counts })
  if (!ok) console.error(output)
}
console.table(rows)
process.exitCode = rows.every(({ result }) => result === 'ok') ? 0 : 1
