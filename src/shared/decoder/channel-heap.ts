/** A channel's memory as the WASM decoder sees it: places for good, then slabs. */
import { broken } from '../assert.ts'
import { CarrySlabs, slabAddress } from '../carry-slabs.ts'
import { CARRY, CARRY_BYTES, DECODER, DECODER_BYTES, PAGE_BYTES } from '../channel-layout.ts'
import type { EngineHeap } from './wasm-engine.ts'

/**
 * Behind the last slab: the decoder looks past the end of what it reads, as far as it could go on,
 * and stops at zeros, which nobody writes here.
 */
const GUARD_BYTES = 256

const PLACE_ALIGN = 64

/** For dialects beyond those that the decoder's region holds: of some hundred tables, bytes. */
const RESERVED_BYTES_MAX: number = 8 * 1024 * 1024

export class ChannelHeap implements EngineHeap {
  readonly memory: WebAssembly.Memory
  bytes!: Uint8Array
  words!: Int32Array
  doubles!: Float64Array
  /** Unfinished events. What a predecessor left must be adopted before anything is decoded. */
  readonly slabs: CarrySlabs
  #place = DECODER

  constructor(memory: WebAssembly.Memory, leaseBytesMax: number) {
    this.memory = memory
    this.#view()
    this.slabs = new CarrySlabs({
      at: CARRY,
      bytes: CARRY_BYTES - GUARD_BYTES,
      leaseBytesMax,
      grownBytes: this.bytes.length - CARRY - GUARD_BYTES,
      grow: (bytes) => this.#grow(CARRY + bytes + GUARD_BYTES),
    })
  }

  /** Where the decoder's region is full, in the slabs'. */
  take(bytes: number): number {
    const address = this.#place
    const end = (address + bytes + PLACE_ALIGN - 1) & -PLACE_ALIGN
    if (end > DECODER + DECODER_BYTES) return this.#reserve(bytes)
    this.#place = end
    return address
  }

  #reserve(bytes: number): number {
    return this.slabs.reservedBytes + bytes > RESERVED_BYTES_MAX ? 0 : this.slabs.reserve(bytes)
  }

  allocate(bytesMin: number): number {
    return this.slabs.allocate(bytesMin)
  }

  free(slab: number): void {
    this.slabs.free(slab)
  }

  /** Takes what a predecessor's state names. */
  adopt(slab: number): void {
    if (slab === 0) return
    if (slabAddress(slab) < CARRY) broken(`slab ${slab} lies outside of the carry region`)
    this.slabs.adopt(slab)
  }

  #grow(bytes: number): void {
    const pages = Math.ceil((bytes - this.bytes.length) / PAGE_BYTES)
    if (pages > 0) this.memory.grow(pages)
    this.#view()
  }

  // Views of a shared memory keep the length that it had.
  #view(): void {
    const { buffer } = this.memory
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
    this.doubles = new Float64Array(buffer)
  }
}
