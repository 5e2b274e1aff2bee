/** What a model's program consists of: threads on one memory, and what must come of them. */
import type { Views } from './views.ts'

/** The shared memory; every access through its views is a plain one. */
export interface Context extends Views {
  /** Blocks while the word holds `value`. */
  until(index: number, value: number): void
  /** Blocks while the word holds 0, then takes 1 away: receives a posted message. */
  take(index: number): void
}

/** Makes a thread's objects, before any thread runs; returns what it then does. */
export type Thread = (context: Context) => () => unknown

export interface Scenario {
  readonly name: string
  readonly wordCount: number
  /** Words that do not start at 0. */
  readonly initial: readonly (readonly [index: number, value: number])[]
  readonly threads: readonly Thread[]
  /** Threads that may die, each at every atomic operation. */
  readonly mortals?: readonly Mortal[]
  /** Throws if what the threads returned cannot be. */
  check(results: readonly unknown[]): void
}

export interface Mortal {
  /** Its number in `threads`. */
  readonly thread: number
  /** What the thread may have left behind: changes `values` where nothing vouches for them. */
  leave(values: Int32Array): void
  /** What the others see of it, at once. */
  readonly exit: readonly (readonly [index: number, value: number])[]
}
