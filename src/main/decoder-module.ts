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
import { MillraceError } from '../shared/errors.ts'

/** The decoder's file, or what somebody has compiled of it. */
export type WasmSource = URL | WebAssembly.Module

const DECODER_URL = new URL('../shared/decoder/decoder.wasm', import.meta.url)

/** What every module begins with. */
const MAGIC = Buffer.from('\0asm', 'latin1')

/** What ours exports: one of something else is told from it. */
const EXPORTS = ['push', 'finish', 'release']

const compiled = new Map<string, WebAssembly.Module | null>()
const engines = new WeakMap<WebAssembly.Module, { readonly engine: WasmEngine | null }>()

/**
 * `null` where the plain decoder must do.
 *
 * @throws {MillraceError} `OPTION_INVALID` where `source` holds no such decoder.
 */
export function decoderModule(source: WasmSource = DECODER_URL): WebAssembly.Module | null {
  if (process.env['MILLRACE_DECODER'] === 'plain' || typeof WebAssembly === 'undefined') return null
  if (!(source instanceof URL)) return decoderIn(source)
  const known = compiled.get(source.href)
  if (known !== undefined) return known
  const module = compile(source)
  compiled.set(source.href, module)
  return module
}

/** The engine of all inline decoders of this thread; `null` where the plain decoder must do. */
export function inlineEngine(
  module: WebAssembly.Module | null = decoderModule(),
): WasmEngine | null {
  if (module === null) return null
  const known = engines.get(module)
  if (known !== undefined) return known.engine
  const engine = createEngine(module)
  engines.set(module, { engine })
  return engine
}

function compile(url: URL): WebAssembly.Module | null {
  const bytes = contentOf(url)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw invalid(`${url.href} is no WebAssembly`)
  try {
    return decoderIn(new WebAssembly.Module(bytes))
  } catch (error) {
    if (error instanceof MillraceError) throw error
    // Right as it is, but not for an engine without SIMD or threads.
    return null
  }
}

function contentOf(url: URL) {
  try {
    return readFileSync(url)
  } catch (error) {
    // A package without its decoder is broken, not slow; so is a bundle.
    throw invalid(`${url.href} cannot be read; a bundle names its copy of decoder.wasm`, error)
  }
}

function decoderIn(module: WebAssembly.Module): WebAssembly.Module {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name)
  if (EXPORTS.every((name) => names.includes(name))) return module
  throw invalid('this WebAssembly module is not the decoder')
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('OPTION_INVALID', `wasm: ${message}`, { option: 'wasm' }, cause)
}
