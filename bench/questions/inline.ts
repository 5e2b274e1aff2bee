import type { Answer, Bench, Context } from '../bench.ts'
import { makeFixture } from '../fixtures.ts'
import { inline } from '../millrace.ts'
import { race, speedRatio } from '../race.ts'
import { byHand } from '../rivals.ts'
import { throughputRow } from '../throughput.ts'

export const inlineBench: Bench = {
  name: 'inline',
  question: 'How fast are 64 KiB chunks made into strings on the calling thread?',
  notMeasured: 'threads, rings, wake-ups, async iterators',
  run: answer,
}

async function answer(context: Context): Promise<Answer> {
  const rows = []
  const ratios = new Map<string, number>()
  for (const name of context.fixtures) {
    const fixture = makeFixture(name, context.fixtureSize)
    const contenders = [inline(fixture.dialect), byHand(fixture.dialect)]
    const [ours, baseline] = await race(fixture, contenders, context)
    rows.push(throughputRow(ours!, baseline!), throughputRow(baseline!, baseline!))
    ratios.set(name, speedRatio(ours!, baseline!))
  }
  return {
    rows,
    bars: { inline: ratios.get('chat')!, 'inline-no-hit': ratios.get('chat-shuffled')! },
  }
}
