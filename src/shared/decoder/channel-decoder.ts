import type { OpenFrame } from '../control-protocol.ts'
import type { ChannelViews } from '../channel-ends.ts'
import type { RowArea } from '../rows.ts'
import type { DecodeCounts } from './decoder.ts'

/**
 * Decodes all streams of one channel, in place: bytes, states and rows lie in the channel's memory,
 * and calls carry numbers.
 *
 * `state` is the byte offset of the stream's state, STATE_BYTES_MAX long, all 0 when it is opened.
 * Everything that is kept of a stream from one call to the next lies there and in slabs that it
 * names; it may lie elsewhere at the next call, with the same content. Slabs are appended to, and
 * never written where the state has told of bytes already.
 *
 * The same state and bytes make the same rows, whoever decodes them and whatever came between.
 */
export interface ChannelDecoder {
  /** The channel's memory; other views once it has grown, so that `rows` always lie on them. */
  readonly views: ChannelViews
  /** What was decoded and not yet reset, of one stream at a time. */
  readonly rows: RowArea
  /** Bytes of slabs in use: in the channel's region, and leased beyond it. */
  readonly slabBytes: number
  readonly leasedBytes: number
  /** Payloads that a template decoded, and that had to be walked. Counters. */
  readonly templateHits: number
  readonly templateMisses: number
  /** Streams that are open and whose state lies elsewhere: nobody could go on with them. */
  readonly streamsOnHeap: number
  resetRows(): void
  /** A stream begins in this row of the stream table. */
  open(row: number, state: number, options: OpenFrame): void
  /**
   * Decodes bytes from offset `at`. @returns How many it has taken: all, or fewer where `rows` are
   * enough for now. Call it again with the rest once they are reset.
   */
  decode(row: number, state: number, at: number, byteLength: number): number
  /** The source has ended. */
  end(row: number, state: number): void
  counts(row: number, state: number): DecodeCounts
  /** Gives back all that the stream holds. */
  close(row: number, state: number): void
  /** A predecessor has opened this stream; goes on with it. Called before all else. */
  adopt(row: number, state: number): void
  /** All that was changed is published: what was given back may be used again. */
  settle(): void
}
