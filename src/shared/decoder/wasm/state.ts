/** A stream's flags and counters. */
import { CTX_SCANNED, STATE_FLAGS } from '../wasm-layout.ts'

/** Whether any of the flags is set. */
export function hasFlags(state: usize, flags: u32): bool {
  return (load<u32>(state, STATE_FLAGS) & flags) != 0
}

export function setFlags(state: usize, flags: u32): void {
  store<u32>(state, load<u32>(state, STATE_FLAGS) | flags, STATE_FLAGS)
}

export function clearFlags(state: usize, flags: u32): void {
  store<u32>(state, load<u32>(state, STATE_FLAGS) & ~flags, STATE_FLAGS)
}

/** Adds 1 to the counter in the state at `field`. */
export function count(state: usize, field: usize): void {
  store<u32>(state + field, load<u32>(state + field) + 1)
}

/** Counts bytes that were looked at. */
export function countScanned(ctx: usize, bytes: usize): void {
  store<f64>(ctx, load<f64>(ctx, CTX_SCANNED) + <f64>bytes, CTX_SCANNED)
}
