import type { Dialect } from '../dialects/dialect.ts'
import type { Decoder, DecodeOptions } from './decoder.ts'
import { HeapSlabs } from './heap-slabs.ts'
import { createPlainDecoder } from './plain-decoder.ts'
import { createWasmDecoder } from './wasm-decoder.ts'
import type { WasmEngine } from './wasm-engine.ts'

/**
 * A decoder for use on the thread that calls it: on the WASM engine where there is one that can
 * take the dialect, else the plain one. The rows are the same.
 */
export function createDecoderOn(
  engine: WasmEngine | null,
  dialect: Dialect,
  options: DecodeOptions,
): Decoder {
  const { lineBytesMax, eventBytesMax } = options.limits
  // A line and an event at most are carried; while one grows, so does its copy of twice the size.
  const budgetBytes = 4 * (lineBytesMax + eventBytesMax)
  const decoder = engine && createWasmDecoder(engine, dialect, options, budgetBytes)
  return decoder ?? createPlainDecoder(dialect, options, new HeapSlabs(budgetBytes))
}
