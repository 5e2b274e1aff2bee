import type { Dialect } from '../dialects/dialect.ts'
import type { Decoder, DecodeOptions } from './decoder.ts'
import { HeapSlabs } from './heap-slabs.ts'
import { createPlainDecoder } from './plain-decoder.ts'
import { createWasmDecoder } from './wasm-decoder.ts'
import { WasmEngine } from './wasm-engine.ts'
import { WasmHeap } from './wasm-heap.ts'

/** Below this a module might keep data of its own; ours keeps none. */
const HEAP_START = 1024
/** 4 GiB of addresses, of which only what is used is backed by memory. */
const PAGES_MAX = 65_536

/** An engine with a memory of its own; `null` without a module, or where none can be had. */
export function createEngine(module: WebAssembly.Module | null): WasmEngine | null {
  if (module === null) return null
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
    return new WasmEngine(module, new WasmHeap(memory, HEAP_START))
  } catch {
    return null
  }
}

/**
 * A decoder for use on the thread that calls it: on the WASM engine where there is one that can
 * take the dialect, else the plain one. The rows are the same.
 */
export function createDecoderOn(
  engine: WasmEngine | null,
  dialect: Dialect,
  options: DecodeOptions,
): Decoder {
  const { lineBytesMax, eventBytesMax, eventNameBytesMax, eventIdBytesMax } = options.limits
  // A line, an event and its name are carried; while one grows, so does its copy of twice the size.
  const budgetBytes = 4 * (lineBytesMax + eventBytesMax + eventNameBytesMax + eventIdBytesMax)
  const decoder = engine === null ? null : createWasmDecoder(engine, dialect, options, budgetBytes)
  return decoder ?? createPlainDecoder(dialect, options, new HeapSlabs(budgetBytes))
}
