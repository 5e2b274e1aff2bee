/** The fields table: Anthropic Messages, and Bedrock around them. */
import { awsFrame } from '../aws-frames.ts'
import {
  annotation,
  detail,
  end,
  error,
  FAULT,
  fault,
  finish,
  hosted,
  meta,
  reasoning,
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

const start = (fields: object): object => ({ type: 'message_start', message: fields })
const block = (content_block: object): object => {
  return { type: 'content_block_start', index: 1, content_block }
}
const delta = (type: string, fields: object): object => {
  return { type: 'content_block_delta', index: 1, delta: { type, ...fields } }
}
const stop = (fields: object): object => ({ type: 'message_delta', delta: fields })
const tool = { type: 'tool_use', id: 'c', name: 'f', input: {} }
const toolStarted = toolStart(1, 'c', 'f', 'tool_use')

const COUNTS = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 }

/** All that a block or a delta could hold, under a type that the table does not name. */
const everything = {
  type: 'future',
  text: 'no',
  thinking: 'no',
  signature: 'no',
  data: 'no',
  id: 'no',
  name: 'no',
  input: { no: 1 },
  partial_json: 'no',
  citation: 'no',
}

export const anthropic: readonly Row[] = [
  [
    'type',
    [
      {
        type: 'future',
        message: { id: 'no', content: [everything] },
        usage: COUNTS,
        content_block: tool,
        request_id: 'no',
        delta: { stop_reason: 'no', stop_sequence: 'no', stop_details: 'no' },
      },
      delta('future', everything),
      { ...delta('text_delta', { text: 'no' }), type: 'future' },
    ],
    [],
  ],
  ['type', [['message_stop', {}]], [end('message_stop')]],
  ['type', [['future', { type: 'message_stop' }]], [end('message_stop')]],
  ['id / model', [start({ id: 'i', model: 'm' })], [meta('i', null), meta('i', 'm')]],
  ['role', [start({ role: 'assistant' })], [role('assistant')]],
  [
    'choice / block index',
    [start({ content: [{ type: 'a' }, { type: 'b' }] })],
    [hosted(0, 'a'), hosted(1, 'b')],
  ],
  ['choice / block index', [delta('text_delta', { text: 'a' })], [text('a')], [1]],
  ['text', [delta('text_delta', { text: 'a' })], [text('a')]],
  ['text', [block({ type: 'text', text: 'a' })], [text('a')]],
  ['text', [start({ content: [{ type: 'text', text: 'a' }] })], [text('a')]],
  ['reasoning', [delta('thinking_delta', { thinking: 'a' })], [reasoning('a')]],
  ['reasoning', [delta('signature_delta', { signature: 's' })], [signature('s', 1)]],
  [
    'reasoning',
    [block({ type: 'thinking', thinking: 'a', signature: 's' })],
    [reasoning('a'), signature('s', 1)],
  ],
  ['reasoning', [block({ type: 'thinking', thinking: '' })], []],
  [
    'reasoning',
    [start({ content: [{ type: 'thinking', thinking: 'a', signature: 's' }] })],
    [reasoning('a'), signature('s', 0)],
  ],
  ['reasoning', [start({ content: [{ type: 'thinking', thinking: '' }] })], []],
  [
    'reasoning',
    [block({ type: 'redacted_thinking', data: 'd' })],
    [signature('d', 1), hosted(1, 'redacted_thinking')],
  ],
  [
    'reasoning',
    [start({ content: [{ type: 'redacted_thinking', data: 'd' }] })],
    [signature('d', 0), hosted(0, 'redacted_thinking')],
  ],
  ['refusal', [stop({ stop_reason: 'refusal' })], [finish('refusal')]],
  ['refusal', [stop({ stop_details: { type: 'refusal' } })], [detail({ type: 'refusal' })]],
  [
    'tool',
    [
      block(tool),
      delta('input_json_delta', { partial_json: '{}' }),
      { type: 'content_block_stop', index: 1 },
    ],
    [toolStarted, toolDelta(1, 'c', '{}'), toolEnd(1, 'c', 'f')],
  ],
  ...['server_tool_use', 'mcp_tool_use'].flatMap((type): Row[] => [
    ['tool', [block({ ...tool, type })], [toolStart(1, 'c', 'f', type)]],
    ['tool', [start({ content: [{ ...tool, type }] })], [toolStart(0, 'c', 'f', type)]],
  ]),
  ['tool', [block({ ...tool, input: { a: 1 } })], [toolStarted, toolDelta(1, 'c', '{"a":1}')]],
  [
    'tool',
    [start({ content: [{ ...tool, input: { a: 1 } }] })],
    [toolStart(0, 'c', 'f', 'tool_use'), toolDelta(0, 'c', '{"a":1}')],
  ],
  ['hosted block', [block(everything)], [hosted(1, 'future')]],
  ['hosted block', [start({ content: [everything] })], [hosted(0, 'future')]],
  ['finish reason', [stop({ stop_reason: 'end_turn' })], [finish('end_turn')]],
  ['finish reason', [start({ stop_reason: 'tool_use' })], [finish('tool_use')]],
  ['finish reason', [stop({ stop_sequence: 'STOP' })], [detail('STOP')]],
  [
    'usage',
    [start({ usage: COUNTS }), { ...stop({}), usage: { output_tokens: 9 } }],
    [
      usage({ input: 1, output: 2, cachedInput: 3 }, COUNTS),
      usage({ input: 1, output: 9, cachedInput: 3 }, { ...COUNTS, output_tokens: 9 }),
    ],
  ],
  [
    'citations',
    [delta('citations_delta', { citation: { type: 'c' } })],
    [annotation({ type: 'c' })],
  ],
  [
    'error',
    [{ type: 'error', error: FAULT, request_id: 'r' }],
    [error(FAULT, { ...FAULT, requestId: 'r' })],
  ],
  [
    'error',
    [{ type: 'error', ...FAULT }],
    [error({ type: 'error', ...FAULT }, { type: 'error', ...FAULT })],
  ],
  ['error', [{ error: FAULT }], [fault]],
  ['error', [{ type: 'future', request_id: 'no' }, { error: FAULT }], [fault]],
  ['end', [{ type: 'message_stop' }], [end('message_stop')]],
]

const converse = (type: string, fields: object): Sent => {
  return [`contentBlock${type}`, { contentBlockIndex: 1, ...fields }]
}
const nova = (type: string, fields: object): object => {
  return { [`contentBlock${type}`]: { contentBlockIndex: 1, ...fields } }
}
const thinks = (fields: object): object => ({ delta: { reasoningContent: fields } })
const uses = { start: { toolUse: { toolUseId: 'c', name: 'f' } } }
const input = { delta: { toolUse: { input: '{' } } }

const CONVERSE_COUNTS = {
  inputTokens: 1,
  outputTokens: 2,
  totalTokens: 3,
  cacheReadInputTokens: 4,
}

/** Both ways in which a block of Converse comes: as it is, and in Nova's chunks. */
function blocks(type: string, fields: object): readonly Sent[] {
  return [converse(type, fields), nova(type, fields)]
}

function both(field: Row[0], sent: readonly Sent[], ...events: Row[2]): readonly Row[] {
  return sent.map((it): Row => [field, [it], events])
}

export const bedrock: readonly Row[] = [
  [
    'type',
    [
      [
        'future',
        {
          role: 'no',
          ...uses,
          ...input,
          stopReason: 'no',
          usage: CONVERSE_COUNTS,
          additionalModelResponseFields: 'no',
          trace: { guardrail: 'no' },
          outputText: 'no',
          generation: 'no',
          text: 'no',
          finish_reason: 'no',
          outputs: [{ text: 'no' }],
          'amazon-bedrock-trace': 'no',
        },
      ],
    ],
    [],
  ],
  ['type', [['chunk', { bytes: 'e30=' }]], []],
  ['role', [['messageStart', { role: 'assistant' }]], [role('assistant')]],
  [
    'choice / block index',
    blocks('Delta', { delta: { text: 'a' } }),
    [text('a'), text('a')],
    [1, 1],
  ],
  ...both('text', blocks('Delta', { delta: { text: 'a' } }), text('a')),
  ['text', [{ outputText: 'a' }], [text('a')]],
  ['text', [{ generation: 'a' }], [text('a')]],
  ['text', [{ text: 'a' }], [text('a')]],
  ['text', [{ outputs: [{ text: 'a' }] }], [text('a')]],
  ...both('reasoning', blocks('Delta', thinks({ text: 'a' })), reasoning('a')),
  ...both('reasoning', blocks('Delta', thinks({ signature: 's' })), signature('s', 1)),
  ...both('reasoning', blocks('Delta', thinks({ redactedContent: 's' })), signature('s', 1)),
  [
    'refusal',
    [['messageStop', { stopReason: 'guardrail_intervened' }]],
    [finish('guardrail_intervened'), end('messageStop')],
  ],
  [
    'tool',
    [converse('Start', uses), converse('Delta', input), converse('Stop', {})],
    [toolStart(1, 'c', 'f'), toolDelta(1, 'c', '{'), toolEnd(1, 'c', 'f')],
  ],
  [
    'tool',
    [nova('Start', uses), nova('Delta', input)],
    [toolStart(1, 'c', 'f'), toolDelta(1, 'c', '{')],
  ],
  [
    'finish reason',
    [['messageStop', { stopReason: 'end_turn', additionalModelResponseFields: { a: 1 } }]],
    [finish('end_turn'), detail({ a: 1 }), end('messageStop')],
  ],
  ['finish reason', [{ messageStop: { stopReason: 'end_turn' } }], [finish('end_turn')]],
  ['finish reason', [{ completionReason: 'FINISH' }], [finish('FINISH')]],
  ['finish reason', [{ stop_reason: 'stop' }], [finish('stop')]],
  ['finish reason', [{ finish_reason: 'COMPLETE' }], [finish('COMPLETE')]],
  ['finish reason', [{ outputs: [{ stop_reason: 'stop' }] }], [finish('stop')]],
  [
    'usage',
    [['metadata', { usage: CONVERSE_COUNTS }]],
    [usage({ input: 1, output: 2, total: 3, cachedInput: 4 }, CONVERSE_COUNTS)],
  ],
  ...both('citations', blocks('Delta', { delta: { citation: { a: 1 } } }), annotation({ a: 1 })),
  ['filter / safety', [['metadata', { trace: { guardrail: { a: 1 } } }]], [safety({ a: 1 })]],
  ['filter / safety', [{ 'amazon-bedrock-trace': { a: 1 } }], [safety({ a: 1 })]],
  [
    'error',
    [
      awsFrame(
        { ':message-type': 'exception', ':exception-type': 'throttlingException' },
        '{"message":"m"}',
      ),
    ],
    [
      error(
        { message: 'm', type: 'throttlingException' },
        { message: 'm', type: 'throttlingException' },
      ),
    ],
  ],
]
