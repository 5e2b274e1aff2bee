import {
  type Message,
  MillraceError,
  type TokenBatch,
  type TokenEvent,
  type TokenStream,
} from '../main/index.ts'
import type { Format } from './arguments.ts'

/** How a stream is written in one format. */
export interface Formatter {
  /** What a batch adds to the output; may be empty. */
  readonly batchText: (batch: TokenBatch) => string
  /** What follows when the stream has ended, well or not. */
  readonly endText: (stream: TokenStream) => Promise<string>
}

export function formatter(format: Format): Formatter {
  return FORMATTERS[format]
}

const nothing = (): string => ''
const nothingMore = (): Promise<string> => Promise.resolve('')

const FORMATTERS: Readonly<Record<Format, Formatter>> = {
  text: { batchText: textOf, endText: nothingMore },
  events: { batchText: eventLines, endText: nothingMore },
  final: { batchText: nothing, endText: async (stream) => line(await messageOf(stream)) },
  stats: { batchText: nothing, endText: async (stream) => line(stream.stats()) },
}

function line(value: unknown): string {
  return value === null ? '' : `${JSON.stringify(value)}\n`
}

/**
 * Text of the first choice: several at once would be one garbled text. Of raw events, the data, a
 * line each.
 */
function textOf(batch: TokenBatch): string {
  let text = ''
  for (let from = 0, to = 0; from < batch.length; from = to) {
    to = batch.runEnd(from)
    const type = batch.type(from)
    if (type === 'text-delta' && batch.choice(from) === 0) text += batch.joined(from, to)
    else if (type === 'event') text += dataLine(batch.event(from))
  }
  return text
}

function dataLine(event: TokenEvent): string {
  return event.type === 'event' ? `${event.data}\n` : ''
}

function eventLines(batch: TokenBatch): string {
  let lines = ''
  for (let i = 0; i < batch.length; i += 1) lines += line(plainEvent(batch.event(i)))
  return lines
}

/** An Error shows next to nothing of itself as JSON. */
function plainEvent(event: TokenEvent): unknown {
  if (event.type !== 'error') return event
  const { code, message, details } = event.error
  return { type: event.type, error: { code, message, details } }
}

/** The message, or what came of it before the stream failed; null where nothing did. */
async function messageOf(stream: TokenStream): Promise<Message | null> {
  try {
    return await stream.final()
  } catch (error) {
    if (!(error instanceof MillraceError) || !('partial' in error.details)) throw error
    return stream.stats().bytes === 0 ? null : (error.details['partial'] as Message)
  }
}
