/** The fields table: OpenAI Chat and its family, Completions, the bare form. */
import {
  annotation,
  detail,
  end,
  error,
  FAULT,
  fault,
  finish,
  logprobs,
  meta,
  reasoning,
  refusal,
  role,
  type Row,
  safety,
  signature,
  sources,
  text,
  toolDelta,
  toolEnd,
  toolStart,
  usage,
} from './case.ts'

const chunk = (choice: object): object => ({ choices: [{ index: 0, delta: {}, ...choice }] })
const delta = (fields: object): object => chunk({ delta: fields })
const details = (...list: object[]): object => delta({ reasoning_details: list })
const thought = (...list: object[]): object => ({ type: 'thinking', thinking: list })

const COUNTS = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 5 },
}
const counted = usage({ input: 1, output: 2, total: 3, cachedInput: 4, reasoning: 5 }, COUNTS)
const CACHE_HIT = { prompt_cache_hit_tokens: 4 }

export const chat: readonly Row[] = [
  ['id / model', [{ id: 'i', model: 'm' }], [meta('i', null), meta('i', 'm')]],
  ['role', [delta({ role: 'assistant' })], [role('assistant')]],
  ['choice / block index', [chunk({ index: 2, delta: { content: 'a' } })], [text('a', 2)]],
  ['text', [delta({ content: 'a' })], [text('a')]],
  ['text', [delta({ content: [{ type: 'text', text: 'a' }] })], [text('a')]],
  ['text', [delta({ content: [{ type: 'future', text: 'no', thinking: [{ text: 'no' }] }] })], []],
  ['text', [chunk({ text: 'no', message: { content: 'no' } })], []],
  ['reasoning', [delta({ reasoning_content: 'a', reasoning: 'no' })], [reasoning('a')]],
  ['reasoning', [delta({ reasoning: 'a', reasoning_text: 'no' })], [reasoning('a')]],
  ['reasoning', [delta({ reasoning_text: 'a' })], [reasoning('a')]],
  ['reasoning', [delta({ content: [thought({ type: 'text', text: 'a' })] })], [reasoning('a')]],
  ['reasoning', [details({ text: 'a' }), details({ text: 'b' })], [reasoning('a'), reasoning('b')]],
  ['reasoning', [details({ summary: 'a' })], [reasoning('a')]],
  ['reasoning', [delta({ reasoning: 'a', reasoning_details: [{ text: 'a' }] })], [reasoning('a')]],
  ['reasoning', [details({ type: 'reasoning.encrypted', data: 'd' })], [signature('d')]],
  ['reasoning', [details({ signature: 's', data: 'no' })], [signature('s')]],
  ['refusal', [delta({ refusal: 'no' })], [refusal('no')]],
  [
    'tool',
    [delta({ tool_calls: [{ index: 1, id: 'c', function: { name: 'f', arguments: '{' } }] })],
    [toolStart(1, 'c', 'f'), toolDelta(1, 'c', '{')],
  ],
  [
    'tool',
    [delta({ tool_calls: [{ id: 'c', function: { name: 'f', arguments: { a: 1 } } }] })],
    [toolStart(0, 'c', 'f'), toolDelta(0, 'c', '{"a":1}')],
  ],
  [
    'tool',
    [delta({ function_call: { name: 'f' } }), delta({ function_call: { arguments: '{' } })],
    [toolStart(0, null, 'f'), toolDelta(0, null, '{')],
  ],
  ['finish reason', [chunk({ finish_reason: 'stop' })], [finish('stop')]],
  ['finish reason', [chunk({ native_finish_reason: 'STOP' })], [detail('STOP')]],
  ['usage', [{ usage: COUNTS }], [counted]],
  ['usage', [{ usage: CACHE_HIT }], [usage({ cachedInput: 4 }, CACHE_HIT)]],
  ['usage', [{ x_groq: { usage: COUNTS } }], [counted]],
  ['usage', [chunk({ usage: COUNTS })], [counted]],
  ['logprobs', [chunk({ logprobs: { content: [{ logprob: -1 }] } })], [logprobs({ logprob: -1 })]],
  ['logprobs', [chunk({ logprobs: { refusal: [{ logprob: -1 }] } })], [logprobs({ logprob: -1 })]],
  [
    'citations',
    [delta({ annotations: [{ url_citation: { url: 'u' } }] })],
    [annotation({ url_citation: { url: 'u' } })],
  ],
  ['citations', [{ citations: ['u'] }], [sources('u')]],
  ['citations', [{ search_results: [{ url: 'u' }] }], [sources({ url: 'u' })]],
  ['filter / safety', [chunk({ content_filter_results: { a: 1 } })], [safety({ a: 1 })]],
  ['filter / safety', [{ choices: [], prompt_filter_results: [1] }], [safety([1])]],
  ['error', [{ error: FAULT }], [fault]],
  ['error', [{ error: 'm' }], [error('m', { message: 'm' })]],
  ['error', [chunk({ error: FAULT })], [fault]],
  ['error', [['error', { error: FAULT }]], [fault]],
  ['error', [['error', FAULT]], [fault]],
  ['error', [{ ...FAULT, object: 'error' }], [error({ ...FAULT, object: 'error' }, FAULT)]],
  [
    'end',
    [
      delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f' } }] }),
      '[DONE]',
      delta({ content: 'no' }),
    ],
    [toolStart(0, 'c', 'f'), toolEnd(0, 'c', 'f'), end('[DONE]')],
  ],
]

const said = (fields: object): object => ({ choices: [{ index: 0, ...fields }] })

export const completions: readonly Row[] = [
  ['id / model', [{ id: 'i', model: 'm' }], [meta('i', null), meta('i', 'm')]],
  ['choice / block index', [said({ index: 2, text: 'a' })], [text('a', 2)]],
  ['text', [said({ text: 'a' })], [text('a')]],
  ['finish reason', [said({ text: '', finish_reason: 'length' })], [text(''), finish('length')]],
  ['usage', [{ usage: COUNTS }], [counted]],
  ['usage', [{ usage: CACHE_HIT }], [usage({ cachedInput: 4 }, CACHE_HIT)]],
  ['logprobs', [said({ logprobs: { token_logprobs: [-1] } })], [logprobs(-1)]],
  ['logprobs', [said({ logprobs: { content: [{ logprob: -1 }] } })], [logprobs({ logprob: -1 })]],
  ['filter / safety', [said({ content_filter_results: { a: 1 } })], [safety({ a: 1 })]],
  ['filter / safety', [{ choices: [], prompt_filter_results: [1] }], [safety([1])]],
  ['error', [{ error: FAULT }], [fault]],
  ['error', [['error', { error: FAULT }]], [fault]],
  ['error', [['error', FAULT]], [fault]],
  ['end', ['[DONE]', said({ text: 'no' })], [end('[DONE]')]],
]

/** `text` and `text-jsonl`. */
export const bare: readonly Row[] = [
  ['text', [{ text: 'a' }], [text('a')]],
  ['error', [{ error: FAULT }], [fault]],
  ['end', ['[DONE]', { text: 'no' }], [end('[DONE]')]],
]
