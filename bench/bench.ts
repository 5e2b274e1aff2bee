/** What a benchmark is: one question, and how it is answered. */
import type { BarName } from './bars.ts'
import { FIXTURE_NAMES, type FixtureName, type FixtureSize } from './fixtures.ts'

/** `full` is what counts; `tiny` shows in a test that the benchmark still runs. */
export type Size = 'full' | 'tiny'

export interface Context {
  readonly size: Size
  /** Times that each measurement is repeated; figures are medians. */
  readonly runs: number
  /** A timed run is made at least so long. */
  readonly runSecondsMin: number
  readonly fixtures: readonly FixtureName[]
  readonly fixtureSize: FixtureSize
  /** Tokens over which memory is watched. */
  readonly memoryTokens: number
  /** Says where the benchmark is; for people, not for the report. */
  readonly progress: (line: string) => void
}

export interface Bench {
  readonly name: string
  readonly question: string
  /** What the answer leaves out, so that nobody reads it in. */
  readonly notMeasured: string
  readonly run: (context: Context) => Promise<Answer>
}

/** One line of an answer's table: figures by column, units in the column's name. */
export type Row = Readonly<Record<string, string | number | null>>

export interface Answer {
  /** All with the same columns. */
  readonly rows: readonly Row[]
  /** What the benchmark says to the bars that it measures. */
  readonly bars: Readonly<Partial<Record<BarName, number>>>
}

export function makeContext(
  size: Size,
  { memoryTokens, progress }: Partial<Pick<Context, 'memoryTokens' | 'progress'>> = {},
): Context {
  const tiny = size === 'tiny'
  return {
    size,
    runs: tiny ? 1 : 5,
    runSecondsMin: tiny ? 0 : 0.4,
    fixtures: tiny ? ['chat', 'chat-shuffled'] : FIXTURE_NAMES,
    fixtureSize: tiny ? { events: 100 } : {},
    memoryTokens: memoryTokens ?? (tiny ? 8000 : 10_000_000),
    progress: progress ?? (() => {}),
  }
}
