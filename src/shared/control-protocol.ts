/**
 * What main and a worker say to each other apart from the rings: the task that starts a channel,
 * the comlink interface, and the options of a stream, which travel in its OPEN frame as msgpack.
 */
import type { MessagePort } from 'node:worker_threads'
import { Packr } from 'msgpackr'
import type { DecodeOptions } from './decoder/decoder.ts'
import type { Dialect } from './dialects/dialect.ts'

/** Name of the function that piscina runs in the worker's module. */
export const DECODE_TASK_NAME = 'decodeChannel'

/** The piscina task: one channel, served until `shutdown()`. */
export interface ChannelTask {
  /** The channel's memory, see channel-layout.ts: as such, and where it is a WebAssembly memory. */
  readonly buffer: SharedArrayBuffer
  readonly memory: WebAssembly.Memory | null
  /** What ATTACHED must hold for the task to begin. */
  readonly ticket: number
  /** Carries the comlink interface. Transferred. */
  readonly controlPort: MessagePort
  /** The WASM decoder; `null` where the plain one must do. */
  readonly module: WebAssembly.Module | null
  /** CONTROL_COUNT at the start: messages beyond it are this task's to hear. */
  readonly controlCount: number
  /** Worker to main: a message says "look at the record ring". Transferred. */
  readonly doorbellPort: MessagePort
}

/** Settings of a channel, the same for all its streams. */
export interface ChannelConfig {
  /** What the carry slabs may take beyond the arena, all streams together, bytes. */
  readonly leaseBytesMax: number
}

/** What a worker counts over a task's life. */
export interface WorkerStats {
  readonly streamsOpen: number
  readonly frames: number
  readonly batches: number
  /** Times that it waited for main to drain the record ring. */
  readonly recordRingFull: number
  /** Carry bytes now: in the arena, and leased beyond it. */
  readonly slabBytes: number
  readonly leasedBytes: number
  /** Payloads that a template decoded, and that had to be walked. */
  readonly templateHits: number
  readonly templateMisses: number
  /** Garbage collections of its thread so far. The latest may show only when asked again. */
  readonly collections: number
}

/**
 * The comlink interface of a worker. What may be slow and unordered goes here; what must keep its
 * place among the data travels as frames. Every call is raced with the worker's death and a
 * timeout, since a pending comlink call on a dead worker never settles.
 */
export interface WorkerControl {
  /** Must come first: the worker touches no frame before it. */
  configure(config: ChannelConfig): void
  stats(): WorkerStats
  /** Ends the task once no stream is open. */
  shutdown(): void
}

/** Payload of an OPEN frame. */
export interface OpenFrame extends DecodeOptions {
  /** Its name, or the table of one that only the caller knows. */
  readonly dialect: string | Dialect
}

// Plain maps: the two sides share no structure table that a restarted worker could have lost.
const packr = new Packr({ useRecords: false })

export function packFrame(frame: OpenFrame): Uint8Array {
  return packr.pack(frame)
}

/** @param bytes - On memory of their own: decoding straight from shared memory is slower. */
export function unpackFrame(bytes: Uint8Array): OpenFrame {
  return packr.unpack(bytes) as OpenFrame
}
