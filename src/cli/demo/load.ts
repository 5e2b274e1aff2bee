import { Agent, get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { Millrace, WritableTokenStream } from '../../main/index.ts'
import type { Chunker } from '../provider/chunkers.ts'
import { requestUrl, type RequestOptions } from '../provider/request.ts'
import type { ExpectedMessage } from '../provider/expected.ts'
import { bundledStream, type BundledDialect } from '../provider/streams.ts'
import type { Meter } from './meter.ts'
import { StreamCheck } from './stream-check.ts'

/** One connection of a phase. */
export interface Connection {
  readonly dialect: BundledDialect
  readonly request: RequestOptions
  /** What the provider's stream holds, made here from the same seed. */
  readonly expected: ExpectedMessage
}

/** Streams of one kind that run at once. */
export interface Phase {
  readonly name: string
  readonly connections: readonly Connection[]
  /** About how long it takes. */
  readonly seconds: number
  /** Each connection is followed by another like it until `seconds` have passed. */
  readonly again: boolean
}

export interface PhaseOptions {
  readonly connections: number
  readonly seconds: number
  /** Pace of each connection; `Infinity` is flat out. */
  readonly tokensPerSecond: number
}

/** Text tokens sent flat out: by one stream at most, and by all at once, a second's work. */
const FLAT_OUT_STREAM_TOKENS_MAX = 300
const FLAT_OUT_TOKENS = 30_000

/** Different streams of one dialect in a phase: enough to differ, few enough to make quickly. */
const SEEDS = 5

/** Paced, a chunk leaves when its last byte is due: large ones would be a pause and a flood. */
const PACED_CHUNKERS: readonly Chunker[] = ['events', 'awkward', 'segments', 'primes']

/** Single bytes cost HTTP far more than they cost the decoder: for one stream in a hundred. */
const BYTES_EVERY = 100

const FAST_CHUNKERS: readonly Chunker[] = [...PACED_CHUNKERS, 'huge', 'whole']

/** Plans a phase: both dialects, and every chunker that suits its pace. */
export function planPhase(name: string, options: PhaseOptions): Phase {
  const { seconds, tokensPerSecond } = options
  const paced = tokensPerSecond < Infinity
  // A fifth is left to reasoning and tool calls.
  const tokens = paced
    ? Math.ceil(seconds * tokensPerSecond * 0.8)
    : Math.min(FLAT_OUT_STREAM_TOKENS_MAX, Math.ceil(FLAT_OUT_TOKENS / options.connections))
  const made = new Map<string, ExpectedMessage>()
  const connections = Array.from({ length: options.connections }, (_, i): Connection => {
    const dialect = i % 2 === 0 ? 'openai-chat' : 'anthropic'
    const seed = 1 + (i % SEEDS)
    const told = { seed, tokens, reasoning: tokens >> 3, toolCalls: 2 }
    const key = `${dialect} ${seed}`
    const expected = made.get(key) ?? bundledStream(dialect, told).expected
    made.set(key, expected)
    const pace = paced ? { tokensPerSecond } : {}
    return { dialect, request: { ...told, ...pace, chunker: chunkerOf(i, paced) }, expected }
  })
  return { name, connections, seconds, again: !paced }
}

function chunkerOf(i: number, paced: boolean): Chunker {
  if (paced && i % BYTES_EVERY === 0) return 'bytes'
  const chunkers = paced ? PACED_CHUNKERS : FAST_CHUNKERS
  return chunkers[(i >> 1) % chunkers.length] ?? 'events'
}

/** Runs a phase's connections at once; resolves when the last has ended, however it ended. */
export async function runPhase(
  mill: Millrace,
  origin: string,
  phase: Phase,
  meter: Meter,
): Promise<void> {
  const agent = new Agent({ maxSockets: Infinity })
  meter.start()
  await Promise.all(
    phase.connections.map(async (connection) => {
      do await runConnection(mill, origin, connection, meter, agent)
      while (phase.again && meter.seconds < phase.seconds)
    }),
  )
  meter.stop()
  agent.destroy()
}

async function runConnection(
  mill: Millrace,
  origin: string,
  { dialect, request, expected }: Connection,
  meter: Meter,
  agent: Agent,
): Promise<void> {
  const check = new StreamCheck(expected, meter)
  try {
    const requested = get(requestUrl(origin, dialect, request), { agent })
    const [response] = (await once(requested, 'response')) as [IncomingMessage]
    const stream = mill.open({ dialect })
    feed(response, stream, check)
    for await (const event of stream) check.delivered(event)
    check.ended(await stream.final())
    meter.streams += 1
  } catch (error) {
    check.failed(error)
  }
}

/** Every chunk as it comes off the socket: iterating the response would join those that wait. */
function feed(response: IncomingMessage, stream: WritableTokenStream, check: StreamCheck): void {
  response.on('data', (chunk: Buffer) => {
    check.arrived(chunk.length)
    if (stream.write(chunk)) return
    response.pause()
    void stream.drained().then(() => response.resume())
  })
  response.once('end', () => stream.end())
  response.once('error', (error) => stream.cancel(error))
}
