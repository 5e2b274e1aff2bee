/** CPU time by thread, from the kernel's own count. */
import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of a stretch, ns. */
export interface ThreadCpu {
  readonly mainNs: number
  /** Threads started since this module was loaded: our workers. */
  readonly workersNs: number
  /** Threads that were there before: V8's, for garbage collection and compilation. */
  readonly helpersNs: number
}

const TASKS = '/proc/self/task'

const helpers: ReadonlySet<number> = new Set(threads())

/** Measures stretches: every {@link lap} is the CPU time since the one before. */
export class ThreadClock {
  #before = threadTimes()

  /** `null` where the kernel does not say: anywhere but on Linux. */
  lap(): ThreadCpu | null {
    const before = this.#before
    const now = (this.#before = threadTimes())
    if (before === null || now === null) return null
    const cpu = { mainNs: 0, workersNs: 0, helpersNs: 0 }
    for (const [thread, ns] of now) cpu[roleOf(thread)] += ns - (before.get(thread) ?? 0)
    return cpu
  }
}

function roleOf(thread: number): keyof ThreadCpu {
  // Linux names a process by its first thread, and Node runs main on it.
  if (thread === process.pid) return 'mainNs'
  return helpers.has(thread) ? 'helpersNs' : 'workersNs'
}

function threadTimes(): Map<number, number> | null {
  const times = new Map<number, number>()
  for (const thread of threads()) {
    try {
      const [runNs] = readFileSync(`${TASKS}/${thread}/schedstat`, 'utf8').split(' ')
      times.set(thread, Number(runNs))
    } catch {
      // It ended between the listing and now.
    }
  }
  return times.size === 0 ? null : times
}

function threads(): readonly number[] {
  try {
    return readdirSync(TASKS).map(Number)
  } catch {
    return []
  }
}
