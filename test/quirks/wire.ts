/** Quirks of framing, of JSON, and of the OpenAI Chat family: numbers 1 to 41. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { createGunzip, gzipSync } from 'node:zlib'
import { createMillrace, defineDialect, type Dialect, dialects } from '../../src/main/index.ts'
import { awsEvent } from '../aws-frames.ts'
import { hanging } from '../chat-bytes.ts'
import { collectUntilFailure, textOf } from '../reading.ts'
import { call, calls, delta, expect, linesOf, quirk, say, sseOf, stop } from './harness.ts'

/** How many there are here. */
export const WIRE_QUIRKS = 41

const CHAT = 'openai-chat'
const one = { text: { 0: 'a' }, failure: '', badJson: 0 }
const plain: string = sseOf(say('a'), stop, '[DONE]')

quirk(1, 'a field may have no space behind its colon', () => {
  expect(CHAT, plain.replaceAll('data: ', 'data:'), one)
  expect(CHAT, 'event:error\ndata:{"message":"m"}\n\n', { errors: ['PROVIDER_ERROR'] })
})

quirk(2, 'lines end with CR LF, or with CR alone', () => {
  for (const end of ['\r\n', '\r']) expect(CHAT, plain.replaceAll('\n', end), one)
})

quirk(3, 'comments keep a connection alive and dispatch nothing', () => {
  expect(CHAT, ': OPENROUTER PROCESSING\n\n'.repeat(17) + plain, one)
})

quirk(4, 'an event may be empty: malformed, and the stream goes on', () => {
  expect(CHAT, `data:\n\ndata\n\ndata: \n\n${plain}`, { ...one, badJson: 3 })
})

quirk(5, 'a sentinel counts where it is the whole payload, and ends all that follows', () => {
  const told = sseOf(say('a'), stop)
  for (const end of ['data:[DONE]', 'event: done\ndata: [DONE]']) {
    expect(CHAT, `${told}${end}\n\n${sseOf(say('late'))}`, { ...one, terminator: '[DONE]' })
  }
  // OpenRouter adds one to Responses, whose own end was told before. Anthropic has none.
  const completed = { type: 'response.completed', response: { status: 'completed' } }
  expect('openai-responses', sseOf(completed, '[DONE]'), {
    terminator: 'response.completed',
    errors: [],
    failure: '',
  })
  expect('anthropic', sseOf('[DONE]'), { terminator: null, badJson: 1 })
  // Text must not be able to end a stream, so what only begins like one is malformed: so the
  // expected message of the recording has it that ends with a blank.
  for (const end of ['[DONE] ', '[DONE]!']) {
    expect(CHAT, told + sseOf(end), { ...one, terminator: null, badJson: 1 })
  }
  expect(CHAT, sseOf(say('[DONE]'), say('b'), stop), { text: { 0: '[DONE]b' }, terminator: null })
})

quirk(6, 'a stream may end without a sentinel, once it has finished', () => {
  expect(CHAT, sseOf(say('a'), stop), { ...one, terminator: null })
  expect(CHAT, sseOf(say('a')), { text: { 0: 'a' }, failure: 'STREAM_TRUNCATED' })
})

quirk(6, 'where the connection stays open, the end is the protocol’s, or silence', async () => {
  const mill = await createMillrace()
  const ended = hanging(plain)
  const { terminator } = await mill.decode(ended.source, { dialect: CHAT }).final()
  assert.equal(terminator, '[DONE]')
  await ended.cancelled
  const finished = hanging(sseOf(say('a')), sseOf(stop))
  const options = { dialect: CHAT, timeout: 20 }
  const { finishReason } = await mill.decode(finished.source, options).final()
  assert.deepEqual(finishReason, { 0: 'stop' })
  await finished.cancelled
  const silent = mill.decode(hanging(sseOf(say('a'))).source, options).final()
  await assert.rejects(silent, { code: 'TIMEOUT' })
  await mill.close()
})

quirk(7, 'a last event without its blank line is dropped, unless asked for', () => {
  const cut = sseOf(say('a'), stop).slice(0, -1)
  expect(CHAT, cut, { text: { 0: 'a' }, finishReason: {}, failure: 'STREAM_TRUNCATED' })
  expect(CHAT, cut, { ...one, finishReason: { 0: 'stop' } }, { flushIncomplete: true })
})

quirk(8, 'the event line may be missing, and so may the type in the JSON', () => {
  const typed = sseOf({ type: 'message_stop' })
  for (const body of [typed, 'event: message_stop\ndata: {}\n\n']) {
    expect('anthropic', body, { terminator: 'message_stop', failure: '' })
  }
})

quirk(9, 'a failure may come on a line of its own, outside of any event', () => {
  const body = `${sseOf(say('a'))}error: {"detail":"gone"}\n\n`
  expect(CHAT, body, { text: { 0: 'a' }, errors: ['PROVIDER_ERROR'], failure: 'PROVIDER_ERROR' })
})

quirk(10, 'an event named error comes with status 200', () => {
  const body = `${sseOf(say('a'))}event: error\ndata: {"error":{"message":"m"}}\n\n`
  expect(CHAT, body, { errors: ['PROVIDER_ERROR'], failure: 'PROVIDER_ERROR' })
})

quirk(11, 'a body may be no stream at all', () => {
  expect(CHAT, '<html><body>502</body></html>', { failure: 'NOT_A_STREAM' })
  expect(CHAT, '{"object":"chat.completion"}', { failure: 'NOT_A_STREAM' })
  expect(CHAT, '{"error":{"message":"m"}}', { failure: 'PROVIDER_ERROR' })
  expect(CHAT, 'upstream connect error\n', { failure: 'STREAM_TRUNCATED' })
})

quirk(12, 'a line may be megabytes long', () => {
  const long = 'x'.repeat(2 * 2 ** 20 + 1)
  expect('gemini', sseOf({ candidates: [{ content: { parts: [{ text: long }] } }] }), {
    text: { 0: long },
  })
})

quirk(13, 'chunks end anywhere: in a mark, a character, a line end, an escape', () => {
  // Every outcome here is also taken byte by byte.
  const body = `\ufeff${sseOf(delta({ content: 'é😀"' }), stop)}`.replaceAll('\n', '\r\n')
  expect(CHAT, body.replace('é', '\\u00e9'), { text: { 0: 'é😀"' }, failure: '' })
})

quirk(14, 'a compressed body that nobody inflated is no stream, and no crash', () => {
  const zipped = gzipSync(plain)
  expect(CHAT, zipped, { text: {}, failure: 'NOT_A_STREAM' })
})

// Nothing here inflates: that is the HTTP client's, which hands over what it could of a cut body.
quirk(14, 'of a compressed body that was cut, what could be inflated is told', async () => {
  const told = sseOf(...Array.from({ length: 500 }, (_, at) => say(`${at} `)))
  const cut = gzipSync(told + plain).subarray(0, -20)
  const mill = await createMillrace()
  const source = new PassThrough()
  const stream = mill.decode(source.pipe(createGunzip()), { dialect: CHAT })
  source.end(cut)
  const { events, error } = await collectUntilFailure(stream)
  assert.equal(error.code, 'SOURCE_FAILED')
  assert.ok(textOf(events).startsWith('0 1 2 3'), textOf(events))
  await mill.close()
})

const ollama = (content: string, rest: object = {}): object => {
  return { model: 'm', message: { role: 'assistant', content }, done: false, ...rest }
}

quirk(15, 'NDJSON has blank lines, bad lines, an error line, a last line without end', () => {
  const body = `\r\n${linesOf(ollama('a'))}\r\nnot json\n${linesOf(ollama('b', { done: true }))}`
  expect('ollama-chat', body.trimEnd(), { text: { 0: 'ab' }, badJson: 1, terminator: 'done:true' })
  expect('ollama-chat', linesOf(ollama('a'), { error: 'stopped' }), {
    failure: 'PROVIDER_ERROR',
    error: { message: 'stopped', type: null, code: null, raw: 'stopped' },
  })
})

const part = (text: string, rest: object = {}): object => {
  return { candidates: [{ content: { parts: [{ text }] }, ...rest }] }
}

quirk(16, 'without alt=sse, Gemini sends one array piece by piece', () => {
  const elements = [part('a'), part(']b,', { finishReason: 'STOP' })].map((it) =>
    JSON.stringify(it),
  )
  expect('gemini-array', `[${elements.join('\n,\r\n')}\n]`, { text: { 0: 'a]b,' }, failure: '' })
})

quirk(17, 'several JSON values in one event are taken, or refused where the client does', () => {
  const joined = JSON.stringify(part('a')) + JSON.stringify(part('b', { finishReason: 'STOP' }))
  const { oneValue: _, ...gemini } = dialects['gemini'] as Dialect
  expect('gemini', sseOf(joined), { text: {}, errors: ['EVENT_CONCATENATED'], badJson: 0 })
  expect(defineDialect(gemini), sseOf(joined), { text: { 0: 'ab' }, errors: [], failure: '' })
  expect(CHAT, sseOf(JSON.stringify(say('a')) + JSON.stringify(stop)), one)
})

quirk(18, 'AWS frames are binary, with checksums', () => {
  const stopped = awsEvent('messageStop', { stopReason: 'end_turn' })
  const frames = Buffer.concat([
    awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'a' }, p: 'abc' }),
    stopped,
  ])
  expect('bedrock-eventstream', frames, { ...one, terminator: 'messageStop' })
  frames[40] = (frames[40] as number) ^ 1
  expect('bedrock-eventstream', frames, { text: {}, failure: 'FRAME_CORRUPT' })
})

quirk(19, 'keys come in any order: the type last, the index after the content', () => {
  const typed = '{"delta":"a","output_index":0,"type":"response.output_text.delta"}'
  expect('openai-responses', sseOf(typed), { text: { 0: 'a' } })
  const choice = '{"choices":[{"delta":{"content":"a"},"finish_reason":null,"index":2}],"id":"i"}'
  expect(CHAT, sseOf(choice), { text: { 2: 'a' }, id: 'i' })
})

quirk(20, 'padding has any name and length, or is blanks inside of the JSON', () => {
  const pads = ['"obfuscation":"x7Kp"', '"p":"abcdefg"', '"obfuscation":""']
  const bodies = pads.map((pad) => sseOf(`{${pad},${JSON.stringify(say('a')).slice(1)}`))
  for (const body of bodies) expect(CHAT, body + sseOf(stop), one)
  const blanks = '{"type":"message_stop"      }          '
  expect('anthropic', sseOf(blanks), { terminator: 'message_stop', badJson: 0 })
})

quirk(21, 'JSON may hold blanks, and lie on several lines', () => {
  const pretty = JSON.stringify(say('a'), null, 2).replaceAll('\n', '\ndata: ')
  expect(CHAT, sseOf(pretty, stop), one)
})

quirk(22, 'characters are escaped that need not be', () => {
  const body = sseOf('{"choices":[{"delta":{"content":"\\u003ca\\u003e \\u2014 \\/"}}]}')
  expect(CHAT, body, { text: { 0: '<a> — /' } })
})

quirk(23, 'a surrogate pair may be split over two deltas', () => {
  const [high, low] = ['\ud83d', '\ude02'] as const
  const halves = [high, low].map((half) => delta({ content: half }))
  expect(CHAT, sseOf(...halves, stop), { textDeltas: [high, low], text: { 0: high + low } })
})

quirk(24, 'an escape inside of tool arguments may be split over two deltas', () => {
  const first = { index: 0, id: 'i', function: { name: 'f', arguments: '{"a":"\\uD8' } }
  const second = { index: 0, function: { arguments: '3D\\uDE02"}' } }
  const whole = call(0, 'i', 'f', '{"a":"\\uD83D\\uDE02"}')
  expect(CHAT, sseOf(calls(first), calls(second), stop), { toolCalls: [whole] })
})

quirk(25, 'strings and unknown objects may look like the real thing', () => {
  const decoy = {
    echo: { choices: [{ delta: { content: 'no' } }] },
    ...say('data: {"choices":[{"delta":{"content":"no"}}]}\n\ndata: [DONE]\n\n'),
  }
  const { choices } = say('data: {"choices":[{"delta":{"content":"no"}}]}\n\ndata: [DONE]\n\n') as {
    choices: [{ delta: { content: string } }]
  }
  expect(CHAT, sseOf(decoy), { text: { 0: choices[0].delta.content }, terminator: null })
})

quirk(26, 'of equal keys the last wins, wholly', () => {
  const twice = '{"choices":[{"delta":{"content":"no","role":"no"},"delta":{"content":"a"}}]}'
  expect(CHAT, sseOf(twice), { text: { 0: 'a' }, role: {} })
})

quirk(27, 'numbers that JSON has not make one event malformed and no more', () => {
  const bad =
    '{"choices":[{"delta":{"content":"no"},"logprobs":{"content":[{"logprob":-Infinity}]}}]}'
  expect(CHAT, sseOf(bad, '{"a":NaN}', say('a'), stop), { ...one, badJson: 2 })
})

quirk(28, 'what cannot be an index spoils its event; other numbers may be anything', () => {
  const choice = (index: string): string => {
    return `{"choices":[{"index":${index},"delta":{"content":"no"}}]}`
  }
  const none = { ...one, toolCalls: [], errors: ['EVENT_MALFORMED', 'EVENT_MALFORMED'], badJson: 2 }
  for (const index of ['-1', '1.5', '"1"', '1e10', '99999999999', '"__proto__"', '{"a":1}']) {
    const tool = `{"choices":[{"delta":{"tool_calls":[{"index":${index},"id":"i"}]}}]}`
    expect(CHAT, sseOf(choice(index), tool, say('a'), stop), none)
  }
  expect(CHAT, sseOf(choice('70000'), choice('1e9'), say('a'), stop), none)
  const numbers = '{"created":1e400,"choices":[{"index":null,"delta":{"content":"a"}}]}'
  expect(CHAT, sseOf(numbers, stop), one)
})

quirk(29, 'choices may be empty, null or absent, and a choice without a delta', () => {
  const odd = [
    { id: '', model: '', object: '', created: 0, choices: [], prompt_filter_results: [] },
    { choices: null },
    { x: 1 },
    { choices: [{ index: 0, content_filter_results: {} }] },
  ]
  expect(CHAT, sseOf(...odd, say('a'), stop), { ...one, id: '', model: '' })
})

quirk(30, 'usage lies in many places, and the last that is not null counts', () => {
  const usage = (n: number): object => ({ prompt_tokens: n, completion_tokens: n })
  for (const last of [
    { choices: [], usage: usage(2) },
    { ...stop, usage: usage(2) },
    { ...stop, x_groq: { usage: usage(2) } },
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: usage(2) }] },
  ]) {
    const body = sseOf({ ...say('a'), usage: usage(1) }, { ...say('b'), usage: null }, last, stop)
    expect(CHAT, body, {
      usage: { input: 2, output: 2, total: null, cachedInput: null, reasoning: null },
    })
  }
})

quirk(31, 'a finish reason is repeated, empty, early, or each choice’s own', () => {
  const finish = (reason: string, index = 0): object => {
    return { choices: [{ index, delta: {}, finish_reason: reason }] }
  }
  expect(CHAT, sseOf(finish(''), say('a')), { finishReason: {}, failure: 'STREAM_TRUNCATED' })
  const body = sseOf(finish('stop'), finish('stop'), say('a'), finish('length', 1))
  expect(CHAT, body, { ...one, finishReason: { 0: 'stop', 1: 'length' } })
  const failed = sseOf({ ...finish('error'), error: { message: 'm', code: 502 } })
  expect(CHAT, failed, { finishReason: { 0: 'error' }, errors: ['PROVIDER_ERROR'] })
})

quirk(32, 'content is null, empty, absent, or a list of parts', () => {
  const parts = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
    { type: 'text', text: 'a' },
  ]
  const body = sseOf(
    delta({ content: null }),
    delta({}),
    say(''),
    delta({ content: parts }),
    say('b'),
  )
  expect(CHAT, body, { text: { 0: 'ab' }, reasoning: { 0: 'hm' }, textDeltas: ['a', 'b'] })
})

quirk(33, 'text that is sent twice counts once, and a true repeat twice', () => {
  const twice = {
    choices: [{ index: 0, delta: { content: '6' }, text: '6', message: { content: '66' } }],
  }
  expect(CHAT, sseOf(twice, twice, twice, twice), { text: { 0: '6666' } })
})

quirk(34, 'reasoning has several names, and details that repeat it', () => {
  for (const name of ['reasoning_content', 'reasoning', 'reasoning_text']) {
    const details = [{ type: 'reasoning.text', text: 'hm' }]
    expect(CHAT, sseOf(delta({ [name]: 'hm', reasoning_details: details })), {
      reasoning: { 0: 'hm' },
      text: {},
    })
  }
  const summary = { type: 'reasoning.summary', summary: 'hm' }
  const sealed = { type: 'reasoning.encrypted', data: 'sealed' }
  const signed = { type: 'reasoning.text', text: '', signature: 's' }
  const told = { reasoning: { 0: 'hm' }, signatures: ['sealed', 's'], text: {} }
  for (const reasoning of ['hm', null]) {
    const repeated = delta({ reasoning, reasoning_details: [summary] })
    expect(CHAT, sseOf(repeated, delta({ reasoning_details: [sealed, signed] })), told)
  }
  // Tags are the text's own: with the field beside them, or without.
  const tagged = '<think>hm</think>a'
  expect(CHAT, sseOf(say(tagged)), { text: { 0: tagged }, reasoning: {} })
  expect(CHAT, sseOf(delta({ content: tagged, reasoning_content: 'hm' })), {
    text: { 0: tagged },
    reasoning: { 0: 'hm' },
  })
})

quirk(35, 'ids and names are null, empty or repeated later, and never joined', () => {
  const first = { index: 0, id: 'i', type: 'function', function: { name: '', arguments: '' } }
  for (const later of [
    { index: 0, id: null, function: { name: 'f', arguments: '{}' } },
    { index: 0, id: '', function: { name: 'f', arguments: '{}' } },
    { index: 0, id: 'i', function: { name: 'f', arguments: '{}' } },
  ]) {
    const again = { index: 0, id: later.id, function: { name: 'f', arguments: null } }
    expect(CHAT, sseOf(calls(first), calls(later), calls(again)), {
      toolCalls: [call(0, 'i', 'f', '{}')],
    })
  }
  const whole = { index: 0, id: 'i', function: { name: 'f', arguments: { a: 1 } } }
  expect(CHAT, sseOf(calls(whole)), { toolCalls: [call(0, 'i', 'f', '{"a":1}')] })
})

quirk(36, 'a call’s index is absent, always 0, reused, or not contiguous', () => {
  const fragment = (index: number | undefined, id: string | undefined, args: string): object => {
    return { index, id, function: { name: id === undefined ? undefined : 'f', arguments: args } }
  }
  const absent = [fragment(undefined, 'a', '1'), fragment(undefined, undefined, '2')]
  expect(CHAT, sseOf(calls(...absent), calls(fragment(undefined, 'b', '3'))), {
    toolCalls: [call(0, 'a', 'f', '12'), call(1, 'b', 'f', '3')],
  })
  expect(CHAT, sseOf(calls(fragment(0, 'a', '{}')), calls(fragment(0, 'b', '{}'))), {
    toolCalls: [call(0, 'a', 'f', '{}'), call(0, 'b', 'f', '{}')],
  })
  expect(CHAT, sseOf(calls(fragment(7, 'a', '1'), fragment(3, 'b', '2'))), {
    toolCalls: [call(7, 'a', 'f', '1'), call(3, 'b', 'f', '2')],
  })
})

quirk(37, 'the id is empty at first, or changes: the first that came counts', () => {
  expect(CHAT, sseOf({ id: 'i' }, { id: 'j' }), { id: 'i' })
  expect(CHAT, sseOf({ id: '', model: '' }, { id: 'j', model: 'm' }), { id: '', model: 'm' })
})

quirk(38, 'choices interleave, and are kept apart', () => {
  const both = (a: string, b: string): object => ({
    choices: [
      { index: 1, delta: { content: b } },
      { index: 0, delta: { content: a } },
    ],
  })
  expect(CHAT, sseOf(both('a', 'x'), both('b', 'y')), {
    text: { 0: 'ab', 1: 'xy' },
    textDeltaChoices: [1, 0, 1, 0],
  })
})

quirk(39, 'a refusal comes in place of content, with probabilities of its own', () => {
  const refused = delta(
    { content: null, refusal: 'no' },
    { logprobs: { refusal: [{ logprob: -1 }] } },
  )
  expect(CHAT, sseOf(refused), {
    refusal: { 0: 'no' },
    text: {},
    logprobs: { 0: { count: 1, sum: -1 } },
  })
})

quirk(40, 'an error in the midst of a stream may be followed by more of it', () => {
  for (const error of [{ message: 'm', code: 500 }, 'm']) {
    const body = sseOf(say('a'), { choices: [], error }, { choices: [], usage: {} }, '[DONE]')
    expect(CHAT, body, { errors: ['PROVIDER_ERROR'], usageRaw: {}, terminator: '[DONE]' })
  }
})

quirk(41, 'streams are whole that lack what accumulators ask for', () => {
  // No role, no finish reason, a call that begins with its arguments.
  const body = sseOf(calls({ index: 1, function: { arguments: '{}' } }), say('a'), '[DONE]')
  expect(CHAT, body, { ...one, role: {}, finishReason: {}, toolCalls: [call(1, null, '', '{}')] })
})
