import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository, without a trailing separator. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/**
 * Runs a program to its end.
 *
 * @param {string[]} command - The program and its arguments; no shell reads them.
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {{ok: boolean, stdout: string, output: string}} `output` is stdout, then stderr.
 */
export function run([program, ...args], options) {
  const outputBytesMax = 64 * 1024 * 1024
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: outputBytesMax,
    env: { ...process.env, NO_COLOR: '1' },
    ...options,
  })
  const failure = error === undefined ? '' : `${error.message}\n`
  return { ok: status === 0, stdout, output: `${stdout ?? ''}${stderr ?? ''}${failure}` }
}

/** The npm that runs this script, else the one on the path. */
export const npm =
  process.env.npm_execpath === undefined ? ['npm'] : [process.execPath, process.env.npm_execpath]

/** @param {string} name - A program of a development dependency. */
export const bin = (name) => `${root}/node_modules/.bin/${name}`

/** @param {number} since - From `performance.now()`. */
export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`
