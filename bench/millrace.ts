/** Our own ways from bytes to strings, as contenders. */
import { inlineEngine } from '../src/main/decoder-module.ts'
import { createDecoder, type Millrace, type TokenBatch } from '../src/main/index.ts'
import { createDecoderOn } from '../src/shared/decoder/create-decoder.ts'
import { findDialect } from '../src/shared/dialects/dialects.ts'
import { STREAM_LIMITS_DEFAULT } from '../src/shared/limits.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import { ROW_TEXT, ROW_WORDS } from '../src/shared/rows.ts'
import type { Chunk } from './fixtures.ts'
import type { FixtureDialect } from './fixtures/parts.ts'
import type { Contender } from './race.ts'
import type { Sink } from './sink.ts'

/** The synchronous decoder on the caller's thread. */
export function inline(dialect: FixtureDialect): Contender {
  const hits = new HitCounter()
  return {
    name: 'millrace, inline',
    decode(chunks, sink) {
      hits.start()
      const decoder = createDecoder({ dialect })
      for (const chunk of chunks) deliver(decoder.push(chunk), sink)
      deliver(decoder.end(), sink)
    },
    templateHits: () => hits.share(),
  }
}

/** The decoder alone: rows are read, and no string is made of them. */
export function recordsOnly(dialect: FixtureDialect): Contender {
  const hits = new HitCounter()
  return {
    name: 'millrace, records only (no strings)',
    delivers: 'records',
    decode(chunks, sink) {
      hits.start()
      const options = { limits: STREAM_LIMITS_DEFAULT, strict: false }
      const decoder = createDecoderOn(inlineEngine(), findDialect(dialect), options)
      const rows = new RowWriter()
      for (const chunk of chunks) {
        decoder.push(chunk, rows)
        countRows(rows, sink)
        rows.reset()
      }
      decoder.end(rows)
      countRows(rows, sink)
      decoder.release()
    },
    templateHits: () => hits.share(),
  }
}

/** Counts of the calling thread's engine, which all its streams share. */
class HitCounter {
  readonly #engine = inlineEngine()
  #hits = 0
  #misses = 0

  start(): void {
    this.#hits = this.#engine?.templateHits ?? 0
    this.#misses = this.#engine?.templateMisses ?? 0
  }

  /** Of the payloads since the start, those that a template decoded; NaN without an engine. */
  share(): number {
    const hits = (this.#engine?.templateHits ?? NaN) - this.#hits
    const misses = (this.#engine?.templateMisses ?? NaN) - this.#misses
    return hits / (hits + misses)
  }
}

function countRows({ rows, rowCount }: RowWriter, sink: Sink): void {
  for (let row = 0; row < rowCount; row++) {
    const at = row * ROW_WORDS
    const units = rows[at + 2]!
    if ((rows[at]! & 0xff) === ROW_TEXT && units > 0) sink.count(units)
  }
}

/** Through a worker, read by `batches()`; `windowBytes` where it is not the default. */
export function workerBatches(
  mill: Millrace,
  dialect: FixtureDialect,
  windowBytes?: number,
): Contender {
  let meanBatchTokens = NaN
  const options = { dialect, accumulate: false, ...(windowBytes && { windowBytes }) }
  const window = windowBytes === undefined ? '' : `, window ${windowBytes / 1024} KiB`
  return {
    name: `millrace, one worker, batches()${window}`,
    async decode(chunks: readonly Chunk[], sink: Sink) {
      const stream = mill.decode(chunks, options)
      for await (const batch of stream.batches()) deliver(batch, sink)
      meanBatchTokens = stream.stats().meanTokensPerBatch
    },
    meanBatchTokens: () => meanBatchTokens,
  }
}

/** Through a worker, read by `for await`, an event a token. */
export function workerEvents(mill: Millrace, dialect: FixtureDialect): Contender {
  let meanBatchTokens = NaN
  return {
    name: 'millrace, one worker, for await',
    async decode(chunks: readonly Chunk[], sink: Sink) {
      const stream = mill.decode(chunks, { dialect, accumulate: false })
      for await (const event of stream) {
        if (event.type === 'text-delta' && event.text !== '') sink.take(event.text)
      }
      meanBatchTokens = stream.stats().meanTokensPerBatch
    },
    meanBatchTokens: () => meanBatchTokens,
  }
}

/** Makes a string of every text delta in the batch. */
export function deliver(batch: TokenBatch, sink: Sink): void {
  for (let at = 0; at < batch.length; at++) {
    if (batch.type(at) !== 'text-delta') continue
    const text = batch.text(at)
    if (text !== '') sink.take(text)
  }
}
