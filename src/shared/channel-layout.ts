/**
 * Where everything of one channel lies in its memory. docs/MEMORY.md draws the same and explains
 * it; test/channel-layout.test.ts keeps the two equal.
 *
 *     byte 0       control words         4 KiB   who waits, who was told, what was published
 *          4,096   commit slots          4 KiB   where a batch ended, by turns
 *          8,192   stream table        256 KiB   1,024 rows of 256 bytes
 *        270,336   chunk ring          512 KiB   main -> worker: frames
 *        794,624   record ring         256 KiB   worker -> main: records
 *      1,056,768   decoder             376 KiB   stack, output, dialects and their templates
 *      1,441,792   carry slabs         512 KiB   unfinished events, the worker's own
 *      1,966,080   end: 30 pages of 64 KiB; leases lie beyond, as the memory grows
 *
 * Words that different threads write lie 128 bytes apart: x86 fetches cache lines in pairs, and a
 * line that two cores write travels between them at every write.
 */
import { type RingLayout, TOLD_ELSEWHERE } from './ring-buffer.ts'

const KIB = 1024

// ---- Control words: indices into an Int32Array over the whole memory. All start at 0.

const WORD_BYTES: number = Int32Array.BYTES_PER_ELEMENT

/** Rings of the bell, a counter. Written by main; read by the worker, which waits on it. */
export const BELL = 0
/** Control messages sent, a counter. Written by main; read by the worker. */
export const CONTROL_COUNT: number = 4 / WORD_BYTES
/** 1 while the worker waits or is about to. Written by the worker; read by main. */
export const PARKED: number = 128 / WORD_BYTES
/**
 * Who may use the memory: 0 for nobody, a ticket (negative) for the task that holds it, then the id
 * of its thread. Written by both; read by main. Starts at 0.
 */
export const ATTACHED: number = 132 / WORD_BYTES
/**
 * The frame that is being decoded or that a death is laid to; see frame-watch.ts. Written by the
 * worker; read by the worker, plainly: threads that write it follow each other.
 */
export const FRAME_WATCH: number = 136 / WORD_BYTES
/**
 * Streams whose state lies on the worker's heap and dies with it. Written by the worker; read by
 * main, once the worker has gone.
 */
export const HEAP_STREAMS: number = 140 / WORD_BYTES
/** 1 while a doorbell is on its way to main. Written by both; read by both. */
export const MAIN_NOTIFIED: number = 256 / WORD_BYTES
/** 1 while main waits for room in the chunk ring. Written by both; read by the worker. */
export const CHUNK_SPACE_WANTED: number = 384 / WORD_BYTES
/** 1 while the worker waits for room in the record ring. Written by both; read by main. */
export const RECORD_SPACE_WANTED: number = 512 / WORD_BYTES

/** Producer's position in the chunk ring, bytes. Written by main; read by the worker. */
export const CHUNK_TAIL: number = 640 / WORD_BYTES
/** 1 once no chunk will follow. Written by main; read by the worker. */
export const CHUNK_TAIL_CLOSED: number = 644 / WORD_BYTES
/** 1 once no chunk will be read. Written by the worker; read by main. */
export const CHUNK_HEAD_CLOSED: number = 768 / WORD_BYTES
/** 1 once no record will follow. Written by the worker; read by main. */
export const RECORD_TAIL_CLOSED: number = 896 / WORD_BYTES
/** Number of the last publication, see commit.ts. Written by the worker; read by main. */
export const BATCH: number = 900 / WORD_BYTES
/** Consumer's position in the record ring, bytes. Written by main; read by the worker. */
export const RECORD_HEAD: number = 1024 / WORD_BYTES
/** 1 once no record will be read. Written by main; read by the worker. */
export const RECORD_HEAD_CLOSED: number = 1028 / WORD_BYTES

// ---- Commit slots: byte offsets in a slot. Batch number n lies in slot n modulo 2.

/** Head of the chunk ring, bytes: frames are done with up to here. */
export const SLOT_HEAD = 0
/** Tail of the record ring, bytes: records are published up to here. */
export const SLOT_TAIL = 4
/** Records that were published since the last commit, which decoding from there makes again. */
export const SLOT_SENT = 8
/** The frame that the last of these were made at: its end, position in the chunk ring. */
export const SLOT_REACH = 12
/** How many rows of the stream table the batch has changed, */
export const SLOT_ROW_COUNT = 16
/** and which, a word each: `row << 1 | copy`, the copy that is in force from now on. */
export const SLOT_ROWS = 128
export const SLOT_ROWS_MAX = 256
export const SLOT_BYTES: number = 2 * KIB

// ---- The stream table: byte offsets in a row.

/** How often the row was opened, a counter. Written by main; read by the worker. Starts at 0. */
export const STREAM_GENERATION = 0
/**
 * 1 once main wants no more of the stream. Written by main; read by the worker. Starts at 0. It
 * overtakes the frames that wait in a full chunk ring; the ABORT frame follows in their order.
 */
export const STREAM_ABORT = 4
/** Which copy is in force, 0 or 1. Written by the worker; read by the worker, plainly. */
export const STREAM_LIVE = 8
/** Number of the stream's dialect. Written by the worker; read by the worker, plainly. */
export const STREAM_DIALECT = 12
/** How the stream is decoded, as its decoder has it. One copy: it is written once, at OPEN. */
export const STREAM_PROFILE = 16
export const STREAM_PROFILE_BYTES = 32
/** Two copies of all that changes: the one in force, and the one that a batch works on. */
export const STREAM_COPIES: number = STREAM_PROFILE + STREAM_PROFILE_BYTES
export const STREAM_COPY_BYTES = 104
export const STREAM_ROW_BYTES: number = STREAM_COPIES + 2 * STREAM_COPY_BYTES

/** Byte offsets in a copy: id of the stream that is open, 0 where none is; */
export const COPY_ID = 0
/** 1 once no more of its bytes are decoded: it was aborted, or has failed; */
export const COPY_DONE = 4
/** and the decoder's state. */
export const COPY_STATE = 8
export const STATE_BYTES_MAX: number = STREAM_COPY_BYTES - COPY_STATE

// ---- Regions: byte offsets, in the order of the memory.

export const CONTROL_BYTES: number = 4 * KIB
export const COMMIT_SLOTS: number = CONTROL_BYTES
export const STREAM_TABLE: number = COMMIT_SLOTS + 2 * SLOT_BYTES
export const STREAMS_MAX = 1024

/** Positions of the worker are told by commits, and have no word. */
export const CHUNK_RING: RingLayout = {
  tail: CHUNK_TAIL,
  producerClosed: CHUNK_TAIL_CLOSED,
  head: TOLD_ELSEWHERE,
  consumerClosed: CHUNK_HEAD_CLOSED,
  data: STREAM_TABLE + STREAMS_MAX * STREAM_ROW_BYTES,
  capacityBytes: 512 * KIB,
}

export const RECORD_RING: RingLayout = {
  tail: TOLD_ELSEWHERE,
  producerClosed: RECORD_TAIL_CLOSED,
  head: RECORD_HEAD,
  consumerClosed: RECORD_HEAD_CLOSED,
  data: CHUNK_RING.data + CHUNK_RING.capacityBytes,
  capacityBytes: 256 * KIB,
}

/** The worker's alone, and of no use to a successor: see wasm-streams.ts. */
export const DECODER: number = RECORD_RING.data + RECORD_RING.capacityBytes
export const DECODER_BYTES: number = 376 * KIB
/** The last region: leases extend it. */
export const CARRY: number = DECODER + DECODER_BYTES
export const CARRY_BYTES: number = 512 * KIB

/** What a channel may take at most, leases apart, bytes. */
export const CHANNEL_BYTES_MAX = 2_000_000
export const PAGE_BYTES: number = 64 * KIB
export const CHANNEL_BYTES: number = CARRY + CARRY_BYTES
/** Address space for leases, fragments included: addresses stay positive int32s. */
const PAGES_MAX = 32_767

/** Where the two ends and the protocol find things; a model's channel is a smaller one. */
export interface ChannelLayout {
  readonly bytes: number
  readonly commits: number
  readonly streams: number
  readonly streamsMax: number
  readonly chunkRing: RingLayout
  readonly recordRing: RingLayout
  readonly carry: number
}

export const CHANNEL: ChannelLayout = {
  bytes: CHANNEL_BYTES,
  commits: COMMIT_SLOTS,
  streams: STREAM_TABLE,
  streamsMax: STREAMS_MAX,
  chunkRing: CHUNK_RING,
  recordRing: RECORD_RING,
  carry: CARRY,
}

/** Index of a row's word in an Int32Array over the whole memory. `row` is 0 to STREAMS_MAX - 1. */
export function streamWord(row: number, offset: number, table: number = STREAM_TABLE): number {
  return (table + row * STREAM_ROW_BYTES + offset) / WORD_BYTES
}

/**
 * A stream's name in frames and records, an int32: row in bits 0-9, generation above. It differs
 * from the names of the row's earlier streams, until 4,194,304 of them.
 */
export function streamId(row: number, generation: number): number {
  return row | (generation << 10)
}

export function rowOf(id: number): number {
  return id & (STREAMS_MAX - 1)
}

/** The generation modulo 2^22. */
export function generationOf(id: number): number {
  return id >>> 10
}

// ---- Frames: records of the chunk ring.

/** A stream begins. The bytes are its options, msgpack. */
export const FRAME_OPEN = 1
/** Bytes of its source. */
export const FRAME_DATA = 2
/** Its source has ended. No bytes. */
export const FRAME_END = 3
/** It is no longer wanted. No bytes. */
export const FRAME_ABORT = 4

/** Offsets inside a frame's payload, all of int32 words: the stream's id, */
export const FRAME_STREAM_ID = 0
/** where the bytes begin, counted from the start of the payload, */
export const FRAME_BYTES_AT = 4
/** and how many there are. */
export const FRAME_BYTE_LENGTH = 8
export const FRAME_HEADER_BYTES = 12
/** What to claim for a frame of n bytes: n and this, header and alignment. */
export const FRAME_OVERHEAD_BYTES: number = FRAME_HEADER_BYTES + 7

/**
 * First offset inside a frame's payload, past its header, that agrees with `byteOffset` modulo 8.
 *
 * V8 copies between places that agree modulo 8 at 19 GB/s, else at 2.5. Payloads start at
 * multiples of 8 in the memory and chunks' buffers at such addresses, so the two offsets decide.
 */
export function alignedPayload(byteOffset: number): number {
  return FRAME_HEADER_BYTES + ((byteOffset - FRAME_HEADER_BYTES) & 7)
}

// ---- Records of the record ring.

/** Rows of one stream (rows.ts). */
export const RECORD_ROWS = 1
/** The worker is done with a stream; its row may be opened again. */
export const RECORD_CLOSED = 2

/** Offsets inside a ROWS payload, all of int32 words: the stream's id, */
export const ROWS_STREAM_ID = 0
/** how many rows, */
export const ROWS_ROW_COUNT = 4
/** bytes of Latin-1 behind the rows, */
export const ROWS_TEXT_BYTES = 8
/** bytes of UTF-16LE behind that, at the next even offset, */
export const ROWS_WIDE_BYTES = 12
/** stream bytes taken from the chunk ring since the stream's last record: credit to refund. */
export const ROWS_CONSUMED_BYTES = 16
/** Here the rows begin, ROW_BYTES each: at a multiple of 8, which copies several times faster. */
export const ROWS_HEADER_BYTES = 24

/** Where the UTF-16 text of a ROWS payload begins; `rowBytes` is all its rows. */
export function wideTextAt(rowBytes: number, textBytes: number): number {
  return ROWS_HEADER_BYTES + ((rowBytes + textBytes + 1) & -2)
}

/** Offset inside a CLOSED payload, an int32 word: the stream's id, and that is all. */
export const CLOSED_STREAM_ID = 0
export const CLOSED_BYTES = 4

// ---- The memory.

export interface ChannelMemory {
  /** `null` where there is no shared WebAssembly memory; the plain decoder needs none. */
  readonly memory: WebAssembly.Memory | null
  readonly buffer: SharedArrayBuffer
}

/**
 * Makes one channel's memory, zeroed, {@link CHANNEL_BYTES} long. It can grow, for leases.
 *
 * V8 reserves gigabytes of address space behind a WebAssembly memory; under `ulimit -v`, or with
 * `--jitless`, there is none to be had, and a plain SharedArrayBuffer serves.
 */
export function createChannelMemory(): ChannelMemory {
  try {
    const pages = { initial: CHANNEL_BYTES / PAGE_BYTES, maximum: PAGES_MAX, shared: true }
    const memory = new WebAssembly.Memory(pages)
    return { memory, buffer: memory.buffer as unknown as SharedArrayBuffer }
  } catch {
    return { memory: null, buffer: new SharedArrayBuffer(CHANNEL_BYTES) }
  }
}
