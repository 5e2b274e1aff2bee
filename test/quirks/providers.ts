/** Quirks of single providers: numbers 42 to 64. */
import { awsChunk, awsEvent, awsFrame } from '../aws-frames.ts'
import { call, calls, delta, expect, linesOf, quirk, sseOf, stop } from './harness.ts'

/** How many there are here. */
export const PROVIDER_QUIRKS = 23

const CLAUDE = 'anthropic'
const GPT = 'openai-responses'

const start = (content_block: object, index = 0): object => {
  return { type: 'content_block_start', index, content_block }
}
const blockDelta = (fields: object, index = 0): object => {
  return { type: 'content_block_delta', index, delta: fields }
}
const text = (words: string): object => blockDelta({ type: 'text_delta', text: words })
const json = (partial_json: string, index = 0): object => {
  return blockDelta({ type: 'input_json_delta', partial_json }, index)
}
const messageStop = { type: 'message_stop' }

quirk(42, 'pings come anywhere, and unknown events and deltas are ignored', () => {
  const body = sseOf(
    { type: 'message_start', message: { id: 'i' } },
    { type: 'ping' },
    text('a'),
    blockDelta({ type: 'compaction_delta', content: 'no', text: 'no' }),
    { type: 'future_event', delta: { type: 'text_delta', text: 'no' } },
    messageStop,
  )
  expect(CLAUDE, body, { id: 'i', text: { 0: 'a' }, errors: [], failure: '' })
})

quirk(43, 'an error may be the first event, and no end follows it', () => {
  const error = { type: 'overloaded_error', message: 'Overloaded' }
  expect(CLAUDE, `event: error\n${sseOf({ type: 'error', error, request_id: 'r' })}`, {
    error: { message: 'Overloaded', type: 'overloaded_error', code: null, raw: error },
    failure: 'PROVIDER_ERROR',
  })
})

quirk(44, 'a tool’s input begins as {}, comes in any pieces, and may stay empty or be cut', () => {
  const tool = (id: string): object => ({ type: 'tool_use', id, name: 'f', input: {} })
  const made = (index: number, id: string, words: string): object => {
    return { ...call(index, id, 'f', words), kind: 'tool_use' }
  }
  const body = sseOf(
    start(tool('a')),
    json(''),
    json('{"x'),
    json('":1}'),
    start(tool('b'), 1),
    json('', 1),
    start(tool('c'), 2),
    json('{"x":', 2),
    messageStop,
  )
  const [a, b, c] = [made(0, 'a', '{"x":1}'), made(1, 'b', ''), made(2, 'c', '{"x":')]
  expect(CLAUDE, body, {
    toolCalls: [{ ...a, input: { x: 1 } }, { ...b, input: {} }, c] as never,
  })
})

quirk(45, 'the start of a message may hold all of it', () => {
  const content = [{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }]
  const message = { id: 'i', content, stop_reason: 'tool_use' }
  const made = { ...call(0, 't', 'f', '{"a":1}'), kind: 'tool_use', input: { a: 1 } }
  expect(CLAUDE, sseOf({ type: 'message_start', message }, messageStop), {
    toolCalls: [made],
    finishReason: { 0: 'tool_use' },
  })
})

quirk(46, 'usage is cumulative, and merged field by field', () => {
  const message = { usage: { input_tokens: 9, output_tokens: 1, cache_read_input_tokens: 4 } }
  const last = { type: 'message_delta', delta: {}, usage: { output_tokens: 7 } }
  expect(CLAUDE, sseOf({ type: 'message_start', message }, last), {
    usage: { input: 9, output: 7, total: null, cachedInput: 4, reasoning: null },
  })
})

quirk(47, 'servers’ and MCP’s tools stream their input, and results arrive whole', () => {
  const made = ['server_tool_use', 'mcp_tool_use'].map((kind) => {
    return { ...call(0, 't', 'f', '{}'), kind, input: {} }
  })
  for (const wanted of made) {
    const block = { type: wanted.kind, id: 't', name: 'f', input: {} }
    const result = {
      type: 'web_search_tool_result',
      content: [{ encrypted_content: 'x', text: 'no' }],
    }
    expect(CLAUDE, sseOf(start(block), json('{}'), start(result, 1), messageStop), {
      toolCalls: [wanted],
      hostedToolCalls: [{ index: 1, type: 'web_search_tool_result' }],
      text: {},
    })
  }
})

quirk(48, 'thinking is redacted, or left out but for its signature', () => {
  const body = sseOf(
    start({ type: 'redacted_thinking', data: 'sealed' }),
    start({ type: 'thinking', thinking: '', signature: '' }, 1),
    blockDelta({ type: 'signature_delta', signature: 's' }, 1),
  )
  expect(CLAUDE, body, {
    reasoning: {},
    hostedToolCalls: [{ index: 0, type: 'redacted_thinking' }],
    signatures: ['sealed', 's'],
    errors: [],
  })
})

// MiniMax repeats the first delta in the start. Whoever drops what is repeated drops `66`, too:
// so both count, as Anthropic's own client has it.
quirk(48, 'text in the start of a block and in its first delta counts as it was sent', () => {
  const thought = blockDelta({ type: 'thinking_delta', thinking: 'hm' }, 1)
  const body = sseOf(
    start({ type: 'text', text: '6' }),
    text('6'),
    text('7'),
    start({ type: 'thinking', thinking: 'hm' }, 1),
    thought,
  )
  expect(CLAUDE, body, { text: { 0: '667' }, reasoning: { 0: 'hmhm' } })
})

quirk(49, 'stop reasons are an open set, and a start may come twice', () => {
  const body = sseOf(
    { type: 'message_start', message: { id: 'i', role: 'assistant' } },
    { type: 'message_start', message: { id: 'j', role: 'assistant' } },
    { type: 'message_delta', delta: { stop_reason: 'unheard_of', stop_details: { a: 1 } } },
    messageStop,
  )
  expect(CLAUDE, body, {
    id: 'i',
    finishReason: { 0: 'unheard_of' },
    details: [{ a: 1 }],
    failure: '',
  })
  const halted = {
    type: 'message_delta',
    delta: { stop_reason: 'stop_sequence', stop_sequence: '.' },
  }
  expect(CLAUDE, sseOf(halted), { finishReason: { 0: 'stop_sequence' }, details: ['.'] })
})

const completed = { type: 'response.completed', response: { status: 'completed', output: [] } }
const item = (type: 'added' | 'done', fields: object, output_index = 0): object => {
  return { type: `response.output_item.${type}`, output_index, item: fields }
}

quirk(50, 'the last event may repeat nothing, and the items everything', () => {
  const words = { type: 'response.output_text.delta', output_index: 0, delta: 'a' }
  const done = item('done', { type: 'message', content: [{ type: 'output_text', text: 'a' }] })
  for (const body of [
    sseOf(words, completed),
    sseOf(words, done, completed),
    sseOf(done, completed),
  ]) {
    expect(GPT, body, { text: { 0: 'a' }, textDeltas: ['a'], failure: '' })
  }
})

quirk(51, 'errors are nested or flat, and a failure may follow', () => {
  const error = { code: 'c', message: 'm' }
  for (const sent of [
    { type: 'error', error },
    { type: 'error', ...error },
  ]) {
    expect(GPT, sseOf(sent), { errors: ['PROVIDER_ERROR'], failure: 'PROVIDER_ERROR' })
  }
  const failed = { type: 'response.failed', response: { status: 'failed', error } }
  expect(GPT, sseOf({ type: 'error', error: { message: 'first' } }, failed), {
    error: { message: 'm', type: null, code: 'c', raw: error },
    finishReason: { 0: 'failed' },
    terminator: 'response.failed',
  })
})

quirk(52, 'arguments come as deltas, when done, or with the item; ids rotate', () => {
  const added = { type: 'function_call', id: 'x1', call_id: 'c', name: 'f', arguments: '' }
  const at = { output_index: 0, item_id: 'x2' }
  const args = { type: 'response.function_call_arguments.delta', delta: '{}', ...at }
  const done = { type: 'response.function_call_arguments.done', arguments: '{}', ...at }
  const last = item('done', { ...added, id: 'x3', arguments: '{}' })
  const made = { ...call(0, 'c', 'f', '{}'), kind: 'function_call' }
  for (const events of [
    [item('added', added), args, done, last],
    [item('added', added), done],
    [item('added', added), last],
    [item('added', { ...added, arguments: '{}' }), args, done, last],
    [last],
  ]) {
    expect(GPT, sseOf(...events, completed), { toolCalls: [made] })
  }
  const custom = { type: 'custom_tool_call', call_id: 'c', name: 'f', input: 'not json' }
  expect(GPT, sseOf(item('added', { ...custom, input: '' }), item('done', custom)), {
    toolCalls: [{ ...call(0, 'c', 'f', 'not json'), kind: 'custom_tool_call' }],
  })
  const other = { ...args, output_index: 1, delta: '[]' }
  const second = item('added', { ...added, call_id: 'd' }, 1)
  expect(GPT, sseOf(item('added', added), second, args, other), {
    toolCalls: [made, { ...made, index: 1, id: 'd', arguments: '[]' }],
  })
})

quirk(53, 'reasoning is a summary, or the text itself', () => {
  for (const type of ['response.reasoning_summary_text.delta', 'response.reasoning_text.delta']) {
    expect(GPT, sseOf({ type, output_index: 0, delta: 'hm' }), { reasoning: { 0: 'hm' } })
  }
})

quirk(54, 'unknown event families are passed over', () => {
  const body = sseOf(
    { type: 'response.shell_call_command.delta', output_index: 0, delta: 'no' },
    { type: 'keepalive' },
    item('added', { type: 'shell_call' }),
    completed,
  )
  expect(GPT, body, {
    text: {},
    errors: [],
    hostedToolCalls: [{ index: 0, type: 'shell_call' }],
    failure: '',
  })
})

quirk(55, 'sequence numbers, padding and probabilities are optional', () => {
  const bare = { type: 'response.output_text.delta', delta: 'a' }
  const full = { ...bare, sequence_number: 4, obfuscation: 'x', logprobs: [{ logprob: -1 }] }
  expect(GPT, sseOf(bare, full), { text: { 0: 'aa' }, logprobs: { 0: { count: 1, sum: -1 } } })
})

const parts = (...list: object[]): object => ({ candidates: [{ content: { parts: list } }] })

quirk(56, 'a chunk has several parts, empty ones, or none', () => {
  const body = sseOf(
    parts({ text: 'a' }, { functionCall: { name: 'f', args: {} } }, { text: 'b' }),
    { usageMetadata: { promptTokenCount: 1 } },
    parts({ text: '', thoughtSignature: 's' }),
    { candidates: [{ content: {}, finishReason: 'STOP' }] },
  )
  expect('gemini', body, {
    text: { 0: 'ab' },
    toolCalls: [call(0, null, 'f', '{}')],
    failure: '',
  })
})

quirk(57, 'calls are known by their order, and may come in parts', () => {
  const whole = { functionCall: { name: 'f', args: { a: 1 } } }
  expect('gemini', sseOf(parts(whole), parts(whole), parts({ functionCall: { name: 'g' } })), {
    toolCalls: [
      call(0, null, 'f', '{"a":1}'),
      call(1, null, 'f', '{"a":1}'),
      call(2, null, 'g', '{}'),
    ],
  })
  const piece = (functionCall: object): object => parts({ functionCall })
  const value = (stringValue: string, willContinue: boolean): object => {
    return { partialArgs: [{ jsonPath: '$.a.b', stringValue, willContinue }], willContinue: true }
  }
  const body = sseOf(
    piece({ name: 'f', willContinue: true }),
    piece(value('x', true)),
    piece(value('y', false)),
    piece({}),
    piece({ name: 'g', ...value('z', false) }),
  )
  expect('gemini', body, {
    toolCalls: [call(0, null, 'f', '{"a":{"b":"xy"}}'), call(1, null, 'g', '{"a":{"b":"z"}}')],
  })
  const partialArgs = [
    { jsonPath: '$.text', stringValue: 'x' },
    { jsonPath: '$.list[0]', numberValue: 1.5 },
    { jsonPath: '$.list[1]', boolValue: false },
    { jsonPath: "$['no thing']", nullValue: null },
    { jsonPath: '$.some.none', nullValue: 'NULL_VALUE' },
  ]
  const args = '{"text":"x","list":[1.5,false],"no thing":null,"some":{"none":null}}'
  expect('gemini', sseOf(piece({ name: 'f', partialArgs, willContinue: true }), piece({})), {
    toolCalls: [call(0, null, 'f', args)],
  })
})

quirk(58, 'usage is on every chunk, cumulative; thoughts are parts like text', () => {
  const counts = (n: number): object => ({ promptTokenCount: 1, candidatesTokenCount: n })
  const first = { ...parts({ text: 'hm', thought: true }), usageMetadata: { promptTokenCount: 1 } }
  const last = { ...parts({ text: 'a', thought: false }), usageMetadata: counts(5) }
  expect('gemini', sseOf(first, { usageMetadata: counts(3) }, last), {
    reasoning: { 0: 'hm' },
    text: { 0: 'a' },
    usage: { input: 1, output: 5, total: null, cachedInput: null, reasoning: null },
  })
})

quirk(59, 'errors come as data, and a blocked prompt as feedback', () => {
  const error = { code: 404, message: 'm', status: 'NOT_FOUND' }
  expect('gemini', sseOf({ error }).replaceAll('\n', '\r\n'), {
    error: { message: 'm', type: 'NOT_FOUND', code: 404, raw: error },
    failure: 'PROVIDER_ERROR',
  })
  expect('gemini', sseOf({ promptFeedback: { blockReason: 'SAFETY' } }), { failure: '', text: {} })
  const early = { candidates: [{ content: { parts: [] }, finishReason: 'STOP' }] }
  expect('gemini', sseOf(early, parts({ text: 'a' })), { text: { 0: 'a' }, failure: '' })
})

quirk(60, 'interactions have steps, and end with a sentinel', () => {
  const step = { type: 'function_call', id: 'c', name: 'f', arguments: {} }
  const piece = (type: string, fields: object): object => {
    return { event_type: 'step.delta', index: 1, delta: { type, ...fields } }
  }
  const body = sseOf(
    { event_type: 'step.start', index: 1, step },
    piece('arguments_delta', { arguments: '{"a":' }),
    piece('arguments_delta', { arguments: '1}' }),
    piece('text', { text: 'a' }),
    piece('thought_summary', { content: { text: 'hm' } }),
    { event_type: 'interaction.completed', interaction: { status: 'completed' } },
  )
  expect('gemini-interactions', `${body}event: done\ndata: [DONE]\n\n`, {
    toolCalls: [call(1, 'c', 'f', '{"a":1}')],
    text: { 0: 'a' },
    reasoning: { 0: 'hm' },
    finishReason: { 0: 'completed' },
    terminator: '[DONE]',
  })
})

quirk(61, 'Cohere sends objects for lists, a plan, citations between, errors at the end', () => {
  const message = (type: string, fields: object, index = 0): object => {
    return { type, index, delta: { message: fields } }
  }
  const body = sseOf(
    message('tool-plan-delta', { tool_plan: 'I will.' }),
    message('tool-call-start', { tool_calls: { id: 'c', function: { name: 'f', arguments: '' } } }),
    message('tool-call-delta', { tool_calls: { function: { arguments: '{}' } } }),
    { type: 'tool-call-end', index: 0 },
    message('content-delta', { content: { text: 'a' } }),
    message('citation-start', { citations: { text: 'a' } }),
    message('content-delta', { content: { text: 'b' } }),
    { type: 'message-end', delta: { finish_reason: 'ERROR', error: 'e', usage: {} } },
  )
  expect('cohere-v2', `${body}data: [DONE]\n\n`, {
    toolPlan: 'I will.',
    toolCalls: [call(0, 'c', 'f', '{}')],
    text: { 0: 'ab' },
    annotations: 1,
    finishReason: { 0: 'ERROR' },
    errors: ['PROVIDER_ERROR'],
    terminator: 'message-end',
  })
})

quirk(62, 'Mistral’s ids may be the word null, and its arguments objects', () => {
  const made = (a: number): object => ({ id: 'null', function: { name: 'f', arguments: { a } } })
  expect('openai-chat', sseOf(calls(made(1)), calls(made(2)), delta({}), stop), {
    toolCalls: [call(0, 'null', 'f', '{"a":1}'), call(1, 'null', 'f', '{"a":2}')],
  })
})

quirk(63, 'Ollama’s arguments are objects, and its last record holds the counts', () => {
  const tool_calls = [1, 2].map((a) => ({ function: { name: 'f', arguments: { a } } }))
  const body = linesOf(
    { model: 'm', message: { role: 'assistant', content: '', thinking: 'hm' } },
    { message: { content: '', tool_calls } },
    { done: true, done_reason: 'stop', eval_count: 2, total_duration: 99, context: [1] },
  )
  expect('ollama-chat', body, {
    toolCalls: [call(0, null, 'f', '{"a":1}'), call(1, null, 'f', '{"a":2}')],
    reasoning: { 0: 'hm' },
    finishReason: { 0: 'stop' },
    usageRaw: { eval_count: 2 },
    failure: '',
  })
})

quirk(64, 'Bedrock tells usage after its end, failures in headers, vendors in base64', () => {
  const body = Buffer.concat([
    awsEvent('contentBlockStart', {
      contentBlockIndex: 1,
      start: { toolUse: { toolUseId: 't', name: 'f' } },
    }),
    awsEvent('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{}' } } }),
    awsEvent('contentBlockDelta', { delta: { reasoningContent: { text: 'hm' } } }),
    awsEvent('messageStop', { stopReason: 'tool_use' }),
    awsEvent('metadata', { usage: { inputTokens: 1, outputTokens: 2 } }),
  ])
  expect('bedrock-eventstream', body, {
    toolCalls: [call(1, 't', 'f', '{}')],
    reasoning: { 0: 'hm' },
    terminator: 'messageStop',
    usageRaw: { inputTokens: 1, outputTokens: 2 },
    failure: '',
  })
  const headers = { ':message-type': 'exception', ':exception-type': 'throttlingException' }
  const failed = Buffer.concat([
    awsChunk({ outputText: 'a' }),
    awsFrame(headers, '{"message":"m"}'),
  ])
  expect('bedrock-eventstream', failed, { text: { 0: 'a' }, failure: 'PROVIDER_ERROR' })
})

quirk(64, 'Bedrock’s reasoning is signed, or sealed', () => {
  const thought = (fields: object): Buffer => {
    return awsEvent('contentBlockDelta', { delta: { reasoningContent: fields } })
  }
  const body = Buffer.concat([thought({ signature: 's' }), thought({ redactedContent: 'sealed' })])
  expect('bedrock-eventstream', body, { signatures: ['s', 'sealed'], reasoning: {} })
})

/** What each vendor sends in InvokeModel's chunks to say `a`, and that it is done. */
const VENDORS: Readonly<Record<string, readonly object[]>> = {
  Anthropic: [text('a'), { type: 'message_delta', delta: { stop_reason: 'done' } }],
  Nova: [
    { contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'a' } } },
    { messageStop: { stopReason: 'done' } },
  ],
  Titan: [{ outputText: 'a', index: 0, completionReason: 'done' }],
  Llama: [{ generation: 'a', prompt_token_count: 9, stop_reason: 'done' }],
  Cohere: [
    { text: 'a', is_finished: false },
    { finish_reason: 'done', is_finished: true },
  ],
  Mistral: [{ outputs: [{ text: 'a', stop_reason: 'done' }] }],
}

for (const [vendor, payloads] of Object.entries(VENDORS)) {
  quirk(64, `Bedrock’s chunks hold ${vendor}’s own payloads`, () => {
    const said = { text: { 0: 'a' }, finishReason: { 0: 'done' }, failure: '' }
    expect('bedrock-eventstream', Buffer.concat(payloads.map(awsChunk)), said)
  })
}
