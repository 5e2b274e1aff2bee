import { createMillrace, type Millrace } from '../../src/main/index.ts'
import { median } from '../../stress-tests/memory.ts'
import type { Answer, Bench, Context, Row } from '../bench.ts'
import { makeFixture } from '../fixtures.ts'
import { workerBatches, workerEvents } from '../millrace.ts'
import { race, speedRatio } from '../race.ts'
import { aiSdk, anthropicSdk, byHand, openaiSdk } from '../rivals.ts'
import { throughputRow } from '../throughput.ts'

export const workerBench: Bench = {
  name: 'worker',
  question: 'How fast are 64 KiB chunks made into strings through one worker?',
  notMeasured: 'sockets; every contender pulls its chunks from memory',
  run: answer,
}

async function answer(context: Context): Promise<Answer> {
  const mill = await createMillrace({ workers: 1 })
  try {
    const chat = await chatAnswer(mill, context)
    return { ...chat, rows: [...chat.rows, ...(await anthropicRows(mill, context))] }
  } finally {
    await mill.close()
  }
}

/** One chunk at a time: worker and main wait for each other. */
const SMALL_WINDOW_BYTES = 64 * 1024

async function chatAnswer(mill: Millrace, context: Context): Promise<Answer> {
  const fixture = makeFixture('chat', context.fixtureSize)
  const contenders = [
    workerBatches(mill, fixture.dialect),
    workerEvents(mill, fixture.dialect),
    byHand(fixture.dialect),
    await openaiSdk(),
    await aiSdk(),
    workerBatches(mill, fixture.dialect, SMALL_WINDOW_BYTES),
  ]
  const timings = await race(fixture, contenders, context)
  const [batches, events, baseline, openai, ai] = timings.map((timing) => timing)
  const seconds = median(events!.seconds)
  return {
    rows: timings.map((timing) => throughputRow(timing, baseline!)),
    bars: {
      'worker-batches': speedRatio(batches!, baseline!),
      'worker-events': speedRatio(events!, baseline!),
      'worker-openai-sdk': speedRatio(events!, openai!),
      'worker-ai-sdk': speedRatio(events!, ai!),
      'floor-tokens': events!.tokens / seconds,
      'floor-bytes': events!.bytes / seconds / 1e6,
    },
  }
}

async function anthropicRows(mill: Millrace, context: Context): Promise<readonly Row[]> {
  const fixture = makeFixture('anthropic', context.fixtureSize)
  const contenders = [
    workerBatches(mill, fixture.dialect),
    workerEvents(mill, fixture.dialect),
    byHand(fixture.dialect),
    await anthropicSdk(),
  ]
  const timings = await race(fixture, contenders, context)
  return timings.map((timing) => throughputRow(timing, timings[2]!))
}
