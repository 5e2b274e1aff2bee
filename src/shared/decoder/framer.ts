import type { DecodeErrorCode } from '../rows.ts'

/** A payload of the protocol: the data of one SSE event, one NDJSON line, one array element. */
export interface PayloadFrame {
  readonly kind: 'payload'
  /** A view, valid until the framer is asked for its next frame. */
  readonly data: Uint8Array
  /** SSE event name, '' where there was none. */
  readonly name: string
  /** The last SSE event id where an `id` field came since the last payload, else `null`. */
  readonly id: string | null
  /** Offset of the first byte of the event's first field in the body, bytes. */
  readonly offset: number
}

/** A field that the protocol does not know: some servers put their failure there. */
export interface StrayFrame {
  readonly kind: 'stray'
  readonly name: string
  /** A view, valid until the framer is asked for its next frame. */
  readonly value: Uint8Array
  readonly offset: number
}

/** A limit was passed, or the buffers are spent: the last frame of this stream. */
export interface FailureFrame {
  readonly kind: 'failure'
  readonly code: DecodeErrorCode
  readonly message: string
  readonly offset: number
}

export type Frame = PayloadFrame | StrayFrame | FailureFrame

/**
 * Cuts a body into frames, whatever its chunking: each frame comes with its last byte.
 *
 * Iterate each `push` to its end, or `release` and push no more.
 */
export interface Framer {
  /** Bytes of a frame that has begun and not ended. */
  readonly pendingBytes: number
  push(chunk: Uint8Array): Iterable<Frame>
  /** Drops what is unfinished and gives its slabs back. */
  release(): void
}
