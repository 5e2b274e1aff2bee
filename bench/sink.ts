/**
 * Where every contender delivers its tokens, one string each.
 *
 * It looks at each string, so that none is optimised away, and folds all of them, in order, into
 * numbers that a right answer alone gives: a run is checked while it is timed, for 4 ns a token,
 * the same for all.
 */
export class Sink {
  tokens = 0
  units = 0
  mix = 0
  /** The tokens, where they are wanted: for checking before anything is timed. */
  readonly kept: string[] | null

  // No subclass keeps them: of one class, every call site stays as fast as it can be.
  constructor(kept: string[] | null = null) {
    this.kept = kept
  }

  take(text: string): void {
    this.tokens++
    this.units += text.length
    this.mix = (Math.imul(this.mix, 31) + text.charCodeAt(0)) | 0
    if (this.kept !== null) this.kept.push(text)
  }

  /** A token of which no string was made: `units` long. */
  count(units: number): void {
    this.tokens++
    this.units += units
  }
}

/** What a sink holds after `rounds` times these tokens. */
export function sinkOf(tokens: readonly string[], rounds: number): Sink {
  const sink = new Sink()
  for (let round = 0; round < rounds; round++) for (const token of tokens) sink.take(token)
  return sink
}
