/**
 * Shared memory of a few model threads, with a race detector.
 *
 * Each thread has a vector clock; an atomic write leaves its thread's clock at the word, an atomic
 * read takes that clock over: so one access happened before another if the later thread's clock
 * has reached it. Two accesses to one word of which one writes and one is plain, neither before the
 * other, are a data race. Where no interleaving has one, the memory model of JavaScript grants that
 * interleavings are all that can happen (Watt et al., PLDI 2020), on weakly ordered machines too.
 *
 * A clone shares its pages until either writes to them, since most words stay as they are.
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

// What is kept of a word, in this order: its value; its version, a number that stands for who wrote
// it last atomically and for that writer's whole past; the clock that writer left, a column per
// thread; and the times of accesses, a column per kind and thread.
const VALUE = 0
const VERSION = 1
const CLOCK = 2

const PAGE_WORDS = 16

interface Page {
  readonly owner: ModelMemory
  readonly data: Int32Array
}

export class ModelMemory {
  readonly length: number
  readonly #threads: number
  /** What is kept of one word, words. */
  readonly #stride: number
  readonly #pages: Page[]
  /** Vector clock of each thread. */
  readonly #clocks: Int32Array

  /** Starts with `values`, which every thread has seen; or as a copy of `from`. */
  constructor(values: Int32Array, threads: number, from: ModelMemory | null = null) {
    this.#threads = threads
    this.#stride = CLOCK + threads + KINDS * threads
    this.#clocks = from === null ? firstClocks(threads) : from.#clocks.slice()
    this.length = from === null ? values.length : from.length
    this.#pages = from === null ? this.#pagesOf(values) : from.#pages.slice()
  }

  clone(): ModelMemory {
    return new ModelMemory(NO_VALUES, this.#threads, this)
  }

  valueOf(index: number): number {
    return this.#pageOf(index).data[this.#at(index) + VALUE]!
  }

  versionOf(index: number): number {
    return this.#pageOf(index).data[this.#at(index) + VERSION]!
  }

  /** All of it, on memory of its own. */
  values(): Int32Array {
    const values = new Int32Array(this.#pages.length * PAGE_WORDS)
    let index = 0
    for (const { data } of this.#pages) {
      for (let at = VALUE; at < data.length; at += this.#stride) values[index++] = data[at]!
    }
    return values.subarray(0, this.length)
  }

  plainRead(thread: number, index: number): number {
    return this.#record(thread, index, PLAIN_READ)[this.#at(index) + VALUE]!
  }

  /** Writes the bits of `mask`. */
  plainWrite(thread: number, index: number, value: number, mask: number = -1): void {
    const data = this.#record(thread, index, PLAIN_WRITE)
    const at = this.#at(index) + VALUE
    data[at] = (data[at]! & ~mask) | (value & mask)
  }

  /** Reads, and orders what the word's writer did before what this thread does next. */
  atomicRead(thread: number, index: number): number {
    const data = this.#record(thread, index, ATOMIC_READ)
    const left = this.#at(index) + CLOCK
    const own = thread * this.#threads
    for (let other = 0; other < this.#threads; other++) {
      this.#clocks[own + other] = Math.max(this.#clocks[own + other]!, data[left + other]!)
    }
    return data[this.#at(index) + VALUE]!
  }

  /** Writes, and leaves this thread's past at the word. */
  atomicWrite(thread: number, index: number, value: number, version: number): void {
    const data = this.#record(thread, index, ATOMIC_WRITE)
    const at = this.#at(index)
    const own = thread * this.#threads
    const clock = this.#clocks.subarray(own, own + this.#threads)
    data.set(clock, at + CLOCK)
    clock[thread]!++
    data[at + VALUE] = value
    data[at + VERSION] = version
  }

  /** Notes the access, and returns the page that it goes to, now this memory's own. */
  #record(thread: number, index: number, kind: number): Int32Array {
    if (!(index >= 0 && index < this.length)) throw new Race(`word ${index} is outside`)
    const data = this.#ownPageOf(index)
    const threads = this.#threads
    const times = this.#at(index) + CLOCK + threads
    for (let other = 0; other < threads; other++) {
      if (other === thread) continue
      const seen = this.#clocks[thread * threads + other]!
      for (const earlier of CONFLICTS[kind]!) {
        if (data[times + earlier * threads + other]! <= seen) continue
        throw new Race(
          `word ${index}: ${KIND_NAMES[kind]} by thread ${thread}, ` +
            `unordered with ${KIND_NAMES[earlier]} by thread ${other}`,
        )
      }
    }
    data[times + kind * threads + thread] = this.#clocks[thread * threads + thread]!
    return data
  }

  #pagesOf(values: Int32Array): Page[] {
    const pages: Page[] = []
    for (let first = 0; first < values.length; first += PAGE_WORDS) {
      const data = new Int32Array(PAGE_WORDS * this.#stride)
      for (let at = 0; at < PAGE_WORDS; at++) data[at * this.#stride] = values[first + at] ?? 0
      pages.push({ owner: this, data })
    }
    return pages
  }

  #pageOf(index: number): Page {
    return this.#pages[Math.floor(index / PAGE_WORDS)]!
  }

  #ownPageOf(index: number): Int32Array {
    const page = this.#pageOf(index)
    if (page.owner === this) return page.data
    const data = page.data.slice()
    this.#pages[Math.floor(index / PAGE_WORDS)] = { owner: this, data }
    return data
  }

  /** Where a word lies in its page. */
  #at(index: number): number {
    return (index % PAGE_WORDS) * this.#stride
  }
}

const NO_VALUES = new Int32Array(0)

/** Each thread at its own first moment, none having seen another's. */
function firstClocks(threads: number): Int32Array {
  const clocks = new Int32Array(threads * threads)
  for (let thread = 0; thread < threads; thread++) clocks[thread * threads + thread] = 1
  return clocks
}
