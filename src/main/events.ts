import type { MillraceError } from '../shared/errors.ts'

/** Token counts as the provider sent them, under neutral names; `null` where it sent none. */
export interface Usage {
  readonly input: number | null
  readonly output: number | null
  readonly total: number | null
  readonly cachedInput: number | null
  readonly reasoning: number | null
}

/**
 * One thing that the provider said, in its order.
 *
 * Names follow the AI SDK's stream parts where the meaning is the same. `choice` is the index of
 * the alternative answer (0 unless several were asked for); `index` is the provider's content
 * block or tool index.
 */
export type TokenEvent =
  | {
      readonly type: 'response-metadata'
      readonly id: string | null
      readonly model: string | null
    }
  | { readonly type: 'role'; readonly choice: number; readonly role: string }
  | { readonly type: 'text-delta'; readonly choice: number; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string }
  | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string }
  /** What the model is about to do with its tools, in dialects that say so apart (Cohere). */
  | { readonly type: 'plan-delta'; readonly choice: number; readonly text: string }
  | {
      readonly type: 'reasoning-signature'
      readonly choice: number
      readonly index: number
      readonly signature: string
    }
  | {
      readonly type: 'tool-input-start'
      readonly choice: number
      readonly index: number
      readonly id: string | null
      /** `''` where arguments came and no name did. */
      readonly toolName: string
      /** The provider's word for this sort of call (`server_tool_use`), where it has one. */
      readonly kind: string | null
    }
  | {
      readonly type: 'tool-input-delta'
      readonly choice: number
      readonly index: number
      readonly id: string | null
      readonly text: string
    }
  /**
   * The call's input is complete: the provider said so, or the stream came to its end. None follows
   * where the stream breaks off or fails before.
   */
  | {
      readonly type: 'tool-input-end'
      readonly choice: number
      readonly index: number
      /** As they are known now: some servers send the arguments first. */
      readonly id: string | null
      readonly toolName: string
    }
  | { readonly type: 'hosted-block'; readonly index: number; readonly blockType: string }
  | { readonly type: 'annotation'; readonly choice: number; readonly value: unknown }
  /**
   * A list of what the answer draws on, as it was sent, in dialects that have one beside the text.
   * Told when it changes: Perplexity sends all that there is so far with every token.
   */
  | { readonly type: 'sources'; readonly choice: number; readonly value: readonly unknown[] }
  | { readonly type: 'logprobs'; readonly choice: number; readonly value: unknown }
  | { readonly type: 'usage'; readonly usage: Usage; readonly raw: unknown }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: string }
  /** Why it finished, in more words, as it was sent: a stop sequence, a blocked prompt. */
  | { readonly type: 'finish-detail'; readonly choice: number; readonly value: unknown }
  /** What a safety filter found, as it was sent. */
  | { readonly type: 'safety'; readonly choice: number; readonly value: unknown }
  /** Whose stream this was recognised to be: the first event, where no dialect was named. */
  | { readonly type: 'dialect'; readonly dialect: string }
  /** A record as it was sent: of `sse` and `jsonl`, and of any dialect with `raw`. */
  | {
      readonly type: 'event'
      readonly event: string
      readonly data: string
      readonly lastEventId: string
    }
  /**
   * A malformed event (`EVENT_MALFORMED`; the stream goes on) or the provider's own error
   * (`PROVIDER_ERROR`). A failure that ends the stream is thrown instead.
   */
  | { readonly type: 'error'; readonly error: MillraceError }
  /** The protocol's own end; never invented. */
  | { readonly type: 'end'; readonly terminator: string }

export type TokenEventType = TokenEvent['type']
