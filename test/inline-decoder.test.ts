import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDecoder } from '../src/main/index.ts'
import { chat, delta, DONE } from './chat-bytes.ts'
import { brief } from './reading.ts'

const CHAT = { dialect: 'openai-chat' } as const

/** An event that begins a tool call; nothing in it ends the call. */
const TOOL_CALL =
  'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1",' +
  '"function":{"name":"weigh","arguments":"{\\"mill"}}]}}]}\n\n'

test('push: gives what the bytes completed, and end() the rest', () => {
  const decoder = createDecoder(CHAT)
  assert.deepEqual([...decoder.push(delta('a') + delta('b').slice(0, 20))].map(brief), ['a'])
  assert.deepEqual([...decoder.push(delta('b').slice(20) + DONE)].map(brief), ['b', 'end'])
  assert.equal(decoder.end().length, 0)
  assert.equal(decoder.failure, null)
})

test('end: ends tool calls that are open', () => {
  const decoder = createDecoder(CHAT)
  const types = [...decoder.push(TOOL_CALL)].map(({ type }) => type)
  assert.deepEqual(types, ['tool-input-start', 'tool-input-delta'])
  assert.deepEqual(
    [...decoder.push(DONE)].map(({ type }) => type),
    ['tool-input-end', 'end'],
  )
})

test('end: does not end a tool call that the truncated stream left open', () => {
  const decoder = createDecoder(CHAT)
  assert.equal(decoder.push(TOOL_CALL).length, 2)
  assert.equal(decoder.end().length, 0)
  assert.equal(decoder.failure?.code, 'STREAM_TRUNCATED')
})

test('end: adds nothing after a failure, not even the ends of open tool calls', () => {
  const decoder = createDecoder({ ...CHAT, strict: true })
  decoder.push(TOOL_CALL)
  assert.equal(decoder.push(`data: {oops\n\n${chat('late')}`).length, 0)
  assert.equal(decoder.failure?.code, 'EVENT_MALFORMED')
  assert.equal(decoder.push(chat('later')).length, 0)
  assert.equal(decoder.end().length, 0)
  assert.equal(decoder.failure?.code, 'EVENT_MALFORMED')
})

test('end: what comes after it is dropped', () => {
  const decoder = createDecoder(CHAT)
  decoder.push(delta('a'))
  decoder.end()
  assert.equal(decoder.failure?.code, 'STREAM_TRUNCATED')
  assert.equal(decoder.push(chat('late')).length, 0)
  assert.equal(decoder.end().length, 0)
})

test('push: the least limits are enough for a stream that keeps them, byte by byte', () => {
  const name = 'm'.repeat(64)
  const text =
    'data: {"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n'
  const stream = `id: ${'7'.repeat(64)}\nevent: ${name}\n${text}event: ${name}\nretry: 5\n\n`
  const decoder = createDecoder({
    ...CHAT,
    lineBytesMax: 256,
    eventBytesMax: 256,
    eventNameBytesMax: 64,
    eventIdBytesMax: 64,
    raw: true,
  })
  for (const byte of Buffer.from(stream)) decoder.push(Buffer.of(byte))
  assert.equal(decoder.end().length, 0)
  assert.equal(decoder.failure, null)
})
