import { FRAME_ABORT, FRAME_DATA, FRAME_END, FRAME_OPEN } from '../shared/channel-layout.ts'
import { FRAME_BYTES_MAX } from '../shared/limits.ts'
import { packFrame } from '../shared/control-protocol.ts'
import { dialectToSend } from '../shared/dialects/dialects.ts'
import type { StreamInput } from './stream-input.ts'
import type { StreamState } from './stream-state.ts'

/** What a stream needs of its channel to be sent through it. */
export interface FrameSender {
  /** Opens the row for a new stream. @returns the stream's id. */
  nextId(row: number): number
  /** Writes and publishes one frame; false where the ring is full, and `input` waits for room. */
  frame(input: ChannelInput, type: number, payload: Uint8Array): boolean
  /** Lets the worker skip the stream's frames that already lie in the ring. */
  markAborted(input: ChannelInput): void
  /** The stream sends its last frame, now or when there is room; the worker then frees its row. */
  closing(): void
  /** Reads the records that are published. */
  drain(): void
}

/** A stream's way to its worker: OPEN, then DATA, then END or ABORT, each when there is room. */
export class ChannelInput implements StreamInput {
  readonly stream: StreamState
  readonly row: number
  readonly id: number
  waitsForSpace = false
  readonly #channel: FrameSender
  #opened = false
  #closed = false
  #aborting = false

  constructor(channel: FrameSender, stream: StreamState, row: number) {
    this.#channel = channel
    this.stream = stream
    this.row = row
    this.id = channel.nextId(row)
  }

  offer(bytes: Uint8Array): number {
    if (!this.#open()) return 0
    let taken = 0
    while (taken < bytes.length) {
      // A view costs as much as a short frame: mostly the chunk is one frame, and needs none.
      const isWhole = taken === 0 && bytes.length <= FRAME_BYTES_MAX
      const part = isWhole ? bytes : bytes.subarray(taken, taken + FRAME_BYTES_MAX)
      if (!this.#channel.frame(this, FRAME_DATA, part)) break
      taken += part.length
    }
    return taken
  }

  end(): boolean {
    return this.#open() && this.#close(FRAME_END)
  }

  abort(): void {
    if (this.#closed || this.#aborting) return
    this.#aborting = true
    this.#channel.markAborted(this)
    this.#channel.closing()
    this.retry()
  }

  poll(): void {
    this.#channel.drain()
  }

  /** The channel's memory is another one now: nothing more is written for this stream. */
  detach(): StreamState {
    this.#closed = true
    return this.stream
  }

  /** There is room in the ring again. */
  retry(): void {
    if (!this.#aborting) this.stream.resume()
    else if (!this.#closed && this.#open()) this.#close(FRAME_ABORT)
  }

  #open(): boolean {
    if (this.#opened) return true
    const { strict, limits, raw, flushIncomplete } = this.stream.options
    const dialect = dialectToSend(this.stream.dialect)
    const payload = packFrame({ dialect, strict, limits, raw, flushIncomplete })
    this.#opened = this.#channel.frame(this, FRAME_OPEN, payload)
    return this.#opened
  }

  #close(type: number): boolean {
    if (!this.#channel.frame(this, type, NO_BYTES)) return false
    this.#closed = true
    if (!this.#aborting) this.#channel.closing()
    return true
  }
}

const NO_BYTES = new Uint8Array(0)
