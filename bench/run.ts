/**
 * `npm run bench [-- --only NAME] [--tiny] [--gates] [--json FILE] [--tokens N]`
 *
 * Asks every question in a process of its own, so that none inherits another's compiled code or
 * heap. The report goes to stdout, progress to stderr.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { holds } from '../stress-tests/gate.ts'
import { measuredBar, type BarName } from './bars.ts'
import { makeContext, type Answer, type Bench, type Context } from './bench.ts'
import { BENCHES } from './benches.ts'
import { describeMachine, type Machine } from './machine.ts'
import { formatBars, formatRows, type BenchReport } from './report.ts'

/** Main, one worker; the helpers of V8 want a share too. */
const THREADS = 2

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    tiny: { type: 'boolean', default: false },
    gates: { type: 'boolean', default: false },
    json: { type: 'string' },
    tokens: { type: 'string' },
  },
})
const context = makeContext(values.tiny ? 'tiny' : 'full', {
  progress: showProgress,
  ...(values.tokens === undefined ? {} : { memoryTokens: wholeNumber(values.tokens) }),
})

if (process.send === undefined) await askAll()
else process.send(await findBench(values.only[0]!).run(context))

async function askAll(): Promise<void> {
  const chosen = values.only.length === 0 ? BENCHES : values.only.map(findBench)
  const machine = describeMachine()
  console.log(headline(machine))
  if (machine.cores < THREADS) {
    console.error(`${machine.cores} core for ${THREADS} threads: figures of workers mean little`)
  }
  const benches: BenchReport[] = []
  for (const bench of chosen) {
    const report = reportOf(bench, await ask(bench, context))
    benches.push(report)
    console.log(`\n${report.name}: ${report.question}\nNot measured: ${report.notMeasured}.\n`)
    console.log(formatRows(report.rows))
  }
  const bars = benches.flatMap((bench) => bench.bars)
  const missed = bars.filter((bar) => !holds(bar)).length
  if (bars.length > 0) {
    console.log(`\n${formatBars(bars)}\n\n${bars.length - missed} of ${bars.length} bars hold`)
  }
  if (values.json !== undefined) {
    const report = { machine, size: context.size, benches }
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  }
  if (values.gates && missed > 0) process.exitCode = 1
}

function reportOf({ name, question, notMeasured }: Bench, { rows, bars }: Answer): BenchReport {
  const measured = Object.entries(bars).map(([bar, value]) => measuredBar(bar as BarName, value))
  return { name, question, notMeasured, rows, bars: measured }
}

async function ask(bench: Bench, { size, memoryTokens }: Context): Promise<Answer> {
  const args = ['--only', bench.name, '--tokens', String(memoryTokens)]
  if (size === 'tiny') args.push('--tiny')
  // A figure that is not a number, of what was not measured, survives only this serialization.
  const child = fork(fileURLToPath(import.meta.url), args, { serialization: 'advanced' })
  let answer: Answer | null = null
  child.on('message', (message) => (answer = message as Answer))
  const [code] = (await once(child, 'exit')) as [number | null]
  endProgress()
  if (answer === null) throw new Error(`${bench.name} ended with ${code} and no answer`)
  return answer
}

function findBench(name: string): Bench {
  const bench = BENCHES.find((candidate) => candidate.name === name)
  if (bench !== undefined) return bench
  return refuse(`there is no ${name}; there are ${BENCHES.map((one) => one.name).join(', ')}`)
}

function headline({ cpu, cores, node, commit, loadBefore }: Machine): string {
  return `${cores} x ${cpu}, node ${node}, commit ${commit}, load ${loadBefore.toFixed(1)}`
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  return refuse(`--tokens must be a whole number above 0, not ${text}`)
}

function refuse(why: string): never {
  console.error(why)
  process.exit(2)
}

// In place on a terminal; a log gets lines.
function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${line}`)
  else process.stderr.write(`  ${line}\n`)
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}
