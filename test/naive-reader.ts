import type { ExpectedCall, ExpectedMessage } from '../src/cli/provider/expected.ts'
import type { BundledStream } from '../src/cli/provider/streams.ts'

/** What the naive reader sees: an {@link ExpectedMessage} but for what only a generator knows. */
export type SeenMessage = Omit<ExpectedMessage, 'tokenKinds' | 'tokenEnds' | 'error'> & {
  readonly error: unknown
  /** Whether nothing follows the last blank line. */
  readonly complete: boolean
}

/**
 * A second opinion on a bundled stream: split at blank lines, `JSON.parse`, add up.
 *
 * Takes its values from the bytes alone, so it disagrees wherever a generator wrote something else
 * than it claims. Knows the bundled dialects' happy path and nothing of real providers' quirks.
 */
export function readNaively({
  dialect,
  bytes,
}: Pick<BundledStream, 'dialect' | 'bytes'>): SeenMessage {
  const wire = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const blocks = wire.replaceAll('\r\n', '\n').split('\n\n')
  const seen = new Seen(blocks.pop() === '')
  for (const block of blocks) {
    if (block.startsWith(':')) {
      seen.comments += 1
      continue
    }
    seen.events += 1
    const data = block.replace(/^event: .*\n/, '').replace(/^data: /, '')
    if (data === '[DONE]') seen.terminator = data
    else if (dialect === 'openai-chat') seen.chatChunk(JSON.parse(data))
    else seen.anthropicEvent(JSON.parse(data))
  }
  const { calls, ...message } = seen
  return { ...message, toolCalls: [...calls.values()] }
}

type Key = string | number

/** The value at a path, or undefined where the path leaves the JSON. */
function at(value: unknown, ...path: Key[]): unknown {
  let here = value
  for (const key of path) here = (here as Record<Key, unknown> | null | undefined)?.[key]
  return here
}

function textAt(value: unknown, ...path: Key[]): string {
  const text = at(value, ...path)
  return typeof text === 'string' ? text : ''
}

const numberAt = (value: unknown, ...path: Key[]): number => Number(at(value, ...path))

type OpenCall = { -readonly [K in keyof ExpectedCall]: ExpectedCall[K] }

class Seen {
  readonly complete: boolean
  events = 0
  comments = 0
  id = ''
  model = ''
  role = ''
  text = ''
  reasoning = ''
  signature = ''
  tokens: string[] = []
  calls: Map<number, OpenCall> = new Map()
  finishReason: string | null = null
  usage: ExpectedMessage['usage'] = null
  error: unknown = null
  terminator: string | null = null

  constructor(complete: boolean) {
    this.complete = complete
  }

  chatChunk(chunk: unknown): void {
    const error = at(chunk, 'error')
    if (error !== undefined) {
      this.error = { type: at(error, 'type'), message: at(error, 'message') }
      return
    }
    this.id = textAt(chunk, 'id')
    this.model = textAt(chunk, 'model')
    const delta = at(chunk, 'choices', 0, 'delta')
    this.role ||= textAt(delta, 'role')
    this.#say('text', textAt(delta, 'content'))
    this.#say('reasoning', textAt(delta, 'reasoning_content'))
    const call = at(delta, 'tool_calls', 0)
    if (call !== undefined) this.#chatCall(call)
    this.finishReason ??= textAt(chunk, 'choices', 0, 'finish_reason') || null
    if (at(chunk, 'usage')) this.#chatUsage(at(chunk, 'usage'))
  }

  anthropicEvent(event: unknown): void {
    const index = numberAt(event, 'index')
    const delta = at(event, 'delta')
    switch (at(event, 'type')) {
      case 'message_start':
        this.id = textAt(event, 'message', 'id')
        this.model = textAt(event, 'message', 'model')
        this.role = textAt(event, 'message', 'role')
        return this.#anthropicUsage(at(event, 'message', 'usage'))
      case 'content_block_start':
        if (at(event, 'content_block', 'type') !== 'tool_use') return
        return this.#open(index, at(event, 'content_block'), at(event, 'content_block', 'name'))
      case 'content_block_delta':
        this.#say('text', textAt(delta, 'text'))
        this.#say('reasoning', textAt(delta, 'thinking'))
        this.#argument(index, textAt(delta, 'partial_json'))
        this.signature += textAt(delta, 'signature')
        return
      case 'message_delta':
        this.finishReason = textAt(delta, 'stop_reason')
        return this.#anthropicUsage(at(event, 'usage'))
      case 'message_stop':
        this.terminator = 'message_stop'
        return
      case 'error':
        this.error = at(event, 'error')
    }
  }

  #chatCall(call: unknown): void {
    const index = numberAt(call, 'index')
    if (at(call, 'id') !== undefined) this.#open(index, call, at(call, 'function', 'name'))
    this.#argument(index, textAt(call, 'function', 'arguments'))
  }

  #chatUsage(usage: unknown): void {
    this.usage = {
      input: numberAt(usage, 'prompt_tokens'),
      output: numberAt(usage, 'completion_tokens'),
      total: numberAt(usage, 'total_tokens'),
      cachedInput: numberAt(usage, 'prompt_tokens_details', 'cached_tokens'),
      reasoning: numberAt(usage, 'completion_tokens_details', 'reasoning_tokens'),
    }
  }

  #anthropicUsage(usage: unknown): void {
    if (usage === undefined) return
    this.usage = {
      input: numberAt(usage, 'input_tokens'),
      output: numberAt(usage, 'output_tokens'),
      total: null,
      cachedInput: numberAt(usage, 'cache_read_input_tokens'),
      reasoning: null,
    }
  }

  #open(index: number, call: unknown, name: unknown): void {
    this.calls.set(index, { index, id: textAt(call, 'id'), name: String(name), arguments: '' })
  }

  #say(kind: 'text' | 'reasoning', text: string): void {
    if (text === '') return
    this[kind] += text
    this.tokens.push(text)
  }

  #argument(index: number, text: string): void {
    const call = this.calls.get(index)
    if (text === '' || call === undefined) return
    call.arguments += text
    this.tokens.push(text)
  }
}
