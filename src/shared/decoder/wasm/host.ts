/** What the host does for the decoder, all of it rare. */

/** A slab of `bytesMin` bytes or more (see SLAB_ALIGN); 0 once the budget is spent. */
export declare function allocate(bytesMin: u32): u32

/**
 * Takes a slab back. Its bytes stay as they are until what was decoded so far is published: a
 * successor may have to start from the state before.
 */
export declare function free(slab: u32): void

/** Makes an output area larger, contents kept, context updated. False where it cannot be. */
export declare function grow(area: i32, bytesMin: u32): bool

/**
 * Writes the report of a failure as JSON to `out`, FAULT_BYTES_MAX bytes at most. `fault` is a
 * number of faults.ts, `limit` the limit that was passed, `at` and `bytes` what the excerpt is
 * taken from. Returns the report's length, and the number of the error code in the upper half.
 */
export declare function describe(
  fault: i32,
  limit: u32,
  offset: f64,
  at: usize,
  bytes: u32,
  out: usize,
): u32

/**
 * Writes the failure that the framing reports as UTF-8 to `out`; returns its length, and leaves in
 * the context how many U+FFFD of the payload were counted. `type` and `data` are the provider's
 * word for it and what came with that: a payload, or the value of a header.
 */
export declare function exception(
  type: usize,
  typeBytes: u32,
  data: usize,
  dataBytes: u32,
  isHeader: bool,
  depthMax: u32,
  out: usize,
): u32

/** Writes the text of `bytes` bytes of UTF-8 as a JSON string in ASCII; returns its length. */
export declare function quote(at: usize, bytes: u32, out: usize): u32
