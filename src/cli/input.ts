import { open } from 'node:fs/promises'
import { ReadableStream } from 'node:stream/web'
import type { Source } from '../main/index.ts'
import { CommandError, EXIT } from './exit.ts'

/** What to decode, opened. */
export interface Input {
  readonly source: Source
  /** How messages call it. */
  readonly name: string
  /** Size where it is known beforehand, bytes. */
  readonly bytesTotal: number | null
  /** Longest silence to put up with, ms; 0 is for ever, as a pipe's writer may think. */
  readonly timeoutMs: number
  /** Releases it; safe after its end. */
  close(): Promise<void>
}

const FILE_CHUNK_BYTES = 64 * 1024

/**
 * Opens a file, standard input (`-`) or an http(s) URL.
 *
 * @throws {CommandError} One line for what people meet: no such file, a directory, an empty file,
 *   an address that does not answer. A status other than 2xx is the decoder's to refuse.
 */
export async function openInput(
  input: string,
  chunkBytes: number | null,
  signal: AbortSignal,
): Promise<Input> {
  if (input === '-') return standardInput(chunkBytes)
  if (/^https?:\/\//i.test(input)) return fetchInput(input, chunkBytes, signal)
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(input)) {
    throw noInput(`only http and https are fetched: ${input}`)
  }
  return fileInput(input, chunkBytes)
}

function standardInput(chunkBytes: number | null): Input {
  const { stdin } = process
  return {
    source: inPieces(stdin, chunkBytes),
    name: 'standard input',
    bytesTotal: null,
    timeoutMs: 0,
    async close() {
      // A pending read would hold the process for as long as the pipe's writer lives.
      stdin.destroy()
    },
  }
}

async function fileInput(path: string, chunkBytes: number | null): Promise<Input> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw noInput(error.code === 'ENOENT' ? `no such file: ${path}` : error.message)
  })
  const stat = await file.stat()
  if (stat.isDirectory()) {
    await file.close()
    throw noInput(`${path} is a directory`)
  }
  const highWaterMark = Math.max(chunkBytes ?? 0, FILE_CHUNK_BYTES)
  const stream = file.createReadStream({ highWaterMark })
  return {
    source: inPieces(stream, chunkBytes),
    name: path,
    bytesTotal: stat.isFile() ? stat.size : null,
    timeoutMs: 0,
    async close() {
      stream.destroy()
      await file.close()
    },
  }
}

async function fetchInput(
  address: string,
  chunkBytes: number | null,
  signal: AbortSignal,
): Promise<Input> {
  const name = withoutSecrets(address)
  const response = await fetch(address, {
    redirect: 'error',
    headers: { accept: 'text/event-stream' },
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw signal.reason
    throw new CommandError(EXIT.stream, `cannot fetch ${name}: ${reasonOf(error)}`, error)
  })
  return {
    source: responseInPieces(response, chunkBytes),
    name,
    bytesTotal: Number(response.headers.get('content-length')) || null,
    timeoutMs: 60_000,
    async close() {},
  }
}

/** An address without its query, which may be a key; `fetch` would refuse and print a password. */
function withoutSecrets(address: string): string {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw new CommandError(EXIT.usage, 'this is not a valid URL')
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandError(EXIT.usage, 'a URL with a user or password is not fetched')
  }
  return url.origin + url.pathname
}

/** `fetch` says "fetch failed" and hides the reason in a chain of causes. */
function reasonOf(error: unknown): string {
  let reason = error
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause
  if (!(reason instanceof Error)) return String(reason)
  const { code } = reason as NodeJS.ErrnoException
  return reason.message || code || reason.name
}

function noInput(message: string): CommandError {
  return new CommandError(EXIT.noInput, message)
}

/** The same bytes, in pieces of at most `chunkBytes`. */
async function* inPieces(
  chunks: AsyncIterable<Uint8Array>,
  chunkBytes: number | null,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const step = chunkBytes ?? chunk.length
    for (let begin = 0; begin < chunk.length; begin += step) {
      yield chunk.subarray(begin, begin + step)
    }
  }
}

function responseInPieces(response: Response, chunkBytes: number | null): Response {
  if (chunkBytes === null || !response.ok || response.body === null) return response
  const body = ReadableStream.from(piecesOf(response, chunkBytes))
  return new Response(body as BodyInit, response)
}

// Holds on to the response: `fetch` cancels the body of one that is collected before its body is
// first read.
async function* piecesOf(response: Response, chunkBytes: number): AsyncGenerator<Uint8Array> {
  if (response.body !== null) yield* inPieces(response.body, chunkBytes)
}
