import type { Dialect } from './dialect.ts'

/**
 * OpenAI Chat Completions and its family: Azure, DeepSeek, Groq, xAI, Mistral, OpenRouter,
 * Together, Hugging Face, vLLM, llama.cpp, Ollama's compatible endpoint and others.
 *
 * Of a choice only its `delta` is read: some servers repeat the token beside it as `text`, or add
 * the running `message`.
 */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  framing: 'sse',
  signs: [{ each: 'choices', has: 'delta' }],
  payload: 'json',
  sentinels: ['[DONE]'],
  end: 'finish',
  usage: {
    merge: 'last',
    input: 'prompt_tokens',
    output: 'completion_tokens',
    total: 'total_tokens',
    cachedInput: ['prompt_tokens_details.cached_tokens', 'prompt_cache_hit_tokens'],
    reasoning: 'completion_tokens_details.reasoning_tokens',
  },
  rules: [
    { emit: 'id', path: 'id' },
    { emit: 'model', path: 'model' },
    {
      each: 'choices',
      choice: 'index',
      rules: [
        { emit: 'role', path: 'delta.role' },
        {
          emit: 'reasoning',
          path: ['delta.reasoning_content', 'delta.reasoning', 'delta.reasoning_text'],
        },
        { emit: 'text', path: 'delta.content' },
        {
          // Mistral's parts: content is an array where the model thinks, else a string.
          each: 'delta.content',
          rules: [
            { emit: 'text', path: 'text', when: { type: ['text'] } },
            {
              each: 'thinking',
              when: { type: ['thinking'] },
              rules: [{ emit: 'reasoning', path: 'text' }],
            },
          ],
        },
        { emit: 'refusal', path: 'delta.refusal' },
        {
          each: 'delta.tool_calls',
          index: 'index',
          rules: [
            { emit: 'tool', id: 'id', name: 'function.name', arguments: 'function.arguments' },
          ],
        },
        {
          emit: 'tool',
          name: 'delta.function_call.name',
          arguments: 'delta.function_call.arguments',
        },
        { each: 'delta.annotations', rules: [{ emit: 'annotation', path: '' }] },
        // Their text repeats what `reasoning` says, where that is sent.
        {
          each: 'delta.reasoning_details',
          rules: [
            { emit: 'reasoning', path: ['text', 'summary'], whole: true },
            { emit: 'signature', path: ['signature', 'data'] },
          ],
        },
        { emit: 'safety', path: 'content_filter_results' },
        { emit: 'logprobs', path: 'logprobs.content' },
        { emit: 'logprobs', path: 'logprobs.refusal' },
        { emit: 'finish', path: 'finish_reason' },
        { emit: 'finish-detail', path: 'native_finish_reason' },
        { emit: 'usage', path: 'usage' },
        { emit: 'error', path: 'error' },
      ],
    },
    { emit: 'usage', path: ['usage', 'x_groq.usage'] },
    // Perplexity's, whole in every event; xAI's, in the last.
    { emit: 'sources', path: 'citations' },
    { emit: 'sources', path: 'search_results' },
    { emit: 'safety', path: 'prompt_filter_results' },
    { emit: 'error', path: 'error', off: ['error'] },
    // An SSE event named `error` may be flat, and so may the body of a refused request.
    { emit: 'error', path: ['error', ''], on: ['error'] },
    { emit: 'error', path: '', when: { object: ['error'] } },
  ],
}
