/**
 * Sources: whatever holds a provider's bytes, read one chunk at a time.
 *
 * A source is pulled, never pushed: nothing is read ahead of the stream's window.
 */
import { inspect } from 'node:util'
import { mediaTypeOf } from '../shared/decoder/dialect-detector.ts'
import type { Framing } from '../shared/dialects/dialect.ts'
import { MillraceError } from '../shared/errors.ts'
import { BODY_EXCERPT_BYTES_MAX, BODY_EXCERPT_MS_MAX } from '../shared/limits.ts'

/** Bytes, or text to be encoded as UTF-8. */
export type Chunk = Uint8Array | string

/**
 * What `decode` takes: a fetch `Response`, a web `ReadableStream`, a Node `Readable`, any sync or
 * async iterable of chunks, or one chunk.
 */
export type Source =
  | Response
  | ReadableStream<Chunk>
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | Chunk

/** One source, opened. */
export interface ChunkReader {
  /** Of a response; `''` where there is none. */
  readonly contentType: string
  /** The next chunk, or `null` at the end. A promise only where the source makes one. */
  read(): Promise<Uint8Array | null> | Uint8Array | null
  /** Releases the source; never rejects. Safe to call at any time, any number of times. */
  cancel(reason: unknown): Promise<void>
}

/** What servers call their streams, by framing; besides these, a generic type or none at all. */
const MEDIA_TYPES: Readonly<Record<Framing, readonly string[]>> = {
  sse: ['text/event-stream'],
  ndjson: [
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
    'application/x-jsonlines',
    'application/json',
  ],
  'json-array': ['application/json'],
  'aws-eventstream': ['application/vnd.amazon.eventstream'],
}
const MEDIA_TYPES_GENERIC: readonly string[] = ['', 'text/plain', 'application/octet-stream']

/**
 * Opens a source.
 *
 * @param framing - What it is to hold; `null` where that is to be recognised.
 * @throws {MillraceError} `OPTION_INVALID` where it is no source; `HTTP_STATUS`, `BODY_MISSING`,
 *   `BODY_USED`, `CONTENT_TYPE` for a `Response` that holds no stream.
 */
export async function openSource(source: Source, framing: Framing | null): Promise<ChunkReader> {
  if (source instanceof Uint8Array || typeof source === 'string') return fromIterator([source])
  if (typeof source === 'object' && source !== null) {
    if (isResponse(source)) return fromResponse(source, framing)
    if (isWebStream(source)) return fromWebStream(source)
    if (isIterable(source)) return fromIterator(source)
  }
  const isPromise = (source as unknown) instanceof Promise
  const given = isPromise ? 'a Promise: await it' : source === null ? 'null' : typeof source
  throw new MillraceError(
    'OPTION_INVALID',
    'source must be a Response, ReadableStream, Readable, iterable of Uint8Array or string, ' +
      `Uint8Array or string, not ${given}`,
    { option: 'source' },
  )
}

/** What a stream fails with whose source threw. */
export function sourceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? error.message : inspect(error)
  return new MillraceError('SOURCE_FAILED', `the source failed: ${message}`, {}, error)
}

async function fromResponse(response: Response, framing: Framing | null): Promise<ChunkReader> {
  if (response.bodyUsed) {
    throw new MillraceError('BODY_USED', 'the response body has been read already', {
      url: response.url,
    })
  }
  if (!response.ok) {
    const excerpt = await excerptOf(response)
    throw new MillraceError(
      'HTTP_STATUS',
      `the provider answered ${response.status} ${response.statusText}`.trimEnd() +
        (excerpt === '' ? '' : `: ${excerpt}`),
      { status: response.status, excerpt, url: response.url },
    )
  }
  if (response.body === null) {
    throw new MillraceError('BODY_MISSING', `the response (${response.status}) has no body`, {
      status: response.status,
    })
  }
  const contentType = response.headers.get('content-type') ?? ''
  if (!mayHoldStream(contentType, framing)) {
    const excerpt = await excerptOf(response)
    throw new MillraceError(
      'CONTENT_TYPE',
      `expected an event stream, got ${contentType}: ${excerpt}`,
      { contentType, excerpt, url: response.url },
    )
  }
  return { ...fromWebStream(response.body), contentType }
}

// Servers that stream label it so, or with a generic type, or not at all; a page or a JSON body
// under status 200 is an error message in disguise.
function mayHoldStream(contentType: string, framing: Framing | null): boolean {
  const own = framing === null ? Object.values(MEDIA_TYPES).flat() : MEDIA_TYPES[framing]
  return [...own, ...MEDIA_TYPES_GENERIC].includes(mediaTypeOf(contentType))
}

async function excerptOf(response: Response): Promise<string> {
  if (response.body === null) return ''
  const reader = fromWebStream(response.body)
  const parts: Uint8Array[] = []
  let bytes = 0
  // A body that stays open is quoted as far as it came: cancelling ends the read.
  const timer = setTimeout(() => void reader.cancel(undefined), BODY_EXCERPT_MS_MAX)
  try {
    while (bytes < BODY_EXCERPT_BYTES_MAX) {
      const chunk = await reader.read()
      if (chunk === null) break
      parts.push(chunk)
      bytes += chunk.length
    }
  } catch {
    // A body that breaks while it is quoted changes nothing about why it was refused.
  }
  clearTimeout(timer)
  await reader.cancel(undefined)
  return Buffer.concat(parts).subarray(0, BODY_EXCERPT_BYTES_MAX).toString('utf8').trim()
}

function fromWebStream(stream: ReadableStream<Chunk>): ChunkReader {
  if (stream.locked) {
    throw new MillraceError('BODY_USED', 'the ReadableStream is locked to another reader')
  }
  const reader = stream.getReader()
  const toBytes = new ToBytes()
  return {
    contentType: '',
    async read() {
      const { done, value } = await reader.read()
      return done ? toBytes.end() : toBytes.chunk(value)
    },
    async cancel(reason) {
      await reader.cancel(reason).catch(ignore)
    },
  }
}

function fromIterator(iterable: AsyncIterable<Chunk> | Iterable<Chunk>): ChunkReader {
  const iterator: AsyncIterator<Chunk> | Iterator<Chunk> =
    Symbol.asyncIterator in iterable
      ? iterable[Symbol.asyncIterator]()
      : iterable[Symbol.iterator]()
  const toBytes = new ToBytes()
  const bytesOfResult = ({ done, value }: IteratorResult<Chunk>): Uint8Array | null =>
    done ? toBytes.end() : toBytes.chunk(value)
  return {
    contentType: '',
    read() {
      const result = iterator.next()
      return isThenable(result)
        ? Promise.resolve(result).then(bytesOfResult)
        : bytesOfResult(result)
    },
    async cancel() {
      // A Readable's iterator is a generator: return() would wait for the read that hangs.
      if ('destroy' in iterable && typeof iterable.destroy === 'function') iterable.destroy()
      // Not awaited for its result: an async generator that hangs in `next()` queues `return()`
      // behind it, and would hold the canceller for as long.
      try {
        Promise.resolve(iterator.return?.()).catch(ignore)
      } catch {
        // The same for a synchronous iterator that throws on its way out.
      }
    },
  }
}

/**
 * Chunks to bytes. Text is encoded; a high surrogate at a chunk's end waits for its other half,
 * which the next chunk holds. What still waits at the end leaves as U+FFFD.
 */
class ToBytes {
  readonly #encoder = new TextEncoder()
  #highSurrogate = ''

  chunk(chunk: Chunk): Uint8Array {
    if (typeof chunk === 'string') return this.#text(chunk)
    if (!(chunk instanceof Uint8Array)) {
      const given = chunk === null ? 'null' : typeof chunk
      throw new MillraceError(
        'SOURCE_FAILED',
        `the source yielded ${given}, not Uint8Array or string`,
      )
    }
    const orphan = this.end()
    return orphan === null ? chunk : Buffer.concat([orphan, chunk])
  }

  /** What still waits, if anything does. */
  end(): Uint8Array | null {
    const rest = this.#highSurrogate
    this.#highSurrogate = ''
    return rest === '' ? null : this.#encoder.encode(rest)
  }

  #text(chunk: string): Uint8Array {
    const text = this.#highSurrogate + chunk
    const last = text.charCodeAt(text.length - 1)
    const cut = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length
    this.#highSurrogate = text.slice(cut)
    return this.#encoder.encode(text.slice(0, cut))
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}

// By shape, not by class: a Response of another fetch, or of another realm, is one too.
function isResponse(value: object): value is Response {
  return 'status' in value && 'headers' in value && 'body' in value
}

function isWebStream(value: object): value is ReadableStream<Chunk> {
  return 'getReader' in value && typeof value.getReader === 'function'
}

function isIterable(value: object): value is AsyncIterable<Chunk> | Iterable<Chunk> {
  return Symbol.asyncIterator in value || Symbol.iterator in value
}

function ignore(): void {}
