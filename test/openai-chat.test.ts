import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { type Case, type SeenRow, testCases } from './decoding.ts'

const chat = (delta: object, rest: object = {}): object => ({ choices: [{ delta, ...rest }] })
const tool = (call: object): object => chat({ tool_calls: [call] })

/** The row of an event whose choice or index is `value`. */
const faulty = (what: string, value: string, event: string, max: number): SeenRow => {
  const message = `event has ${value} for its ${what}, which must be an integer from 0 to ${max}`
  return ['error', JSON.stringify({ offset: 0, message, excerpt: event.slice(0, 64) })]
}

const malformed = (what: string, value: string, event: string, max: number): Case => ({
  name: `an event with ${value} for its ${what} is malformed`,
  body: [event],
  rows: [faulty(what, value, event, max)],
})

const cases: readonly Case[] = [
  {
    name: 'id and model are sent once, the first that are not empty, after one that is',
    body: [
      { id: '', model: '', choices: [] },
      { id: 'a', choices: null },
      { id: 'b', model: 'm', object: '' },
      { id: 'c', model: 'n' },
      { id: '', model: '' },
    ],
    rows: [
      ['id', ''],
      ['model', ''],
      ['id', 'a'],
      ['model', 'm'],
    ],
  },
  {
    name: 'a role is sent once per choice, and each time above choice 15',
    body: [0, 1, 0, 15, 15, 16, 16].map((index) => chat({ role: 'r' }, { index })),
    rows: ['', 'c1', 'c15', 'c16', 'c16'].map((place) => {
      return place === '' ? ['role', 'r'] : ['role', 'r', place]
    }),
  },
  {
    name: 'an empty content is sent only as the first of its choice, null never',
    body: [
      chat({ content: null }),
      chat({ content: '' }),
      chat({ content: '' }),
      chat({ content: 'a' }, { index: 1 }),
      chat({ content: '' }, { index: 1 }),
      chat({ content: 'b' }),
      chat({ refusal: '' }),
    ],
    rows: [
      ['text', ''],
      ['text', 'a', 'c1'],
      ['text', 'b'],
      ['refusal', ''],
    ],
  },
  {
    name: 'rows follow the table, not the order of keys',
    body: [
      '{"usage":{"prompt_tokens":1},"choices":[{"finish_reason":"stop","delta":' +
        '{"content":"t","reasoning":"r","role":"assistant"},"index":2}],"id":"a"}',
    ],
    rows: [
      ['id', 'a'],
      ['role', 'assistant', 'c2'],
      ['reasoning', 'r', 'c2'],
      ['text', 't', 'c2'],
      ['finish', 'stop', 'c2'],
      ['usage', '{"prompt_tokens":1}'],
    ],
  },
  {
    name: 'of the names for reasoning the first that is not empty counts, once',
    body: [
      chat({ reasoning_content: '', reasoning: 'a', reasoning_text: 'b' }),
      chat({ reasoning_content: 'c', reasoning: 'c', reasoning_details: [{ text: 'c' }] }),
    ],
    rows: [
      ['reasoning', 'a'],
      ['reasoning', 'c'],
      // Flagged as a whole: no news where the others came.
      ['reasoning', 'c'],
    ],
  },
  {
    name: 'content in parts gives text and thinking',
    body: [
      chat({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      chat({
        content: [
          { type: 'text', text: 'a' },
          { type: 'reference', text: 'x' },
        ],
      }),
      chat({ content: 'b' }),
    ],
    rows: [
      ['reasoning', 'hm'],
      ['text', 'a'],
      ['text', 'b'],
    ],
  },
  {
    name: 'only delta is read of a choice, and only the named fields of the payload',
    body: [
      {
        content: 'no',
        delta: { content: 'no' },
        choices: [{ text: 'no', message: { content: 'no' }, delta: { x: { content: 'no' } } }],
        x: { choices: [{ delta: { content: 'no' } }] },
      },
    ],
    rows: [],
  },
  {
    name: 'a tool fragment is id, name and arguments, as far as they say anything',
    body: [
      tool({ index: 1, id: 'a', function: { name: 'f', arguments: '' } }),
      tool({ index: 1, id: null, function: { name: '', arguments: '{' } }),
      tool({ index: 1, id: '', function: { arguments: null } }),
      tool({ id: 'b', type: 'function', function: { name: 'g', arguments: { x: 1.0 } } }),
      chat({ function_call: { name: 'h', arguments: '}' } }),
    ],
    rows: [
      ['tool-id', 'a', 'i1'],
      ['tool-name', 'f', 'i1'],
      ['tool-arguments', '', 'i1'],
      ['tool-arguments', '{', 'i1'],
      ['tool-id', 'b'],
      ['tool-name', 'g'],
      ['tool-input', '{"x":1}'],
      ['tool-name', 'h'],
      ['tool-arguments', '}'],
    ],
  },
  {
    name: 'a choice is 0 where it is absent or null, an index none, and both have a largest',
    body: [
      chat({ content: 'a' }, { index: null }),
      chat({ content: 'b' }, { index: 65_535 }),
      tool({ index: 2_147_483_647, id: 'd' }),
      tool({ index: null, id: 'e' }),
    ],
    rows: [
      ['text', 'a'],
      ['text', 'b', 'c65535'],
      ['tool-id', 'd', 'i2147483647'],
      ['tool-arguments', '', 'i2147483647'],
      ['tool-id', 'e'],
      ['tool-arguments', ''],
    ],
  },
  ...[
    '-1',
    '-0',
    '1.0',
    '1.5',
    '1e0',
    '1e9',
    '65536',
    '"2"',
    '"__proto__"',
    '[]',
    '{}',
    'true',
  ].map((value) => malformed('choice', value, `{"choices":[{"index":${value}}]}`, 65_535)),
  ...['-1', '1.0', '1e9', '2147483648', '99999999999999999999', '"0"', '{"a":[1]}'].map((value) =>
    malformed(
      'index',
      value,
      `{"choices":[{"delta":{"tool_calls":[{"index":${value}}]}}]}`,
      2_147_483_647,
    ),
  ),
  {
    name: 'an event with one choice that cannot be is given up whole, and not counted as told',
    body: [
      { id: 'x', choices: [{ delta: { role: 'r', content: '' } }, { index: -1 }, { index: -2 }] },
      { id: 'y', choices: [{ delta: { role: 's', content: '' } }] },
    ],
    rows: [
      faulty(
        'choice',
        '-1',
        '{"id":"x","choices":[{"delta":{"role":"r","content":""}},{"index":-',
        65_535,
      ),
      ['id', 'y'],
      ['role', 's'],
      ['text', ''],
    ],
  },
  {
    name: 'usage is an object wherever it lies, raw as it was sent',
    body: [
      { usage: null, x_groq: { usage: { a: 1 } } },
      '{"usage": { "b" : 2e0 } , "x_groq":{"usage":{"a":1}}}',
      { choices: [{ index: 1, usage: { c: 3 } }] },
    ],
    rows: [
      ['usage', '{"a":1}'],
      ['usage', '{ "b" : 2e0 }'],
      ['usage', '{"c":3}', 'c1'],
    ],
  },
  {
    name: 'an empty finish reason is none',
    body: ['', 'stop', 'stop'].map((finish_reason) => chat({}, { finish_reason })),
    rows: [
      ['finish', 'stop'],
      ['finish', 'stop'],
    ],
  },
  {
    name: 'lists of sources are passed on where they hold any, each whole',
    body: [
      { citations: ['a', 'b'], search_results: [{ url: 'a' }], choices: [] },
      { citations: [], search_results: null },
      { citations: 'a', search_results: {}, choices: [{ citations: ['no'] }] },
    ],
    rows: [
      ['sources', '["a","b"]'],
      ['sources', '[{"url":"a"}]'],
    ],
  },
  {
    name: 'logprobs are passed on where there are any, annotations one by one',
    body: [
      chat({ annotations: [{ a: 1 }, null, 'b'] }, { logprobs: { content: [], refusal: [{}] } }),
    ],
    rows: [
      ['annotation', '{"a":1}'],
      ['annotation', '"b"'],
      ['logprobs', '[{}]'],
    ],
  },
  {
    name: 'an error is an object or a string, in a payload or a choice',
    body: [
      { error: { message: 'a' }, choices: [] },
      { error: 'b' },
      { error: '' },
      { error: null },
      { error: false },
      { choices: [{ error: { code: 1 } }] },
      { object: 'error', message: 'flat' },
    ],
    rows: [
      ['provider-error', '{"message":"a"}'],
      ['provider-error', '"b"'],
      ['provider-error', '{"code":1}'],
      ['provider-error', '{"object":"error","message":"flat"}'],
    ],
  },
  {
    name: 'an event named error may nest its error or be it',
    body: 'event: error\ndata: {"error":{"a":1}}\n\nevent:error\ndata: {"message":"b"}\n\n',
    rows: [
      ['provider-error', '{"a":1}'],
      ['provider-error', '{"message":"b"}'],
    ],
  },
  {
    name: 'escapes, lone surrogates among them, are as JSON.parse has them',
    body: [
      '{"choices":[{"delta":{"content":"\\u003c\\ud83d"}},{"index":1,"delta":{"content":"\\n"}}]}',
    ],
    rows: [
      ['text', '<\ud83d'],
      ['text', '\n', 'c1'],
    ],
  },
]

testCases(openaiChat, cases)
