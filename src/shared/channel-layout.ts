/**
 * Where everything of one channel lies in its memory. docs/MEMORY.md draws the same and explains
 * it; test/channel-layout.test.ts keeps the two equal.
 *
 *     byte 0       control words         4 KiB   who waits, who was told, ring positions
 *          4,096   stream table        128 KiB   1,024 rows of 128 bytes
 *        135,168   chunk ring          512 KiB   main -> worker: frames
 *        659,456   record ring         256 KiB   worker -> main: records
 *        921,600   carry slabs         512 KiB   unfinished events, the worker's own
 *      1,445,888   end; 23 pages of 64 KiB hold it
 *
 * The whole channel has 2,000,000 bytes, that is 30 whole pages. What is left, 448 KiB in pages
 * and some 60 KiB at the end of the last, is for event templates (256 KiB) and compiled dialects
 * (80 KiB), which are not there yet.
 *
 * Words that different threads write lie 128 bytes apart: x86 fetches cache lines in pairs, and a
 * line that two cores write travels between them at every write.
 */
import { broken } from './assert.ts'
import { Consumer, Producer, type RingLayout } from './ring-buffer.ts'

const KIB = 1024

// ---- Control words: indices into an Int32Array over the whole memory. All start at 0.

const WORD_BYTES: number = Int32Array.BYTES_PER_ELEMENT

/** Rings of the bell, a counter. Written by main; read by the worker, which waits on it. */
export const BELL = 0
/** Control messages sent, a counter. Written by main; read by the worker. */
export const CONTROL_COUNT: number = 4 / WORD_BYTES
/** 1 while the worker waits or is about to. Written by the worker; read by main. */
export const PARKED: number = 128 / WORD_BYTES
/** Rounds of work done, a counter; stands still in a hang. Written by the worker; read by main. */
export const PROGRESS: number = 132 / WORD_BYTES
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
/** Consumer's position in the chunk ring, bytes. Written by the worker; read by main. */
export const CHUNK_HEAD: number = 768 / WORD_BYTES
/** 1 once no chunk will be read. Written by the worker; read by main. */
export const CHUNK_HEAD_CLOSED: number = 772 / WORD_BYTES
/** Producer's position in the record ring, bytes. Written by the worker; read by main. */
export const RECORD_TAIL: number = 896 / WORD_BYTES
/** 1 once no record will follow. Written by the worker; read by main. */
export const RECORD_TAIL_CLOSED: number = 900 / WORD_BYTES
/** Consumer's position in the record ring, bytes. Written by main; read by the worker. */
export const RECORD_HEAD: number = 1024 / WORD_BYTES
/** 1 once no record will be read. Written by main; read by the worker. */
export const RECORD_HEAD_CLOSED: number = 1028 / WORD_BYTES

// ---- Regions: byte offsets, in the order of the memory.

export const CONTROL_BYTES: number = 4 * KIB

export const STREAM_TABLE: number = CONTROL_BYTES
export const STREAMS_MAX = 1024
/** The decoder's state will lie in a row twice: one copy published, one being written. */
export const STREAM_ROW_BYTES = 128

export const CHUNK_RING: RingLayout = {
  tail: CHUNK_TAIL,
  producerClosed: CHUNK_TAIL_CLOSED,
  head: CHUNK_HEAD,
  consumerClosed: CHUNK_HEAD_CLOSED,
  data: STREAM_TABLE + STREAMS_MAX * STREAM_ROW_BYTES,
  capacityBytes: 512 * KIB,
}

export const RECORD_RING: RingLayout = {
  tail: RECORD_TAIL,
  producerClosed: RECORD_TAIL_CLOSED,
  head: RECORD_HEAD,
  consumerClosed: RECORD_HEAD_CLOSED,
  data: CHUNK_RING.data + CHUNK_RING.capacityBytes,
  capacityBytes: 256 * KIB,
}

export const CARRY: number = RECORD_RING.data + RECORD_RING.capacityBytes
export const CARRY_BYTES: number = 512 * KIB

/** What a channel may take at most, templates and dialects included, bytes. */
export const CHANNEL_BYTES_MAX = 2_000_000
const PAGE_BYTES: number = 64 * KIB
export const CHANNEL_PAGES: number = Math.ceil((CARRY + CARRY_BYTES) / PAGE_BYTES)
export const CHANNEL_BYTES: number = CHANNEL_PAGES * PAGE_BYTES

// ---- The stream table: word indices inside a row.

/** How often the row was opened, a counter. Written by main; read by the worker. Starts at 0. */
export const STREAM_GENERATION = 0
/**
 * 1 once main wants no more of the stream. Written by main; read by the worker. Starts at 0. It
 * overtakes the frames that wait in a full chunk ring; the ABORT frame follows in their order.
 */
export const STREAM_ABORT = 1

/** Index of a row's word in an Int32Array over the whole memory. `row` is 0 to STREAMS_MAX - 1. */
export function streamWord(row: number, word: number): number {
  return (STREAM_TABLE + row * STREAM_ROW_BYTES) / WORD_BYTES + word
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
/** bytes of UTF-8 behind the rows, */
export const ROWS_UTF8_BYTES = 8
/** bytes of UTF-16LE behind that, at the next even offset, */
export const ROWS_WIDE_BYTES = 12
/** stream bytes taken from the chunk ring since the stream's last record: credit to refund. */
export const ROWS_CONSUMED_BYTES = 16
/** Here the rows begin, ROW_BYTES each. */
export const ROWS_HEADER_BYTES = 20

/** Where the UTF-16 text of a ROWS payload begins; `rowBytes` is all its rows. */
export function wideTextAt(rowBytes: number, utf8Bytes: number): number {
  return ROWS_HEADER_BYTES + ((rowBytes + utf8Bytes + 1) & -2)
}

/** Offsets inside a CLOSED payload, int32 words: the stream's id, the length of what follows, */
export const CLOSED_STREAM_ID = 0
export const CLOSED_BYTE_LENGTH = 4
/** and here the summary begins, msgpack. */
export const CLOSED_HEADER_BYTES = 8

// ---- The memory and its two ends.

export interface ChannelMemory {
  /** `null` where there is no shared WebAssembly memory; the plain decoder needs none. */
  readonly memory: WebAssembly.Memory | null
  readonly buffer: SharedArrayBuffer
}

/**
 * Makes one channel's memory, zeroed, {@link CHANNEL_BYTES} long.
 *
 * V8 reserves gigabytes of address space behind a WebAssembly memory; under `ulimit -v`, or with
 * `--jitless`, there is none to be had, and a plain SharedArrayBuffer serves.
 */
export function createChannelMemory(): ChannelMemory {
  try {
    const pages = { initial: CHANNEL_PAGES, maximum: CHANNEL_PAGES, shared: true }
    const memory = new WebAssembly.Memory(pages)
    return { memory, buffer: memory.buffer as unknown as SharedArrayBuffer }
  } catch {
    return { memory: null, buffer: new SharedArrayBuffer(CHANNEL_BYTES) }
  }
}

/** What both ends see: the whole memory as words and as bytes. */
export interface ChannelViews {
  readonly words: Int32Array
  readonly bytes: Uint8Array
}

export interface MainEnd extends ChannelViews {
  readonly chunks: Producer
  readonly records: Consumer
}

export interface WorkerEnd extends ChannelViews {
  readonly chunks: Consumer
  readonly records: Producer
  /** The region of a SlabArena. */
  readonly carry: Uint8Array
}

export function attachMain(buffer: SharedArrayBuffer): MainEnd {
  const { words, bytes } = viewsOf(buffer)
  const chunks = new Producer(words, CHUNK_RING)
  const records = new Consumer(words, RECORD_RING)
  return { words, bytes, chunks, records }
}

export function attachWorker(buffer: SharedArrayBuffer): WorkerEnd {
  const { words, bytes } = viewsOf(buffer)
  const chunks = new Consumer(words, CHUNK_RING)
  const records = new Producer(words, RECORD_RING)
  const carry = bytes.subarray(CARRY, CARRY + CARRY_BYTES)
  return { words, bytes, chunks, records, carry }
}

function viewsOf(buffer: SharedArrayBuffer): ChannelViews {
  if (buffer.byteLength < CHANNEL_BYTES) {
    broken(`channel memory has ${buffer.byteLength} bytes, needs ${CHANNEL_BYTES}`)
  }
  return { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) }
}
