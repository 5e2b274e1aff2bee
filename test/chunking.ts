/** Ways to cut a body into chunks. Every decoder test must hold for each of them. */

export type Chunks = readonly Uint8Array[]

/** Uncut, byte by byte, and cut in two at every place. */
export function* everySplit(bytes: Uint8Array): Generator<Chunks> {
  yield [bytes]
  yield byteWise(bytes)
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

export function byteWise(bytes: Uint8Array): Chunks {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
}

/** Cuts at random places, about `chunkBytes` apart; empty chunks are among them. */
export function randomCuts(bytes: Uint8Array, chunkBytes: number, random: () => number): Chunks {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + Math.floor(random() * 2 * chunkBytes))
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A new seed, or the one in `MILLRACE_SEED`, which replays a failure. */
export function testSeed(): number {
  const given = process.env['MILLRACE_SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}
