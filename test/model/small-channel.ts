/** A channel of a few kilobytes, whose bounds a few frames meet; and what a death leaves of it. */
import {
  BATCH,
  type ChannelLayout,
  CHUNK_RING,
  CHUNK_SPACE_WANTED,
  COPY_ID,
  COPY_STATE,
  MAIN_NOTIFIED,
  PARKED,
  RECORD_HEAD,
  RECORD_RING,
  RECORD_SPACE_WANTED,
  SLOT_BYTES,
  SLOT_ROW_COUNT,
  SLOT_ROWS,
  SLOT_TAIL,
  STREAM_COPIES,
  STREAM_COPY_BYTES,
  STREAM_DIALECT,
  STREAM_LIVE,
  STREAM_ROW_BYTES,
} from '../../src/shared/channel-layout.ts'
import type { RingLayout } from '../../src/shared/ring-buffer.ts'
import type { BatchBounds } from '../../src/workers/channel-server.ts'
import { COMMITS, OUTPUT_BYTES, STREAMS, TOY_STATE_LENGTH, TOY_STATE_SLAB } from './toy-decoder.ts'

const STREAMS_MAX = 4
const RING_BYTES = 512
const CHUNKS = STREAMS + STREAMS_MAX * STREAM_ROW_BYTES
const RECORDS = CHUNKS + RING_BYTES
export const OUTPUT: number = RECORDS + RING_BYTES
const CARRY = OUTPUT + OUTPUT_BYTES
export const CARRY_BYTES = 4096

export const SMALL: ChannelLayout = {
  bytes: CARRY + CARRY_BYTES,
  commits: COMMITS,
  streams: STREAMS,
  streamsMax: STREAMS_MAX,
  chunkRing: { ...CHUNK_RING, data: CHUNKS, capacityBytes: RING_BYTES },
  recordRing: { ...RECORD_RING, data: RECORDS, capacityBytes: RING_BYTES },
  carry: CARRY,
}

/** A batch is over after two or three frames; a record holds sixty letters. */
export const SMALL_BOUNDS: BatchBounds = {
  frameBytesMax: 80,
  rowsMax: 3,
  recordBytesMax: 96,
  spinChecks: 0,
}

/** Bytes that a death must not change: those that were published, and those of main. */
interface Kept {
  readonly from: number
  readonly to: number
}

/** Overwrites what a dead worker may have left, flags included. */
export function overwriteLeft(buffer: ArrayBufferLike, random: () => number): void {
  overwriteUncommitted(buffer, random)
  const words = new Int32Array(buffer)
  for (const flag of [PARKED, MAIN_NOTIFIED, CHUNK_SPACE_WANTED, RECORD_SPACE_WANTED]) {
    words[flag] = random() & 1
  }
}

/**
 * Overwrites all that no publication vouches for, as read from the memory alone and not by the code
 * under test: what a dead worker may have left there can then be of no use to its successor.
 */
export function overwriteUncommitted(
  buffer: ArrayBufferLike,
  random: () => number,
  { recordRing }: ChannelLayout = SMALL,
): void {
  const words = new Int32Array(buffer)
  const bytes = new Uint8Array(buffer)
  const slot = COMMITS + (words[BATCH]! & 1) * SLOT_BYTES
  const rowCount = words[(slot + SLOT_ROW_COUNT) >> 2]!
  const kept: Kept[] = [{ from: slot, to: slot + SLOT_ROW_COUNT + 4 }]
  kept.push({ from: slot + SLOT_ROWS, to: slot + SLOT_ROWS + 4 * rowCount })
  const listed = new Map<number, number>()
  for (const entry of words.subarray(
    (slot + SLOT_ROWS) >> 2,
    ((slot + SLOT_ROWS) >> 2) + rowCount,
  )) {
    listed.set(entry >> 1, entry & 1)
  }
  for (let row = 0; row < STREAMS_MAX; row++) {
    const at = STREAMS + row * STREAM_ROW_BYTES
    const live = listed.get(row) ?? words[(at + STREAM_LIVE) >> 2]!
    const copy = at + STREAM_COPIES + live * STREAM_COPY_BYTES
    kept.push({ from: at, to: at + STREAM_LIVE })
    if (!listed.has(row)) kept.push({ from: at + STREAM_LIVE, to: at + STREAM_LIVE + 4 })
    kept.push({ from: copy + COPY_ID, to: copy + COPY_ID + 4 })
    if (words[(copy + COPY_ID) >> 2] === 0) continue
    kept.push({ from: at + STREAM_DIALECT, to: at + STREAM_COPIES })
    kept.push({ from: copy, to: copy + STREAM_COPY_BYTES })
    const slab = words[(copy + COPY_STATE + TOY_STATE_SLAB) >> 2]! & ~0xff
    kept.push({ from: slab, to: slab + words[(copy + COPY_STATE + TOY_STATE_LENGTH) >> 2]! })
  }
  // The chunk ring is main's to write.
  kept.push({ from: CHUNKS, to: RECORDS })
  kept.push(...between(recordRing, words[RECORD_HEAD]!, words[(slot + SLOT_TAIL) >> 2]!))
  fillAround(bytes, kept, random)
}

/** The bytes of a ring between two positions. */
function between({ data, capacityBytes }: RingLayout, head: number, tail: number): Kept[] {
  const from = head & (capacityBytes - 1)
  const length = (tail - head) | 0
  const first = Math.min(length, capacityBytes - from)
  return [
    { from: data + from, to: data + from + first },
    { from: data, to: data + length - first },
  ]
}

function fillAround(bytes: Uint8Array, kept: Kept[], random: () => number): void {
  let at = COMMITS
  for (const { from, to } of kept.toSorted((a, b) => a.from - b.from)) {
    for (; at < from; at++) bytes[at] = random()
    at = Math.max(at, to)
  }
  for (; at < SMALL.bytes; at++) bytes[at] = random()
}
