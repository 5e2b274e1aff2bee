/**
 * Shared memory of a few model threads, with a race detector.
 *
 * Each thread has a vector clock; an atomic write leaves its thread's clock at the word, an atomic
 * read takes that clock over: so one access happened before another if the later thread's clock
 * has reached it. Two accesses to one word of which one writes and one is plain, neither before the
 * other, are a data race. Where no interleaving has one, the memory model of JavaScript grants that
 * interleavings are all that can happen (Watt et al., PLDI 2020), on weakly ordered machines too.
 */

/** Two threads touched a word, one of them plainly, and nothing ordered them. */
export class Race extends Error {}

/** Kinds of access, each with a column per thread: when it last did that to the word. */
const PLAIN_READ = 0
const PLAIN_WRITE = 1
const ATOMIC_READ = 2
const ATOMIC_WRITE = 3
const KINDS = 4
/** Which earlier accesses an access must be ordered after. */
const CONFLICTS = [
  [PLAIN_WRITE, ATOMIC_WRITE],
  [PLAIN_READ, PLAIN_WRITE, ATOMIC_READ, ATOMIC_WRITE],
  [PLAIN_WRITE],
  [PLAIN_READ, PLAIN_WRITE],
]
const KIND_NAMES = ['plain read', 'plain write', 'atomic read', 'atomic write']

export class ModelMemory {
  readonly values: Int32Array
  /** Who wrote each atomic word last: a number that stands for the writer and its whole past. */
  readonly versions: Int32Array
  readonly #threads: number
  /** Vector clock of each thread, of each word, and the times of accesses. */
  readonly #clocks: Int32Array
  readonly #wordClocks: Int32Array
  readonly #times: Int32Array

  /** Starts with `values`, which every thread has seen; or as a copy of `from`. */
  constructor(values: Int32Array, threads: number, from: ModelMemory | null = null) {
    const words = values.length
    this.#threads = threads
    this.values = values.slice()
    this.versions = from === null ? new Int32Array(words) : from.versions.slice()
    this.#clocks = from === null ? firstClocks(threads) : from.#clocks.slice()
    this.#wordClocks = from === null ? new Int32Array(words * threads) : from.#wordClocks.slice()
    this.#times = from === null ? new Int32Array(words * threads * KINDS) : from.#times.slice()
  }

  clone(): ModelMemory {
    return new ModelMemory(this.values, this.#threads, this)
  }

  plainRead(thread: number, index: number): number {
    this.#record(thread, index, PLAIN_READ)
    return this.values[index]!
  }

  plainWrite(thread: number, index: number, value: number): void {
    this.#record(thread, index, PLAIN_WRITE)
    this.values[index] = value
  }

  /** Reads, and orders what the word's writer did before what this thread does next. */
  atomicRead(thread: number, index: number): number {
    this.#record(thread, index, ATOMIC_READ)
    const threads = this.#threads
    for (let other = 0; other < threads; other++) {
      const left = this.#wordClocks[index * threads + other]!
      const at = thread * threads + other
      this.#clocks[at] = Math.max(this.#clocks[at]!, left)
    }
    return this.values[index]!
  }

  /** Writes, and leaves this thread's past at the word. */
  atomicWrite(thread: number, index: number, value: number, version: number): void {
    this.#record(thread, index, ATOMIC_WRITE)
    const threads = this.#threads
    const clock = this.#clocks.subarray(thread * threads, (thread + 1) * threads)
    this.#wordClocks.set(clock, index * threads)
    clock[thread]!++
    this.values[index] = value
    this.versions[index] = version
  }

  #record(thread: number, index: number, kind: number): void {
    if (!(index >= 0 && index < this.values.length)) throw new Race(`word ${index} is outside`)
    const threads = this.#threads
    for (let other = 0; other < threads; other++) {
      if (other === thread) continue
      const seen = this.#clocks[thread * threads + other]!
      for (const earlier of CONFLICTS[kind]!) {
        if (this.#times[(index * KINDS + earlier) * threads + other]! <= seen) continue
        throw new Race(
          `word ${index}: ${KIND_NAMES[kind]} by thread ${thread}, ` +
            `unordered with ${KIND_NAMES[earlier]} by thread ${other}`,
        )
      }
    }
    const own = this.#clocks[thread * threads + thread]!
    this.#times[(index * KINDS + kind) * threads + thread] = own
  }
}

/** Each thread at its own first moment, none having seen another's. */
function firstClocks(threads: number): Int32Array {
  const clocks = new Int32Array(threads * threads)
  for (let thread = 0; thread < threads; thread++) clocks[thread * threads + thread] = 1
  return clocks
}
