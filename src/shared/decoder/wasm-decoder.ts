import type { Dialect } from '../dialects/dialect.ts'
import type { RowWriter } from '../row-writer.ts'
import type { DecodeCounts, DecodeOptions, Decoder } from './decoder.ts'
import { newCounts } from './plain-decoder.ts'
import { type EngineHeap, type EngineSlabs, profileOf, type WasmEngine } from './wasm-engine.ts'
import { addressOf, capacityOf } from './wasm-heap.ts'
import * as layout from './wasm-layout.ts'

/** Room to agree with a chunk modulo 8, and behind it for the walk to look past the end. */
const INPUT_SLACK_BYTES = 2048
/** Longest piece of a chunk that is copied in at a time, bytes: it fits the second-level cache. */
const INPUT_BYTES: number = 64 * 1024 - INPUT_SLACK_BYTES - layout.SLACK_BYTES

/**
 * A stream decoded by the WASM decoder: row by row what the plain decoder writes.
 *
 * A chunk that lies on the engine's own memory is decoded where it is; any other is copied in,
 * once. The state and slabs of a decoder that was neither ended nor released are taken back when it
 * is collected.
 *
 * @param budgetBytes - What its unfinished events may take, bytes.
 * @returns `null` where the engine cannot decode this dialect, or has no memory left.
 * @throws {MillraceError} `DIALECT_INVALID`.
 */
export function createWasmDecoder(
  engine: WasmEngine,
  dialect: Dialect,
  options: DecodeOptions,
  budgetBytes: number,
): Decoder | null {
  const program = engine.program(dialect)
  const input = inputOf(engine)
  const state = program === 0 || input === 0 ? 0 : engine.takeState()
  if (state === 0) return null
  engine.writeProfile(profileOf(state), program, options)
  return new WasmDecoder(engine, input, state, new StreamSlabs(engine.heap, budgetBytes))
}

const inputs = new WeakMap<WasmEngine, number>()

/** Where chunks are copied to, one place for all streams of an engine; 0 without memory. */
function inputOf(engine: WasmEngine): number {
  const known = inputs.get(engine)
  if (known !== undefined) return known
  const input = addressOf(engine.heap.allocate(INPUT_BYTES + INPUT_SLACK_BYTES))
  if (input !== 0) inputs.set(engine, input)
  return input
}

interface Abandoned {
  readonly engine: WasmEngine
  readonly state: number
  readonly slabs: EngineSlabs
}

const collected = new FinalizationRegistry<Abandoned>(({ engine, state, slabs }) => {
  engine.release(state, slabs)
  engine.giveState(state)
})

/** One stream's slabs, within its budget. */
class StreamSlabs implements EngineSlabs {
  readonly #heap: EngineHeap
  readonly #budgetBytes: number
  #lentBytes = 0

  constructor(heap: EngineHeap, budgetBytes: number) {
    this.#heap = heap
    this.#budgetBytes = budgetBytes
  }

  allocate(bytesMin: number): number {
    const slab = this.#heap.allocate(bytesMin)
    if (slab === 0) return 0
    if (this.#lentBytes + capacityOf(slab) > this.#budgetBytes) {
      this.#heap.free(slab)
      return 0
    }
    this.#lentBytes += capacityOf(slab)
    return slab
  }

  free(slab: number): void {
    this.#lentBytes -= capacityOf(slab)
    this.#heap.free(slab)
  }
}

class WasmDecoder implements Decoder {
  readonly counts: DecodeCounts = newCounts()
  failed = false
  pendingBytes = 0
  readonly #engine: WasmEngine
  readonly #input: number
  /** 0 once released. */
  #state: number
  readonly #slabs: EngineSlabs

  constructor(engine: WasmEngine, input: number, state: number, slabs: EngineSlabs) {
    this.#engine = engine
    this.#input = input
    this.#state = state
    this.#slabs = slabs
    collected.register(this, { engine, state, slabs }, this)
  }

  push(chunk: Uint8Array, rows: RowWriter): void {
    if (this.#state === 0) return
    const { heap } = this.#engine
    if (chunk.buffer === heap.bytes.buffer) {
      this.#decode(chunk.byteOffset, chunk.length, rows)
    } else {
      for (let at = 0; at < chunk.length; at += INPUT_BYTES) {
        const isWhole = chunk.length <= INPUT_BYTES
        const piece = isWhole ? chunk : chunk.subarray(at, at + INPUT_BYTES)
        // V8 copies several times faster between places that agree modulo 8.
        const target = this.#input + (piece.byteOffset & 7)
        heap.bytes.set(piece, target)
        this.#decode(target, piece.length, rows)
      }
    }
    this.#readState()
  }

  end(rows: RowWriter): void {
    if (this.#state === 0) return
    this.#engine.finish(profileOf(this.#state), this.#state, this.#slabs)
    this.#drain(rows)
    this.#readState()
    this.#drop()
  }

  release(): void {
    if (this.#state === 0) return
    this.#engine.release(this.#state, this.#slabs)
    this.pendingBytes = 0
    this.#drop()
  }

  #decode(start: number, bytes: number, rows: RowWriter): void {
    const end = start + bytes
    for (let at = start; at < end;) {
      at = this.#engine.push(profileOf(this.#state), this.#state, at, end, this.#slabs)
      this.#drain(rows)
    }
  }

  #drain(rows: RowWriter): void {
    rows.append(this.#engine.output)
    this.#engine.drop()
  }

  #readState(): void {
    const { heap } = this.#engine
    readCounts(heap, this.#state, this.counts)
    const at = this.#state >> 2
    this.failed = ((heap.words[at + layout.STATE_FLAGS / 4] as number) & layout.FLAG_FAILED) !== 0
    const lineBytes = heap.words[at + layout.STATE_LINE_BYTES / 4] as number
    this.pendingBytes = lineBytes + (heap.words[at + layout.STATE_DATA_BYTES / 4] as number)
  }

  #drop(): void {
    collected.unregister(this)
    this.#engine.giveState(this.#state)
    this.#state = 0
  }
}

/** Copies the counters of a stream's state to `counts`. */
export function readCounts(heap: EngineHeap, state: number, counts: DecodeCounts): void {
  const { words, doubles } = heap
  const at = state >> 2
  counts.bytes = doubles[(state + layout.STATE_BYTES) >> 3] as number
  counts.events = words[at + layout.STATE_EVENTS / 4] as number
  counts.malformed = words[at + layout.STATE_MALFORMED / 4] as number
  counts.comments = words[at + layout.STATE_COMMENTS / 4] as number
  counts.replacements = words[at + layout.STATE_REPLACEMENTS / 4] as number
  counts.ignoredFields = words[at + layout.STATE_IGNORED_FIELDS / 4] as number
}
