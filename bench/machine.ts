import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Where and on what a run was made: figures mean nothing without it. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly os: string
  readonly node: string
  readonly v8: string
  /** `null` outside a git checkout; ends in `+` where files differ from it. */
  readonly commit: string | null
  readonly date: string
  /** Load of the last minute when the run began: what else the machine was doing. */
  readonly loadBefore: number
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    os: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    commit: commit(),
    date: new Date().toISOString(),
    loadBefore: loadavg()[0] ?? 0,
  }
}

function commit(): string | null {
  const hash = git('rev-parse', '--short=12', 'HEAD')
  if (hash === null) return null
  const changes = git('status', '--porcelain', '--untracked-files=no')
  return changes === '' ? hash : `${hash}+`
}

function git(...args: string[]): string | null {
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  try {
    return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return null
  }
}
