/**
 * What is kept of a stream from one chunk to the next, in slabs that the host hands out: the
 * unfinished line; the data of the open event; its name, and the event id that waits.
 *
 * Slabs are only appended to. So a batch that is lost with its worker leaves every byte as it was
 * up to the lengths in the published state, and what was freed since is still there, too: the host
 * hands a freed slab out again only once the batch is published.
 */
import {
  CTX_DATA,
  CTX_ID,
  CTX_ID_BYTES,
  CTX_NAME,
  CTX_NAME_BYTES,
  CTX_STATE,
  DATA_AT_SHIFT,
  FLAG_HAS_DATA,
  FLAG_HAS_ID,
  SLAB_ALIGN,
  STATE_DATA_BYTES,
  STATE_DATA_SLAB,
  STATE_FIELDS_SLAB,
  STATE_FLAGS,
  STATE_ID_BYTES,
  STATE_LINE_BYTES,
  STATE_LINE_SLAB,
  STATE_NAME_BYTES,
} from '../wasm-layout.ts'
import { allocate, free } from './host.ts'

/** First slab of a line or of data. Holds most events whole: their median is 300 bytes. */
const SLAB_BYTES_MIN: u32 = 1024

/** A slab's first byte. */
export function placeOf(slab: u32): usize {
  return slab & ~(SLAB_ALIGN - 1)
}

function capacityOf(slab: u32): u32 {
  return slab == 0 ? 0 : 1 << (slab & (SLAB_ALIGN - 1))
}

/**
 * Makes room for `bytes` bytes behind the `used` ones of the slab in the state at `field`, if need
 * be in a new and larger one that takes its place. Returns the first byte of that room; 0 where no
 * slab is to be had.
 */
export function reserve(state: usize, field: usize, used: u32, bytes: u32): usize {
  const slab = load<u32>(state + field)
  const wanted = used + bytes
  if (slab != 0 && wanted <= capacityOf(slab)) return placeOf(slab) + used
  const larger = allocate(max(wanted, max(capacityOf(slab) * 2, SLAB_BYTES_MIN)))
  if (larger == 0) return 0
  memory.copy(placeOf(larger), placeOf(slab), used)
  if (slab != 0) free(slab)
  store<u32>(state + field, larger)
  return placeOf(larger) + used
}

/** Appends to what {@link reserve} makes room in. False where no slab is to be had. */
export function append(state: usize, field: usize, used: u32, at: usize, bytes: u32): bool {
  const room = reserve(state, field, used, bytes)
  if (room == 0) return false
  memory.copy(room, at, bytes)
  return true
}

export function freeSlab(state: usize, field: usize): void {
  const slab = load<u32>(state + field)
  if (slab == 0) return
  store<u32>(state + field, 0)
  free(slab)
}

/** Finds the parts of an event that began in an earlier chunk. */
export function resume(ctx: usize): void {
  const state = load<usize>(ctx, CTX_STATE)
  const fields = placeOf(load<u32>(state, STATE_FIELDS_SLAB))
  const nameBytes = load<u32>(state, STATE_NAME_BYTES)
  store<usize>(ctx, fields, CTX_NAME)
  store<u32>(ctx, nameBytes, CTX_NAME_BYTES)
  store<usize>(ctx, fields + nameBytes, CTX_ID)
  store<u32>(ctx, load<u32>(state, STATE_ID_BYTES), CTX_ID_BYTES)
  const dataAt = load<u32>(state, STATE_FLAGS) >> DATA_AT_SHIFT
  store<usize>(ctx, placeOf(load<u32>(state, STATE_DATA_SLAB)) + dataAt, CTX_DATA)
}

/** Brings the parts of an open event into slabs, since the chunk goes. False: no slab is left. */
export function keep(ctx: usize): bool {
  const state = load<usize>(ctx, CTX_STATE)
  return keepFields(ctx, state) && keepData(ctx, state)
}

/** Keeps name and id, unless they are where they were. */
export function keepFields(ctx: usize, state: usize): bool {
  const hasId = (load<u32>(state, STATE_FLAGS) & FLAG_HAS_ID) != 0
  const nameBytes = load<u32>(ctx, CTX_NAME_BYTES)
  const idBytes = hasId ? load<u32>(ctx, CTX_ID_BYTES) : 0
  const old = load<u32>(state, STATE_FIELDS_SLAB)
  const name = load<usize>(ctx, CTX_NAME)
  const id = load<usize>(ctx, CTX_ID)
  store<u32>(state, nameBytes, STATE_NAME_BYTES)
  store<u32>(state, idBytes, STATE_ID_BYTES)
  if (nameBytes + idBytes == 0) {
    freeSlab(state, STATE_FIELDS_SLAB)
    return true
  }
  const place = placeOf(old)
  const isKept = (nameBytes == 0 || name == place) && (idBytes == 0 || id == place + nameBytes)
  if (old != 0 && isKept) return true
  const slab = allocate(nameBytes + idBytes)
  if (slab == 0) return false
  memory.copy(placeOf(slab), name, nameBytes)
  memory.copy(placeOf(slab) + nameBytes, id, idBytes)
  if (old != 0) free(old)
  store<u32>(state, slab, STATE_FIELDS_SLAB)
  store<usize>(ctx, placeOf(slab), CTX_NAME)
  store<usize>(ctx, placeOf(slab) + nameBytes, CTX_ID)
  return true
}

function keepData(ctx: usize, state: usize): bool {
  const bytes = load<u32>(state, STATE_DATA_BYTES)
  if (load<u32>(state, STATE_DATA_SLAB) != 0 || bytes == 0) return true
  setDataAt(state, 0)
  return append(state, STATE_DATA_SLAB, 0, load<usize>(ctx, CTX_DATA), bytes)
}

/** Notes where in its slab the data begins. */
export function setDataAt(state: usize, at: u32): void {
  const flags = load<u32>(state, STATE_FLAGS) & ((1 << DATA_AT_SHIFT) - 1)
  store<u32>(state, flags | (at << DATA_AT_SHIFT), STATE_FLAGS)
}

/** Forgets the open event's data. */
export function dropData(state: usize): void {
  freeSlab(state, STATE_DATA_SLAB)
  store<u32>(state, 0, STATE_DATA_BYTES)
  store<u32>(state, load<u32>(state, STATE_FLAGS) & ~FLAG_HAS_DATA, STATE_FLAGS)
}

/** Gives every slab back. */
export function release(ctx: usize): void {
  const state = load<usize>(ctx, CTX_STATE)
  freeSlab(state, STATE_LINE_SLAB)
  freeSlab(state, STATE_FIELDS_SLAB)
  store<u32>(state, 0, STATE_LINE_BYTES)
  dropData(state)
}
