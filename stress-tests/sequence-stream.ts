/**
 * Streams whose every token says where it belongs, so that a lost, doubled or reordered one shows
 * at once: token n of a stream reads `<n>;`. Envelopes are those of an OpenAI chat event, 290
 * bytes.
 */
import type { TokenBatch } from '../src/main/index.ts'

const HEAD =
  'data: {"id":"chatcmpl-CoDW0000000000000000000000stress","object":"chat.completion.chunk",' +
  '"created":1766084440,"model":"gpt-4o-2024-08-06","service_tier":"default",' +
  '"system_fingerprint":"fp_0000000000","choices":[{"index":0,"delta":{"content":"'
const TAIL = '"},"logprobs":null,"finish_reason":null}],"usage":null}\n\n'
const FINISH = `${HEAD.slice(0, HEAD.indexOf('"delta"'))}"delta":{},"finish_reason":"stop"}]}\n\n`

export const DIALECT = 'openai-chat'

/** The event of token `sequence`. */
export function tokenEvent(sequence: number): string {
  return `${HEAD}${sequence};${TAIL}`
}

/** What ends a stream. */
export const STREAM_END: string = `${FINISH}data: [DONE]\n\n`

/** Checks one stream's tokens as they come, without keeping them. */
export class SequenceChecker {
  /** Tokens that came in their place. */
  next = 0
  /** Tokens that did not: lost, doubled, reordered or changed. */
  wrong = 0
  /** A token that overtakes is counted once, and the next is expected behind it. */
  check(batch: TokenBatch, onToken: (sequence: number) => void): void {
    for (let index = 0; index < batch.length; index++) {
      if (batch.type(index) !== 'text-delta') continue
      const text = batch.text(index)
      const sequence = Number(text.slice(0, -1))
      if (sequence !== this.next || !text.endsWith(';')) this.wrong++
      onToken(sequence)
      this.next = sequence + 1
    }
  }
}
