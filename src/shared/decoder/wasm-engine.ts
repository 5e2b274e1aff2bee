/**
 * One instance of the WASM decoder and the memory that it works on: programs, output areas, and
 * whatever the decoder asks its host for. Streams take turns with it, a chunk at a time.
 *
 * A batch of output is what one call leaves in the three output areas: the caller takes it with
 * `drain` before the next call.
 */
import { compileDialect } from '../dialects/compile.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { RowWriter } from '../row-writer.ts'
import { ROW_BYTES } from '../rows.ts'
import type { DecodeOptions } from './decoder.ts'
import { reportFault } from './faults.ts'
import { decodeUtf8 } from './utf8.ts'
import { addressOf, capacityOf, type WasmHeap } from './wasm-heap.ts'
import * as layout from './wasm-layout.ts'
import { TEMPLATE_SIZE } from './wasm-template-layout.ts'
import { compileProgram } from './wasm-program.ts'

/** What wasm/index.ts exports. All arguments are addresses. */
interface DecoderExports {
  push(context: number, profile: number, state: number, at: number, end: number): number
  finish(context: number, profile: number, state: number): void
  release(context: number, state: number): void
}

/** What a stream may take for unfinished events, and what it has. Bytes, whole slabs. */
export interface SlabBudget {
  readonly budgetBytes: number
  lentBytes: number
}

/**
 * Output of one batch. Larger values make the areas grow until the next batch. With its slack each
 * fills a block of the heap, whose sizes are powers of two.
 */
const ROWS_MAX: number = (32 * 1024 - layout.SLACK_BYTES) / ROW_BYTES
const TEXT_BYTES_MAX: number = 64 * 1024 - layout.SLACK_BYTES
const TEXT_BYTES_ENOUGH: number = 32 * 1024
const WIDE_BYTES_MAX: number = 4096 - layout.SLACK_BYTES

/** What the context's pointers lead to. */
const WORK_BYTES: number =
  layout.CTX_BYTES + layout.STACK_BYTES + layout.SPANS_BYTES + layout.SCRATCH_BYTES

/** An output area: fields of the context, and where it usually lies. */
interface Area {
  readonly address: number
  readonly capacity: number
  /** Units that the capacity counts: rows, or bytes. */
  readonly unitBytes: number
  readonly home: number
  readonly homeBytes: number
  /** The slab that it lies in for now, 0 where it is at home. */
  slab: number
}

export class WasmEngine {
  readonly heap: WasmHeap
  /** What all streams' unfinished events take now, bytes, whole slabs. */
  lentBytes = 0
  /** What they may take together, bytes. */
  lentBytesMax: number = 256 * 1024 * 1024
  readonly #templateCount: number
  readonly #exports: DecoderExports
  readonly #context: number
  readonly #areas: readonly Area[]
  readonly #programs = new Map<Dialect, number>()
  readonly #profiles = new Map<string, number>()
  readonly #freeStates: number[] = []
  #budget: SlabBudget = { budgetBytes: 0, lentBytes: 0 }
  #grown = false

  /**
   * @param module - Compiled from decoder.wasm.
   * @param templateCount - Templates of a program: more than a provider has shapes of events. 0:
   * none.
   */
  constructor(module: WebAssembly.Module, heap: WasmHeap, templateCount = 8) {
    this.heap = heap
    this.#templateCount = templateCount
    this.#context = this.#take(WORK_BYTES)
    this.#areas = [
      this.#area(layout.CTX_ROWS, layout.CTX_ROWS_MAX, ROW_BYTES, ROWS_MAX * ROW_BYTES),
      this.#area(layout.CTX_TEXT, layout.CTX_TEXT_BYTES_MAX, 1, TEXT_BYTES_MAX),
      this.#area(layout.CTX_WIDE, layout.CTX_WIDE_BYTES_MAX, 1, WIDE_BYTES_MAX),
    ]
    this.#setContext()
    const host = {
      allocate: (bytesMin: number) => this.#allocate(bytesMin >>> 0),
      free: (slab: number) => this.#free(slab),
      grow: (area: number, bytesMin: number) => this.#grow(area, bytesMin >>> 0),
      describe: this.#describe.bind(this),
      quote: this.#quote.bind(this),
    }
    const instance = new WebAssembly.Instance(module, { env: { memory: heap.memory }, host })
    this.#exports = instance.exports as unknown as DecoderExports
  }

  /** Payloads that a template decoded, and that had to be walked, of all streams. */
  get templateHits(): number {
    return this.#word(layout.CTX_TEMPLATE_HITS)
  }

  get templateMisses(): number {
    return this.#word(layout.CTX_TEMPLATE_MISSES)
  }

  /** Bytes looked at, a byte counted as often as it was. */
  get scannedBytes(): number {
    return this.heap.doubles[(this.#context + layout.CTX_SCANNED) >> 3] as number
  }

  /**
   * The address of what streams of this dialect and these options are decoded by; `null` where the
   * decoder's words have too few bits for the dialect, or there is no memory left.
   *
   * @throws {MillraceError} `DIALECT_INVALID`.
   */
  profile(dialect: Dialect, { limits, strict }: DecodeOptions): number | null {
    const program = this.#programs.get(dialect) ?? this.#compile(dialect)
    if (program === 0) return null
    const { lineBytesMax, eventBytesMax, jsonDepthMax } = limits
    const words = [program, lineBytesMax, eventBytesMax, jsonDepthMax, strict ? 1 : 0]
    const known = this.#profiles.get(words.join())
    if (known !== undefined) return known
    const address = this.#take(layout.PROFILE_SIZE)
    if (address === 0) return null
    this.heap.words.set(words, address >> 2)
    this.#profiles.set(words.join(), address)
    return address
  }

  /** A new stream's state; 0 where there is no memory left. */
  takeState(): number {
    if (this.#freeStates.length === 0) this.#makeStates()
    const state = this.#freeStates.pop() ?? 0
    this.heap.bytes.fill(0, state, state + layout.STATE_SIZE)
    return state
  }

  /** Gives the state of a stream that was released back. */
  giveState(state: number): void {
    this.#freeStates.push(state)
  }

  /** Decodes the bytes `at` to `end`; returns how far it came. Drain what it wrote. */
  push(profile: number, state: number, at: number, end: number, budget: SlabBudget): number {
    this.#budget = budget
    return this.#exports.push(this.#context, profile, state, at, end) >>> 0
  }

  /** The stream's source ended; its slabs are given back. Drain what it wrote. */
  finish(profile: number, state: number, budget: SlabBudget): void {
    this.#budget = budget
    this.#exports.finish(this.#context, profile, state)
  }

  release(state: number, budget: SlabBudget): void {
    this.#budget = budget
    this.#exports.release(this.#context, state)
  }

  /** Moves the output of the last call to `rows`. */
  drain(rows: RowWriter): void {
    const rowCount = this.#word(layout.CTX_ROW_COUNT)
    if (rowCount === 0) return
    const { bytes, words } = this.heap
    const at = this.#word(layout.CTX_ROWS)
    const textBytes = this.#word(layout.CTX_TEXT_BYTES)
    const wideBytes = this.#word(layout.CTX_WIDE_BYTES)
    rows.appendRows(words, at >> 2, rowCount)
    rows.appendText(bytes, this.#word(layout.CTX_TEXT), textBytes)
    if (wideBytes > 0) rows.appendWide(bytes, this.#word(layout.CTX_WIDE), wideBytes)
    this.drop()
  }

  /** Forgets the output of the last call. */
  drop(): void {
    this.#setWord(layout.CTX_ROW_COUNT, 0)
    this.#setWord(layout.CTX_TEXT_BYTES, 0)
    this.#setWord(layout.CTX_WIDE_BYTES, 0)
    if (this.#grown) this.#shrink()
  }

  /** A zeroed place for good; 0 where there is no memory left. */
  #take(bytes: number): number {
    const address = addressOf(this.heap.allocate(bytes + layout.SLACK_BYTES))
    this.heap.bytes.fill(0, address, address + bytes)
    return address
  }

  #area(address: number, capacity: number, unitBytes: number, homeBytes: number): Area {
    const home = this.#take(homeBytes)
    return { address, capacity, unitBytes, home, homeBytes, slab: 0 }
  }

  #setContext(): void {
    let at = this.#context + layout.CTX_BYTES
    const pieces = [
      [layout.CTX_STACK, layout.STACK_BYTES],
      [layout.CTX_SPANS, layout.SPANS_BYTES],
      [layout.CTX_SCRATCH, layout.SCRATCH_BYTES],
    ] as const
    for (const [field, bytes] of pieces) {
      this.#setWord(field, at)
      at += bytes
    }
    this.#setWord(layout.CTX_ROWS_ENOUGH, ROWS_MAX - 2)
    this.#setWord(layout.CTX_TEXT_BYTES_ENOUGH, TEXT_BYTES_ENOUGH)
    for (const area of this.#areas) this.#place(area, area.home, area.homeBytes)
  }

  #place({ address, capacity, unitBytes }: Area, at: number, bytes: number): void {
    this.#setWord(address, at)
    this.#setWord(capacity, Math.floor(bytes / unitBytes))
  }

  #compile(dialect: Dialect): number {
    const compiled = compileDialect(dialect)
    const count = this.#templateCount
    const measured = compileProgram(compiled, 0, { address: 0, count })
    const address = measured === null ? 0 : this.#take(measured.length)
    const templates = count === 0 ? 0 : this.#take(count * TEMPLATE_SIZE)
    const region = templates === 0 ? null : { address: templates, count }
    const program = address === 0 ? null : compileProgram(compiled, address, region)
    if (program !== null) this.heap.bytes.set(program, address)
    this.#programs.set(dialect, address)
    return address
  }

  #makeStates(): void {
    const statesBytes = 4096
    const address = this.#take(statesBytes)
    if (address === 0) return
    for (let at = 0; at + layout.STATE_SIZE <= statesBytes; at += layout.STATE_SIZE) {
      this.#freeStates.push(address + at)
    }
  }

  // ---- What the decoder asks for: see wasm/host.ts.

  #allocate(bytesMin: number): number {
    const slab = this.heap.allocate(bytesMin)
    if (slab === 0) return 0
    const budget = this.#budget
    const bytes = capacityOf(slab)
    const isTooMuch =
      budget.lentBytes + bytes > budget.budgetBytes || this.lentBytes + bytes > this.lentBytesMax
    if (isTooMuch) {
      this.heap.free(slab)
      return 0
    }
    budget.lentBytes += capacityOf(slab)
    this.lentBytes += capacityOf(slab)
    return slab
  }

  #free(slab: number): void {
    this.#budget.lentBytes -= capacityOf(slab)
    this.lentBytes -= capacityOf(slab)
    this.heap.free(slab)
  }

  #grow(index: number, bytesMin: number): boolean {
    const area = this.#areas[index] as Area
    const bytes = this.#word(area.capacity) * area.unitBytes
    const larger = this.heap.allocate(Math.max(bytesMin, bytes * 2) + layout.SLACK_BYTES)
    if (larger === 0) return false
    const at = this.#word(area.address)
    this.heap.bytes.copyWithin(addressOf(larger), at, at + bytes)
    if (area.slab !== 0) this.heap.free(area.slab)
    area.slab = larger
    this.#place(area, addressOf(larger), capacityOf(larger) - layout.SLACK_BYTES)
    this.#grown = true
    return true
  }

  #shrink(): void {
    for (const area of this.#areas) {
      if (area.slab !== 0) this.heap.free(area.slab)
      area.slab = 0
      this.#place(area, area.home, area.homeBytes)
    }
    this.#grown = false
  }

  #describe(
    fault: number,
    limit: number,
    offset: number,
    at: number,
    bytes: number,
    out: number,
  ): number {
    const data = this.heap.bytes.subarray(at >>> 0, (at >>> 0) + (bytes >>> 0))
    const { code, text } = reportFault(fault, limit >>> 0, offset, data)
    return (code << 16) | this.#write(text, out, layout.FAULT_BYTES_MAX)
  }

  #quote(at: number, bytes: number, out: number): number {
    const text = decodeUtf8(this.heap.bytes.subarray(at >>> 0, (at >>> 0) + (bytes >>> 0)))
    const quoted = JSON.stringify(text)
    return this.#write(quoted, out, quoted.length * 3)
  }

  #write(text: string, out: number, bytesMax: number): number {
    const target = this.heap.bytes.subarray(out >>> 0, (out >>> 0) + bytesMax)
    return encoder.encodeInto(text, target).written
  }

  #word(field: number): number {
    return (this.heap.words[(this.#context + field) >> 2] as number) >>> 0
  }

  #setWord(field: number, value: number): void {
    this.heap.words[(this.#context + field) >> 2] = value
  }
}

const encoder = new TextEncoder()
