import type { Dialect } from './dialect.ts'

const ENDS = ['completed', 'incomplete', 'failed', 'cancelled', 'expired', 'requires_action'].map(
  (status) => `thread.run.${status}`,
)

/** OpenAI Assistants: the type of an event is its SSE name. */
export const openaiAssistants: Dialect = {
  name: 'openai-assistants',
  framing: 'sse',
  signs: [{ type: 'thread.' }],
  payload: 'json',
  sentinels: ['[DONE]'],
  end: 'terminator',
  usage: {
    merge: 'last',
    input: 'prompt_tokens',
    output: 'completion_tokens',
    total: 'total_tokens',
  },
  rules: [
    {
      on: ['thread.message.delta'],
      rules: [
        {
          each: 'delta.content',
          index: 'index',
          rules: [
            { emit: 'text', path: 'text.value', when: { type: ['text'] } },
            { emit: 'refusal', path: 'refusal', when: { type: ['refusal'] } },
            { each: 'text.annotations', rules: [{ emit: 'annotation', path: '' }] },
          ],
        },
      ],
    },
    {
      on: ['thread.run.step.delta'],
      rules: [
        {
          each: 'delta.step_details.tool_calls',
          index: 'index',
          when: { 'delta.step_details.type': ['tool_calls'] },
          rules: [
            {
              emit: 'tool',
              id: 'id',
              name: 'function.name',
              arguments: 'function.arguments',
              when: { type: ['function'] },
            },
          ],
        },
      ],
    },
    // Each step has its own, too; the run's is the sum.
    { emit: 'usage', path: 'usage', on: ENDS },
    { emit: 'finish', path: 'status', on: ENDS },
    { emit: 'finish-detail', path: 'incomplete_details', on: ENDS },
    { emit: 'error', path: 'last_error', on: ['thread.run.failed'] },
    { emit: 'error', path: ['error', ''], on: ['error'] },
  ],
}
