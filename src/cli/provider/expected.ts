export type TokenKind = 'text' | 'reasoning' | 'arguments'

/** What a right decoder makes of the stream, from its script: no decoder had a part in it. */
export interface ExpectedMessage {
  readonly id: string
  readonly model: string
  readonly role: string
  readonly text: string
  readonly reasoning: string
  /** Signature of the reasoning; empty where the dialect has none. */
  readonly signature: string
  readonly toolCalls: readonly ExpectedCall[]
  readonly finishReason: string | null
  readonly usage: ExpectedUsage | null
  readonly error: ProviderFailure | null
  readonly terminator: string | null
  /** Non-empty deltas in wire order, of all three kinds. */
  readonly tokens: readonly string[]
  /** Of each token, its kind. */
  readonly tokenKinds: readonly TokenKind[]
  /** Of each token, the offset in `bytes` just past the CR or LF that completes its event. */
  readonly tokenEnds: Float64Array
  /** SSE events dispatched, and comment lines. */
  readonly events: number
  readonly comments: number
}

export interface ExpectedCall {
  readonly index: number
  readonly id: string
  readonly name: string
  /** Raw JSON as it was streamed; a fragment of it where the stream was cut. */
  readonly arguments: string
}

/** Token counts under neutral names; null where the dialect has no such count. */
export interface ExpectedUsage {
  readonly input: number
  readonly output: number
  readonly total: number | null
  readonly cachedInput: number
  readonly reasoning: number | null
}

export interface ProviderFailure {
  readonly type: string
  readonly message: string
}
