import type { Dialect } from '../shared/dialects/dialect.ts'
import { type ErrorCode, MillraceError } from '../shared/errors.ts'
import { DeltaLog } from './delta-log.ts'
import type { TokenEvent, Usage } from './events.ts'
import type { ProviderErrorFields } from './provider-error.ts'
import type { TokenBatch } from './token-batch.ts'

/** By choice: `'0'` is the only one unless several answers were asked for. */
export type ByChoice<Value> = Record<string, Value>

/** One tool call of a {@link Message}. */
export interface ToolCall {
  readonly choice: number
  /** As the provider numbers it; counted from 0 in each choice where it does not. */
  readonly index: number
  readonly id: string | null
  readonly name: string
  /** The arguments as they were sent, joined. JSON, unless the answer or the stream was cut. */
  readonly arguments: string
  /** The provider's word for this sort of call, where it has one. */
  readonly kind?: string
  /** The arguments parsed, in dialects whose provider has them so, where they are whole. */
  readonly input?: unknown
}

/** A block that a provider's own tool made. */
export interface HostedBlock {
  readonly index: number
  readonly type: string
}

/** A whole answer: what `final()` gives and `millrace decode --format final` prints. */
export interface Message {
  /** The first that was sent, as it was sent: Azure's first event has an empty one. */
  readonly id: string | null
  /** The first that was not empty. */
  readonly model: string | null
  readonly role: ByChoice<string>
  readonly text: ByChoice<string>
  /** Every text delta that was not empty, in the order of the wire. */
  readonly textDeltas: readonly string[]
  /** Their choices, where any is not 0. */
  readonly textDeltaChoices?: readonly number[]
  readonly reasoning: ByChoice<string>
  readonly reasoningDeltas: readonly string[]
  readonly refusal: ByChoice<string>
  readonly toolCalls: readonly ToolCall[]
  /** What the model was about to do with them, in dialects that say so apart (Cohere). */
  readonly toolPlan?: string
  readonly hostedToolCalls?: readonly HostedBlock[]
  /** In the provider's own words. */
  readonly finishReason: ByChoice<string>
  readonly usage: Usage | null
  readonly usageRaw: unknown
  readonly logprobs: ByChoice<{ readonly count: number; readonly sum: number }>
  /** How many annotations and citations there were. */
  readonly annotations: number
  /** The provider's own error in the stream, the last of several: it tells the most. */
  readonly error: ProviderErrorFields | null
  /** How the protocol said that it ended, `null` where it did not. */
  readonly terminator: string | null
  /** Events that were malformed. */
  readonly badJson: number
}

type Writable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] }

type Facts = Pick<Message, 'id' | 'model' | 'error' | 'terminator' | 'badJson'>

const NO_USAGE = { usage: null, raw: null }

/** What an entry of a list counts beside its text, bytes: entries without text are bounded, too. */
const ENTRY_BYTES = 64

const BAD_JSON: readonly ErrorCode[] = ['EVENT_MALFORMED', 'JSON_TOO_DEEP', 'JSON_NUMBER_TOO_LONG']

/** Accumulates the batches of one stream into its {@link Message}, up to a bound. */
export class MessageBuilder {
  readonly #finalBytesMax: number
  readonly #hasToolInput: boolean
  #bytes = 0

  readonly #text = new DeltaLog()
  readonly #reasoning = new DeltaLog()
  readonly #refusal = new DeltaLog()
  readonly #role: ByChoice<string> = {}
  readonly #finishReason: ByChoice<string> = {}
  readonly #logprobs: ByChoice<{ count: number; sum: number }> = {}
  readonly #toolCalls: Writable<ToolCall>[] = []
  #toolPlan = ''
  readonly #hostedToolCalls: HostedBlock[] = []
  #annotations = 0
  #usage: { readonly batch: TokenBatch; readonly at: number } | null = null
  /** Calls that have not ended, by choice and index. */
  readonly #openCalls = new Map<string, Writable<ToolCall>>()
  readonly #facts: Writable<Facts> = {
    id: null,
    model: null,
    error: null,
    terminator: null,
    badJson: 0,
  }

  /** @param finalBytesMax - Most that is kept: text and arguments as UTF-8, 64 bytes an entry. */
  constructor(dialect: Dialect, finalBytesMax: number) {
    this.#hasToolInput = dialect.toolInput ?? false
    this.#finalBytesMax = finalBytesMax
  }

  /**
   * Adds the next batch. After an error the message is still there, as far as it was kept.
   *
   * @throws {MillraceError} `FINAL_TOO_LARGE`.
   */
  add(batch: TokenBatch): void {
    for (let from = 0, to = 0; from < batch.length; from = to) {
      to = batch.runEnd(from)
      switch (batch.type(from)) {
        case 'text-delta':
          this.#addDeltas(this.#text, batch, from, to)
          break
        case 'reasoning-delta':
          this.#addDeltas(this.#reasoning, batch, from, to)
          break
        case 'refusal-delta':
          this.#addDeltas(this.#refusal, batch, from, to)
          break
        case 'usage':
          // Some send it with every token: only the last is read, in the end.
          this.#usage = { batch, at: from }
          break
        case 'safety':
          break
        case 'annotation':
          this.#annotations++
          break
        default:
          this.#addEvent(batch.event(from))
      }
    }
  }

  /** The message so far. */
  toFinal(): Message {
    const { id, model, error, terminator, badJson } = this.#facts
    const last = this.#usage?.batch.event(this.#usage.at)
    const { usage, raw: usageRaw } = last?.type === 'usage' ? last : NO_USAGE
    const choices = this.#text.choices()
    const isPlural = choices.some((choice) => choice !== 0)
    return {
      id,
      model,
      role: { ...this.#role },
      text: this.#text.texts(),
      textDeltas: this.#text.deltas(),
      ...(isPlural && { textDeltaChoices: choices }),
      reasoning: this.#reasoning.texts(),
      reasoningDeltas: this.#reasoning.deltas(),
      refusal: this.#refusal.texts(),
      toolCalls: this.#toolCalls.map((call) => this.#finalCall(call)),
      ...(this.#toolPlan !== '' && { toolPlan: this.#toolPlan }),
      ...(this.#hostedToolCalls.length > 0 && { hostedToolCalls: [...this.#hostedToolCalls] }),
      finishReason: { ...this.#finishReason },
      usage,
      usageRaw,
      logprobs: structuredClone(this.#logprobs),
      annotations: this.#annotations,
      error,
      terminator,
      badJson,
    }
  }

  #addDeltas(log: DeltaLog, batch: TokenBatch, from: number, to: number): void {
    const text = batch.joined(from, to)
    this.#count(Buffer.byteLength(text))
    log.add(batch, from, to, text)
  }

  #addEvent(event: TokenEvent): void {
    const facts = this.#facts
    switch (event.type) {
      case 'response-metadata':
        facts.id ??= event.id
        facts.model = event.model
        break
      case 'role':
        this.#set(this.#role, event.choice, event.role)
        break
      case 'finish':
        this.#set(this.#finishReason, event.choice, event.reason)
        break
      case 'logprobs':
        this.#addLogprobs(event.choice, event.value)
        break
      case 'plan-delta':
        this.#count(Buffer.byteLength(event.text))
        this.#toolPlan += event.text
        break
      case 'hosted-block':
        this.#count(ENTRY_BYTES + event.blockType.length)
        this.#hostedToolCalls.push({ index: event.index, type: event.blockType })
        break
      case 'tool-input-start':
      case 'tool-input-delta':
      case 'tool-input-end':
        this.#addTool(event)
        break
      case 'error':
        this.#addError(event.error)
        break
      case 'end':
        facts.terminator = event.terminator
        break
    }
  }

  #set(facts: ByChoice<string>, choice: number, value: string): void {
    if (facts[choice] === undefined) this.#count(ENTRY_BYTES)
    facts[choice] = value
  }

  #addLogprobs(choice: number, value: unknown): void {
    if (this.#logprobs[choice] === undefined) this.#count(ENTRY_BYTES)
    const sums = (this.#logprobs[choice] ??= { count: 0, sum: 0 })
    for (const entry of value as readonly unknown[]) {
      const logprob = logprobOf(entry)
      if (logprob === null) continue
      sums.count++
      sums.sum += logprob
    }
  }

  #addTool(event: Extract<TokenEvent, { type: `tool-${string}` }>): void {
    const { choice, index, id } = event
    const key = `${choice} ${index}`
    if (event.type === 'tool-input-start') {
      this.#count(ENTRY_BYTES)
      const { toolName: name, kind } = event
      const call = { choice, index, id, name, arguments: '', ...(kind !== null && { kind }) }
      this.#toolCalls.push(call)
      this.#openCalls.set(key, call)
      return
    }
    const call = this.#openCalls.get(key)
    if (call === undefined) return
    call.id = id
    if (event.type === 'tool-input-delta') {
      this.#count(Buffer.byteLength(event.text))
      call.arguments += event.text
    } else {
      call.name = event.toolName
      this.#openCalls.delete(key)
    }
  }

  #finalCall(call: ToolCall): ToolCall {
    const isOpen = [...this.#openCalls.values()].includes(call)
    if (!this.#hasToolInput || isOpen) return { ...call }
    try {
      // No arguments at all are how a tool without parameters is called.
      return { ...call, input: JSON.parse(call.arguments || '{}') }
    } catch {
      return { ...call }
    }
  }

  #addError({ code, details }: MillraceError): void {
    if (BAD_JSON.includes(code)) this.#facts.badJson++
    if (code !== 'PROVIDER_ERROR') return
    // What came outside of the protocol is reported as an event, but is no part of its message.
    if (details['outsideProtocol'] === true) return
    const { message, type, code: sent, raw } = details as unknown as ProviderErrorFields
    this.#facts.error = { message, type, code: sent, raw }
  }

  /** Counts what is about to be kept. */
  #count(bytes: number): void {
    if (this.#bytes + bytes > this.#finalBytesMax) {
      const finalBytesMax = this.#finalBytesMax
      const message = `final message exceeds finalBytesMax, ${finalBytesMax} bytes`
      throw new MillraceError('FINAL_TOO_LARGE', message, { finalBytesMax })
    }
    this.#bytes += bytes
  }
}

/** Of one token: under one of two names, or the number itself. */
function logprobOf(entry: unknown): number | null {
  const { logprob, logProbability } = Object(entry) as Record<string, unknown>
  const value = logprob ?? logProbability ?? entry
  return typeof value === 'number' ? value : null
}
