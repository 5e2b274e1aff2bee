import { Random } from './random.ts'

/**
 * Ways to cut a stream into chunks, each named for what it does to a decoder:
 *
 * - `whole`: one chunk.
 * - `huge`: 256 KiB, thousands of events at once.
 * - `events`: one event a chunk, as most providers write.
 * - `segments`: 1 to 1,460 bytes at random, as a network does.
 * - `primes`: 2, 3, 5, ... 97 bytes in turn: no period in common with any event.
 * - `awkward`: inside each UTF-8 sequence, escape, CRLF and blank line, and before `data`'s colon.
 * - `bytes`: one byte at a time.
 */
export const CHUNKERS = [
  'whole',
  'huge',
  'events',
  'segments',
  'primes',
  'awkward',
  'bytes',
] as const

export type Chunker = (typeof CHUNKERS)[number]

/** Cuts `bytes` into views of it, in order, none empty; `seed` matters to `segments` only. */
export function* chunksOf(
  bytes: Uint8Array<ArrayBuffer>,
  chunker: Chunker,
  seed: number = 1,
): Generator<Uint8Array<ArrayBuffer>> {
  const nextEnd = cutter(bytes, chunker, seed)
  for (let begin = 0; begin < bytes.length;) {
    const end = Math.min(nextEnd(begin), bytes.length)
    yield bytes.subarray(begin, end)
    begin = end
  }
}

/** Where the chunk ends that begins at `begin`; may lie past the end of the stream. */
type Cutter = (begin: number) => number

// oxlint-disable-next-line consistent-return -- the switch is exhaustive
function cutter(bytes: Uint8Array, chunker: Chunker, seed: number): Cutter {
  switch (chunker) {
    case 'whole':
      return () => bytes.length
    case 'huge':
      return (begin) => begin + HUGE_BYTES
    case 'events':
      return (begin) => nextCut(bytes, begin, isBetweenEvents)
    case 'segments': {
      const random = new Random(seed)
      return (begin) => begin + 1 + random.below(SEGMENT_BYTES_MAX)
    }
    case 'primes': {
      let turn = 0
      return (begin) => begin + (PRIMES[turn++ % PRIMES.length] ?? 1)
    }
    case 'awkward':
      return (begin) => nextCut(bytes, begin, isAwkward)
    case 'bytes':
      return (begin) => begin + 1
  }
}

const HUGE_BYTES = 256 * 1024
const SEGMENT_BYTES_MAX = 1460

// oxfmt-ignore
const PRIMES = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
]

type CutTest = (bytes: Uint8Array, at: number) => boolean

function nextCut(bytes: Uint8Array, begin: number, isCut: CutTest): number {
  let at = begin + 1
  while (at < bytes.length && !isCut(bytes, at)) at += 1
  return at
}

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const BACKSLASH = 0x5c

/** Whether the bytes before `at` end a blank line, with either line end. */
function isBetweenEvents(bytes: Uint8Array, at: number): boolean {
  if (bytes[at - 1] !== LF) return false
  return bytes[at - 2] === LF || (bytes[at - 2] === CR && bytes[at - 3] === LF)
}

/** Whether a cut before `at` parts what a careless decoder takes to be one thing. */
function isAwkward(bytes: Uint8Array, at: number): boolean {
  const before = bytes[at - 1]
  const after = bytes[at] ?? 0
  const insideUtf8 = (after & 0xc0) === 0x80
  const insideLineEnds = before === CR || (before === LF && (after === LF || after === CR))
  const beforeColon = after === COLON && bytes[at - 2] === 0x74 && before === 0x61
  return insideUtf8 || insideLineEnds || beforeColon || isInsideEscape(bytes, at)
}

/** After a backslash, or in the four digits of `\uXXXX`. */
function isInsideEscape(bytes: Uint8Array, at: number): boolean {
  if (bytes[at - 1] === BACKSLASH) return true
  for (let back = 2; back <= 5; back += 1) {
    if (bytes[at - back] === BACKSLASH) return bytes[at - back + 1] === 0x75
  }
  return false
}
