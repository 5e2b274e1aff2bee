import type { Framing } from '../dialects/dialect.ts'
import type { SlabAllocator } from '../slabs.ts'
import { ArrayFramer } from './array-framer.ts'
import { AwsFramer } from './aws-framer.ts'
import type { DecodeCounts, DecodeOptions } from './decoder.ts'
import type { Framer } from './framer.ts'
import { LineFramer } from './line-framer.ts'
import { SseFramer } from './sse-framer.ts'

export function createFramer(
  framing: Framing,
  options: DecodeOptions,
  slabs: SlabAllocator,
  counts: DecodeCounts,
): Framer {
  const { limits } = options
  switch (framing) {
    case 'sse':
      return new SseFramer(options, slabs, counts)
    case 'ndjson':
      return new LineFramer(limits, slabs)
    case 'json-array':
      return new ArrayFramer(limits, slabs)
    case 'aws-eventstream':
      return new AwsFramer(limits, slabs)
  }
}
