import type { Dialect } from './dialect.ts'

/** Items of the output that the deltas of a client's tool fill. */
const CALL_TYPES = ['function_call', 'custom_tool_call']
/** Items that are told by their content; of every other the type is. */
const FILLED_TYPES = ['message', 'reasoning', ...CALL_TYPES]

const ENDS = ['response.completed', 'response.incomplete', 'response.failed']

/**
 * OpenAI Responses, and its family: Azure, xAI, DeepSeek, OpenRouter, LM Studio.
 *
 * An item is known by its `output_index`: ids rotate at some servers. What its `done` event repeats
 * counts where no delta of it came. Types that the table does not name are ignored: new ones appear
 * all the time.
 */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  framing: 'sse',
  signs: [{ type: 'response.' }],
  payload: 'json',
  // OpenRouter adds it.
  sentinels: ['[DONE]'],
  discriminator: 'type',
  end: 'terminator',
  usage: {
    merge: 'last',
    input: 'input_tokens',
    output: 'output_tokens',
    total: 'total_tokens',
    cachedInput: 'input_tokens_details.cached_tokens',
    reasoning: 'output_tokens_details.reasoning_tokens',
  },
  rules: [
    { emit: 'id', path: 'response.id' },
    { emit: 'model', path: 'response.model' },
    {
      on: ['response.output_item.added'],
      index: 'output_index',
      rules: [
        { emit: 'role', path: 'item.role', when: { 'item.type': ['message'] } },
        { emit: 'hosted-block', path: 'item.type', unless: { 'item.type': FILLED_TYPES } },
      ],
    },
    {
      on: ['response.output_text.delta'],
      index: 'output_index',
      rules: [
        { emit: 'text', path: 'delta' },
        { emit: 'logprobs', path: 'logprobs' },
      ],
    },
    {
      on: ['response.reasoning_summary_text.delta', 'response.reasoning_text.delta'],
      index: 'output_index',
      rules: [{ emit: 'reasoning', path: 'delta' }],
    },
    {
      on: ['response.refusal.delta'],
      index: 'output_index',
      rules: [{ emit: 'refusal', path: 'delta' }],
    },
    {
      on: ['response.function_call_arguments.delta', 'response.custom_tool_call_input.delta'],
      index: 'output_index',
      rules: [{ emit: 'tool', arguments: 'delta' }],
    },
    {
      on: ['response.function_call_arguments.done'],
      index: 'output_index',
      rules: [{ emit: 'tool', input: 'arguments' }],
    },
    {
      on: ['response.custom_tool_call_input.done'],
      index: 'output_index',
      rules: [{ emit: 'tool', input: 'input' }],
    },
    {
      on: ['response.output_item.added', 'response.output_item.done'],
      index: 'output_index',
      rules: [
        {
          emit: 'tool',
          kind: 'item.type',
          id: 'item.call_id',
          name: 'item.name',
          input: 'item.arguments',
          when: { 'item.type': ['function_call'] },
        },
        {
          emit: 'tool',
          kind: 'item.type',
          id: 'item.call_id',
          name: 'item.name',
          input: 'item.input',
          when: { 'item.type': ['custom_tool_call'] },
        },
      ],
    },
    {
      on: ['response.output_item.done'],
      index: 'output_index',
      rules: [
        {
          each: 'item.summary',
          rules: [{ emit: 'reasoning', path: 'text', whole: true }],
        },
        {
          each: 'item.content',
          rules: [
            { emit: 'reasoning', path: 'text', when: { type: ['reasoning_text'] }, whole: true },
            { emit: 'text', path: 'text', when: { type: ['output_text'] }, whole: true },
            { emit: 'refusal', path: 'refusal', when: { type: ['refusal'] }, whole: true },
          ],
        },
        { emit: 'signature', path: 'item.encrypted_content', when: { 'item.type': ['reasoning'] } },
        { emit: 'block-stop' },
      ],
    },
    {
      emit: 'annotation',
      path: 'annotation',
      on: ['response.output_text.annotation.added'],
    },
    { emit: 'usage', path: 'response.usage' },
    { emit: 'safety', path: 'response.content_filters', on: ENDS },
    { emit: 'finish', path: 'response.status', on: ENDS },
    { emit: 'finish-detail', path: 'response.incomplete_details', on: ENDS },
    { emit: 'error', path: 'response.error', on: ['response.failed'] },
    { emit: 'error', path: 'error', off: ['error'] },
    // Nested at OpenAI, flat at others.
    { emit: 'error', path: ['error', ''], on: ['error'] },
    { emit: 'end', on: ENDS },
  ],
}
