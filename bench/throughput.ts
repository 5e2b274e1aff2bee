import { median } from '../stress-tests/memory.ts'
import type { Row } from './bench.ts'
import { speedRatio, type Timing } from './race.ts'
import { spread } from './statistics.ts'

/** A contender's line: its speed, how often that of `baseline`, and who worked for it. */
export function throughputRow(timing: Timing, baseline: Timing): Row {
  const seconds = median(timing.seconds)
  return {
    what: timing.name,
    fixture: timing.fixture,
    'MB/s': timing.bytes / seconds / 1e6,
    'tokens/s': timing.tokens / seconds,
    'x baseline': speedRatio(timing, baseline),
    'spread %': 100 * spread(timing.seconds, seconds),
    'tokens/batch': timing.meanBatchTokens,
    'template hits %': timing.templateHits === null ? null : 100 * timing.templateHits,
    'main ns/token': timing.cpuPerToken?.mainNs ?? null,
    'worker ns/token': timing.cpuPerToken?.workersNs ?? null,
    'V8 helpers ns/token': timing.cpuPerToken?.helpersNs ?? null,
  }
}
