/** The fields table: Gemini and its Interactions, Cohere, Ollama. */
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
  plan,
  reasoning,
  role,
  type Row,
  safety,
  type SeenEvent,
  signature,
  sources,
  text,
  toolDelta,
  toolEnd,
  toolStart,
  usage,
} from './case.ts'

const candidate = (fields: object): object => ({ candidates: [fields] })
const parts = (...list: object[]): object => candidate({ content: { parts: list } })

const COUNTS = {
  promptTokenCount: 1,
  candidatesTokenCount: 2,
  totalTokenCount: 3,
  cachedContentTokenCount: 4,
  thoughtsTokenCount: 5,
}
const counts = { input: 1, output: 2, total: 3, cachedInput: 4, reasoning: 5 }

const HOSTED_KEYS = [
  'inlineData',
  'fileData',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
]

const inParts = { jsonPath: '$.a', stringValue: 'x' }

/** `gemini` and `gemini-array`, but for the end. */
export const gemini: readonly Row[] = [
  ['id / model', [{ responseId: 'i', modelVersion: 'm' }], [meta('i', null), meta('i', 'm')]],
  ['role', [candidate({ content: { role: 'model' } })], [role('model')]],
  [
    'choice / block index',
    [{ candidates: [{ index: 2, content: { parts: [{ text: 'a' }] } }] }],
    [text('a', 2)],
  ],
  ['text', [parts({ text: 'a' })], [text('a')]],
  ['reasoning', [parts({ text: 'a', thought: true })], [reasoning('a')]],
  ['reasoning', [parts({ thoughtSignature: 's' })], [signature('s')]],
  ['refusal', [candidate({ finishReason: 'SAFETY' })], [finish('SAFETY')]],
  [
    'tool',
    [
      parts({ functionCall: { id: 'c', name: 'f', args: { a: 1 } } }),
      candidate({ finishReason: 'STOP' }),
    ],
    [toolStart(0, 'c', 'f'), toolDelta(0, 'c', '{"a":1}'), finish('STOP'), toolEnd(0, 'c', 'f')],
  ],
  [
    'tool',
    [
      parts({ functionCall: { name: 'f', partialArgs: [inParts] } }),
      candidate({ finishReason: 'STOP' }),
    ],
    [
      toolStart(0, null, 'f'),
      finish('STOP'),
      toolDelta(0, null, '{"a":"x"}'),
      toolEnd(0, null, 'f'),
    ],
  ],
  ...HOSTED_KEYS.map((key): Row => ['hosted block', [parts({}, { [key]: {} })], [hosted(1, key)]]),
  ['finish reason', [candidate({ finishReason: 'STOP' })], [finish('STOP')]],
  ['finish reason', [candidate({ finishMessage: 'why' })], [detail('why')]],
  ['usage', [{ usageMetadata: COUNTS }], [usage(counts, COUNTS)]],
  [
    'logprobs',
    [candidate({ logprobsResult: { chosenCandidates: [{ logProbability: -1 }] } })],
    [logprobs({ logProbability: -1 })],
  ],
  [
    'citations',
    [
      candidate({
        groundingMetadata: { groundingChunks: [{ web: 1 }], groundingSupports: [{ at: 1 }] },
      }),
    ],
    [annotation({ web: 1 }), sources({ at: 1 })],
  ],
  ...['citationSources', 'citations'].map((key): Row => [
    'citations',
    [candidate({ citationMetadata: { [key]: [{ uri: 'u' }] } })],
    [annotation({ uri: 'u' })],
  ]),
  ['filter / safety', [candidate({ safetyRatings: [{ a: 1 }] })], [safety([{ a: 1 }])]],
  [
    'filter / safety',
    [{ promptFeedback: { blockReason: 'SAFETY' } }],
    [safety({ blockReason: 'SAFETY' }), detail('SAFETY')],
  ],
  ['error', [{ error: FAULT }], [fault]],
]

/** Where events have names. */
export const geminiEvents: readonly Row[] = [
  ['error', [['error', { error: FAULT }]], [fault]],
  ['error', [['error', FAULT]], [fault]],
]

const step = (fields: object): object => {
  return { event_type: 'step.start', index: 1, step: { type: 'function_call', ...fields } }
}
const stepDelta = (type: string, fields: object): object => {
  return { event_type: 'step.delta', index: 1, delta: { type, ...fields } }
}
const interaction = (event: string, fields: object): object => {
  return { event_type: `interaction.${event}`, interaction: fields }
}
const used = step({ id: 'c', name: 'f', arguments: {} })
const usedStart = toolStart(1, 'c', 'f')

const INTERACTION_COUNTS = {
  total_input_tokens: 1,
  total_output_tokens: 2,
  total_tokens: 3,
  total_cached_tokens: 4,
  total_thought_tokens: 5,
}

export const interactions: readonly Row[] = [
  [
    'type',
    [
      {
        event_type: 'future',
        interaction: { status: 'no' },
        step: { type: 'function_call', name: 'no' },
        delta: { type: 'text', text: 'no' },
      },
      stepDelta('future', {
        text: 'no',
        content: { text: 'no' },
        signature: 'no',
        arguments: 'no',
      }),
      step({ type: 'future', id: 'no', name: 'no' }),
    ],
    [],
  ],
  ['id / model', [interaction('created', { id: 'i' })], [meta('i', null)]],
  ['choice / block index', [stepDelta('text', { text: 'a' })], [text('a')], [1]],
  ['text', [stepDelta('text', { text: 'a' })], [text('a')]],
  ['reasoning', [stepDelta('thought_summary', { content: { text: 'a' } })], [reasoning('a')]],
  ['reasoning', [stepDelta('thought_signature', { signature: 's' })], [signature('s', 1)]],
  [
    'tool',
    [
      used,
      stepDelta('arguments_delta', { arguments: '{"a":1}' }),
      { event_type: 'step.stop', index: 1 },
    ],
    [usedStart, toolDelta(1, 'c', '{"a":1}'), toolEnd(1, 'c', 'f')],
  ],
  [
    'tool',
    [step({ id: 'c', name: 'f', arguments: { a: 1 } })],
    [usedStart, toolDelta(1, 'c', '{"a":1}')],
  ],
  ['finish reason', [interaction('completed', { status: 'completed' })], [finish('completed')]],
  [
    'usage',
    [interaction('completed', { usage: INTERACTION_COUNTS })],
    [usage(counts, INTERACTION_COUNTS)],
  ],
  ['error', [interaction('failed', { error: FAULT })], [fault]],
  ['error', [{ error: FAULT }], [fault]],
  ['error', [{ event_type: 'error', error: FAULT }], [fault]],
  ['error', [['error', FAULT]], [fault]],
  ['end', [['done', {}], '[DONE]', stepDelta('text', { text: 'no' })], [end('[DONE]')]],
]

const cohereAt = (type: string, message: object, index = 1): object => {
  return { type, index, delta: { message } }
}
const calls = (fields: object): object => ({ tool_calls: fields })
const COHERE_COUNTS = {
  billed_units: { input_tokens: 9, output_tokens: 9 },
  tokens: { input_tokens: 1, output_tokens: 2 },
}
const cohereEnd = (fields: object): object => ({ type: 'message-end', delta: fields })
const endOfCohere: SeenEvent = end('message-end')

export const cohere: readonly Row[] = [
  [
    'type',
    [
      {
        type: 'future',
        id: 'no',
        message: 'no',
        logprobs: { logprobs: [1] },
        delta: {
          usage: COHERE_COUNTS,
          error: 'no',
          finish_reason: 'no',
          message: {
            role: 'no',
            content: { text: 'no' },
            tool_plan: 'no',
            citations: 'no',
            tool_calls: { id: 'no' },
          },
        },
      },
    ],
    [],
  ],
  ['type', [['message-end', {}]], [endOfCohere]],
  ['id / model', [{ type: 'message-start', id: 'i' }], [meta('i', null)]],
  ['role', [cohereAt('message-start', { role: 'assistant' })], [role('assistant')]],
  [
    'choice / block index',
    [cohereAt('content-delta', { content: { text: 'a' } })],
    [text('a')],
    [1],
  ],
  ['text', [cohereAt('content-start', { content: { text: 'a' } })], [text('a')]],
  ['text', [cohereAt('content-delta', { content: { text: 'a' } })], [text('a')]],
  ['reasoning', [cohereAt('content-delta', { content: { thinking: 'a' } })], [reasoning('a')]],
  ['reasoning', [cohereAt('tool-plan-delta', { tool_plan: 'a' })], [plan('a')]],
  [
    'tool',
    [
      cohereAt('tool-call-start', calls({ id: 'c', function: { name: 'f', arguments: '' } })),
      cohereAt('tool-call-delta', calls({ function: { arguments: '{}' } })),
      { type: 'tool-call-end', index: 1 },
    ],
    [toolStart(1, 'c', 'f'), toolDelta(1, 'c', '{}'), toolEnd(1, 'c', 'f')],
  ],
  ['finish reason', [cohereEnd({ finish_reason: 'COMPLETE' })], [finish('COMPLETE'), endOfCohere]],
  [
    'usage',
    [cohereEnd({ usage: COHERE_COUNTS })],
    [usage({ input: 1, output: 2 }, COHERE_COUNTS), endOfCohere],
  ],
  [
    'logprobs',
    [{ ...cohereAt('content-delta', {}), logprobs: { text: 'a', logprobs: [-1] } }],
    [logprobs(-1)],
  ],
  ['citations', [cohereAt('citation-start', { citations: { a: 1 } })], [annotation({ a: 1 })]],
  ['error', [cohereEnd({ error: 'm' })], [error('m', { message: 'm' }), endOfCohere]],
  ['error', [{ message: 'm' }], [error('m', { message: 'm' })]],
  ['error', [['error', { error: FAULT }]], [fault]],
  ['error', [['error', FAULT]], [fault]],
  ['end', ['[DONE]', cohereAt('content-delta', { content: { text: 'no' } })], [end('[DONE]')]],
]

const OLLAMA_COUNTS = { prompt_eval_count: 1, eval_count: 2 }

const ollamaRows: readonly Row[] = [
  ['id / model', [{ model: 'm' }], [meta(null, 'm')]],
  ['finish reason', [{ done_reason: 'no', ...OLLAMA_COUNTS }], []],
  [
    'finish reason',
    [{ done: true, done_reason: 'stop' }],
    [usage({}, {}), finish('stop'), end('done:true')],
  ],
  [
    'usage',
    [{ done: true, total_duration: 9, eval_duration: 9, ...OLLAMA_COUNTS }],
    [usage({ input: 1, output: 2 }, OLLAMA_COUNTS), end('done:true')],
  ],
  [
    'logprobs',
    [{ logprobs: [{ token: 'a', logprob: -1 }] }],
    [logprobs({ token: 'a', logprob: -1 })],
  ],
  ['error', [{ error: 'm' }], [error('m', { message: 'm' })]],
  ['end', [{ done: true }], [usage({}, {}), end('done:true')]],
]

const ollamaCall = (fields: object): object => ({ message: { tool_calls: [fields] } })

export const ollamaChat: readonly Row[] = [
  ...ollamaRows,
  ['role', [{ message: { role: 'assistant' } }], [role('assistant')]],
  ['text', [{ message: { content: 'a' } }], [text('a')]],
  ['reasoning', [{ message: { thinking: 'a' } }], [reasoning('a')]],
  ['reasoning', [{ message: { thinking: '' } }], []],
  [
    'tool',
    [ollamaCall({ id: 'c', function: { index: 7, name: 'f', arguments: { a: 1 } } })],
    [toolStart(0, 'c', 'f'), toolDelta(0, 'c', '{"a":1}')],
  ],
]

export const ollamaGenerate: readonly Row[] = [
  ...ollamaRows,
  ['text', [{ response: 'a' }], [text('a')]],
  ['reasoning', [{ thinking: 'a' }], [reasoning('a')]],
  ['reasoning', [{ thinking: '' }], []],
]
