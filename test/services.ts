/** Who speaks which dialect, as docs/DIALECTS.md lists them, and whose a recording is. */
import type { Recording } from './recordings.ts'

/** A row of the table: a provider, or one of its endpoints, and the dialect that it speaks. */
export interface Service {
  readonly name: string
  readonly dialect: string
  /** The manifest's word for it; `null` where no recording is its own. */
  readonly provider: string | null
  /** Tells apart what the manifest has under one word: by the address and the source's path. */
  readonly where?: RegExp
}

const CHAT = 'openai-chat'
const RESPONSES = 'openai-responses'
const AWS = 'bedrock-eventstream'

export const services: readonly Service[] = [
  { name: 'OpenAI', dialect: CHAT, provider: 'openai-chat' },
  { name: 'OpenAI', dialect: RESPONSES, provider: 'openai-responses' },
  { name: 'OpenAI', dialect: 'openai-completions', provider: 'openai-completions' },
  { name: 'OpenAI', dialect: 'openai-assistants', provider: 'openai-assistants' },
  { name: 'Azure', dialect: CHAT, provider: 'azure-openai-chat' },
  { name: 'Azure', dialect: RESPONSES, provider: null },
  { name: 'Anthropic', dialect: 'anthropic', provider: 'anthropic-messages' },
  { name: 'Gemini', dialect: 'gemini', provider: 'gemini-sse', where: /^(?!.*aiplatform)/ },
  { name: 'Gemini', dialect: 'gemini-array', provider: 'gemini-json-array' },
  { name: 'Gemini', dialect: 'gemini-interactions', provider: 'gemini-interactions' },
  { name: 'Vertex', dialect: 'gemini', provider: 'gemini-sse', where: /aiplatform/ },
  { name: 'Bedrock Converse', dialect: AWS, provider: AWS, where: /\/converse-stream/ },
  { name: 'Bedrock Anthropic', dialect: AWS, provider: AWS, where: /anthropic\S+\/invoke-/ },
  { name: 'Bedrock Nova', dialect: AWS, provider: AWS, where: /nova\S+\/invoke-/ },
  { name: 'Bedrock Titan', dialect: AWS, provider: AWS, where: /titan\S+\/invoke-/ },
  { name: 'Bedrock Llama', dialect: AWS, provider: null },
  { name: 'Bedrock Cohere', dialect: AWS, provider: null },
  { name: 'Bedrock Mistral', dialect: AWS, provider: null },
  { name: 'Bedrock Mantle', dialect: RESPONSES, provider: 'compat-responses', where: /mantle/ },
  { name: 'Cohere', dialect: 'cohere-v2', provider: 'cohere-v2' },
  { name: 'Mistral', dialect: CHAT, provider: 'mistral-chat' },
  { name: 'DeepSeek', dialect: CHAT, provider: 'deepseek-chat' },
  { name: 'DeepSeek', dialect: RESPONSES, provider: 'deepseek-responses' },
  { name: 'Groq', dialect: CHAT, provider: 'groq-chat' },
  { name: 'xAI', dialect: CHAT, provider: 'xai-chat' },
  { name: 'xAI', dialect: RESPONSES, provider: 'xai-responses' },
  { name: 'OpenRouter', dialect: CHAT, provider: 'openrouter-chat' },
  { name: 'OpenRouter', dialect: RESPONSES, provider: 'openrouter-responses' },
  { name: 'Ollama', dialect: 'ollama-chat', provider: 'ollama-ndjson' },
  { name: 'Ollama', dialect: 'ollama-generate', provider: 'ollama-ndjson' },
  { name: 'Ollama', dialect: CHAT, provider: 'compat-chat', where: /ollama\.com|OLLAMA_API/ },
  { name: 'Together', dialect: CHAT, provider: 'compat-chat', where: /api\.together\.ai/ },
  { name: 'Hugging Face', dialect: CHAT, provider: 'compat-chat', where: /huggingface\.co/ },
  { name: 'Perplexity', dialect: CHAT, provider: 'compat-chat', where: /perplexity/ },
  { name: 'Writer', dialect: CHAT, provider: 'compat-chat', where: /api\.writer\.com/ },
  { name: 'Snowflake', dialect: CHAT, provider: 'compat-chat', where: /snowflake/ },
  { name: 'Crusoe', dialect: CHAT, provider: 'compat-chat', where: /crusoecloud/ },
  { name: 'vLLM', dialect: CHAT, provider: 'compat-chat', where: /localhost:8000/ },
  // It is what GPUStack runs.
  { name: 'llama.cpp', dialect: CHAT, provider: 'compat-chat', where: /GPUSTACK/ },
  { name: 'Cerebras', dialect: CHAT, provider: null },
  { name: 'SGLang', dialect: CHAT, provider: null },
  { name: 'LM Studio', dialect: CHAT, provider: null },
  // Model Context Protocol, transcriptions, completions of Replicate, watsonx and Writer.
  { name: 'no chat', dialect: 'sse', provider: 'misc-sse' },
]

/**
 * The one that a recording is of.
 *
 * @throws {Error} It is of none, or of several.
 */
export function serviceOf(recording: Recording): Service {
  const { file, provider, endpoint, source } = recording
  const dialect = recording.dialect === 'other' ? 'sse' : recording.dialect
  const place = `${endpoint ?? ''} ${source.path}`
  const [service, other] = services.filter(
    (one) =>
      one.provider === provider && one.dialect === dialect && (one.where?.test(place) ?? true),
  )
  if (service === undefined) throw new Error(`${file} is of no service that test/services.ts has`)
  if (other !== undefined) throw new Error(`${file} is of ${service.name} and of ${other.name}`)
  return service
}
