/**
 * All streams of one channel, decoded in place by WASM: bytes, states, slabs and rows lie in the
 * channel's memory.
 *
 * A successor needs of its predecessor the states in force, the slabs that they name, and each
 * row's dialect and profile. All else is made anew: programs are compiled when a stream first needs
 * them, templates are learnt again.
 */
import { broken } from '../assert.ts'
import type { WorkerEnd } from '../channel-ends.ts'
import {
  STREAM_DIALECT,
  STREAM_PROFILE,
  STREAM_PROFILE_BYTES,
  STREAM_ROW_BYTES,
} from '../channel-layout.ts'
import { slabAddress } from '../carry-slabs.ts'
import { type OpenFrame, packFrame, unpackFrame } from '../control-protocol.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { DIALECT_NAMES, dialectReceived, findDialect } from '../dialects/dialects.ts'
import type { RowArea } from '../rows.ts'
import type { ChannelDecoder } from './channel-decoder.ts'
import { ChannelHeap } from './channel-heap.ts'
import type { DecodeCounts } from './decoder.ts'
import { newCounts } from './plain-decoder.ts'
import { readCounts } from './wasm-decoder.ts'
import { WasmEngine } from './wasm-engine.ts'
import * as layout from './wasm-layout.ts'

/** Less than inline: a record holds 32 KiB, and six dialects are to fit beside it. */
const OUTPUT_BYTES = { rows: 16 * 1024, text: 32 * 1024, wide: 16 * 1024 }

/** Behind the decoder's state: the options of a stream whose dialect is the caller's own. */
const TABLE_SLAB = 80
const TABLE_BYTES = 84
/** In place of a dialect's number. */
const OWN_TABLE = -1

/** By row: not open or opened by a predecessor; decoded here; decoded by the fallback. */
const UNKNOWN = 0
const IN_PLACE = 1
const ELSEWHERE = 2

export class WasmStreams implements ChannelDecoder {
  readonly #heap: ChannelHeap
  readonly #engine: WasmEngine
  readonly #fallback: ChannelDecoder
  readonly #streams: number
  readonly #places: Uint8Array
  #rows: RowArea

  /** @param fallback - Decodes streams whose dialect is too large for the WASM decoder. */
  constructor(
    { layout: { streams, streamsMax } }: WorkerEnd,
    memory: WebAssembly.Memory,
    module: WebAssembly.Module,
    leaseBytesMax: number,
    fallback: ChannelDecoder,
  ) {
    this.#heap = new ChannelHeap(memory, leaseBytesMax)
    this.#engine = new WasmEngine(module, this.#heap, { outputBytes: OUTPUT_BYTES })
    this.#fallback = fallback
    this.#streams = streams
    this.#places = new Uint8Array(streamsMax)
    this.#rows = this.#engine.output
  }

  get views(): ChannelHeap {
    return this.#heap
  }

  get rows(): RowArea {
    return this.#rows
  }

  get slabBytes(): number {
    return this.#heap.slabs.slabBytes + this.#fallback.slabBytes
  }

  get leasedBytes(): number {
    const { leasedBytes, reservedBytes } = this.#heap.slabs
    return leasedBytes + reservedBytes + this.#fallback.leasedBytes
  }

  get templateHits(): number {
    return this.#engine.templateHits
  }

  get templateMisses(): number {
    return this.#engine.templateMisses
  }

  get streamsOnHeap(): number {
    return this.#fallback.streamsOnHeap
  }

  resetRows(): void {
    if (this.#rows === this.#engine.output) this.#engine.drop()
    else this.#fallback.resetRows()
  }

  open(row: number, state: number, options: OpenFrame): void {
    const program = this.#engine.program(dialectReceived(options.dialect))
    if (program === 0 || !this.#keepDialect(row, state, options)) {
      this.#places[row] = ELSEWHERE
      this.#fallback.open(row, state, options)
      return
    }
    this.#places[row] = IN_PLACE
    this.#engine.writeProfile(this.#profileAt(row), program, options)
  }

  decode(row: number, state: number, at: number, byteLength: number): number {
    if (this.#isElsewhere(row, state)) {
      this.#rows = this.#fallback.rows
      return this.#fallback.decode(row, state, at, byteLength)
    }
    this.#rows = this.#engine.output
    const { slabs } = this.#heap
    return this.#engine.push(this.#profileAt(row), state, at, at + byteLength, slabs) - at
  }

  end(row: number, state: number): void {
    if (this.#isElsewhere(row, state)) {
      this.#rows = this.#fallback.rows
      this.#fallback.end(row, state)
    } else {
      this.#rows = this.#engine.output
      this.#engine.finish(this.#profileAt(row), state, this.#heap.slabs)
    }
  }

  counts(row: number, state: number): DecodeCounts {
    if (this.#places[row] === ELSEWHERE) return this.#fallback.counts(row, state)
    const counts = newCounts()
    readCounts(this.#heap, state, counts)
    return counts
  }

  close(row: number, state: number): void {
    if (this.#places[row] === ELSEWHERE) this.#fallback.close(row, state)
    else {
      const table = this.#heap.words[(state + TABLE_SLAB) >> 2]!
      if (table !== 0) this.#heap.free(table)
      this.#engine.release(state, this.#heap.slabs)
    }
    this.#places[row] = UNKNOWN
  }

  adopt(_row: number, state: number): void {
    const { words } = this.#heap
    for (const field of SLAB_FIELDS) this.#heap.adopt(words[(state + field) >> 2]!)
  }

  settle(): void {
    this.#heap.slabs.settle()
  }

  // So that a successor finds it: the number of a dialect that everybody knows, or else the table.
  #keepDialect(row: number, state: number, options: OpenFrame): boolean {
    const { words } = this.#heap
    const { dialect } = options
    const isKnown = typeof dialect === 'string'
    words[this.#dialectAt(row) >> 2] = isKnown ? DIALECT_NAMES.indexOf(dialect) : OWN_TABLE
    if (isKnown) return true
    const packed = packFrame(options)
    const slab = this.#heap.allocate(packed.length)
    if (slab === 0) return false
    this.#heap.bytes.set(packed, slabAddress(slab))
    words[(state + TABLE_SLAB) >> 2] = slab
    words[(state + TABLE_BYTES) >> 2] = packed.length
    return true
  }

  #keptDialect(row: number, state: number): Dialect {
    const { words, bytes } = this.#heap
    const number = words[this.#dialectAt(row) >> 2]!
    if (number !== OWN_TABLE) return findDialect(DIALECT_NAMES[number]!)
    const at = slabAddress(words[(state + TABLE_SLAB) >> 2]!)
    const packed = bytes.slice(at, at + words[(state + TABLE_BYTES) >> 2]!)
    return dialectReceived(unpackFrame(packed).dialect)
  }

  #isElsewhere(row: number, state: number): boolean {
    if (this.#places[row] === UNKNOWN) this.#goOn(row, state)
    return this.#places[row] === ELSEWHERE
  }

  // A predecessor's program lay where this one has another.
  #goOn(row: number, state: number): void {
    const { words } = this.#heap
    const program = this.#engine.program(this.#keptDialect(row, state))
    if (program === 0) broken(`the stream in row ${row} was open on another thread's heap`)
    words[(this.#profileAt(row) + layout.PROFILE_PROGRAM) >> 2] = program
    this.#places[row] = IN_PLACE
  }

  #dialectAt(row: number): number {
    return this.#streams + row * STREAM_ROW_BYTES + STREAM_DIALECT
  }

  #profileAt(row: number): number {
    return this.#streams + row * STREAM_ROW_BYTES + STREAM_PROFILE
  }
}

const SLAB_FIELDS = [
  layout.STATE_LINE_SLAB,
  layout.STATE_DATA_SLAB,
  layout.STATE_FIELDS_SLAB,
  TABLE_SLAB,
] as const

if (layout.STATE_SIZE > TABLE_SLAB) broken('a state leaves no room for its table')
if (layout.PROFILE_SIZE > STREAM_PROFILE_BYTES) broken('a profile does not fit its row')
