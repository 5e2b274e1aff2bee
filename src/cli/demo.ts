/**
 * The demo behind `npm start`: many connections over HTTP on this machine, in awkward chunks, every
 * token checked; first at a constant rate, for latency, then flat out, for throughput.
 */
import type { ParseArgsConfig } from 'node:util'
import { createMillrace, type Millrace } from '../main/index.ts'
import { integer, parseOptions } from './arguments.ts'
import { commandError, complain, EXIT } from './exit.ts'
import { planPhase, runPhase, type PhaseOptions } from './demo/load.ts'
import { Meter } from './demo/meter.ts'
import { heading, liveLines, plainLine, table, type Run } from './demo/report.ts'
import { Terminal } from './demo/terminal.ts'
import { forkProvider } from './provider/provider-process.ts'

const REDRAW_MS = 100
const PLAIN_LINE_MS = 1000

/** Paced tokens a second over all connections. */
const PACED_TOKENS_PER_SECOND = 10_000

const WARM_UP_CONNECTIONS_MAX = 40

interface DemoOptions {
  readonly connections: number
  readonly seconds: number
  readonly workers: number
}

/** Returns whether every token was right. */
async function demo({ connections, seconds, workers }: DemoOptions): Promise<boolean> {
  const tokensPerSecond = Math.max(1, Math.round(PACED_TOKENS_PER_SECOND / connections))
  const run = (name: string, options: PhaseOptions): Run => ({
    phase: planPhase(name, options),
    meter: new Meter(),
  })
  // The first streams of a process would measure the compiler.
  const few = Math.min(connections, WARM_UP_CONNECTIONS_MAX)
  const warmUp = run('warm-up', { connections: few, seconds: 0, tokensPerSecond: Infinity })
  const shown = [
    run('paced', { connections, seconds, tokensPerSecond }),
    run('flat out', { connections, seconds, tokensPerSecond: Infinity }),
  ]

  terminal.print(heading(terminal, { connections, workers }))
  const provider = await forkProvider()
  const mill = await createMillrace({ workers })
  const stopShowing = show(shown, mill)
  try {
    for (const { phase, meter } of [warmUp, ...shown]) {
      await runPhase(mill, provider.origin, phase, meter)
    }
  } finally {
    stopShowing()
    await Promise.all([mill.close(), provider.close()])
  }
  terminal.print(table(terminal, shown))
  const wrong = [warmUp, ...shown].flatMap(({ meter }) => meter.mismatchesShown)
  for (const mismatch of wrong) complain(mismatch)
  return wrong.length === 0
}

/** Samples memory and shows progress until the returned function is called. */
function show(runs: readonly Run[], mill: Millrace): () => void {
  const running = (): Run | undefined => runs.findLast(({ meter }) => meter.seconds > 0)
  const timers = [
    setInterval(() => {
      // A worker too busy to answer in time is no reason to stop: its tokens count.
      running()
        ?.meter.sample(mill)
        .catch(() => {})
      if (terminal.isLive) terminal.draw(liveLines(terminal, runs))
    }, REDRAW_MS),
    setInterval(() => {
      const run = running()
      if (!terminal.isLive && run !== undefined) terminal.print([plainLine(run)])
    }, PLAIN_LINE_MS),
  ]
  return () => {
    for (const timer of timers) clearInterval(timer)
    terminal.clear()
  }
}

const CONFIG = {
  options: {
    connections: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '4' },
    workers: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
} as const satisfies ParseArgsConfig

const HELP = `npm start -- [--connections N] [--seconds N] [--workers N]

  --connections N  streams at once, 1 to 1000 (default 100)
  --seconds N      length of each of its two parts, 1 to 60 (default 4)
  --workers N      worker threads, 1 to 64 (default 1)

Exits 0 if every token was right, else 1.
`

async function main(): Promise<void> {
  const { values } = parseOptions({ ...CONFIG, args: process.argv.slice(2) })
  if (values.help === true) {
    process.stdout.write(HELP)
    return
  }
  const right = await demo({
    connections: integer('--connections', values.connections, 1, 1000),
    seconds: integer('--seconds', values.seconds, 1, 60),
    workers: integer('--workers', values.workers, 1, 64),
  })
  process.exitCode = right ? EXIT.ok : EXIT.stream
}

const terminal = new Terminal(process.stdout, process.env)
process.once('SIGINT', () => {
  terminal.clear()
  process.exit(EXIT.interrupted)
})
try {
  await main()
} catch (error) {
  terminal.clear()
  const { exitCode, message } = commandError(error)
  complain(message)
  process.exitCode = exitCode
}
