/**
 * Calls back after so long a silence.
 *
 * Where the event loop stood still, or the machine slept, bytes may have come that nobody could
 * read yet; but timers go before them. So the loop reads what there is first.
 */
export class SilenceTimer {
  readonly #ms: number
  readonly #callback: () => void
  #timer: NodeJS.Timeout | null = null
  #reading: NodeJS.Immediate | null = null

  /** @param ms - 0 for no limit. */
  constructor(ms: number, callback: () => void) {
    this.#ms = ms
    this.#callback = callback
  }

  /** The silence begins now. */
  restart(): void {
    this.#stopReading()
    if (this.#timer !== null) this.#timer.refresh()
    else if (this.#ms > 0) this.#timer = setTimeout(() => this.#read(), this.#ms)
  }

  stop(): void {
    this.#stopReading()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #read(): void {
    this.#timer = null
    this.#reading = setImmediate(this.#callback)
  }

  #stopReading(): void {
    if (this.#reading !== null) clearImmediate(this.#reading)
    this.#reading = null
  }
}
