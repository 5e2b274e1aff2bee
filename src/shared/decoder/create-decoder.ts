import type { Dialect } from '../dialects/dialect.ts'
import type { Decoder, DecodeOptions } from './decoder.ts'
import { HeapSlabs } from './heap-slabs.ts'
import { createPlainDecoder } from './plain-decoder.ts'

/** A decoder with memory of its own, for use on the thread that calls it. */
export function createInlineDecoder(dialect: Dialect, options: DecodeOptions): Decoder {
  const { lineBytesMax, eventBytesMax } = options.limits
  // A line and an event at most are carried; while one grows, so does its copy of twice the size.
  return createPlainDecoder(dialect, options, new HeapSlabs(4 * (lineBytesMax + eventBytesMax)))
}
