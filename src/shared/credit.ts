/**
 * One stream's window: how many bytes of its source may be in flight, that is taken from the source
 * and neither consumed nor moved into a slab.
 *
 * Credit is main's alone: ingest charges, consumption refunds, and no worker touches it, so plain
 * numbers do.
 */
export class Credit {
  readonly windowBytes: number
  #inFlightBytes = 0

  constructor(windowBytes: number) {
    this.windowBytes = windowBytes
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** Bytes that may be taken now; 0 while the window is closed. */
  get availableBytes(): number {
    return this.windowBytes - this.#inFlightBytes
  }

  charge(bytes: number): void {
    if (bytes > this.availableBytes) {
      throw new RangeError(`charged ${bytes} bytes of ${this.availableBytes} available`)
    }
    this.#inFlightBytes += bytes
  }

  refund(bytes: number): void {
    if (bytes > this.#inFlightBytes) {
      throw new RangeError(`refunded ${bytes} bytes of ${this.#inFlightBytes} in flight`)
    }
    this.#inFlightBytes -= bytes
  }
}
