import type { ProviderFailure } from './expected.ts'
import type { Random } from './random.ts'
import { outputTokens, type Script } from './script.ts'
import { jsonString, KEEP_ALIVE, type Said, type WireEvent } from './wire.ts'

/**
 * The script as OpenAI Chat Completions chunks: reasoning, text, then all tool calls at once with
 * their fragments interleaved, finish, usage, `[DONE]`.
 *
 * About 290 bytes an event, evened out by `obfuscation` as at api.openai.com.
 */
export function* openaiChatEvents(
  script: Script,
  random: Random,
  usage: boolean,
): Generator<WireEvent> {
  const chunk = chunkWriter(script, random, usage)
  yield chunk('{"role":"assistant","content":"","refusal":null}', [])

  for (const text of script.reasoning) {
    if (random.oneIn(64)) yield KEEP_ALIVE
    const delta = `{"reasoning_content":${jsonString(text, random)}}`
    yield chunk(delta, [{ kind: 'reasoning', text }])
  }
  for (const text of script.text) {
    if (random.oneIn(64)) yield KEEP_ALIVE
    yield chunk(`{"content":${jsonString(text, random)}}`, [{ kind: 'text', text }])
  }
  for (const { delta, said } of toolDeltas(script, random)) yield chunk(delta, [said])

  const reason = script.toolCalls.length > 0 ? 'tool_calls' : 'stop'
  yield chunk('{}', [{ kind: 'finish', reason }], `"${reason}"`)
  if (usage) yield usageEvent(script, random)
  yield { wire: 'data: [DONE]\n\n', said: [{ kind: 'terminator', name: '[DONE]' }] }
}

/** The event with which the provider gives up in mid-stream. */
export function openaiFailure(failure: ProviderFailure): WireEvent {
  const error = { ...failure, param: null, code: null }
  return {
    wire: `data: ${JSON.stringify({ error })}\n\n`,
    said: [{ kind: 'error', error: failure }],
  }
}

type ChunkWriter = (delta: string, said: readonly Said[], finish?: string) => WireEvent

function chunkWriter(script: Script, random: Random, usage: boolean): ChunkWriter {
  const head = chunkHead(script)
  const usageNull = usage ? ',"usage":null' : ''
  return (delta, said, finish = 'null') => {
    const choice = `{"index":0,"delta":${delta},"finish_reason":${finish}}`
    const padding = random.letters(Math.max(1, 28 - delta.length))
    return {
      wire: `data: ${head}"choices":[${choice}]${usageNull},"obfuscation":"${padding}"}\n\n`,
      said,
    }
  }
}

function chunkHead(script: Script): string {
  return (
    `{"id":"${script.id}","object":"chat.completion.chunk","created":${script.createdSeconds},` +
    `"model":"${script.model}","service_tier":"default","system_fingerprint":null,`
  )
}

interface ToolDelta {
  readonly delta: string
  readonly said: Said
}

/** Every call is opened, then their fragments come in turns of random length. */
function* toolDeltas(script: Script, random: Random): Generator<ToolDelta> {
  for (const [index, { id, name }] of script.toolCalls.entries()) {
    const opening = { index, id, type: 'function', function: { name, arguments: '' } }
    yield {
      delta: JSON.stringify({ tool_calls: [opening] }),
      said: { kind: 'call', index, id, name },
    }
  }
  const queues = script.toolCalls.map((call, index) => ({ index, rest: [...call.fragments] }))
  let open = queues.filter(({ rest }) => rest.length > 0)
  while (open.length > 0) {
    const { index, rest } = random.pick(open)
    for (const text of rest.splice(0, 1 + random.below(3))) {
      const fragment = `{"arguments":${jsonString(text, random)}}`
      yield {
        delta: `{"tool_calls":[{"index":${index},"function":${fragment}}]}`,
        said: { kind: 'arguments', index, text },
      }
    }
    open = open.filter((queue) => queue.rest.length > 0)
  }
}

/** The last chunk before the end, without choices: totals of the whole response. */
function usageEvent(script: Script, random: Random): WireEvent {
  const { inputTokens, cachedInputTokens } = script
  const reasoning = script.reasoning.length
  const output = outputTokens(script)
  const total = inputTokens + output
  const usage = {
    prompt_tokens: inputTokens,
    completion_tokens: output,
    total_tokens: total,
    prompt_tokens_details: { cached_tokens: cachedInputTokens, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
  }
  const padding = random.letters(5)
  return {
    wire:
      `data: ${chunkHead(script)}"choices":[],"usage":${JSON.stringify(usage)},` +
      `"obfuscation":"${padding}"}\n\n`,
    said: [
      {
        kind: 'usage',
        usage: { input: inputTokens, output, total, cachedInput: cachedInputTokens, reasoning },
      },
    ],
  }
}
