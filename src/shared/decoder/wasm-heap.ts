/** Blocks of a WASM memory that one thread has to itself, in powers of two, from some byte on. */
import type { EngineHeap } from './wasm-engine.ts'
import { SLAB_ALIGN, SLACK_BYTES } from './wasm-layout.ts'

const PAGE_BYTES: number = 64 * 1024
/** Grown by at least so much: growing is slow, and memory that lies idle is a cost, too. */
const GROW_PAGES_MIN = 2

/**
 * Hands out slabs as the decoder knows them: an address, a multiple of 256, with the logarithm of
 * the capacity in its low bits. The memory grows as need be, and never shrinks; freed blocks are
 * kept by size. The last bytes of the memory stay free, since loads reach past what they read.
 */
export class WasmHeap implements EngineHeap {
  readonly memory: WebAssembly.Memory
  /** The whole memory, a new view after each growth. */
  bytes: Uint8Array
  words: Int32Array
  doubles: Float64Array
  #end: number
  readonly #free: number[][] = []

  constructor(memory: WebAssembly.Memory, start: number) {
    this.memory = memory
    this.bytes = new Uint8Array(memory.buffer)
    this.words = new Int32Array(memory.buffer)
    this.doubles = new Float64Array(memory.buffer)
    this.#end = alignUp(start)
  }

  take(bytes: number): number {
    return addressOf(this.allocate(bytes))
  }

  /** A slab of `bytesMin` bytes or more, contents undefined; 0 where the memory cannot grow. */
  allocate(bytesMin: number): number {
    const order = Math.ceil(Math.log2(Math.max(bytesMin, SLAB_ALIGN)))
    const reused = this.#free[order]?.pop()
    if (reused !== undefined) return reused
    const address = this.#end
    const end = address + 2 ** order
    if (end + SLACK_BYTES > this.bytes.length && !this.#grow(end + SLACK_BYTES)) return 0
    this.#end = end
    return address | order
  }

  free(slab: number): void {
    const order = slab & (SLAB_ALIGN - 1)
    ;(this.#free[order] ??= []).push(slab)
  }

  #grow(bytes: number): boolean {
    const pages = Math.ceil((bytes - this.bytes.length) / PAGE_BYTES)
    try {
      this.memory.grow(Math.max(pages, GROW_PAGES_MIN))
    } catch {
      return false
    }
    this.bytes = new Uint8Array(this.memory.buffer)
    this.words = new Int32Array(this.memory.buffer)
    this.doubles = new Float64Array(this.memory.buffer)
    return true
  }
}

/** Capacity of a slab, bytes. */
export function capacityOf(slab: number): number {
  return 2 ** (slab & (SLAB_ALIGN - 1))
}

/** First byte of a slab. Addresses above 2^31 come as negative numbers. */
export function addressOf(slab: number): number {
  return (slab & -SLAB_ALIGN) >>> 0
}

function alignUp(address: number): number {
  return Math.ceil(address / SLAB_ALIGN) * SLAB_ALIGN
}
