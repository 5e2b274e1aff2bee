/**
 * What fuzz tests have in common: how long they run, engines that remember nothing of the case
 * before, and the smallest input that still fails.
 */
import { writeSync } from 'node:fs'
import { createWasmDecoder } from '../src/shared/decoder/wasm-decoder.ts'
import type { Decoder } from '../src/shared/decoder/decoder.ts'
import type { WasmEngine } from '../src/shared/decoder/wasm-engine.ts'
import { addressOf } from '../src/shared/decoder/wasm-heap.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECTS_KNOWN } from '../src/shared/dialects/dialects.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { testSeed } from './chunking.ts'
import { differenceOf, outputOf, outputsIn, type Output } from './outputs.ts'
import { newEngine, optionsOf, plainDecoder, type Setup } from './wasm-host.ts'

const BUDGET_BYTES: number = 2 ** 28

/** Between two lines of progress; the first comes after two seconds. */
const PROGRESS_MS = 5000
const PROGRESS_FIRST_MS = 2000

/** How long a fuzz runs: a number of chunkings, or of seconds. */
export class Budget {
  readonly seed: number = testSeed()
  done = 0
  readonly #name: string
  readonly #chunkings: number
  readonly #started: number = performance.now()
  readonly #end: number
  #nextLine: number

  /** @param chunkings - Unless `MILLRACE_FUZZ_CHUNKINGS` or `MILLRACE_FUZZ_SECONDS` says more. */
  constructor(name: string, chunkings: number) {
    const seconds = process.env['MILLRACE_FUZZ_SECONDS']
    const asked = process.env['MILLRACE_FUZZ_CHUNKINGS']
    this.#name = name
    this.#chunkings = Number(asked ?? (seconds === undefined ? chunkings : Infinity))
    this.#end = this.#started + Number(seconds ?? Infinity) * 1000
    const isShown = process.env['MILLRACE_FUZZ_PROGRESS'] !== undefined
    this.#nextLine = isShown ? this.#started + PROGRESS_FIRST_MS : Infinity
  }

  get isOver(): boolean {
    return this.done >= this.#chunkings || performance.now() >= this.#end
  }

  /** Counts what a case has done, and now and then says how far it came. */
  async add(chunkings: number): Promise<void> {
    this.done += chunkings
    const now = performance.now()
    if (now < this.#nextLine) return
    this.#nextLine = now + PROGRESS_MS
    // Past the test runner, which keeps what is printed until the test is over.
    writeSync(2, `${this.#name}: ${this.toString()}${this.#left(now)}\n`)
    // Finalizers have their turn.
    await new Promise((settle) => setImmediate(settle))
  }

  toString(): string {
    const rate = this.done / ((performance.now() - this.#started) / 1000)
    const counts = [this.done, Math.round(rate)].map((count) => count.toLocaleString('en'))
    return `${counts[0]} chunkings, ${counts[1]}/s, seed ${this.seed}`
  }

  #left(now: number): string {
    const rate = this.done / (now - this.#started)
    const ms = Math.min(this.#end - now, (this.#chunkings - this.done) / rate)
    return `, ${Math.max(0, Math.round(ms / 1000))} s left`
  }
}

/** An engine that knows one dialect, and can forget what it has learnt of it. */
export interface Bench {
  readonly engine: WasmEngine
  /** Puts back what was learnt at the time of `learnt()`, without it what is known at first. */
  restore(learnt?: Uint8Array): void
  learnt(): Uint8Array
  decoder(setup?: Setup): Decoder
}

/** Made-up dialects on one engine: their programs stay until it goes. */
const SPARE_PROGRAMS_MAX = 64

const benches = new Map<Dialect, Bench | null>()
const known: WasmEngine = newEngine()
let spare: WasmEngine = known
let spareLeft = 0
let spareBench: { readonly dialect: Dialect; readonly bench: Bench | null } | null = null

/** Where streams of the dialect are decoded; `null` where the WASM decoder cannot take it. */
export function benchOf(dialect: Dialect): Bench | null {
  const made = benches.get(dialect)
  if (made !== undefined) return made
  if (DIALECTS_KNOWN.includes(dialect)) {
    benches.set(dialect, newBench(known, dialect))
    return benches.get(dialect)!
  }
  if (spareBench?.dialect === dialect) return spareBench.bench
  if (spareLeft-- === 0) {
    spare = newEngine()
    spareLeft = SPARE_PROGRAMS_MAX
  }
  spareBench = { dialect, bench: newBench(spare, dialect) }
  return spareBench.bench
}

function newBench(engine: WasmEngine, dialect: Dialect): Bench | null {
  const { heap } = engine
  const start = engine.program(dialect)
  if (start === 0) return null
  // Programs and their templates are laid one after the other.
  const end = addressOf(heap.allocate(1))
  const learnt = (): Uint8Array => heap.bytes.slice(start, end)
  const first = learnt()
  return {
    engine,
    learnt,
    restore: (bytes = first) => heap.bytes.set(bytes, start),
    decoder: (setup = {}) => {
      const decoder = createWasmDecoder(engine, dialect, optionsOf(setup), BUDGET_BYTES)
      if (decoder === null) throw new Error(`no memory for a stream of ${dialect.name}`)
      return decoder
    },
  }
}

/** A chunk of one of the streams that a case decodes side by side, or one after the other. */
export interface Push {
  readonly stream: number
  readonly setup: Setup
  readonly chunk: Uint8Array
}

/** Decodes the streams, each of which ends with its last chunk; what each has come to. */
function outputsOf(bench: Bench, pushes: readonly Push[]): Map<number, Output> {
  const lasts = new Map(pushes.map((push) => [push.stream, push]))
  const open = new Map<number, readonly [Decoder, RowWriter]>()
  const outputs = new Map<number, Output>()
  for (const push of pushes) {
    const { stream, setup, chunk } = push
    const [decoder, writer] = open.get(stream) ?? [bench.decoder(setup), new RowWriter()]
    open.set(stream, [decoder, writer])
    decoder.push(chunk, writer)
    if (lasts.get(stream) !== push) continue
    decoder.end(writer)
    outputs.set(stream, outputsIn(writer, decoder))
  }
  return outputs
}

/**
 * Where a stream's rows are not what the plain decoder makes of its bytes uncut, `null` where they
 * are. Begins with an engine that has learnt nothing.
 */
export function findDifference(dialect: Dialect, pushes: readonly Push[]): string | null {
  const bench = benchOf(dialect)
  if (bench === null) return null
  bench.restore()
  const outputs = outputsOf(bench, pushes)
  for (const [stream, output] of outputs) {
    const own = pushes.filter((push) => push.stream === stream)
    const body = Buffer.concat(own.map(({ chunk }) => chunk))
    const expected = outputOf(plainDecoder(dialect, own[0]!.setup), [body])
    const difference = differenceOf(output, expected)
    if (difference !== null) return `${difference} of stream ${stream}`
  }
  return null
}

/** Tries of the search for a smaller case: it is to end in some seconds. */
const TRIES_MAX = 20_000

/** Leaves out of the pushes whatever is not needed for a difference. */
export function shrunk(dialect: Dialect, pushes: readonly Push[]): readonly Push[] {
  let least = pushes
  let tries = 0
  const isKept = (fewer: readonly Push[]): boolean => {
    if (tries++ > TRIES_MAX || findDifference(dialect, fewer) === null) return false
    least = fewer
    return true
  }
  for (const stream of new Set(pushes.map((push) => push.stream))) {
    isKept(least.filter((push) => push.stream !== stream))
  }
  // What is left out makes other things superfluous.
  for (let before = Infinity; sizeOf(least) < before && tries <= TRIES_MAX;) {
    before = sizeOf(least)
    for (let at = least.length - 2; at >= 0; at--) isKept(joined(least, at))
    for (let at = least.length - 1; at >= 0; at--) {
      if (at < least.length && !isKept(least.toSpliced(at, 1))) shrinkChunk(at)
    }
  }
  return least

  function shrinkChunk(at: number): void {
    for (let bytes = least[at]!.chunk.length >> 1; bytes > 0; bytes >>= 1) {
      let from = 0
      while (from < least[at]!.chunk.length) {
        if (!isKept(without(least, at, from, bytes))) from += bytes
      }
    }
  }
}

/** With a chunk and the next of its stream as one. */
function joined(pushes: readonly Push[], at: number): readonly Push[] {
  const { stream, setup, chunk } = pushes[at]!
  const next = pushes.findIndex((push, index) => index > at && push.stream === stream)
  if (next === -1) return pushes
  const both = Buffer.concat([chunk, pushes[next]!.chunk])
  return pushes.toSpliced(next, 1).with(at, { stream, setup, chunk: both })
}

function without(
  pushes: readonly Push[],
  at: number,
  from: number,
  bytes: number,
): readonly Push[] {
  const push = pushes[at]!
  const rest = [push.chunk.subarray(0, from), push.chunk.subarray(from + bytes)]
  return pushes.with(at, { ...push, chunk: Buffer.concat(rest) })
}

function sizeOf(pushes: readonly Push[]): number {
  return pushes.reduce((sum, { chunk }) => sum + chunk.length + 1, 0)
}

/** Runs a case; whatever it throws, a trap of the decoder too, comes with the command for it. */
export function replayable<Result>(only: string, caseSeed: number, run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    const replay = `npm run test:fuzz -- --only ${only} --seed ${caseSeed} --chunkings 1`
    const what = String(cause).replace(/^Error: /, '')
    throw new Error(`${what}\nReplay: ${replay}`, { cause })
  }
}

/**
 * What to say of a failed case: what differs, and the smallest case that was found.
 *
 * @param pushes - From an engine that has learnt nothing.
 */
export function failureOf(what: string, dialect: Dialect, pushes: readonly Push[]): Error {
  const lines = [`${what}: ${dialect.name}`]
  if (findDifference(dialect, pushes) === null) {
    lines.push('No difference where the case is run once more: it depends on what came before.')
  } else {
    const least = shrunk(dialect, pushes)
    lines.push(`Smallest that was found, ${findDifference(dialect, least)}:`)
    for (const { stream, setup, chunk } of least) {
      const text = JSON.stringify(Buffer.from(chunk).toString('latin1'))
      lines.push(`  stream ${stream} ${JSON.stringify(setup)}, as Latin-1: ${text}`)
    }
    if (!DIALECTS_KNOWN.includes(dialect)) lines.push(`  dialect ${JSON.stringify(dialect)}`)
  }
  return new Error(lines.join('\n'))
}
