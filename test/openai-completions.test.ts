import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDecoder } from '../src/main/index.ts'
import { MessageBuilder } from '../src/main/message.ts'
import { openaiCompletions } from '../src/shared/dialects/openai-completions.ts'
import { bodyOf, type Case, testCases } from './decoding.ts'

const choice = (fields: object): object => ({ choices: [{ text: 'a', ...fields }] })

/** As its server has them: columns, with a token's number at the token's place. */
const columns = (...token_logprobs: (number | null)[]): object => {
  const tokens = token_logprobs.map(() => 'a')
  const top_logprobs = token_logprobs.map(() => ({ a: -1, b: -2 }))
  return { tokens, token_logprobs, top_logprobs, text_offset: tokens.map((_, at) => at) }
}

const cases: readonly Case[] = [
  {
    name: 'log probabilities are the numbers of their column, where it has any',
    body: [
      choice({ logprobs: columns(null, -0.5) }),
      choice({ logprobs: columns(-1), index: 2 }),
      choice({ logprobs: columns() }),
      choice({ logprobs: null }),
      choice({ logprobs: { tokens: ['a'], token_logprobs: null } }),
    ],
    rows: [
      ['text', 'a'],
      ['logprobs', '[null,-0.5]'],
      ['text', 'a', 'c2'],
      ['logprobs', '[-1]', 'c2'],
      ['text', 'a'],
      ['text', 'a'],
      ['text', 'a'],
    ],
  },
  {
    name: 'log probabilities may be the list that chats have',
    body: [choice({ logprobs: { content: [{ token: 'a', logprob: -1 }] } })],
    rows: [
      ['text', 'a'],
      ['logprobs', '[{"token":"a","logprob":-1}]'],
    ],
  },
]

testCases(openaiCompletions, cases)

test('openai-completions: the message counts and sums them by choice, prompt tokens apart', () => {
  const decoder = createDecoder({ dialect: 'openai-completions' })
  const message = new MessageBuilder(openaiCompletions, 2 ** 20)
  const body = [
    choice({ logprobs: columns(null, -0.5) }),
    choice({ logprobs: columns(-0.25) }),
    choice({ logprobs: columns(-2), index: 1 }),
  ]
  message.add(decoder.push(bodyOf(body)))
  assert.deepEqual(message.toFinal().logprobs, {
    0: { count: 2, sum: -0.75 },
    1: { count: 1, sum: -2 },
  })
})
