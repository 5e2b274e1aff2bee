import type { Dialect } from './dialect.ts'

/** Gemini's Interactions: steps with an index, each filled by deltas. */
export const geminiInteractions: Dialect = {
  name: 'gemini-interactions',
  framing: 'sse',
  signs: [{ type: 'interaction.' }, { type: 'step.' }],
  payload: 'json',
  sentinels: ['[DONE]'],
  discriminator: 'event_type',
  end: 'terminator',
  usage: {
    merge: 'last',
    input: 'total_input_tokens',
    output: 'total_output_tokens',
    total: 'total_tokens',
    cachedInput: 'total_cached_tokens',
    reasoning: 'total_thought_tokens',
  },
  rules: [
    { emit: 'id', path: 'interaction.id' },
    {
      on: ['step.start'],
      index: 'index',
      when: { 'step.type': ['function_call'] },
      rules: [
        {
          emit: 'tool',
          id: 'step.id',
          name: 'step.name',
          input: 'step.arguments',
          skipEmpty: true,
        },
      ],
    },
    {
      on: ['step.delta'],
      index: 'index',
      rules: [
        { emit: 'text', path: 'delta.text', when: { 'delta.type': ['text'] } },
        {
          emit: 'reasoning',
          path: 'delta.content.text',
          when: { 'delta.type': ['thought_summary'] },
        },
        {
          emit: 'signature',
          path: 'delta.signature',
          when: { 'delta.type': ['thought_signature'] },
        },
        { emit: 'tool', arguments: 'delta.arguments', when: { 'delta.type': ['arguments_delta'] } },
      ],
    },
    { on: ['step.stop'], index: 'index', rules: [{ emit: 'block-stop' }] },
    { emit: 'usage', path: 'interaction.usage' },
    { emit: 'finish', path: 'interaction.status', on: ['interaction.completed'] },
    { emit: 'error', path: 'interaction.error' },
    { emit: 'error', path: 'error', off: ['error'] },
    { emit: 'error', path: ['error', ''], on: ['error'] },
  ],
}
