/** The fields table: OpenAI Responses and Assistants. */
import {
  annotation,
  detail,
  end,
  error,
  FAULT,
  fault,
  finish,
  hosted,
  logprobs,
  meta,
  reasoning,
  refusal,
  role,
  type Row,
  safety,
  type Sent,
  signature,
  text,
  toolDelta,
  toolEnd,
  toolStart,
  usage,
} from './case.ts'

const COUNTS = {
  input_tokens: 1,
  output_tokens: 2,
  total_tokens: 3,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens_details: { reasoning_tokens: 5 },
}

const at = (type: string, fields: object): object => {
  return { type: `response.${type}`, output_index: 1, ...fields }
}
const item = (when: 'added' | 'done', fields: object): object => {
  return at(`output_item.${when}`, { item: fields })
}
const message = (...content: object[]): object => item('done', { type: 'message', content })
const response = (type: string, fields: object): object => {
  return { type: `response.${type}`, response: fields }
}
const called = { type: 'function_call', call_id: 'c', name: 'f', arguments: '' }
const custom = { type: 'custom_tool_call', call_id: 'c', name: 'f', input: '' }
const calledStart = toolStart(1, 'c', 'f', 'function_call')
const customStart = toolStart(1, 'c', 'f', 'custom_tool_call')
const input = toolDelta(1, 'c', '{}')
const inputEnd = toolEnd(1, 'c', 'f')

/** Everything that the table reads, under types that it does not name. */
const everything = {
  delta: 'no',
  text: 'no',
  arguments: 'no',
  input: 'no',
  annotation: 'no',
  logprobs: ['no'],
  item: { type: 'function_call', name: 'no', arguments: 'no' },
  response: { status: 'no', incomplete_details: 'no', content_filters: 'no' },
}

export const responses: readonly Row[] = [
  ['type', [everything, { type: 'response.future', ...everything }], []],
  ['type', [['response.output_text.delta', { delta: 'a' }]], [text('a')]],
  ['type', [['response.future', at('output_text.delta', { delta: 'a' })]], [text('a')]],
  ['id / model', [response('created', { id: 'i', model: 'm' })], [meta('i', null), meta('i', 'm')]],
  ['role', [item('added', { type: 'message', role: 'assistant' })], [role('assistant')]],
  ['role', [item('added', { type: 'reasoning', role: 'no' })], []],
  ['text', [at('output_text.delta', { delta: 'a' })], [text('a')]],
  ['text', [message({ type: 'output_text', text: 'a' })], [text('a')]],
  [
    'text',
    [at('output_text.delta', { delta: 'a' }), message({ type: 'output_text', text: 'a' })],
    [text('a')],
  ],
  ['text', [message({ type: 'future', text: 'no', refusal: 'no' })], []],
  // Another item's text is not this one's.
  [
    'choice / block index',
    [
      { type: 'response.output_text.delta', output_index: 0, delta: 'a' },
      message({ type: 'output_text', text: 'b' }),
    ],
    [text('a'), text('b')],
  ],
  ['reasoning', [at('reasoning_summary_text.delta', { delta: 'a' })], [reasoning('a')]],
  ['reasoning', [at('reasoning_text.delta', { delta: 'a' })], [reasoning('a')]],
  ['reasoning', [item('done', { type: 'reasoning', summary: [{ text: 'a' }] })], [reasoning('a')]],
  [
    'reasoning',
    [item('done', { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'a' }] })],
    [reasoning('a')],
  ],
  [
    'reasoning',
    [
      at('reasoning_text.delta', { delta: 'a' }),
      item('done', {
        summary: [{ text: 'a' }],
        content: [{ type: 'reasoning_text', text: 'a' }],
      }),
    ],
    [reasoning('a')],
  ],
  [
    'choice / block index',
    [
      { type: 'response.reasoning_text.delta', output_index: 0, delta: 'a' },
      { type: 'response.refusal.delta', output_index: 0, delta: 'a' },
      item('done', {
        summary: [{ text: 'b' }],
        content: [{ type: 'refusal', refusal: 'b' }],
      }),
    ],
    [reasoning('a'), refusal('a'), reasoning('b'), refusal('b')],
  ],
  ['reasoning', [item('done', { type: 'reasoning', encrypted_content: 's' })], [signature('s', 1)]],
  ['reasoning', [item('done', { type: 'compaction', encrypted_content: 'no' })], []],
  ['refusal', [at('refusal.delta', { delta: 'a' })], [refusal('a')]],
  ['refusal', [message({ type: 'refusal', refusal: 'a' })], [refusal('a')]],
  [
    'refusal',
    [at('refusal.delta', { delta: 'a' }), message({ type: 'refusal', refusal: 'a' })],
    [refusal('a')],
  ],
  [
    'tool',
    [item('added', called), at('function_call_arguments.delta', { delta: '{}' })],
    [calledStart, input],
  ],
  [
    'tool',
    [item('added', called), at('function_call_arguments.done', { arguments: '{}' })],
    [calledStart, input],
  ],
  ['tool', [item('done', { ...called, arguments: '{}' })], [calledStart, input, inputEnd]],
  [
    'tool',
    [item('added', custom), at('custom_tool_call_input.delta', { delta: '{}' })],
    [customStart, input],
  ],
  [
    'tool',
    [item('added', custom), at('custom_tool_call_input.done', { input: '{}' })],
    [customStart, input],
  ],
  ['tool', [item('done', { ...custom, input: '{}' })], [customStart, input, inputEnd]],
  ['tool', [item('done', { ...custom, type: 'mcp_call', arguments: 'no' })], []],
  // Of two that are open, each has its own.
  [
    'choice / block index',
    [
      item('added', called),
      { type: 'response.output_item.added', output_index: 2, item: called },
      at('function_call_arguments.delta', { delta: '{' }),
      at('function_call_arguments.delta', { delta: '}' }),
    ],
    [
      calledStart,
      toolStart(2, 'c', 'f', 'function_call'),
      toolDelta(1, 'c', '{'),
      toolDelta(1, 'c', '}'),
    ],
  ],
  ['hosted block', [item('added', { type: 'web_search_call' })], [hosted(1, 'web_search_call')]],
  ['hosted block', ['message', 'reasoning'].map((type) => item('added', { type })), []],
  [
    'finish reason',
    [response('completed', { status: 'completed' })],
    [finish('completed'), end('response.completed')],
  ],
  [
    'finish reason',
    [response('incomplete', { status: 'incomplete', incomplete_details: { reason: 'r' } })],
    [finish('incomplete'), detail({ reason: 'r' }), end('response.incomplete')],
  ],
  [
    'usage',
    [response('completed', { usage: COUNTS })],
    [
      usage({ input: 1, output: 2, total: 3, cachedInput: 4, reasoning: 5 }, COUNTS),
      end('response.completed'),
    ],
  ],
  [
    'logprobs',
    [at('output_text.delta', { delta: 'a', logprobs: [{ logprob: -1 }] })],
    [text('a'), logprobs({ logprob: -1 })],
  ],
  [
    'citations',
    [at('output_text.annotation.added', { annotation: { type: 'url_citation' } })],
    [annotation({ type: 'url_citation' })],
  ],
  [
    'filter / safety',
    [response('completed', { content_filters: [1] })],
    [safety([1]), end('response.completed')],
  ],
  ['error', [{ type: 'error', error: FAULT }], [fault]],
  [
    'error',
    [{ type: 'error', ...FAULT }],
    [error({ type: 'error', ...FAULT }, { ...FAULT, type: 'error' })],
  ],
  ['error', [{ error: FAULT }], [fault]],
  [
    'error',
    [response('failed', { status: 'failed', error: FAULT })],
    [finish('failed'), fault, end('response.failed')],
  ],
  ['error', [response('created', { error: FAULT })], []],
  ['end', ['[DONE]', at('output_text.delta', { delta: 'no' })], [end('[DONE]')]],
]

const ASSISTANT_COUNTS = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

const part = (fields: object): Sent => {
  return ['thread.message.delta', { delta: { content: [{ index: 0, ...fields }] } }]
}
const step = (...tool_calls: object[]): Sent => {
  const step_details = { type: 'tool_calls', tool_calls }
  return ['thread.run.step.delta', { delta: { step_details } }]
}
const run = (status: string, fields: object = {}): Sent => {
  return [`thread.run.${status}`, { status, ...fields }]
}

const ENDS = ['completed', 'incomplete', 'failed', 'cancelled', 'expired', 'requires_action']

const piece = { index: 1, type: 'function', id: 'c', function: { name: 'f', arguments: '{' } }

const other: Sent = [
  'thread.run.step.delta',
  { delta: { step_details: { type: 'message_creation', tool_calls: [piece] } } },
]
const future: Sent = [
  'thread.future',
  {
    delta: {
      content: [{ type: 'text', text: { value: 'no' } }],
      step_details: { type: 'tool_calls', tool_calls: [piece] },
    },
    status: 'no',
    usage: { total_tokens: 1 },
    incomplete_details: 'no',
    last_error: 'no',
    error: 'no',
  },
]

/** The type of an event is its name alone; there is neither an id nor a role. */
export const assistants: readonly Row[] = [
  ['type', [future], []],
  [
    'choice / block index',
    [step({ ...piece, index: 3 })],
    [toolStart(3, 'c', 'f'), toolDelta(3, 'c', '{')],
  ],
  [
    'choice / block index',
    [part({ index: 3, type: 'text', text: { value: 'a' } })],
    [text('a')],
    [3],
  ],
  ['text', [part({ type: 'text', text: { value: 'a' } })], [text('a')]],
  ['text', [part({ type: 'image_file', text: { value: 'no' }, refusal: 'no' })], []],
  ['refusal', [part({ type: 'refusal', refusal: 'a' })], [refusal('a')]],
  ['tool', [step(piece)], [toolStart(1, 'c', 'f'), toolDelta(1, 'c', '{')]],
  ['tool', [step({ ...piece, type: 'code_interpreter' }), other], []],
  ...ENDS.map((status): Row => ['finish reason', [run(status)], [finish(status)]]),
  [
    'finish reason',
    [['thread.run.incomplete', { incomplete_details: { reason: 'r' } }]],
    [detail({ reason: 'r' })],
  ],
  [
    'usage',
    [['thread.run.completed', { usage: ASSISTANT_COUNTS }]],
    [usage({ input: 1, output: 2, total: 3 }, ASSISTANT_COUNTS)],
  ],
  [
    'citations',
    [part({ type: 'text', text: { annotations: [{ type: 'file_citation' }] } })],
    [annotation({ type: 'file_citation' })],
  ],
  ['error', [run('failed', { last_error: FAULT })], [finish('failed'), fault]],
  ['error', [['error', { error: FAULT }]], [fault]],
  ['error', [['error', FAULT]], [fault]],
  ['end', ['[DONE]', part({ type: 'text', text: { value: 'no' } })], [end('[DONE]')]],
]
