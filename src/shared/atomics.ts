/**
 * Every atomic operation of the library, imported as `#atomics`.
 *
 * One door, so that a test can stand in it: under `--conditions=model` the same specifier resolves
 * to test/model/atomics.ts, which records each step or chooses the interleaving. All operations are
 * sequentially consistent, since JavaScript has no weaker ones; call sites name what they need.
 */

/** How a {@link wait} ended: woken, or the word held another value, or the time was up. */
export type WaitOutcome = 'ok' | 'not-equal' | 'timed-out'

export function load(words: Int32Array, index: number): number {
  return Atomics.load(words, index)
}

export function store(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value)
}

/** Adds, wrapping at 2^32. Returns the value before. */
export function add(words: Int32Array, index: number, value: number): number {
  return Atomics.add(words, index, value)
}

/** Returns the value before. */
export function exchange(words: Int32Array, index: number, value: number): number {
  return Atomics.exchange(words, index, value)
}

/** Stores `value` if the word holds `expected`. Returns the value before. */
export function compareExchange(
  words: Int32Array,
  index: number,
  expected: number,
  value: number,
): number {
  return Atomics.compareExchange(words, index, expected, value)
}

/** Blocks this thread while the word holds `expected`, until a notify or for `msMax`. */
export function wait(
  words: Int32Array,
  index: number,
  expected: number,
  msMax: number,
): WaitOutcome {
  return Atomics.wait(words, index, expected, msMax)
}

/** Wakes up to `count` threads that wait on the word. Returns how many. */
export function notify(words: Int32Array, index: number, count: number): number {
  return Atomics.notify(words, index, count)
}
