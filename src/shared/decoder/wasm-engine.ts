/**
 * One instance of the WASM decoder and the memory that it works on: programs, output areas, and
 * whatever the decoder asks its host for. Streams take turns with it, a chunk at a time.
 *
 * A batch of output is what calls have left in the three output areas: the caller reads it, and
 * drops it.
 */
import { asciiJson } from '../ascii-json.ts'
import { compileDialect } from '../dialects/compile.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { ROW_BYTES, type RowArea } from '../rows.ts'
import type { DecodeOptions } from './decoder.ts'
import { reportFault } from './faults.ts'
import { decodeUtf8 } from './utf8.ts'
import { addressOf, capacityOf } from './wasm-heap.ts'
import * as layout from './wasm-layout.ts'
import { TEMPLATE_SIZE } from './wasm-template-layout.ts'
import { compileProgram } from './wasm-program.ts'
import { exceptionText } from './wrapped.ts'

/** What wasm/index.ts exports. All arguments are addresses. */
interface DecoderExports {
  push(context: number, profile: number, state: number, at: number, end: number): number
  finish(context: number, profile: number, state: number): void
  release(context: number, state: number): void
}

/** Where unfinished events are kept: slabs as words, see wasm-layout.ts. */
export interface EngineSlabs {
  /** A slab of `bytesMin` bytes or more, contents undefined; 0 where there is none to be had. */
  allocate(bytesMin: number): number
  free(slab: number): void
}

/** The memory that an engine works on. */
export interface EngineHeap {
  readonly memory: WebAssembly.Memory
  /** The whole memory, a new view after each growth. */
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly doubles: Float64Array
  /** A place of so many bytes for good, its address a multiple of 64; 0 where there is none. */
  take(bytes: number): number
  /** A place for a while, as a slab; 0 where there is none. */
  allocate(bytesMin: number): number
  free(slab: number): void
}

/** Room for the output of one batch, bytes. Larger values make an area grow until the next. */
export interface OutputBytes {
  readonly rows: number
  readonly text: number
  readonly wide: number
}

export interface EngineOptions {
  /** Templates of a program: more than a provider has shapes of events. 0: none. Default 8. */
  readonly templateCount?: number
  readonly outputBytes?: OutputBytes
}

/** Each fills a block of the heap, whose sizes are powers of two. */
const OUTPUT_BYTES: OutputBytes = { rows: 32 * 1024, text: 64 * 1024, wide: 32 * 1024 }

/** A stream by itself: its state, then its profile. */
const STREAM_BYTES: number = layout.STATE_SIZE + layout.PROFILE_SIZE

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

/** No slabs are wanted before the first call. */
const NO_SLABS: EngineSlabs = { allocate: () => 0, free: () => {} }

export class WasmEngine {
  readonly heap: EngineHeap
  /** The output of the last call. */
  readonly output: RowArea
  readonly #templateCount: number
  readonly #exports: DecoderExports
  readonly #context: number
  readonly #areas: readonly Area[]
  readonly #programs = new Map<Dialect, number>()
  readonly #freeStates: number[] = []
  #slabs: EngineSlabs = NO_SLABS
  #grown = false

  /**
   * @param module - Compiled from decoder.wasm.
   * @param heap - Must have room for the engine itself, some 12 KiB, and its output.
   */
  constructor(
    module: WebAssembly.Module,
    heap: EngineHeap,
    { templateCount = 8, outputBytes = OUTPUT_BYTES }: EngineOptions = {},
  ) {
    this.heap = heap
    this.#templateCount = templateCount
    this.#context = this.#take(WORK_BYTES)
    this.#areas = [
      this.#area(layout.CTX_ROWS, layout.CTX_ROWS_MAX, ROW_BYTES, outputBytes.rows),
      this.#area(layout.CTX_TEXT, layout.CTX_TEXT_BYTES_MAX, 1, outputBytes.text),
      this.#area(layout.CTX_WIDE, layout.CTX_WIDE_BYTES_MAX, 1, outputBytes.wide),
    ]
    this.#setContext(outputBytes)
    this.output = new EngineOutput(heap, this.#context)
    const host = {
      allocate: (bytesMin: number) => this.#slabs.allocate(bytesMin >>> 0),
      free: (slab: number) => this.#slabs.free(slab),
      grow: (area: number, bytesMin: number) => this.#grow(area, bytesMin >>> 0),
      describe: this.#describe.bind(this),
      quote: this.#quote.bind(this),
      exception: this.#exception.bind(this),
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

  /** Writes what a stream is decoded by to `address`. */
  writeProfile(address: number, program: number, options: DecodeOptions): void {
    const { words, bytes } = this.heap
    const { limits, strict, flushIncomplete = false, raw = false } = options
    const at = address >> 2
    words[at + layout.PROFILE_PROGRAM / 4] = program
    words[at + layout.PROFILE_LINE_BYTES_MAX / 4] = limits.lineBytesMax
    words[at + layout.PROFILE_EVENT_BYTES_MAX / 4] = limits.eventBytesMax
    words[at + layout.PROFILE_DEPTH_MAX / 4] = limits.jsonDepthMax
    words[at + layout.PROFILE_NUMBER_BYTES_MAX / 4] = limits.jsonNumberBytesMax
    words[at + layout.PROFILE_NAME_BYTES_MAX / 4] = limits.eventNameBytesMax
    words[at + layout.PROFILE_ID_BYTES_MAX / 4] = limits.eventIdBytesMax
    bytes[address + layout.PROFILE_STRICT] = strict ? 1 : 0
    bytes[address + layout.PROFILE_FLUSH] = flushIncomplete ? 1 : 0
    bytes[address + layout.PROFILE_RAW] = raw ? 1 : 0
  }

  /**
   * The address of the dialect's program; 0 where the decoder's words have too few bits for it, or
   * there is no memory left.
   *
   * @throws {MillraceError} `DIALECT_INVALID`.
   */
  program(dialect: Dialect): number {
    return this.#programs.get(dialect) ?? this.#compile(dialect)
  }

  /**
   * A new stream's state, with room for its profile behind it at {@link profileOf}; 0 where there
   * is no memory left.
   */
  takeState(): number {
    if (this.#freeStates.length === 0) this.#makeStates()
    const state = this.#freeStates.pop() ?? 0
    if (state !== 0) this.heap.bytes.fill(0, state, state + STREAM_BYTES)
    return state
  }

  /** Gives the state of a stream that was released back. */
  giveState(state: number): void {
    this.#freeStates.push(state)
  }

  /** Decodes the bytes `at` to `end`; returns how far it came. Drop its output once it is read. */
  push(profile: number, state: number, at: number, end: number, slabs: EngineSlabs): number {
    this.#slabs = slabs
    return this.#exports.push(this.#context, profile, state, at, end) >>> 0
  }

  /** The stream's source ended; its slabs are given back. Drop the output once it is read. */
  finish(profile: number, state: number, slabs: EngineSlabs): void {
    this.#slabs = slabs
    this.#exports.finish(this.#context, profile, state)
  }

  release(state: number, slabs: EngineSlabs): void {
    this.#slabs = slabs
    this.#exports.release(this.#context, state)
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
    const address = this.heap.take(bytes + layout.SLACK_BYTES)
    if (address !== 0) this.heap.bytes.fill(0, address, address + bytes)
    return address
  }

  #area(address: number, capacity: number, unitBytes: number, blockBytes: number): Area {
    const homeBytes = blockBytes - layout.SLACK_BYTES
    const home = this.#take(homeBytes)
    return { address, capacity, unitBytes, home, homeBytes, slab: 0 }
  }

  #setContext(output: OutputBytes): void {
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
    // Short of what there is room for, since an event is not cut.
    this.#setWord(layout.CTX_ROWS_ENOUGH, Math.floor(output.rows / ROW_BYTES) - 4)
    this.#setWord(layout.CTX_TEXT_BYTES_ENOUGH, output.text / 2)
    this.#setWord(layout.CTX_WIDE_BYTES_ENOUGH, output.wide / 2)
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
    for (let at = 0; at + STREAM_BYTES <= statesBytes; at += STREAM_BYTES) {
      this.#freeStates.push(address + at)
    }
  }

  // ---- What the decoder asks for: see wasm/host.ts.

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
    const data = this.#span(at, bytes)
    const indexAt = this.#word(layout.CTX_INDEX_AT) >>> 0
    const value = this.heap.bytes.subarray(indexAt, this.#word(layout.CTX_INDEX_END) >>> 0)
    const { code, text } = reportFault(fault, limit >>> 0, offset, data, value)
    return (code << 16) | this.#write(text, out)
  }

  #quote(at: number, bytes: number, out: number): number {
    const text = decodeUtf8(this.#span(at, bytes))
    return this.#write(asciiJson(text), out)
  }

  #exception(
    typeAt: number,
    typeBytes: number,
    at: number,
    bytes: number,
    isHeader: number,
    depthMax: number,
    out: number,
  ): number {
    const type = decodeUtf8(this.#span(typeAt, typeBytes))
    const sent = this.#span(at, bytes)
    // What is malformed in a header is replaced and not counted.
    const data = isHeader === 0 ? sent : encoder.encode(decodeUtf8(sent))
    const tally = { replacements: 0 }
    const text = exceptionText({ type, data }, depthMax >>> 0, tally)
    this.#setWord(layout.CTX_REPLACED, tally.replacements)
    return this.#write(text, out)
  }

  /** Bytes that the decoder names. */
  #span(at: number, bytes: number): Uint8Array {
    return this.heap.bytes.subarray(at >>> 0, (at >>> 0) + (bytes >>> 0))
  }

  #write(text: string, out: number): number {
    const target = this.heap.bytes.subarray(out >>> 0, (out >>> 0) + text.length * 3)
    return encoder.encodeInto(text, target).written
  }

  #word(field: number): number {
    return (this.heap.words[(this.#context + field) >> 2] as number) >>> 0
  }

  #setWord(field: number, value: number): void {
    this.heap.words[(this.#context + field) >> 2] = value
  }
}

/** Where the profile of a stream lies that {@link WasmEngine.takeState} made room for. */
export function profileOf(state: number): number {
  return state + layout.STATE_SIZE
}

/** The output areas, wherever they lie at the moment. */
class EngineOutput implements RowArea {
  readonly #heap: EngineHeap
  /** Index of the context's first word. */
  readonly #context: number

  constructor(heap: EngineHeap, context: number) {
    this.#heap = heap
    this.#context = context >> 2
  }

  get rows(): Int32Array {
    return this.#heap.words
  }

  get rowsAt(): number {
    return this.#word(layout.CTX_ROWS) >>> 2
  }

  get rowCount(): number {
    return this.#word(layout.CTX_ROW_COUNT)
  }

  get text(): Uint8Array {
    return this.#heap.bytes
  }

  get textAt(): number {
    return this.#word(layout.CTX_TEXT) >>> 0
  }

  get textBytes(): number {
    return this.#word(layout.CTX_TEXT_BYTES)
  }

  get wide(): Uint8Array {
    return this.#heap.bytes
  }

  get wideAt(): number {
    return this.#word(layout.CTX_WIDE) >>> 0
  }

  get wideBytes(): number {
    return this.#word(layout.CTX_WIDE_BYTES)
  }

  #word(field: number): number {
    return this.#heap.words[this.#context + (field >> 2)] as number
  }
}

const encoder = new TextEncoder()
