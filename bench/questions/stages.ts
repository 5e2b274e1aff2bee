import { Assembler } from '../../src/main/assembler.ts'
import { decoderModule } from '../../src/main/decoder-module.ts'
import { createEngine } from '../../src/shared/decoder/create-decoder.ts'
import { profileOf, type WasmEngine } from '../../src/shared/decoder/wasm-engine.ts'
import { addressOf } from '../../src/shared/decoder/wasm-heap.ts'
import type { Dialect } from '../../src/shared/dialects/dialect.ts'
import { findDialect } from '../../src/shared/dialects/dialects.ts'
import { STREAM_LIMITS_DEFAULT } from '../../src/shared/limits.ts'
import { RowWriter } from '../../src/shared/row-writer.ts'
import { median } from '../../stress-tests/memory.ts'
import { awsFrame } from '../../test/aws-frames.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { collectGarbage } from '../collect-garbage.ts'
import {
  CHUNK_BYTES,
  makeFixture,
  type Chunk,
  type Fixture,
  type FixtureName,
} from '../fixtures.ts'
import { deliver } from '../millrace.ts'
import { Sink } from '../sink.ts'

export const stagesBench: Bench = {
  name: 'stages',
  question: 'Where does the time of the inline decoder go?',
  notMeasured: 'what the stages share: each line is what its stage adds to the one above',
  run: answer,
}

/** Decodes one chunk up to some stage. */
type Stage = (chunk: Chunk) => void

interface NamedStage {
  readonly what: string
  readonly stage: Stage
}

/** A payload that ends a stream. */
const END = '[DONE]'

/** Bodies of the fixture in a timed run: some 900,000 tokens. */
const ROUNDS = 64

/** What costs something that the others have not: two CRCs a frame, and usage in every event. */
const FURTHER: readonly FixtureName[] = ['bedrock', 'gemini']

/** Code is compiled in several steps, on threads of its own. */
const WARM_UP_RUNS = 2

async function answer(context: Context): Promise<Answer> {
  const rows: Row[] = []
  for (const name of [...context.fixtures, ...FURTHER]) {
    context.progress(name)
    rows.push(...measure(makeFixture(name, context.fixtureSize), context))
  }
  return { rows, bars: {} }
}

function measure(fixture: Fixture, { size, runs }: Context): readonly Row[] {
  const rounds = size === 'tiny' ? 1 : ROUNDS
  const tokens = fixture.tokens.length * rounds
  const stages = stagesOf(fixture)
  const times = stages.map(() => [] as number[])
  for (let run = -WARM_UP_RUNS; run < runs; run++) {
    for (const [index, { stage }] of stages.entries()) {
      const ns = timeNs(stage, fixture.body, rounds)
      if (run >= 0) times[index]!.push(ns / tokens)
    }
  }
  const upTo = times.map(median)
  return stages.map(({ what }, index) => ({
    what,
    fixture: fixture.name,
    'ns/token': upTo[index]! - (upTo[index - 1] ?? 0),
    'up to here': upTo[index]!,
    'MB/s up to here': fixture.bodyBytes / fixture.tokens.length / (upTo[index]! / 1000),
  }))
}

function timeNs(stage: Stage, chunks: readonly Chunk[], rounds: number): number {
  collectGarbage()
  const startMs = performance.now()
  for (let round = 0; round < rounds; round++) for (const chunk of chunks) stage(chunk)
  return (performance.now() - startMs) * 1e6
}

function stagesOf({ dialect: name }: Fixture): readonly NamedStage[] {
  const engine = createEngine(decoderModule())
  if (engine === null) return []
  const dialect = findDialect(name)
  const decoder = new EngineStream(engine, dialect)
  const rows = new RowWriter()
  const assembler = new Assembler(dialect)
  const sink = new Sink()
  return [
    { what: 'copy into the memory of the engine', stage: (chunk) => decoder.copy(chunk) },
    ...(dialect.framing === 'aws-eventstream' ? [frameStage(engine, dialect)] : []),
    {
      what: 'decode',
      stage: (chunk) => decoder.decode(chunk, () => engine.drop()),
    },
    {
      what: 'take the rows out',
      stage(chunk) {
        decoder.decode(chunk, () => drain(engine, rows))
        rows.reset()
      },
    },
    {
      what: 'make one string a batch',
      stage(chunk) {
        decoder.decode(chunk, () => drain(engine, rows))
        rows.toBatch()
        rows.reset()
      },
    },
    {
      what: 'assemble, and cut a string a token',
      stage(chunk) {
        decoder.decode(chunk, () => drain(engine, rows))
        deliver(assembler.read(rows.toBatch()), sink)
        rows.reset()
      },
    },
  ]
}

/**
 * A stream that has ended, of which nothing is decoded any more: frames are found and checked, and
 * their headers read. Lines have no such stage, since a template looks for their end by itself.
 */
function frameStage(engine: WasmEngine, dialect: Dialect): NamedStage {
  const decoder = new EngineStream(engine, { ...dialect, sentinels: [END] })
  decoder.decode(new Uint8Array(awsFrame({ ':message-type': 'event' }, END)), () => engine.drop())
  return {
    what: 'find the frames, check both CRCs, read the headers',
    stage(chunk) {
      decoder.decode(chunk, () => {
        if (engine.output.rowCount > 0) throw new Error('a stream that ended goes on')
      })
    },
  }
}

function drain(engine: WasmEngine, rows: RowWriter): void {
  rows.append(engine.output)
  engine.drop()
}

/** A stream on an engine, without the decoder around it. */
class EngineStream {
  readonly #engine: WasmEngine
  readonly #state: number
  readonly #input: number

  constructor(engine: WasmEngine, dialect: Dialect) {
    const options = { limits: STREAM_LIMITS_DEFAULT, strict: false }
    this.#engine = engine
    this.#state = engine.takeState()
    engine.writeProfile(profileOf(this.#state), engine.program(dialect), options)
    this.#input = addressOf(engine.heap.allocate(CHUNK_BYTES + 4096))
  }

  copy(chunk: Chunk): void {
    this.#engine.heap.bytes.set(chunk, this.#input)
  }

  decode(chunk: Chunk, takeOutput: () => void): void {
    this.copy(chunk)
    const end = this.#input + chunk.length
    for (let at = this.#input; at < end;) {
      at = this.#engine.push(profileOf(this.#state), this.#state, at, end, this.#engine.heap)
      takeOutput()
    }
  }
}
