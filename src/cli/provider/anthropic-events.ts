import type { ProviderFailure } from './expected.ts'
import type { Random } from './random.ts'
import { outputTokens, type Script, type ScriptedCall } from './script.ts'
import { jsonString, KEEP_ALIVE, type Said, type WireEvent } from './wire.ts'

/**
 * The script as Anthropic Messages events: a thinking block with its signature, a text block, then
 * one tool_use block a call, in turn, since this protocol opens one block at a time.
 *
 * Pings anywhere, and blanks before the closing brace, as at api.anthropic.com.
 */
export function* anthropicEvents(
  script: Script,
  random: Random,
  usage: boolean,
): Generator<WireEvent> {
  yield messageStart(script, random)
  let index = 0
  if (script.reasoning.length > 0) yield* thinkingBlock(script, random, index++)
  if (script.text.length > 0) yield* textBlock(script, random, index++)
  for (const call of script.toolCalls) yield* toolBlock(call, random, index++)
  yield messageDelta(script, random, usage)
  yield typed('message_stop', '', random, [{ kind: 'terminator', name: 'message_stop' }])
}

/** The event with which the provider gives up in mid-stream. */
export function anthropicFailure(failure: ProviderFailure): WireEvent {
  return {
    wire: `event: error\ndata: ${JSON.stringify({ type: 'error', error: failure })}\n\n`,
    said: [{ kind: 'error', error: failure }],
  }
}

const PING: WireEvent = { wire: 'event: ping\ndata: {"type": "ping"}\n\n', said: [] }

function typed(type: string, rest: string, random: Random, said: readonly Said[]): WireEvent {
  const blanks = ' '.repeat(random.below(16))
  return { wire: `event: ${type}\ndata: {"type":"${type}"${rest}${blanks}}\n\n`, said }
}

function messageStart(script: Script, random: Random): WireEvent {
  const message = {
    model: script.model,
    id: script.id,
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageFields(script, 1),
  }
  const rest = `,"message":${JSON.stringify(message)}`
  return typed('message_start', rest, random, [usageSaid(script, 1)])
}

function usageFields(script: Script, output: number): Record<string, number> {
  return {
    input_tokens: script.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: script.cachedInputTokens,
    output_tokens: output,
  }
}

function usageSaid(script: Script, output: number): Said {
  const { inputTokens: input, cachedInputTokens: cachedInput } = script
  return { kind: 'usage', usage: { input, output, total: null, cachedInput, reasoning: null } }
}

function blockStart(index: number, block: object, random: Random, said: Said[] = []): WireEvent {
  const rest = `,"index":${index},"content_block":${JSON.stringify(block)}`
  return typed('content_block_start', rest, random, said)
}

/** `value` is JSON already: its spelling matters. */
function blockDelta(
  index: number,
  type: string,
  field: string,
  value: string,
  random: Random,
  said: readonly Said[],
): WireEvent {
  const rest = `,"index":${index},"delta":{"type":"${type}","${field}":${value}}`
  return typed('content_block_delta', rest, random, said)
}

function blockStop(index: number, random: Random): WireEvent {
  return typed('content_block_stop', `,"index":${index}`, random, [])
}

function* thinkingBlock(script: Script, random: Random, index: number): Generator<WireEvent> {
  yield blockStart(index, { type: 'thinking', thinking: '', signature: '' }, random)
  yield PING
  for (const text of script.reasoning) {
    if (random.oneIn(64)) yield PING
    const said: Said = { kind: 'reasoning', text }
    yield blockDelta(index, 'thinking_delta', 'thinking', jsonString(text, random), random, [said])
  }
  const text = script.signature
  yield blockDelta(index, 'signature_delta', 'signature', `"${text}"`, random, [
    { kind: 'signature', text },
  ])
  yield blockStop(index, random)
}

function* textBlock(script: Script, random: Random, index: number): Generator<WireEvent> {
  yield blockStart(index, { type: 'text', text: '' }, random)
  yield PING
  for (const text of script.text) {
    if (random.oneIn(64)) yield random.oneIn(2) ? PING : KEEP_ALIVE
    const said: Said = { kind: 'text', text }
    yield blockDelta(index, 'text_delta', 'text', jsonString(text, random), random, [said])
  }
  yield blockStop(index, random)
}

function* toolBlock(call: ScriptedCall, random: Random, index: number): Generator<WireEvent> {
  const { id, name } = call
  const block = { type: 'tool_use', id, name, input: {} }
  yield blockStart(index, block, random, [{ kind: 'call', index, id, name }])
  // The first fragment is empty in most recordings.
  yield blockDelta(index, 'input_json_delta', 'partial_json', '""', random, [])
  for (const text of call.fragments) {
    const said: Said = { kind: 'arguments', index, text }
    const json = jsonString(text, random)
    yield blockDelta(index, 'input_json_delta', 'partial_json', json, random, [said])
  }
  yield blockStop(index, random)
}

/** Stop reason and totals. Without usage, the counts of `message_start` stay the last word. */
function messageDelta(script: Script, random: Random, usage: boolean): WireEvent {
  const reason = script.toolCalls.length > 0 ? 'tool_use' : 'end_turn'
  const delta = `,"delta":{"stop_reason":"${reason}","stop_sequence":null}`
  const finish: Said = { kind: 'finish', reason }
  if (!usage) return typed('message_delta', delta, random, [finish])
  const output = outputTokens(script)
  const rest = `${delta},"usage":${JSON.stringify(usageFields(script, output))}`
  return typed('message_delta', rest, random, [finish, usageSaid(script, output)])
}
