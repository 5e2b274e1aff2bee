import type { IncomingMessage } from 'node:http'
import { CHUNKERS, type Chunker } from './chunkers.ts'
import type { BundledDialect, BundledStreamOptions, Ending } from './streams.ts'

/** One request to the loopback provider: which stream, and how it travels. */
export interface ProviderRequest {
  readonly dialect: BundledDialect
  readonly stream: BundledStreamOptions
  readonly chunker: Chunker
  readonly seed: number
  /** Pace of this connection; `Infinity` is as fast as the reader takes it. */
  readonly tokensPerSecond: number
  /** The connection breaks after this many bytes; `Infinity` lets it end. */
  readonly cutBytes: number
  /** HTTP status; all but 200 carry an error body instead of a stream. */
  readonly status: number
}

/** A request that is answered with an error status. */
export class RequestError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Everything a caller may ask for; the rest of {@link ProviderRequest} follows from it. */
export interface RequestOptions extends BundledStreamOptions {
  readonly chunker?: Chunker
  readonly tokensPerSecond?: number
  readonly cutBytes?: number
  readonly status?: number
}

const PATHS: Readonly<Record<BundledDialect, string>> = {
  'openai-chat': '/v1/chat/completions',
  anthropic: '/v1/messages',
}

/**
 * The URL under which the provider at `origin` serves this stream.
 *
 * @example
 * await fetch(requestUrl(origin, 'anthropic', { seed: 7, tokens: 100, chunker: 'awkward' }))
 */
export function requestUrl(
  origin: string,
  dialect: BundledDialect,
  options: RequestOptions = {},
): string {
  const url = new URL(PATHS[dialect], origin)
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, String(value))
  return url.href
}

/** Reads a request's path and query. Throws {@link RequestError} for what it does not know. */
export function parseRequest(request: IncomingMessage): ProviderRequest {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  if (host !== '127.0.0.1' && host !== 'localhost') {
    throw new RequestError(403, `host ${host} is not served here`)
  }
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const dialect = dialectAt(url.pathname)
  const query = new Query(url.searchParams)
  const seed = query.integer('seed', 1, 0, 2 ** 32 - 1)
  const parsed: ProviderRequest = {
    dialect,
    seed,
    stream: {
      seed,
      tokens: query.integer('tokens', 256, 0, TOKENS_MAX),
      reasoning: query.integer('reasoning', 0, 0, TOKENS_MAX),
      toolCalls: query.integer('toolCalls', 0, 0, 1000),
      usage: query.choice('usage', ['true', 'false']) === 'true',
      text: query.choice('text', ['rich', 'plain']),
      eol: query.choice('eol', ['\n', '\r\n']),
      ending: query.choice<Ending>('ending', ['complete', 'truncated', 'error']),
    },
    chunker: query.choice('chunker', ['events', ...CHUNKERS]),
    tokensPerSecond: query.integer('tokensPerSecond', Infinity, 1, 1_000_000),
    cutBytes: query.integer('cutBytes', Infinity, 0, Number.MAX_SAFE_INTEGER),
    status: query.integer('status', 200, 200, 599),
  }
  query.assertAllRead()
  return parsed
}

/** Tokens of one kind in one stream: 300 MB of wire. */
const TOKENS_MAX = 1_000_000

function dialectAt(path: string): BundledDialect {
  if (path === PATHS['openai-chat']) return 'openai-chat'
  if (path === PATHS.anthropic) return 'anthropic'
  throw new RequestError(404, `nothing at ${path}; try ${Object.values(PATHS).join(' or ')}`)
}

/** Query parameters, each read once, so that a misspelt one does not pass unnoticed. */
class Query {
  readonly #rest: Map<string, string>

  constructor(params: URLSearchParams) {
    this.#rest = new Map(params)
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.#take(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    if (value === Infinity && fallback === Infinity) return value
    throw new RequestError(400, `${name}=${text} is not an integer from ${min} to ${max}`)
  }

  /** The first choice is the default. */
  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const text = this.#take(name) ?? choices[0]
    const choice = choices.find((candidate) => candidate === text)
    if (choice !== undefined) return choice
    throw new RequestError(400, `${name}=${text} is none of ${choices.join(', ')}`)
  }

  assertAllRead(): void {
    const [unknown] = this.#rest.keys()
    if (unknown !== undefined) throw new RequestError(400, `unknown parameter ${unknown}`)
  }

  #take(name: string): string | undefined {
    const text = this.#rest.get(name)
    this.#rest.delete(name)
    return text
  }
}
