// Where mutants are planted and tested: a copy of the sources with a build of its own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOfWasm, isPlaceable, pathOf } from './mutants.js'
import { bin, root } from './run.js'

/** An endless loop is caught, too. */
const TEST_MS_MAX = 120_000
const COPIED = ['src', 'test', 'bench', 'stress-tests', 'package.json', 'tsconfig.json']
const DECODER = join('src', 'shared', 'decoder')
const MODULE = join('dist', DECODER, 'decoder.wasm')
/** So that a pass finds the same each time; some thousands, since many tests come before. */
const FUZZ = { MILLRACE_SEED: '1', MILLRACE_FUZZ_CHUNKINGS: '20000' }

export class MutantTree {
  #folder = mkdtempSync(join(tmpdir(), 'millrace-mutants-'))
  #root = join(this.#folder, 'repository')
  /** Whether its build is of the sources as they should be. */
  #isBuilt = false

  constructor() {
    // At once: a build of the repository may take it away while mutants are tried.
    copyFileSync(join(root, MODULE), this.#goodModule)
    for (const name of COPIED) cpSync(join(root, name), this.#at(name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), this.#at('node_modules'))
    // Recordings lie beside the repository.
    const shared = join(root, '..', 'shared')
    if (existsSync(shared)) symlinkSync(shared, join(this.#folder, 'shared'))
  }

  /**
   * Plants a mutant, and runs tests until one fails.
   *
   * @param {import('./framing-mutants.js').Mutant} mutant
   * @param {readonly string[]} tests - Names of test files, in the order in which they are tried.
   * @returns {Promise<{isCaught: boolean, outcome: string}>} `outcome` is the file that failed.
   */
  async try(mutant, tests) {
    const { file, find, replace } = mutant
    const isWasm = isOfWasm(mutant)
    const path = this.#at(pathOf(mutant))
    const source = readFileSync(path, 'utf8')
    if (!isPlaceable(mutant, source)) return missed(`NOT FOUND ONCE in ${file}`)
    await this.#build()
    writeFileSync(
      path,
      source.replace(find, () => replace),
    )
    try {
      const complaint = await (isWasm ? this.#compileWasm() : this.#compile())
      if (complaint !== '') return missed(`NOT COMPILED: ${complaint}`)
      const env = isWasm ? { MILLRACE_WASM: this.#mutantModule } : {}
      for (const test of tests) {
        if (!(await this.#passes(test, env))) return { isCaught: true, outcome: test }
      }
      return missed('SURVIVED')
    } finally {
      writeFileSync(path, source)
      this.#isBuilt = isWasm
    }
  }

  /** Whether a test file passes without any mutant. */
  async passes(test) {
    await this.#build()
    return this.#passes(test, {})
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #at(name) {
    return join(this.#root, name)
  }

  get #goodModule() {
    return join(this.#folder, 'good.wasm')
  }

  get #mutantModule() {
    return join(this.#folder, 'decoder.wasm')
  }

  async #build() {
    if (this.#isBuilt) return
    const complaint = await this.#compile()
    if (complaint !== '') throw new Error(complaint)
    copyFileSync(this.#goodModule, this.#at(MODULE))
    this.#isBuilt = true
  }

  async #compile() {
    const { ok, output } = await run([bin('tsc'), '-p', this.#at('tsconfig.json')], {})
    return ok ? '' : output
  }

  async #compileWasm() {
    const script = join(root, 'scripts', 'build-wasm.js')
    const out = ['--sources', this.#at(DECODER), '--out', this.#mutantModule]
    const { ok, output } = await run([process.execPath, script, ...out], {})
    return ok ? '' : output
  }

  /** One that fails is not waited for. */
  async #passes(test, env) {
    const file = this.#at(join('dist', 'test', `${test}.test.js`))
    const command = [process.execPath, '--test-reporter=tap', file]
    const { ok } = await run(command, { env: { ...FUZZ, ...env }, stopAt: /^\s*not ok /m })
    return ok
  }
}

function missed(outcome) {
  return { isCaught: false, outcome }
}

/** Runs a program to its end, or until its output has `stopAt`: then it has failed. */
async function run([program, ...args], { env, stopAt }) {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TEST_MS_MAX,
    killSignal: 'SIGKILL',
  })
  let output = ''
  const read = (data) => {
    output += data
    if (stopAt?.test(output)) child.kill('SIGKILL')
  }
  child.stdout.setEncoding('utf8').on('data', read)
  child.stderr.setEncoding('utf8').on('data', read)
  const [status] = await once(child, 'close')
  return { ok: status === 0, output }
}
