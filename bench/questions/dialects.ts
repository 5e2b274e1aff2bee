import type { Answer, Bench, Context } from '../bench.ts'
import { DIALECT_FIXTURES, makeFixture } from '../fixtures.ts'
import { inline } from '../millrace.ts'
import { race, speedRatio } from '../race.ts'
import { byHand } from '../rivals.ts'
import { throughputRow } from '../throughput.ts'

export const dialectsBench: Bench = {
  name: 'dialects',
  question: "How fast is each provider's stream made into strings, with templates and without?",
  notMeasured: 'threads; usage and finish, which millrace reads as well and the baseline does not',
  run: answer,
}

async function answer(context: Context): Promise<Answer> {
  const rows = []
  let worstHit = Infinity
  let worstWalk = Infinity
  for (const name of DIALECT_FIXTURES) {
    const fixture = makeFixture(name, context.fixtureSize)
    const [ours, baseline] = await race(
      fixture,
      [inline(fixture.dialect), byHand(fixture.dialect)],
      context,
    )
    rows.push(throughputRow(ours!, baseline!), throughputRow(baseline!, baseline!))
    const ratio = speedRatio(ours!, baseline!)
    if (name.endsWith('-shuffled')) worstWalk = Math.min(worstWalk, ratio)
    else worstHit = Math.min(worstHit, ratio)
  }
  return { rows, bars: { dialects: worstHit, 'dialects-no-hit': worstWalk } }
}
