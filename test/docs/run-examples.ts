/** Compiles examples against the built package and runs each in a process of its own. */
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as millrace from 'millrace'
import { programOf, type Example } from './examples.ts'

const compiler = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))
/** Inside the package, so that `import 'millrace'` finds it by its own name. */
const folder = fileURLToPath(new URL('../docs-examples/', import.meta.url))
const preload = new URL('offline.js', import.meta.url).href
/** Far above what any example needs: one that hangs must end. */
const HANG_MS = 60_000

const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  noEmitOnError: false,
}

/** Examples as programs on disk, with what the compiler said of each. */
export interface CompiledExamples {
  /** Complaints about the types of an example, else ''. */
  typeErrors(example: Example): string
  /** Runs it to its end. Returns what it printed, and what went wrong, else ''. */
  run(example: Example, origin: string): Promise<Outcome>
}

interface Outcome {
  readonly stdout: string
  readonly failure: string
}

/** Writes and compiles all examples at once: starting the compiler costs more than they do. */
export async function compileExamples(examples: readonly Example[]): Promise<CompiledExamples> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const example of examples) {
    const program = programOf(example, Object.keys(millrace))
    writeFileSync(`${folder}${fileOf(example)}.${example.language}`, program)
  }
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const { stdout } = await node([compiler, '-p', '.'])
  return {
    typeErrors: (example) =>
      stdout
        .split('\n')
        .filter((line) => line.startsWith(`${fileOf(example)}.ts(`))
        .join('\n'),
    run: (example, origin) =>
      node(['--import', preload, `${fileOf(example)}.js`], { MILLRACE_EXAMPLE_ORIGIN: origin }),
  }
}

const fileOf = ({ where }: Example): string => where.replaceAll(/\W/g, '-')

async function node(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const options = { cwd: folder, timeout: HANG_MS, env: { ...process.env, ...env } }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, options)
    return { stdout, failure: '' }
  } catch (error) {
    // What a failed child process is rejected with.
    const { message, stdout } = error as Error & { stdout: string }
    return { stdout, failure: message }
  }
}
