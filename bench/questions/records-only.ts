import type { Answer, Bench, Context } from '../bench.ts'
import { makeFixture } from '../fixtures.ts'
import { recordsOnly } from '../millrace.ts'
import { race, speedRatio } from '../race.ts'
import { byHand } from '../rivals.ts'
import { throughputRow } from '../throughput.ts'

export const recordsOnlyBench: Bench = {
  name: 'records-only',
  question: 'How fast does the decoder alone make rows of 64 KiB chunks?',
  notMeasured: 'JavaScript strings: ours makes none here, the baseline makes its own',
  run: answer,
}

async function answer(context: Context): Promise<Answer> {
  const rows = []
  let ratio = NaN
  for (const name of context.fixtures) {
    const fixture = makeFixture(name, context.fixtureSize)
    const contenders = [recordsOnly(fixture.dialect), byHand(fixture.dialect)]
    const [ours, baseline] = await race(fixture, contenders, context)
    rows.push(throughputRow(ours!, baseline!), throughputRow(baseline!, baseline!))
    if (name === 'chat') ratio = speedRatio(ours!, baseline!)
  }
  return { rows, bars: { 'records-only': ratio } }
}
