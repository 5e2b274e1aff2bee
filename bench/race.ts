/** Contenders over the same chunks, in turns, so that what slows the machine slows them all. */
import assert from 'node:assert/strict'
import { median } from '../stress-tests/memory.ts'
import type { Context } from './bench.ts'
import { collectGarbage } from './collect-garbage.ts'
import { streamOf, type Chunk, type Fixture } from './fixtures.ts'
import { Sink, sinkOf } from './sink.ts'
import { ThreadClock, type ThreadCpu } from './thread-clock.ts'

/** One way from bytes to tokens. */
export interface Contender {
  readonly name: string
  /** `records`: tokens are counted, and no string is made of them. Default `strings`. */
  readonly delivers?: 'records'
  /** Decodes a whole stream and delivers its text deltas to the sink, in order. */
  readonly decode: (chunks: readonly Chunk[], sink: Sink) => Promise<void> | void
  /** What a batch held on average in the last run, where it makes batches. */
  readonly meanBatchTokens?: () => number
  /** The share of events that a template decoded in the last run, where that is known. */
  readonly templateHits?: () => number
}

/** One contender's runs over one fixture, all of the same length. */
export interface Timing {
  readonly name: string
  readonly fixture: string
  /** Of one run. */
  readonly bytes: number
  readonly tokens: number
  /** Of each run, in the order in which they were made. */
  readonly seconds: readonly number[]
  /** CPU time a token by thread, over all runs; `null` where it is not known. */
  readonly cpuPerToken: ThreadCpu | null
  readonly meanBatchTokens: number | null
  /** 0 to 1. */
  readonly templateHits: number | null
}

/** Checks every contender's answer, warms it up, then times all of them in turns. */
export async function race(
  fixture: Fixture,
  contenders: readonly Contender[],
  { runs, runSecondsMin, progress }: Context,
): Promise<readonly Timing[]> {
  const lanes: Lane[] = []
  for (const contender of contenders) {
    await verify(contender, fixture)
    lanes.push(await Lane.of(contender, fixture, runSecondsMin))
  }
  for (let run = 0; run < runs; run++) {
    progress(`${fixture.name}: run ${run + 1} of ${runs}`)
    for (const lane of lanes) await lane.run()
  }
  return lanes.map((lane) => lane.timing())
}

/** How many times as fast `ours` was as `theirs`: the median over the runs, pair by pair. */
export function speedRatio(ours: Timing, theirs: Timing): number {
  const tokensPerSecond = (timing: Timing, run: number): number =>
    timing.tokens / timing.seconds[run]!
  return median(
    ours.seconds.map((_, run) => tokensPerSecond(ours, run) / tokensPerSecond(theirs, run)),
  )
}

/** @throws {AssertionError} where a contender's tokens are not the fixture's. */
export async function verify(contender: Contender, fixture: Fixture): Promise<void> {
  const kept: string[] = []
  const sink = new Sink(kept)
  await contender.decode(streamOf(fixture, 1), sink)
  check(sink, sinkOf(fixture.tokens, 1), contender, fixture)
  if (contender.delivers === 'records') return
  assert.deepEqual(kept, fixture.tokens, `${contender.name} on ${fixture.name}`)
}

// Wrong answers are not fast.
function check(sink: Sink, expected: Sink, contender: Contender, fixture: Fixture): void {
  const { tokens, units } = expected
  const mix = contender.delivers === 'records' ? 0 : expected.mix
  const got = { tokens: sink.tokens, units: sink.units, mix: sink.mix }
  assert.deepEqual(got, { tokens, units, mix }, `${contender.name} on ${fixture.name}`)
}

/** Warming up takes as long as so many timed runs. */
const WARM_UP_RUNS = 6

class Lane {
  readonly #contender: Contender
  readonly #fixture: Fixture
  readonly #rounds: number
  readonly #chunks: readonly Chunk[]
  readonly #expected: Sink
  readonly #clock = new ThreadClock()
  readonly #seconds: number[] = []
  readonly #cpu: ThreadCpu[] = []

  /**
   * Warms the contender up, then makes its stream as long as a run of `secondsMin` needs. Code is
   * compiled in several steps, on threads of its own, over a second or more.
   */
  static async of(contender: Contender, fixture: Fixture, secondsMin: number): Promise<Lane> {
    let warmSeconds = 0
    for (let rounds = 1; ;) {
      const seconds = await new Lane(contender, fixture, rounds).run()
      warmSeconds += seconds
      if (warmSeconds >= WARM_UP_RUNS * secondsMin) {
        const enough = Math.max(1, Math.ceil((rounds * secondsMin) / seconds))
        return new Lane(contender, fixture, enough)
      }
      if (seconds < secondsMin) rounds *= 2
    }
  }

  private constructor(contender: Contender, fixture: Fixture, rounds: number) {
    this.#contender = contender
    this.#fixture = fixture
    this.#rounds = rounds
    this.#chunks = streamOf(fixture, rounds)
    this.#expected = sinkOf(fixture.tokens, rounds)
  }

  /** Returns the seconds that it took. */
  async run(): Promise<number> {
    const sink = new Sink()
    // The garbage of the one before is not this one's to collect.
    collectGarbage()
    this.#clock.lap()
    const startMs = performance.now()
    await this.#contender.decode(this.#chunks, sink)
    const seconds = (performance.now() - startMs) / 1000
    this.#seconds.push(seconds)
    const cpu = this.#clock.lap()
    if (cpu !== null) this.#cpu.push(cpu)
    check(sink, this.#expected, this.#contender, this.#fixture)
    return seconds
  }

  timing(): Timing {
    const { bodyBytes, frameBytes, name } = this.#fixture
    const { tokens } = this.#expected
    const perToken = (key: keyof ThreadCpu): number =>
      this.#cpu.reduce((sum, cpu) => sum + cpu[key], 0) / (tokens * this.#cpu.length)
    return {
      name: this.#contender.name,
      fixture: name,
      bytes: bodyBytes * this.#rounds + frameBytes,
      tokens,
      seconds: this.#seconds,
      cpuPerToken:
        this.#cpu.length === 0
          ? null
          : {
              mainNs: perToken('mainNs'),
              workersNs: perToken('workersNs'),
              helpersNs: perToken('helpersNs'),
            },
      meanBatchTokens: this.#contender.meanBatchTokens?.() ?? null,
      templateHits: this.#contender.templateHits?.() ?? null,
    }
  }
}
