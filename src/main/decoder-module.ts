/**
 * The compiled WASM decoder, if there is one to be had: compiled once, on first use, and handed to
 * workers as it is.
 *
 * `MILLRACE_DECODER=plain` in the environment asks for the plain decoder instead, which runs where
 * WebAssembly, SIMD or shared memory are missing.
 */
import { readFileSync } from 'node:fs'
import { WasmEngine } from '../shared/decoder/wasm-engine.ts'
import { WasmHeap } from '../shared/decoder/wasm-heap.ts'

const DECODER_URL = new URL('../shared/decoder/decoder.wasm', import.meta.url)

/** Below this a module might keep data of its own; ours keeps none. */
const HEAP_START = 1024
/** 4 GiB of addresses, of which only what is used is backed by memory. */
const PAGES_MAX = 65_536

let compiled: WebAssembly.Module | null | undefined
let engine: WasmEngine | null | undefined

/** `null` where the plain decoder must do. */
export function decoderModule(): WebAssembly.Module | null {
  if (compiled === undefined) compiled = compile()
  return compiled
}

/** The engine of all inline decoders of this thread; `null` where the plain decoder must do. */
export function inlineEngine(): WasmEngine | null {
  if (engine === undefined) engine = createEngine()
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

function createEngine(): WasmEngine | null {
  const module = decoderModule()
  if (module === null) return null
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
    return new WasmEngine(module, new WasmHeap(memory, HEAP_START))
  } catch {
    return null
  }
}
