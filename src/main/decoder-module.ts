/**
 * The compiled WASM decoder, if there is one to be had: compiled once, on first use, and handed to
 * workers as it is.
 *
 * `MILLRACE_DECODER=plain` in the environment asks for the plain decoder instead, which runs where
 * WebAssembly, SIMD or shared memory are missing.
 */
import { readFileSync } from 'node:fs'
import { createEngine } from '../shared/decoder/create-decoder.ts'
import type { WasmEngine } from '../shared/decoder/wasm-engine.ts'

const DECODER_URL = new URL('../shared/decoder/decoder.wasm', import.meta.url)

let compiled: WebAssembly.Module | null | undefined
let engine: WasmEngine | null | undefined

/** `null` where the plain decoder must do. */
export function decoderModule(): WebAssembly.Module | null {
  if (compiled === undefined) compiled = compile()
  return compiled
}

/** The engine of all inline decoders of this thread; `null` where the plain decoder must do. */
export function inlineEngine(): WasmEngine | null {
  if (engine === undefined) engine = createEngine(decoderModule())
  return engine
}

function compile(): WebAssembly.Module | null {
  if (process.env['MILLRACE_DECODER'] === 'plain' || typeof WebAssembly === 'undefined') return null
  // Outside of the try: a package without its decoder is broken, not slow.
  const bytes = readFileSync(DECODER_URL)
  try {
    return new WebAssembly.Module(bytes)
  } catch {
    return null
  }
}
