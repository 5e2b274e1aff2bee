import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
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
  const server = createServer((request, response) => void serve(request, response))
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

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  // The prompt, if any, does not matter; unread, it would hold the connection.
  request.resume()
  try {
    const wanted = parseRequest(request)
    if (wanted.status !== 200) throw new RequestError(wanted.status, 'as requested')
    await sendStream(response, bundledStream(wanted.dialect, wanted.stream), wanted)
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
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.socket?.setNoDelay(true)
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  response.flushHeaders()

  const pace = new Pace(stream, tokensPerSecond)
  let sent = 0
  try {
    for (const chunk of chunksOf(stream.bytes.subarray(0, cutBytes), chunker, seed)) {
      sent += chunk.length
      const waitMs = pace.waitMs(sent)
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: gone.signal })
      if (gone.signal.aborted) return
      if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal })
    }
  } catch (error) {
    // The reader left: nobody is there to be told.
    if (gone.signal.aborted) return
    throw error
  }
  // Closing the socket below the response sends what was written, but not the body's end.
  if (cutBytes < stream.bytes.length) response.socket?.end()
  else response.end()
}

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
