/**
 * Seeded numbers: the same seed gives the same stream on every machine and version.
 *
 * Marsaglia's xorshift generator on 32 bits ("Xorshift RNGs", Journal of Statistical Software
 * 8(14), 2003): plenty for choosing words and sizes, no good for secrets.
 */
export class Random {
  #state: number

  /** @param seed - Any integer; neighbouring seeds give unrelated sequences. */
  constructor(seed: number) {
    // An odd multiplier spreads neighbouring seeds. A state of zero would stay zero.
    this.#state = Math.imul(seed ^ 0x6d2b79f5, 0x9e3779b1) || 1
    for (let i = 0; i < 4; i += 1) this.next()
  }

  /** The next integer, 0 to 2^32 - 1. */
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return state >>> 0
  }

  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound)
  }

  /** True once in `times` on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)]
    if (choice === undefined) throw new RangeError('nothing to pick from')
    return choice
  }

  /** Letters and digits, as the random part of an identifier. */
  letters(length: number): string {
    let text = ''
    for (let i = 0; i < length; i += 1) text += ALPHABET[this.below(ALPHABET.length)]
    return text
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
