import { Bench as Tinybench } from 'tinybench'
import { Assembler } from '../../src/main/assembler.ts'
import { RowReader } from '../../src/main/row-reader.ts'
import { attachMain, attachWorker, viewsOf } from '../../src/shared/channel-ends.ts'
import {
  createChannelMemory,
  RECORD_ROWS,
  ROWS_HEADER_BYTES,
  ROWS_ROW_COUNT,
  ROWS_TEXT_BYTES,
  wideTextAt,
} from '../../src/shared/channel-layout.ts'
import { findDialect } from '../../src/shared/dialects/dialects.ts'
import { RowWriter } from '../../src/shared/row-writer.ts'
import { ROW_BYTES, ROW_TEXT, ROW_WORDS } from '../../src/shared/rows.ts'
import { ringBell } from '../../src/shared/wait-strategy.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { CHUNK_BYTES, makeFixture } from '../fixtures.ts'

export const smallLoopsBench: Bench = {
  name: 'small-loops',
  question: 'What does each step of the way cost by itself?',
  notMeasured: 'two threads: both ends of a ring take turns on one, and no line of cache travels',
  run: answer,
}

/** Rows of a batch, and records of a publication. */
const BATCH = 64

interface Loop {
  /** One operation. */
  readonly what: string
  /** Operations that `run` does. */
  readonly operations: number
  /** Returns something that depends on all of them. */
  readonly run: () => number
}

async function answer({ size }: Context): Promise<Answer> {
  const loops = [ringLoop(), bellLoop(), ...copyLoops(), ...rowLoops()]
  const time = size === 'tiny' ? 1 : 300
  const bench = new Tinybench({ time, warmupTime: time / 3, throws: true })
  let sink = 0
  for (const loop of loops) bench.add(loop.what, () => void (sink ^= loop.run()))
  await bench.run()
  const rows = loops.map(({ what, operations }): Row => {
    const result = bench.getTask(what)!.result
    if (!('latency' in result)) throw new Error(`${what}: ${result.state}`)
    const ns = (ms: number): number => (ms * 1e6) / operations
    return { what, 'p50 ns': ns(result.latency.p50), 'p99 ns': ns(result.latency.p99) }
  })
  return { rows: [...rows, { what: 'sink', 'p50 ns': sink, 'p99 ns': null }], bars: {} }
}

function ringLoop(): Loop {
  const views = viewsOf(createChannelMemory().buffer)
  const { chunks: producer, words } = attachMain(views)
  const { chunks: consumer, records, commits } = attachWorker(views)
  const payloadBytes = 48
  return {
    what: `claim, commit, next of ${payloadBytes} bytes; publish and commit each ${BATCH}`,
    operations: BATCH,
    run() {
      let sum = 0
      for (let record = 0; record < BATCH; record++) {
        const at = producer.claim(RECORD_ROWS, payloadBytes)
        words[at >> 2] = record
        producer.commit()
      }
      producer.publish()
      while (consumer.next()) sum += words[consumer.payloadOffset >> 2]!
      commits.commit(consumer.position, records.position)
      return sum
    },
  }
}

function bellLoop(): Loop {
  const words = new Int32Array(createChannelMemory().buffer)
  return {
    what: 'ring the bell of a worker that is awake',
    operations: BATCH,
    run() {
      for (let ring = 0; ring < BATCH; ring++) ringBell(words)
      return words[0]!
    },
  }
}

/** V8 copies at several times the speed where source and target agree modulo 8. */
function copyLoops(): readonly Loop[] {
  const shared = new Uint8Array(createChannelMemory().buffer)
  const chunk = new Uint8Array(CHUNK_BYTES)
  return [0, 1].map((skew) => ({
    what: `copy ${CHUNK_BYTES} bytes into shared memory, ${skew} off modulo 8`,
    operations: 1,
    run() {
      shared.set(chunk, skew)
      return shared[CHUNK_BYTES >> 1]!
    },
  }))
}

function rowLoops(): readonly Loop[] {
  const { words, bytes, records: producer } = attachWorker(viewsOf(createChannelMemory().buffer))
  const writer = new RowWriter()
  for (const token of makeFixture('chat', { events: BATCH }).tokens) {
    writer.write(ROW_TEXT, 0, -1, token)
  }
  const rowBytes = writer.rowCount * ROW_BYTES
  const payloadBytes = wideTextAt(rowBytes, writer.textBytes)
  const at = producer.claim(RECORD_ROWS, payloadBytes)
  words[(at + ROWS_ROW_COUNT) >> 2] = writer.rowCount
  words[(at + ROWS_TEXT_BYTES) >> 2] = writer.textBytes
  words.set(writer.rows.subarray(0, BATCH * ROW_WORDS), (at + ROWS_HEADER_BYTES) >> 2)
  bytes.set(writer.text.subarray(0, writer.textBytes), at + ROWS_HEADER_BYTES + rowBytes)
  const reader = new RowReader(words)
  const assembler = new Assembler(findDialect('openai-chat'))
  return [
    {
      what: `a row of a record of ${BATCH}: read`,
      operations: BATCH,
      run: () => reader.read(at, payloadBytes).text.length,
    },
    {
      what: `a row of a record of ${BATCH}: read, assembled, made a string`,
      operations: BATCH,
      run() {
        const batch = assembler.read(reader.read(at, payloadBytes))
        let units = 0
        for (let token = 0; token < batch.length; token++) units += batch.text(token).length
        return units
      },
    },
  ]
}
