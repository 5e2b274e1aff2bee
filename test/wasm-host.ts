/**
 * The WASM decoder as tests run it: one engine, chunks in place among garbage, the oracle beside.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { DecodeCounts, Decoder, DecodeOptions } from '../src/shared/decoder/decoder.ts'
import { HeapSlabs } from '../src/shared/decoder/heap-slabs.ts'
import { createPlainDecoder } from '../src/shared/decoder/plain-decoder.ts'
import { createWasmDecoder } from '../src/shared/decoder/wasm-decoder.ts'
import { WasmEngine } from '../src/shared/decoder/wasm-engine.ts'
import { addressOf, WasmHeap } from '../src/shared/decoder/wasm-heap.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { STREAM_LIMITS_DEFAULT, type StreamLimits } from '../src/shared/limits.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { ROW_WORDS } from '../src/shared/rows.ts'
import type { Chunks } from './chunking.ts'

/** `MILLRACE_WASM` names another module to test: a mutant. */
const path =
  process.env['MILLRACE_WASM'] ??
  new URL('../src/shared/decoder/decoder.wasm', import.meta.url).pathname

export const wasmModule: WebAssembly.Module = new WebAssembly.Module(readFileSync(path))

export function newEngine(): WasmEngine {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true })
  const heap = new WasmHeap(memory, 1024)
  // In a channel's memory something lies at address 0, too: nothing must be led there.
  heap.bytes.fill(0xab, 0, 1024)
  return new WasmEngine(wasmModule, heap)
}

/** All tests of a file share it: templates learnt in one are there in the next. */
export const engine: WasmEngine = newEngine()

export interface Setup {
  readonly limits?: Partial<StreamLimits>
  readonly strict?: boolean
  readonly flushIncomplete?: boolean
  readonly raw?: boolean
}

const BUDGET_BYTES: number = 2 ** 28

export function optionsOf({ limits, strict = false, ...options }: Setup): DecodeOptions {
  return { limits: { ...STREAM_LIMITS_DEFAULT, ...limits }, strict, ...options }
}

/** Whether the WASM decoder can take the dialect; else the plain one runs in its place. */
export function fitsWasm(dialect: Dialect): boolean {
  const decoder = createWasmDecoder(engine, dialect, optionsOf({}), BUDGET_BYTES)
  decoder?.release()
  return decoder !== null
}

export function wasmDecoder(dialect: Dialect, setup: Setup = {}): Decoder {
  const decoder = createWasmDecoder(engine, dialect, optionsOf(setup), BUDGET_BYTES)
  assert.ok(decoder !== null, `${dialect.name} fits the WASM decoder`)
  return decoder
}

export function plainDecoder(dialect: Dialect, setup: Setup = {}): Decoder {
  return createPlainDecoder(dialect, optionsOf(setup), new HeapSlabs(BUDGET_BYTES))
}

/** All that a decoder shows: after each chunk, and after the end. */
export interface Trace {
  /** After each chunk: rows, bytes of narrow and of wide text, bytes pending, whether it failed. */
  readonly steps: readonly number[]
  readonly rows: readonly number[]
  readonly text: string
  readonly wide: string
  readonly counts: DecodeCounts
}

export function traceOf(decoder: Decoder, chunks: Iterable<Uint8Array>): Trace {
  const writer = new RowWriter()
  const steps: number[] = []
  const step = (): void => {
    const { rowCount, textBytes, wideBytes } = writer
    steps.push(rowCount, textBytes, wideBytes, decoder.pendingBytes, Number(decoder.failed))
  }
  for (const chunk of chunks) {
    decoder.push(chunk, writer)
    step()
  }
  decoder.end(writer)
  step()
  return {
    steps,
    rows: [...writer.rows.subarray(0, writer.rowCount * ROW_WORDS)],
    text: hex(writer.text.subarray(0, writer.textBytes)),
    wide: hex(writer.wide.subarray(0, writer.wideBytes)),
    counts: { ...decoder.counts },
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

const PLACE_BYTES: number = 1 << 20
const place: number = addressOf(engine.heap.allocate(PLACE_BYTES))

/** What the walk could mistake for more of the chunk: it closes strings, numbers and containers. */
const TEMPTATIONS: readonly string[] = [
  '}]}\n\n',
  '"}]}}\n\ndata: {"id":"past"}\n\n',
  '\n\n\n',
  '\r\n\r\n',
  '0123456789',
  '+5,.5e-1',
  'ull}\n\n',
  '\\"',
  '        }\n\n',
]

/** Lays each chunk on the engine's memory, `padding` bytes off, with garbage behind it. */
export function* inPlace(chunks: Chunks, padding: number): Generator<Uint8Array> {
  const { bytes } = engine.heap
  const garbage = Buffer.from(TEMPTATIONS[padding % TEMPTATIONS.length]!.repeat(8))
  for (const chunk of chunks) {
    assert.ok(chunk.length + padding + 256 <= PLACE_BYTES)
    bytes.set(chunk, place + padding)
    bytes.set(garbage.subarray(0, 64), place + padding + chunk.length)
    yield bytes.subarray(place + padding, place + padding + chunk.length)
  }
}

/** Checks that the WASM decoder does on these chunks what the plain one does, step by step. */
export function assertSame(dialect: Dialect, chunks: Chunks, setup: Setup, padding: number): Trace {
  const expected = traceOf(plainDecoder(dialect, setup), chunks)
  assert.deepEqual(traceOf(wasmDecoder(dialect, setup), chunks), expected)
  assert.deepEqual(traceOf(wasmDecoder(dialect, setup), inPlace(chunks, padding)), expected)
  return expected
}
