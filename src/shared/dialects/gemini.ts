import { type Dialect, POSITION, type Rule } from './dialect.ts'

/** Parts that are neither text nor a client's tool: told by their key. */
const HOSTED_KEYS = [
  'inlineData',
  'fileData',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
]

/** What an answer says, or a piece of one. */
const answer: readonly Rule[] = [
  { emit: 'id', path: 'responseId' },
  { emit: 'model', path: 'modelVersion' },
  {
    each: 'candidates',
    choice: 'index',
    rules: [
      { emit: 'role', path: 'content.role' },
      {
        each: 'content.parts',
        rules: [
          { emit: 'text', path: 'text', unless: { thought: [true] } },
          { emit: 'reasoning', path: 'text', when: { thought: [true] } },
          { emit: 'signature', path: 'thoughtSignature' },
          {
            emit: 'tool',
            id: 'functionCall.id',
            name: 'functionCall.name',
            input: 'functionCall.args',
            parts: 'functionCall.partialArgs',
          },
        ],
      },
      {
        each: 'content.parts',
        index: POSITION,
        rules: HOSTED_KEYS.map((key): Rule => ({ emit: 'hosted-block', path: key, as: key })),
      },
      {
        each: 'groundingMetadata.groundingChunks',
        rules: [{ emit: 'annotation', path: '' }],
      },
      // Which stretch of the text each of those bears out.
      { emit: 'sources', path: 'groundingMetadata.groundingSupports' },
      { each: 'citationMetadata.citationSources', rules: [{ emit: 'annotation', path: '' }] },
      { each: 'citationMetadata.citations', rules: [{ emit: 'annotation', path: '' }] },
      { emit: 'logprobs', path: 'logprobsResult.chosenCandidates' },
      { emit: 'safety', path: 'safetyRatings' },
      { emit: 'finish', path: 'finishReason' },
      { emit: 'finish-detail', path: 'finishMessage' },
    ],
  },
  { emit: 'safety', path: 'promptFeedback' },
  // A prompt that is blocked has no candidates, so this is why there is no answer.
  { emit: 'finish-detail', path: 'promptFeedback.blockReason' },
  { emit: 'usage', path: 'usageMetadata' },
]

/**
 * Gemini's `generateContent`. A call is known by nothing but its order, and comes whole, unless
 * Vertex was asked to stream it: then in parts.
 */
export const gemini: Dialect = {
  name: 'gemini',
  framing: 'sse',
  signs: [{ has: 'candidates' }, { has: 'promptFeedback' }, { has: 'usageMetadata' }],
  payload: 'json',
  // As its own client has it.
  oneValue: true,
  end: 'finish',
  usage: {
    merge: 'last',
    input: 'promptTokenCount',
    output: 'candidatesTokenCount',
    total: 'totalTokenCount',
    cachedInput: 'cachedContentTokenCount',
    reasoning: 'thoughtsTokenCount',
  },
  rules: [
    ...answer,
    { emit: 'error', path: 'error', off: ['error'] },
    { emit: 'error', path: ['error', ''], on: ['error'] },
  ],
}

/** The same without `alt=sse`: one array, sent piece by piece. Its elements have no names. */
export const geminiArray: Dialect = {
  ...gemini,
  name: 'gemini-array',
  framing: 'json-array',
  rules: [...answer, { emit: 'error', path: 'error' }],
}
