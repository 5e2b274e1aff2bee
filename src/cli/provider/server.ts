import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { chunksOf } from './chunkers.ts'
import { parseRequest, RequestError, type ProviderRequest } from './request.ts'
import { bundledStream, type BundledStream } from './streams.ts'

/** A provider on this machine that serves the bundled streams. */
export interface LoopbackProvider {
  /** `http://127.0.0.1:PORT`; {@link requestUrl} adds a path and query to it. */
  readonly origin: string
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts an HTTP server on 127.0.0.1, on a free port, that streams whatever its URL describes.
 *
 * Obeys backpressure: a stalled reader stops its own stream and holds one chunk. Only requests
 * that name this host are served, so that a web page cannot reach it under another name.
 */
export async function startProvider(): Promise<LoopbackProvider> {
  const streams = new StreamCache()
  const server = createServer((request, response) => void serve(request, response, streams))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) }
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  streams: StreamCache,
): Promise<void> {
  // The prompt, if any, does not matter; unread, it would hold the connection.
  request.resume()
  try {
    const wanted = parseRequest(request)
    if (wanted.status !== 200) throw new RequestError(wanted.status, 'as requested')
    await sendStream(response, streams.get(wanted), wanted)
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    sendError(response, error)
  }
}

function sendError(response: ServerResponse, { status, message }: RequestError): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { type: 'invalid_request_error', message } }))
}

async function sendStream(
  response: ServerResponse,
  stream: BundledStream,
  { chunker, seed, tokensPerSecond, cutBytes }: ProviderRequest,
): Promise<void> {
  const reader = new Reader(response)
  response.socket?.setNoDelay(true)
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  response.flushHeaders()

  const pace = new Pace(stream, tokensPerSecond)
  let sent = 0
  for (const chunk of chunksOf(stream.bytes.subarray(0, cutBytes), chunker, seed)) {
    sent += chunk.length
    const waitMs = pace.waitMs(sent)
    if (waitMs > 0) await reader.sleep(waitMs)
    if (reader.gone) return
    if (!response.write(chunk)) await reader.drained()
    // Node 26 makes one chunk of all that is written in one tick.
    await nextTick()
  }
  if (reader.gone) return
  // Closing the socket below the response sends what was written, but not the body's end.
  if (cutBytes < stream.bytes.length) response.socket?.end()
  else response.end()
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

/**
 * The reader of one response, as something to wait for. Both waits end early where it leaves.
 *
 * Two listeners a response and one timer a wait, since a paced one may wait a thousand times a
 * second, and the server shares its machine with what it feeds.
 */
class Reader {
  gone = false
  #wake: () => void = () => {}
  #timer: NodeJS.Timeout | undefined

  constructor(response: ServerResponse) {
    response.once('close', () => {
      this.gone = true
      clearTimeout(this.#timer)
      this.#wake()
    })
    response.on('drain', () => this.#wake())
  }

  async sleep(ms: number): Promise<void> {
    if (this.gone) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#timer = setTimeout(resolve, ms)
    })
  }

  /** After a write that asked to wait. */
  async drained(): Promise<void> {
    if (this.gone) return
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

/** Streams that were made before, at most {@link CACHE_BYTES_MAX} of them: making costs more. */
class StreamCache {
  readonly #streams = new Map<string, BundledStream>()
  #bytes = 0

  get({ dialect, stream: options }: ProviderRequest): BundledStream {
    const key = JSON.stringify([dialect, options])
    const made = this.#streams.get(key)
    if (made !== undefined) return made
    const stream = bundledStream(dialect, options)
    this.#streams.set(key, stream)
    this.#bytes += stream.bytes.length
    // The oldest go first. The newest may stay alone above the bound: it is in use anyway.
    for (const [oldKey, old] of this.#streams) {
      if (this.#bytes <= CACHE_BYTES_MAX || oldKey === key) break
      this.#streams.delete(oldKey)
      this.#bytes -= old.bytes.length
    }
    return stream
  }
}

const CACHE_BYTES_MAX = 64 * 1024 * 1024

/** When each byte is due, at a constant number of tokens a second from the first byte on. */
class Pace {
  readonly #bytesPerMs: number
  readonly #startMs: number = performance.now()

  constructor({ bytes, expected }: BundledStream, tokensPerSecond: number) {
    const bytesPerToken = bytes.length / Math.max(1, expected.tokens.length)
    this.#bytesPerMs = (bytesPerToken * tokensPerSecond) / 1000
  }

  /** Milliseconds until the first `sent` bytes are due; 0 or less when they are. */
  waitMs(sent: number): number {
    return this.#startMs + sent / this.#bytesPerMs - performance.now()
  }
}
