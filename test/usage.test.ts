import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import * as row from '../src/shared/rows.ts'
import { eventsOf, type Row } from './assembling.ts'

const usageOf = (dialect: Dialect, ...sent: readonly object[]): object[] => {
  const rows = sent.map((usage): Row => [row.ROW_USAGE, JSON.stringify(usage)])
  return eventsOf([rows], dialect).map((event) => {
    return event.type === 'usage' ? { usage: event.usage, raw: event.raw } : event
  })
}

test('usage: the last object counts wholly where the dialect says last', () => {
  const none = { input: null, output: null, total: null, cachedInput: null, reasoning: null }
  const first = { prompt_tokens: 1, prompt_cache_hit_tokens: 3 }
  const second = {
    completion_tokens: 2,
    total_tokens: '4',
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 5 },
    prompt_cache_hit_tokens: 6,
  }
  assert.deepEqual(usageOf(openaiChat, first, second), [
    { usage: { ...none, input: 1, cachedInput: 3 }, raw: first },
    { usage: { ...none, output: 2, cachedInput: 0, reasoning: 5 }, raw: second },
  ])
})

test('usage: fields are merged where the dialect says so, and null takes none away', () => {
  const [, merged] = usageOf(
    anthropic,
    { input_tokens: 1, output_tokens: 1, cache_read_input_tokens: 7, tier: null, __proto__: null },
    JSON.parse('{"input_tokens":null,"output_tokens":9,"__proto__":{"x":1}}') as object,
  )
  assert.deepEqual(merged, {
    usage: { input: 1, output: 9, total: null, cachedInput: 7, reasoning: null },
    raw: JSON.parse(
      '{"input_tokens":1,"output_tokens":9,"cache_read_input_tokens":7,"tier":null,' +
        '"__proto__":{"x":1}}',
    ) as object,
  })
  assert.equal(({} as { x?: number }).x, undefined)
})

test('usage: a merged object has at most 64 fields, and goes on counting those it has', () => {
  const many = Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`f${at}`, at]))
  const [, merged] = usageOf(anthropic, many, { f0: 'new', f64: 'no' }) as { raw: object }[]
  assert.deepEqual(merged?.raw, { ...many, f0: 'new' })
})

test('usage: only the named fields count where the object holds others', () => {
  const usage = {
    merge: 'last',
    input: 'in',
    output: 'out',
    only: ['in', 'out', '__proto__'],
  } as const
  const none = { input: null, output: null, total: null, cachedInput: null, reasoning: null }
  const sent = [{ in: 1, text: 'x', out: 2, context: [1, 2] }, { done: true }]
  assert.deepEqual(usageOf({ ...openaiChat, usage }, ...sent), [
    { usage: { ...none, input: 1, output: 2 }, raw: { in: 1, out: 2 } },
    { usage: none, raw: {} },
  ])
})
