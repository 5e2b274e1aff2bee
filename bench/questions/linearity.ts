import { inlineEngine } from '../../src/main/decoder-module.ts'
import { createDecoderOn } from '../../src/shared/decoder/create-decoder.ts'
import { findDialect } from '../../src/shared/dialects/dialects.ts'
import { STREAM_LIMITS_CAP } from '../../src/shared/limits.ts'
import { RowWriter } from '../../src/shared/row-writer.ts'
import { median } from '../../stress-tests/memory.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { makeFixture } from '../fixtures.ts'

export const linearityBench: Bench = {
  name: 'linearity',
  question: 'Do twice the bytes take twice the time, however they are cut?',
  notMeasured: 'strings, threads; the decoder makes rows',
  run: answer,
}

const MIB = 1024 * 1024

/** Bytes of the shorter stream. The longer, of twice as many, is what a line may have at most. */
const BYTES = 32 * MIB - 256
const TINY_BYTES = 64 * 1024

interface Shape {
  readonly name: string
  /** Makes a stream of so many bytes, or as few less as whole events allow. */
  readonly make: (bytes: number) => Uint8Array
}

const SHAPES: readonly Shape[] = [
  { name: 'chat events', make: chatBytes },
  { name: 'one giant event', make: giantEvent },
]

const CHUNK_BYTES = [1, 16, 290, 1460, 65_536]

async function answer(context: Context): Promise<Answer> {
  const bytes = context.size === 'tiny' ? TINY_BYTES : BYTES
  const rows: LinearityRow[] = []
  for (const { name, make } of SHAPES) {
    const once = make(bytes)
    const twice = make(2 * bytes)
    for (const chunkBytes of CHUNK_BYTES) {
      context.progress(`${name} in chunks of ${chunkBytes}`)
      decode(make(TINY_BYTES), chunkBytes)
      rows.push(compare(name, once, twice, chunkBytes, context))
    }
  }
  const worst = (column: keyof LinearityRow): number =>
    Math.max(...rows.map((row) => Number(row[column] ?? NaN)))
  return {
    rows,
    bars: { 'linear-time': worst('t(2n)/t(n)'), 'linear-scans': worst('scanned/byte') },
  }
}

interface LinearityRow extends Row {
  readonly 't(2n)/t(n)': number
  /** `null` where the plain decoder runs, which does not count. */
  readonly 'scanned/byte': number | null
}

function compare(
  what: string,
  once: Uint8Array,
  twice: Uint8Array,
  chunkBytes: number,
  context: Context,
): LinearityRow {
  const seconds: number[] = []
  const ratios: number[] = []
  // A byte at a time takes seconds, against which the whims of the machine are small.
  const runs = chunkBytes === 1 ? 1 : context.runs
  let scannedBytes: number | null = null
  for (let run = 0; run < runs; run++) {
    const short = decode(once, chunkBytes)
    const long = decode(twice, chunkBytes)
    seconds.push(short.seconds)
    ratios.push(long.seconds / short.seconds)
    scannedBytes = long.scannedBytes
  }
  return {
    what,
    'chunk bytes': chunkBytes,
    'MiB (n)': once.length / MIB,
    'MB/s': once.length / median(seconds) / 1e6,
    't(2n)/t(n)': median(ratios),
    'scanned/byte': scannedBytes === null ? null : scannedBytes / twice.length,
  }
}

interface Decoded {
  readonly seconds: number
  readonly scannedBytes: number | null
}

function decode(bytes: Uint8Array, chunkBytes: number): Decoded {
  const options = { limits: STREAM_LIMITS_CAP, strict: false }
  const engine = inlineEngine()
  const before = engine?.scannedBytes ?? 0
  const decoder = createDecoderOn(engine, findDialect('openai-chat'), options)
  const rows = new RowWriter()
  let rowCount = 0
  const startMs = performance.now()
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    decoder.push(bytes.subarray(at, at + chunkBytes), rows)
    rowCount += rows.rowCount
    rows.reset()
  }
  decoder.end(rows)
  const seconds = (performance.now() - startMs) / 1000
  if (decoder.failed || rowCount === 0) throw new Error('the stream was not decoded')
  decoder.release()
  return { seconds, scannedBytes: engine === null ? null : engine.scannedBytes - before }
}

function chatBytes(bytes: number): Uint8Array {
  const { body } = makeFixture('chat', { events: 128, chunkBytes: MIB })
  const events = body[0]!
  const whole = new Uint8Array(Math.floor(bytes / events.length) * events.length)
  for (let at = 0; at < whole.length; at += events.length) whole.set(events, at)
  return whole
}

function giantEvent(bytes: number): Uint8Array {
  const before = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"')
  const after = Buffer.from('"}}]}\n\n')
  const whole = Buffer.alloc(bytes, 'grist ')
  before.copy(whole)
  after.copy(whole, bytes - after.length)
  return whole
}
