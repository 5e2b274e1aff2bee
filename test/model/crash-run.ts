/**
 * Plays every script with a death at every write, and any scripts by seed; then every mutant until
 * something breaks. Prints what it found as JSON. Run it as
 *
 *     node --conditions=model dist/test/model/crash-run.js [seed [plays [stride]]]
 *
 * where two deaths are tried at one in `stride` of all pairs, and under which the production
 * modules import test/model/atomics.ts as their `#atomics`.
 */
import { type Code, mutantOf, PRODUCTION } from './code.ts'
import { type CrashMutant, CRASH_MUTANTS } from './crash-mutants.ts'
import { anyPlay, SCRIPTS, type Script, TEMPI } from './crash-plays.ts'
import { type Play, playThrough } from './crash-rig.ts'

export interface SweepReport {
  readonly name: string
  readonly plays: number
  readonly deaths: number
  /** What broke first, and in which play; `null` where nothing did. */
  readonly failure: string | null
}

export interface CrashReport {
  readonly sweeps: SweepReport[]
  readonly mutants: SweepReport[]
}

/** By life, how many writes a play has come to. */
type Writes = readonly number[]

/** Learns of each play how it went. */
type Plays = Generator<Play, void, Writes>

/** Plays until something breaks. */
function sweep(name: string, code: Code, plays: Plays): SweepReport {
  let count = 0
  let deaths = 0
  let played: Writes = []
  for (;;) {
    const { value: play, done } = plays.next(played)
    if (done === true) return { name, plays: count, deaths, failure: null }
    try {
      count++
      const { writes, deaths: died } = playThrough(code, play)
      played = writes
      deaths += died
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return { name, plays: count, deaths, failure: `${reason}\n${JSON.stringify(play)}` }
    }
  }
}

/**
 * One script at one tempo: undisturbed, then each of its lives cut short at every write. Where
 * `stride` is not 0, then also the life after that, at every so many writes.
 */
function* everyDeath({ steps }: Script, tempo: number, stride: number): Plays {
  const [writes, reads] = TEMPI[tempo]!
  const play = { script: steps, writes, reads }
  const lives = yield { ...play, deaths: [], seed: 1 }
  for (let life = 0; life < lives.length; life++) {
    const before = Array.from({ length: life }, () => Infinity)
    for (let death = 1; death <= lives[life]!; death++) {
      const after = yield { ...play, deaths: [...before, death], seed: death }
      if (stride === 0) continue
      for (let next = 1 + (death % stride); next <= (after[life + 1] ?? 0); next += stride) {
        yield { ...play, deaths: [...before, death, next], seed: death + next }
      }
    }
  }
}

function* anyPlays(seed: number, count: number): Plays {
  for (let at = 0; at < count; at++) yield anyPlay(seed + at)
}

function sweepAll(code: Code, stride: number): SweepReport[] {
  const reports: SweepReport[] = []
  for (const script of SCRIPTS) {
    for (const [tempo, [writes, reads]] of TEMPI.entries()) {
      const name = `${script.name}: ${writes} frames, ${reads} records at a time`
      reports.push(sweep(name, code, everyDeath(script, tempo, 0)))
    }
  }
  const [first] = SCRIPTS
  if (stride > 0) {
    reports.push(sweep(`${first!.name}: two deaths`, code, everyDeath(first!, 1, stride)))
  }
  return reports
}

/** Any plays that a mutant is given before the scripts are. */
const MUTANT_PLAYS = 1000

async function sweepMutant({ name, edits }: CrashMutant): Promise<SweepReport> {
  const code = await mutantOf(edits)
  const some = sweep(name, code, anyPlays(1, MUTANT_PLAYS))
  if (some.failure !== null) return some
  for (const script of SCRIPTS) {
    for (const tempo of TEMPI.keys()) {
      const report = sweep(name, code, everyDeath(script, tempo, 0))
      if (report.failure !== null) return report
    }
  }
  return some
}

const [seed = '1', plays = '3000', stride = '8'] = process.argv.slice(2)
const sweeps = sweepAll(PRODUCTION, Number(stride))
sweeps.push(
  sweep(`any scripts, from seed ${seed}`, PRODUCTION, anyPlays(Number(seed), Number(plays))),
)
const mutants: SweepReport[] = []
for (const mutant of CRASH_MUTANTS) mutants.push(await sweepMutant(mutant))
console.log(JSON.stringify({ sweeps, mutants } satisfies CrashReport, null, 1))
