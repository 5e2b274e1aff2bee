/**
 * Short texts, each made a string once: what a model says, it says again and again.
 *
 * A string of V8's takes 24 bytes and more, however short, and some 15 ns to cut out of another. So
 * the texts of up to eight Latin-1 characters that came lately are kept, and found by their bytes.
 * Who keeps tokens shares their strings, as `JSON.parse` has its callers do.
 *
 * A table only grows: so a number, once given, means the same text for as long as anybody has the
 * table. One that is full is followed by an empty one.
 */

/** Longest text that is looked for, bytes. */
export const SHORT_BYTES_MAX = 8

const TEXTS_MAX = 16_384
/** Twice as many, so that a search is short. */
const SLOTS = 32_768
/** Bits of a hash, of 32, above those that name a slot. */
const SLOT_SHIFT = 17
/** Slots that are looked at; beyond, a text is none of the table's. */
const TRIES_MAX = 8

/** By length: the bits of the first four bytes that count, and of the second. */
const LOW_BITS = new Int32Array([0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1])
const HIGH_BITS = new Int32Array([0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1])

export class ShortTexts {
  /** By number. */
  readonly strings: string[] = []
  readonly #lows = new Int32Array(TEXTS_MAX)
  readonly #highs = new Int32Array(TEXTS_MAX)
  /** By slot: a text's number and 1, or 0. */
  readonly #slots = new Uint16Array(SLOTS)

  get isFull(): boolean {
    return this.strings.length === TEXTS_MAX
  }

  /**
   * The number of the text of `length` bytes at `at`, which may be new; -1 where there is no room
   * for it. Eight bytes are read.
   *
   * @param text - Has the same text from `start` on.
   */
  numberOf(bytes: DataView, at: number, length: number, text: string, start: number): number {
    const low = bytes.getInt32(at, true) & LOW_BITS[length]!
    const high = bytes.getInt32(at + 4, true) & HIGH_BITS[length]!
    const mixed = Math.imul(low ^ Math.imul(high + length, 0x9e3779b1), 0x85ebca6b)
    let slot = (mixed ^ (mixed >>> 15)) >>> SLOT_SHIFT
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const number = this.#slots[slot]! - 1
      if (number < 0) return this.#add(slot, low, high, text.slice(start, start + length))
      const isSame = this.#lows[number] === low && this.#highs[number] === high
      // A NUL at the end looks like a shorter text.
      if (isSame && this.strings[number]!.length === length) return number
      slot = (slot + 1) & (SLOTS - 1)
    }
    return -1
  }

  #add(slot: number, low: number, high: number, text: string): number {
    const number = this.strings.length
    if (number === TEXTS_MAX) return -1
    this.strings.push(text)
    this.#lows[number] = low
    this.#highs[number] = high
    this.#slots[slot] = number + 1
    return number
  }
}

let current = new ShortTexts()

/** The table of this thread that has room. */
export function shortTexts(): ShortTexts {
  if (current.isFull) current = new ShortTexts()
  return current
}
