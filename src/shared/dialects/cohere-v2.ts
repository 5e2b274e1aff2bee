import type { Dialect } from './dialect.ts'

/** Cohere Chat v2. Its lists hold one element at a time, and without brackets. */
export const cohereV2: Dialect = {
  name: 'cohere-v2',
  framing: 'sse',
  signs: [{ type: 'message-' }, { type: 'content-' }, { type: 'tool-' }],
  payload: 'json',
  sentinels: ['[DONE]'],
  discriminator: 'type',
  end: 'terminator',
  usage: {
    merge: 'last',
    // Not `billed_units`, which leaves out the prompt that Cohere itself adds.
    input: 'tokens.input_tokens',
    output: 'tokens.output_tokens',
  },
  rules: [
    { emit: 'id', path: 'id', on: ['message-start'] },
    { emit: 'role', path: 'delta.message.role', on: ['message-start'] },
    {
      on: ['content-start', 'content-delta'],
      index: 'index',
      rules: [
        { emit: 'text', path: 'delta.message.content.text' },
        { emit: 'reasoning', path: 'delta.message.content.thinking' },
        { emit: 'logprobs', path: 'logprobs.logprobs' },
      ],
    },
    { emit: 'tool-plan', path: 'delta.message.tool_plan', on: ['tool-plan-delta'] },
    {
      on: ['tool-call-start', 'tool-call-delta'],
      index: 'index',
      rules: [
        {
          emit: 'tool',
          id: 'delta.message.tool_calls.id',
          name: 'delta.message.tool_calls.function.name',
          arguments: 'delta.message.tool_calls.function.arguments',
        },
      ],
    },
    { on: ['tool-call-end'], index: 'index', rules: [{ emit: 'block-stop' }] },
    { emit: 'annotation', path: 'delta.message.citations', on: ['citation-start'] },
    {
      on: ['message-end'],
      rules: [
        { emit: 'usage', path: 'delta.usage' },
        { emit: 'error', path: 'delta.error' },
        { emit: 'finish', path: 'delta.finish_reason' },
        { emit: 'end' },
      ],
    },
    { emit: 'error', path: ['error', ''], on: ['error'] },
    // A request that was refused is answered with a message and nothing else.
    { emit: 'error', path: 'message', on: [''] },
  ],
}
