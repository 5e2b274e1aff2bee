import { type Dialect, POSITION, type Rule } from './dialect.ts'

const TOOL_TYPES = ['tool_use', 'server_tool_use', 'mcp_tool_use']
/** Blocks that deltas fill; of every other the type is reported. */
const FILLED_TYPES = ['text', 'thinking', ...TOOL_TYPES]

/**
 * A content block: whole, as the result of a hosted tool is, or about to be filled by deltas.
 *
 * @param at - Where the block lies, ending in a dot, or ''.
 */
function blockRules(at: string): readonly Rule[] {
  const type = `${at}type`
  return [
    { emit: 'text', path: `${at}text`, when: { [type]: ['text'] } },
    { emit: 'reasoning', path: `${at}thinking`, when: { [type]: ['thinking'] }, skipEmpty: true },
    { emit: 'signature', path: `${at}signature`, when: { [type]: ['thinking'] } },
    { emit: 'signature', path: `${at}data`, when: { [type]: ['redacted_thinking'] } },
    {
      emit: 'tool',
      kind: type,
      id: `${at}id`,
      name: `${at}name`,
      input: `${at}input`,
      skipEmpty: true,
      when: { [type]: TOOL_TYPES },
    },
    { emit: 'hosted-block', path: type, unless: { [type]: FILLED_TYPES } },
  ]
}

/** Anthropic Messages. Types that the table does not name are ignored, as the API asks. */
export const anthropic: Dialect = {
  name: 'anthropic',
  framing: 'sse',
  signs: [{ type: 'message_' }, { type: 'content_block_' }],
  payload: 'json',
  discriminator: 'type',
  end: 'terminator',
  usage: {
    merge: 'fields',
    input: 'input_tokens',
    output: 'output_tokens',
    cachedInput: 'cache_read_input_tokens',
  },
  toolInput: true,
  rules: [
    {
      on: ['message_start'],
      rules: [
        { emit: 'id', path: 'message.id' },
        { emit: 'model', path: 'message.model' },
        { emit: 'role', path: 'message.role' },
        // Empty but where a tool was called programmatically: then the message comes whole.
        { each: 'message.content', index: POSITION, rules: blockRules('') },
        { emit: 'finish', path: 'message.stop_reason' },
        { emit: 'usage', path: 'message.usage' },
      ],
    },
    { on: ['content_block_start'], index: 'index', rules: blockRules('content_block.') },
    {
      on: ['content_block_delta'],
      index: 'index',
      rules: [
        { emit: 'text', path: 'delta.text', when: { 'delta.type': ['text_delta'] } },
        { emit: 'reasoning', path: 'delta.thinking', when: { 'delta.type': ['thinking_delta'] } },
        { emit: 'signature', path: 'delta.signature', when: { 'delta.type': ['signature_delta'] } },
        {
          emit: 'tool',
          arguments: 'delta.partial_json',
          when: { 'delta.type': ['input_json_delta'] },
        },
        { emit: 'annotation', path: 'delta.citation', when: { 'delta.type': ['citations_delta'] } },
      ],
    },
    { on: ['content_block_stop'], index: 'index', rules: [{ emit: 'block-stop' }] },
    { emit: 'finish', path: 'delta.stop_reason', on: ['message_delta'] },
    { emit: 'finish-detail', path: 'delta.stop_sequence', on: ['message_delta'] },
    { emit: 'finish-detail', path: 'delta.stop_details', on: ['message_delta'] },
    { emit: 'usage', path: 'usage', on: ['message_delta'] },
    { emit: 'request-id', path: 'request_id', on: ['error'] },
    { emit: 'error', path: 'error', off: ['error'] },
    { emit: 'error', path: ['error', ''], on: ['error'] },
    { emit: 'end', on: ['message_stop'] },
  ],
}
