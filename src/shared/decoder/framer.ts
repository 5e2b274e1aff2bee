import type { DecodeErrorCode } from '../rows.ts'

/** A payload of the protocol: the data of one SSE event, one NDJSON line, one array element. */
export interface PayloadFrame {
  readonly kind: 'payload'
  /** A view, valid until the framer is asked for its next frame. */
  readonly data: Uint8Array
  /** SSE event name, AWS event type, '' where there was none. */
  readonly name: string
  /** The last SSE event id where an `id` field came since the last payload, else `null`. */
  readonly id: string | null
  /** U+FFFD in name and in id that stand for malformed UTF-8. Default 0. */
  readonly nameReplaced?: number
  readonly idReplaced?: number
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

/** The protocol's own way to say that the provider failed. */
export interface ExceptionFrame {
  readonly kind: 'exception'
  /** The provider's word for it. */
  readonly type: string
  /** A view, valid until the framer is asked for its next frame. A JSON object, or text. */
  readonly data: Uint8Array
  readonly offset: number
}

/** A limit was passed, the bytes are corrupt, or the buffers are spent: the last frame. */
export interface FailureFrame {
  readonly kind: 'failure'
  readonly code: DecodeErrorCode
  readonly message: string
  readonly offset: number
}

export type Frame = PayloadFrame | StrayFrame | ExceptionFrame | FailureFrame

/**
 * Cuts a body into frames, whatever its chunking: each frame comes with its last byte.
 *
 * Iterate each `push` and `end` to its end, or `release` and push no more.
 */
export interface Framer {
  /** Bytes of a frame that has begun and not ended. */
  readonly pendingBytes: number
  push(chunk: Uint8Array): Iterable<Frame>
  /** The source ended: what that completes. */
  end(): Iterable<Frame>
  /** Drops what is unfinished and gives its slabs back. */
  release(): void
}
