import type { DecodeCounts } from './decoder.ts'

export function newCounts(): DecodeCounts {
  return { bytes: 0, events: 0, malformed: 0, comments: 0, replacements: 0, ignoredFields: 0 }
}
