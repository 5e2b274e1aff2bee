import type { Dialect } from './dialect.ts'
import { openaiChat } from './openai-chat.ts'

/** OpenAI's older Completions, and servers that imitate it: text without roles or tools. */
export const openaiCompletions: Dialect = {
  ...openaiChat,
  name: 'openai-completions',
  signs: [{ each: 'choices', has: 'text' }],
  rules: [
    { emit: 'id', path: 'id' },
    { emit: 'model', path: 'model' },
    {
      each: 'choices',
      choice: 'index',
      rules: [
        { emit: 'text', path: 'text' },
        { emit: 'finish', path: 'finish_reason' },
        { emit: 'safety', path: 'content_filter_results' },
        // A column of numbers; where a server answers as in chats, their list.
        { emit: 'logprobs', path: ['logprobs.content', 'logprobs.token_logprobs'] },
      ],
    },
    { emit: 'usage', path: 'usage' },
    { emit: 'safety', path: 'prompt_filter_results' },
    { emit: 'error', path: 'error', off: ['error'] },
    { emit: 'error', path: ['error', ''], on: ['error'] },
  ],
}
