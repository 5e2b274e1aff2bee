// What a source test cannot see: that the tarball holds all it needs and no more, installs into an
// empty folder without running scripts, type-checks there, decodes inline and in a worker, and
// has its program. `node scripts/packed-package.js TARBALL`; part of `npm run check`.

import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { bin, npm, root, run } from './run.js'

const MAY_SHIP = /^(?:package\.json|README\.md|LICENSE|docs\/.+|dist\/src\/.+\.(?:js|d\.ts|wasm))$/
const MUST_SHIP = ['package.json', 'README.md', 'LICENSE', 'dist/src/main/index.js']

const tarball = resolve(process.argv[2] ?? '')
const folder = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
const installed = join(folder, 'node_modules', 'millrace')

/** Runs a program in the empty folder; its failure is this script's. */
function step(name, command) {
  const { ok, stdout, output } = run(command, { cwd: folder })
  if (!ok) throw new Error(`${name}\n${output}`)
  return stdout
}

function install() {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']
  step('npm install', [...npm, 'install', ...quiet, tarball])
}

function checkFiles() {
  const shipped = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(installed.length + 1))
    .map((path) => path.replaceAll('\\', '/'))
  const extra = shipped.filter((path) => !MAY_SHIP.test(path))
  const missing = MUST_SHIP.filter((path) => !shipped.includes(path))
  if (extra.length > 0) throw new Error(`should not ship:\n${extra.join('\n')}`)
  if (missing.length > 0) throw new Error(`should ship:\n${missing.join('\n')}`)
}

/** Types as a stranger sees them: no DOM, no skipped declarations, no path into our sources. */
function compileConsumer() {
  copyFileSync(join(root, 'test', 'packed-package', 'consumer.ts'), join(folder, 'consumer.ts'))
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  const config = { compilerOptions, files: ['consumer.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  step('types of the installed package', [bin('tsc'), '-p', folder])
}

function checkProgram() {
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const program = join(folder, 'node_modules', '.bin', 'millrace')
  const said = step('millrace --version', [program, '--version']).trim()
  if (said !== version) throw new Error(`millrace --version says ${said}, not ${version}`)
}

try {
  install()
  checkFiles()
  compileConsumer()
  step('the installed package decodes', [process.execPath, 'consumer.js'])
  checkProgram()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
