/**
 * One stream's window: how many bytes of its source may be in flight, that is taken from the source
 * and neither consumed nor moved into a slab.
 *
 * Credit is main's alone: ingest charges, consumption refunds, and no worker touches it, so plain
 * numbers do.
 *
 * A window that was full opens again once half of it is free, or its consumer waits, and not with
 * each refund: else a source that is ahead of its consumer would be let on chunk by chunk, and wake
 * the worker for each.
 */
export class Credit {
  readonly windowBytes: number
  #inFlightBytes = 0
  #isShut = false

  constructor(windowBytes: number) {
    this.windowBytes = windowBytes
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** Bytes that may be taken now; 0 while the window is closed. */
  get availableBytes(): number {
    return this.#isShut ? 0 : this.windowBytes - this.#inFlightBytes
  }

  charge(bytes: number): void {
    if (bytes > this.availableBytes) {
      throw new RangeError(`charged ${bytes} bytes of ${this.availableBytes} available`)
    }
    this.#inFlightBytes += bytes
    this.#isShut = this.#inFlightBytes === this.windowBytes
  }

  refund(bytes: number): void {
    if (bytes > this.#inFlightBytes) {
      throw new RangeError(`refunded ${bytes} bytes of ${this.#inFlightBytes} in flight`)
    }
    this.#inFlightBytes -= bytes
    if (this.#inFlightBytes * 2 <= this.windowBytes) this.#isShut = false
  }

  /** The consumer waits: whatever is free may be used. */
  reopen(): void {
    this.#isShut = this.#inFlightBytes === this.windowBytes
  }

  /** Takes back what was charged and not taken after all. */
  uncharge(bytes: number): void {
    this.#inFlightBytes -= bytes
    if (bytes > 0) this.#isShut = false
  }
}
