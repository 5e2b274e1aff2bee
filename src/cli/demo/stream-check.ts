import { performance } from 'node:perf_hooks'
import type { Message, TokenEvent } from '../../main/index.ts'
import type { ExpectedMessage, TokenKind } from '../provider/expected.ts'
import type { Meter } from './meter.ts'

const KINDS: Partial<Record<TokenEvent['type'], TokenKind>> = {
  'text-delta': 'text',
  'reasoning-delta': 'reasoning',
  'tool-input-delta': 'arguments',
}

/** Compares one stream with its script, token by token, and times each token on the way. */
export class StreamCheck {
  readonly #expected: ExpectedMessage
  readonly #meter: Meter
  /** When the byte arrived that completed each token's event, ms. */
  readonly #arrivedMs: Float64Array
  #bytes = 0
  #tokensArrived = 0
  #tokensDelivered = 0

  constructor(expected: ExpectedMessage, meter: Meter) {
    this.#expected = expected
    this.#meter = meter
    this.#arrivedMs = new Float64Array(expected.tokens.length).fill(NaN)
  }

  /** Bytes came off the socket. */
  arrived(bytes: number): void {
    const nowMs = performance.now()
    const { tokenEnds } = this.#expected
    this.#meter.bytes += bytes
    this.#bytes += bytes
    for (let end = tokenEnds[this.#tokensArrived]; end !== undefined && end <= this.#bytes;) {
      this.#arrivedMs[this.#tokensArrived] = nowMs
      this.#tokensArrived += 1
      end = tokenEnds[this.#tokensArrived]
    }
  }

  /** An event reached the consumer. */
  delivered(event: TokenEvent): void {
    if (event.type === 'error') this.#meter.mismatch(event.error.message)
    const kind = KINDS[event.type]
    // Providers also send empty deltas, which are events and no tokens.
    if (kind === undefined || !('text' in event) || event.text === '') return
    const i = this.#tokensDelivered
    const { tokens, tokenKinds } = this.#expected
    if (event.text !== tokens[i] || kind !== tokenKinds[i]) {
      const wanted = `${tokenKinds[i]} ${JSON.stringify(tokens[i])}`
      this.#meter.mismatch(`token ${i} is ${kind} ${JSON.stringify(event.text)}, not ${wanted}`)
    }
    this.#tokensDelivered += 1
    this.#meter.token(performance.now() - (this.#arrivedMs[i] ?? NaN))
  }

  /** The stream ended well: the whole must be right too, and nothing must be missing. */
  ended(message: Message): void {
    const { tokens } = this.#expected
    if (this.#tokensDelivered !== tokens.length) {
      this.#meter.mismatch(`${this.#tokensDelivered} tokens of ${tokens.length}`)
    }
    const seen = JSON.stringify(summary(message))
    const wanted = JSON.stringify(expectedSummary(this.#expected))
    if (seen !== wanted) this.#meter.mismatch(`the message is ${seen}, not ${wanted}`)
  }

  failed(error: unknown): void {
    this.#meter.mismatch(error instanceof Error ? error.message : String(error))
  }
}

/** The parts of a message that a script determines, in one order. */
function summary(message: Message): unknown {
  const calls = message.toolCalls.map(({ id, name, arguments: json }) => [id, name, json])
  return [
    message.id,
    message.model,
    message.text[0] ?? '',
    message.reasoning[0] ?? '',
    calls,
    message.finishReason[0] ?? null,
    message.usage,
    message.terminator,
  ]
}

function expectedSummary(expected: ExpectedMessage): unknown {
  const { id, model, text, reasoning, toolCalls, finishReason, usage, terminator } = expected
  const calls = toolCalls.map(({ id: callId, name, arguments: json }) => [callId, name, json])
  return [id, model, text, reasoning, calls, finishReason, usage, terminator]
}
