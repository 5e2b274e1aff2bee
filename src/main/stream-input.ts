/** What carries a stream's bytes to its decoder; the two placements implement it. */
export interface StreamInput {
  /** Takes bytes from the front of `bytes`, as many as there is room for; 0 is backpressure. */
  offer(bytes: Uint8Array): number
  /** Says that no more bytes come. False is backpressure: asked again by `resume()`. */
  end(): boolean
  /** Drops the stream and whatever of it is on the way. No `receive()` follows. */
  abort(): void
  /** Delivers at once what was decoded and has not been announced yet. */
  poll(): void
}
