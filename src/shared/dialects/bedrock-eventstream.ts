import { anthropic } from './anthropic.ts'
import type { Dialect, Rule } from './dialect.ts'

/** A content block of Converse. @param at - Where it lies, ending in a dot, or ''. */
function deltaRules(at: string): readonly Rule[] {
  const reasoning = `${at}delta.reasoningContent`
  return [
    { emit: 'text', path: `${at}delta.text` },
    { emit: 'reasoning', path: `${reasoning}.text` },
    { emit: 'signature', path: `${reasoning}.signature` },
    { emit: 'signature', path: `${reasoning}.redactedContent` },
    { emit: 'tool', arguments: `${at}delta.toolUse.input` },
    { emit: 'annotation', path: `${at}delta.citation` },
  ]
}

function startRules(at: string): readonly Rule[] {
  return [{ emit: 'tool', id: `${at}start.toolUse.toolUseId`, name: `${at}start.toolUse.name` }]
}

/** ConverseStream: the type of an event is in the frame's header. Usage comes after the end. */
const converse: readonly Rule[] = [
  { emit: 'role', path: 'role', on: ['messageStart'] },
  { on: ['contentBlockStart'], index: 'contentBlockIndex', rules: startRules('') },
  { on: ['contentBlockDelta'], index: 'contentBlockIndex', rules: deltaRules('') },
  { on: ['contentBlockStop'], index: 'contentBlockIndex', rules: [{ emit: 'block-stop' }] },
  {
    on: ['messageStop'],
    rules: [
      { emit: 'finish', path: 'stopReason' },
      { emit: 'finish-detail', path: 'additionalModelResponseFields' },
      { emit: 'end' },
    ],
  },
  { emit: 'usage', path: 'usage', on: ['metadata'] },
  { emit: 'safety', path: 'trace.guardrail', on: ['metadata'] },
]

/** Vendors of InvokeModel whose payloads have no type; each is known by its keys. */
const untyped: readonly Rule[] = [
  // Nova: the shapes of Converse, each under its type.
  { index: 'contentBlockStart.contentBlockIndex', rules: startRules('contentBlockStart.') },
  { index: 'contentBlockDelta.contentBlockIndex', rules: deltaRules('contentBlockDelta.') },
  { emit: 'finish', path: 'messageStop.stopReason' },
  // Titan.
  { emit: 'text', path: 'outputText' },
  { emit: 'finish', path: 'completionReason' },
  // Llama.
  { emit: 'text', path: 'generation' },
  { emit: 'finish', path: 'stop_reason' },
  // Cohere Command.
  { emit: 'text', path: 'text' },
  { emit: 'finish', path: 'finish_reason' },
  // Mistral.
  {
    each: 'outputs',
    rules: [
      { emit: 'text', path: 'text' },
      { emit: 'finish', path: 'stop_reason' },
    ],
  },
  { emit: 'safety', path: 'amazon-bedrock-trace' },
]

/** Bedrock: ConverseStream, and InvokeModelWithResponseStream around a vendor's own payloads. */
export const bedrockEventstream: Dialect = {
  name: 'bedrock-eventstream',
  framing: 'aws-eventstream',
  payload: 'json',
  wrapped: { on: 'chunk', path: 'bytes' },
  discriminator: 'type',
  end: 'finish',
  trailer: true,
  usage: {
    merge: 'fields',
    input: ['inputTokens', 'input_tokens'],
    output: ['outputTokens', 'output_tokens'],
    total: 'totalTokens',
    cachedInput: ['cacheReadInputTokens', 'cache_read_input_tokens'],
  },
  rules: [...converse, ...anthropic.rules, { on: [''], rules: untyped }],
}
