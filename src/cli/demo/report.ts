import type { Meter } from './meter.ts'
import type { Phase } from './load.ts'
import type { Terminal } from './terminal.ts'

/** A phase and what it has come to so far. */
export interface Run {
  readonly phase: Phase
  readonly meter: Meter
}

/** What the demo is about to do. */
export function heading(
  terminal: Terminal,
  { connections, workers }: { readonly connections: number; readonly workers: number },
): string[] {
  const threads = `${workers} worker${workers === 1 ? '' : 's'}`
  const what = `${count(connections)} connections, HTTP on loopback, ${threads}`
  return ['', ` ${terminal.style('bold', 'millrace')}   ${what}, Node ${process.versions.node}`]
}

const BAR_COLUMNS = 24

/** The lines that are redrawn while the demo runs, at most 78 columns. */
export function liveLines(terminal: Terminal, runs: readonly Run[]): string[] {
  const { verdict } = styles(terminal, runs)
  const mismatches = runs.reduce((sum, { meter }) => sum + meter.mismatches, 0)
  const current = runs.findLast(({ meter }) => meter.seconds > 0)
  const memory = current === undefined ? 'warming up' : memoryLine(current.meter)
  const bars = runs.map((run) => progressLine(terminal, run))
  return ['', ...bars, '', ` ${memory}   ${verdict(`mismatches ${mismatches}`)}`]
}

function progressLine(terminal: Terminal, { phase, meter }: Run): string {
  const share = meter.stopped ? 1 : Math.min(0.99, meter.seconds / phase.seconds)
  const filled = Math.round(share * BAR_COLUMNS)
  const done = terminal.style('cyan', '\u2501'.repeat(filled))
  const rest = terminal.style('dim', '\u2500'.repeat(BAR_COLUMNS - filled))
  const percent = `${Math.floor(share * 100)} %`.padStart(6)
  return ` ${phase.name.padEnd(9)} ${done}${rest}${percent}${meter.tokens > 0 ? rates(meter) : ''}`
}

function rates(meter: Meter): string {
  const p99 = ms(meter.latency()?.p99)
  return `${count(meter.tokens / meter.seconds).padStart(10)} tokens/s${p99.padStart(11)} p99`
}

function memoryLine({ heapBytesPeak, inFlightBytesPeak, channelBytes }: Meter): string {
  const sizes = [heapBytesPeak, inFlightBytesPeak, channelBytes].map(megabytes)
  return `heap ${sizes[0]}   in flight ${sizes[1]}   channels ${sizes[2]}`
}

/** One line of progress where nothing can be redrawn. */
export function plainLine({ phase, meter }: Run): string {
  const seconds = `${meter.seconds.toFixed(1).padStart(5)} s`
  const tokens = count(meter.tokens).padStart(10)
  return ` ${phase.name.padEnd(9)} ${seconds}${tokens} tokens${rates(meter)}`
}

const LABEL_COLUMNS = 26
const VALUE_COLUMNS = 16

/** The table at the end, at most 78 columns, with what its figures mean. */
export function table(terminal: Terminal, runs: readonly Run[]): string[] {
  const { bold, dim, verdict } = styles(terminal, runs)
  const row = (label: string, value: (run: Run) => string): string => {
    const values = runs.map((run) => value(run).padStart(VALUE_COLUMNS))
    return ` ${label.padEnd(LABEL_COLUMNS)}${values.join('')}`
  }
  const rule = dim(` ${'\u2500'.repeat(LABEL_COLUMNS + VALUE_COLUMNS * runs.length)}`)
  const rate = row('tokens/s', ({ meter }) => count(meter.tokens / meter.seconds))
  const names = row('', ({ phase }) => phase.name)
  return [
    '',
    bold(names),
    rule,
    row('streams', ({ meter }) => count(meter.streams)),
    row('streams at once', ({ phase }) => count(phase.connections.length)),
    row('tokens', ({ meter }) => count(meter.tokens)),
    row('bytes', ({ meter }) => megabytes(meter.bytes)),
    row('time', ({ meter }) => `${meter.seconds.toFixed(2)} s`),
    rule,
    bold(rate),
    row('MB/s', ({ meter }) => (meter.bytes / 1e6 / meter.seconds).toFixed(1)),
    row('added latency, p50', ({ meter }) => ms(meter.latency()?.p50)),
    row('               p99', ({ meter }) => ms(meter.latency()?.p99)),
    row('               p99.9', ({ meter }) => ms(meter.latency()?.p999)),
    rule,
    row('JavaScript heap, peak', ({ meter }) => megabytes(meter.heapBytesPeak)),
    row('bytes in flight, peak', ({ meter }) => megabytes(meter.inFlightBytesPeak)),
    row('shared memory of channels', ({ meter }) => megabytes(meter.channelBytes)),
    rule,
    verdict(row('mismatches', ({ meter }) => count(meter.mismatches))),
    '',
    ...MEANING.map((line) => dim(` ${line}`)),
    '',
    ...(runs.some(fellBehind) ? BEHIND : []),
  ]
}

const MEANING = [
  'Every token was compared with the script that its stream was made from.',
  'Added latency: from the arrival in this process of the chunk that completes a',
  'token to the delivery of that token to its reader. HTTP comes before it.',
  'Paced, each stream has a constant rate. Flat out, HTTP is most of the work, the',
  'sender shares the processors, and latency is mostly waiting in line.',
]

const BEHIND = [
  ' The paced part fell behind its rate: there was too little processor time to',
  ' spare on this machine, and its latency says little about the decoder.',
  '',
]

function fellBehind({ phase, meter }: Run): boolean {
  return !phase.again && meter.seconds > phase.seconds * 1.25
}

interface Styles {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  /** Green where no token was wrong, else red. */
  readonly verdict: (text: string) => string
}

function styles(terminal: Terminal, runs: readonly Run[]): Styles {
  const right = runs.every(({ meter }) => meter.mismatches === 0)
  return {
    bold: (text) => terminal.style('bold', text),
    dim: (text) => terminal.style('dim', text),
    verdict: (text) => terminal.style(right ? 'green' : 'red', text),
  }
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(2)} ms`
}
