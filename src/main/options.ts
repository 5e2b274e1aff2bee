/** Option types, defaults and range checks: everything that a caller may set. */
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { MillraceError } from '../shared/errors.ts'
import {
  BUFFERED_BYTES,
  DURATION_MS,
  FINAL_BYTES,
  STREAM_LIMITS_CAP,
  STREAM_LIMITS_DEFAULT,
  STREAM_LIMITS_LEAST,
  TIMEOUT_MS,
  WINDOW_BYTES,
  WORKERS,
  type Range,
  type StreamLimits,
} from '../shared/limits.ts'
import { findDialect } from '../shared/dialects/dialects.ts'
import type { Dialect } from '../shared/dialects/dialect.ts'
import { decoderModule, type WasmSource } from './decoder-module.ts'
import { decodeWorkerUrl } from './worker-url.ts'

/** Options of {@link createMillrace}. */
export interface MillraceOptions {
  /** Worker threads, each with one channel of its own. Integer, 1 to 64. Default 1. */
  readonly workers?: number
  /**
   * What a worker may hold of unfinished events beyond its channel's own memory, all its streams
   * together, bytes; the event that would pass it ends its stream with `BUFFERS_EXHAUSTED`.
   * Integer, 1 MiB to 2 GiB. Default 256 MiB.
   */
  readonly bufferedBytesMax?: number
  /**
   * The worker's module, a `file:` URL, where a bundler has moved it: its own copy of
   * `millrace`'s `dist/src/workers/decode-worker.js`. Default: where the package has it.
   */
  readonly workerUrl?: URL
  /**
   * The WASM decoder, where a bundler has moved it: a `file:` URL of its own copy of `millrace`'s
   * `dist/src/shared/decoder/decoder.wasm`, of this version, or what was compiled of that. Default:
   * where the package has it.
   */
  readonly wasm?: WasmSource
}

/** Where a stream is decoded: on the caller's thread, or on a worker's. */
export type Placement = 'inline' | 'worker'

/** Options of one stream. */
export interface DecodeOptions extends Partial<StreamLimits> {
  /**
   * Which provider's stream it is, by a name of docs/DIALECTS.md, or a table that
   * {@link defineDialect} made. Default `auto`: recognised from the response's content type and the
   * first events, and told by the first event of the stream; `DIALECT_UNRECOGNIZED` where that
   * cannot be.
   */
  readonly dialect?: string | Dialect
  /** Where to decode. The same events from each. Default `worker`. */
  readonly placement?: Placement
  /**
   * Input in flight, bytes: taken from the source, not yet consumed. 1 KiB to 16 MiB. Default
   * 256 KiB: four of the longest frames, so that worker and caller need not wait for each other.
   */
  readonly windowBytes?: number
  /**
   * The longest wait for the source's next bytes, ms; `TIMEOUT` beyond, unless the answer has told
   * its finish reason, in a dialect that need not say more. 0 is none. Default 60,000.
   */
  readonly timeout?: number
  /**
   * The longest that the source may take from the stream's start to its end, ms;
   * `DURATION_EXCEEDED` beyond. 0 is none. Default 3,600,000: an hour.
   */
  readonly durationMax?: number
  /** The first malformed event ends the stream with its error. Default false: it is reported. */
  readonly strict?: boolean
  /** Each event is also delivered as it was sent, before what it says. Default false. */
  readonly raw?: boolean
  /**
   * An SSE event that the source's end cuts before its blank line counts, for providers that leave
   * the last one out. Default false: it is dropped, as WHATWG has it.
   */
  readonly flushIncomplete?: boolean
  /** Keep what `final()` needs. Default true. */
  readonly accumulate?: boolean
  /** Most text that `final()` keeps, bytes; `FINAL_TOO_LARGE` beyond. Default 16 MiB. */
  readonly finalBytesMax?: number
  /** Aborting drops what is buffered, cancels the source and rejects what is pending. */
  readonly signal?: AbortSignal
}

/** Options of {@link createDecoder}: those of a stream that concern its bytes, and `wasm`. */
export type DecoderOptions = Pick<MillraceOptions, 'wasm'> &
  Pick<DecodeOptions, 'dialect' | 'strict' | 'raw' | 'flushIncomplete' | keyof StreamLimits>

/** {@link DecodeOptions}, checked, with every default filled in. */
export interface StreamOptions {
  /** `null`: to be recognised. */
  readonly dialect: Dialect | null
  readonly placement: Placement
  readonly windowBytes: number
  readonly timeoutMs: number
  readonly durationMs: number
  readonly strict: boolean
  readonly raw: boolean
  readonly flushIncomplete: boolean
  readonly accumulate: boolean
  readonly finalBytesMax: number
  readonly limits: StreamLimits
  readonly signal: AbortSignal | null
}

/** {@link MillraceOptions}, checked, with every default filled in. */
export interface PoolOptions {
  readonly workers: number
  readonly bufferedBytesMax: number
  readonly workerUrl: URL
  /** `null` where the plain decoder must do. */
  readonly module: WebAssembly.Module | null
}

/** @throws {MillraceError} `OPTION_INVALID`. */
export function resolveMillraceOptions(options: MillraceOptions): PoolOptions {
  requireKnown(options, ['workers', 'bufferedBytesMax', 'workerUrl', 'wasm'])
  const { workers, bufferedBytesMax, workerUrl = decodeWorkerUrl, wasm } = options
  if (pathOf(workerUrl) === null) throw invalid('workerUrl', LOCAL_FILE, workerUrl)
  return {
    workers: integer('workers', workers, WORKERS),
    bufferedBytesMax: integer('bufferedBytesMax', bufferedBytesMax, BUFFERED_BYTES),
    workerUrl,
    module: resolveWasm(wasm),
  }
}

/** @throws {MillraceError} `OPTION_INVALID`, `DIALECT_UNKNOWN`, `DIALECT_INVALID`. */
export function resolveDecoderOptions(options: DecoderOptions): {
  readonly stream: StreamOptions
  readonly module: WebAssembly.Module | null
} {
  requireKnown(options, DECODER_OPTION_NAMES)
  const { wasm, ...ofStream } = options
  return { stream: resolveStreamOptions(ofStream), module: resolveWasm(wasm) }
}

function resolveWasm(wasm: WasmSource | undefined): WebAssembly.Module | null {
  if (wasm !== undefined && pathOf(wasm) === null && !isModule(wasm)) {
    throw invalid('wasm', `${LOCAL_FILE}, or a WebAssembly.Module`, wasm)
  }
  return decoderModule(wasm)
}

/** @throws {MillraceError} `OPTION_INVALID`, `DIALECT_UNKNOWN`, `DIALECT_INVALID`. */
export function resolveStreamOptions(options: DecodeOptions): StreamOptions {
  requireKnown(options, STREAM_OPTION_NAMES)
  const { dialect = 'auto', placement = 'worker', signal = null } = options
  if (placement !== 'inline' && placement !== 'worker') {
    throw invalid('placement', `'inline' or 'worker'`, placement)
  }
  if (signal !== null && !(signal instanceof AbortSignal)) {
    throw invalid('signal', 'an AbortSignal', signal)
  }
  if (typeof dialect !== 'string' && (typeof dialect !== 'object' || dialect === null)) {
    throw invalid('dialect', 'a name, or a table of defineDialect', dialect)
  }
  return {
    dialect: dialect === 'auto' ? null : findDialect(dialect),
    placement,
    windowBytes: integer('windowBytes', options.windowBytes, WINDOW_BYTES),
    timeoutMs: integer('timeout', options.timeout, TIMEOUT_MS),
    durationMs: integer('durationMax', options.durationMax, DURATION_MS),
    strict: boolean('strict', options.strict, false),
    raw: boolean('raw', options.raw, false),
    flushIncomplete: boolean('flushIncomplete', options.flushIncomplete, false),
    accumulate: boolean('accumulate', options.accumulate, true),
    finalBytesMax: integer('finalBytesMax', options.finalBytesMax, FINAL_BYTES),
    limits: {
      lineBytesMax: limit('lineBytesMax', options),
      eventBytesMax: limit('eventBytesMax', options),
      jsonDepthMax: limit('jsonDepthMax', options),
      jsonNumberBytesMax: limit('jsonNumberBytesMax', options),
      eventNameBytesMax: limit('eventNameBytesMax', options),
      eventIdBytesMax: limit('eventIdBytesMax', options),
    },
    signal,
  }
}

const LOCAL_FILE = 'a file: URL of a local path'

const DECODER_OPTION_NAMES: readonly string[] = [
  'dialect',
  'strict',
  'raw',
  'flushIncomplete',
  'wasm',
  ...Object.keys(STREAM_LIMITS_DEFAULT),
]

const STREAM_OPTION_NAMES: readonly string[] = [
  'dialect',
  'placement',
  'windowBytes',
  'timeout',
  'durationMax',
  'strict',
  'raw',
  'flushIncomplete',
  'accumulate',
  'finalBytesMax',
  'signal',
  ...Object.keys(STREAM_LIMITS_DEFAULT),
]

function limit(name: keyof StreamLimits, options: DecodeOptions): number {
  return integer(name, options[name], {
    min: STREAM_LIMITS_LEAST[name],
    max: STREAM_LIMITS_CAP[name],
    fallback: STREAM_LIMITS_DEFAULT[name],
  })
}

function integer(name: string, value: number | undefined, { min, max, fallback }: Range): number {
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalid(name, `an integer from ${min} to ${max}`, value)
  }
  return value
}

function boolean(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw invalid(name, 'true or false', value)
  return value
}

// A misspelt option would otherwise be a default in disguise.
function requireKnown(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalid('options', 'an object', options)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const message = `there is no option ${unknown}; there are ${known.join(', ')}`
    throw new MillraceError('OPTION_INVALID', message, { option: unknown })
  }
}

function invalid(option: string, wanted: string, value: unknown): MillraceError {
  // Not String(): what a caller got wrong may be a symbol, or have no way to be one.
  const shown = inspect(value, { depth: 0, customInspect: false, maxStringLength: 100 })
  const message = `${option} must be ${wanted}, not ${shown}`
  return new MillraceError('OPTION_INVALID', message, { option })
}

function isModule(value: unknown): boolean {
  return typeof WebAssembly !== 'undefined' && value instanceof WebAssembly.Module
}

/** The path of a `file:` URL; `null` for anything else, a host or an encoded slash included. */
function pathOf(url: unknown): string | null {
  try {
    return url instanceof URL ? fileURLToPath(url) : null
  } catch {
    return null
  }
}
