import type { TokenBatch } from './token-batch.ts'

/**
 * Deltas of one kind: the joined text of each choice, and the length of each delta in it.
 *
 * A delta is a few characters, and a string of its own costs ten times that. So eight bytes a delta
 * are kept, and the strings are made when they are asked for.
 */
export class DeltaLog {
  readonly #texts = new Map<number, string>()
  /** Pairs of choice and length, UTF-16 units, in the order of the wire. */
  #pairs: Int32Array = new Int32Array(64)
  #used = 0

  /** Adds the tokens from `from` to before `to`: one run, whose text is `text`. */
  add(batch: TokenBatch, from: number, to: number, text: string): void {
    const choice = batch.choice(from)
    this.#texts.set(choice, (this.#texts.get(choice) ?? '') + text)
    for (let at = from; at < to; at++) {
      const length = batch.textLength(at)
      if (length > 0) this.#push(choice, length)
    }
  }

  /** The joined text of each choice that has one, be it empty. */
  texts(): Record<string, string> {
    return Object.fromEntries(this.#texts)
  }

  /** Every delta that was not empty. */
  deltas(): string[] {
    const ends = new Map<number, number>()
    const deltas: string[] = []
    for (let at = 0; at < this.#used; at += 2) {
      const choice = this.#pairs[at] as number
      const start = ends.get(choice) ?? 0
      const end = start + (this.#pairs[at + 1] as number)
      ends.set(choice, end)
      deltas.push((this.#texts.get(choice) as string).slice(start, end))
    }
    return deltas
  }

  /** Their choices. */
  choices(): number[] {
    return Array.from({ length: this.#used / 2 }, (_, at) => this.#pairs[at * 2] as number)
  }

  #push(choice: number, length: number): void {
    if (this.#used === this.#pairs.length) {
      const grown = new Int32Array(this.#pairs.length * 2)
      grown.set(this.#pairs)
      this.#pairs = grown
    }
    this.#pairs[this.#used++] = choice
    this.#pairs[this.#used++] = length
  }
}
