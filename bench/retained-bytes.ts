import { collectGarbage } from './collect-garbage.ts'

/** A slot of an array. */
const POINTER_BYTES = 8

/**
 * Memory that stays taken as long as `things` are kept, their own array apart, bytes.
 *
 * A frame that has ended holds nothing: so call this once a measurement, and keep nothing outside.
 */
export async function retainedBytes(keep: () => Promise<readonly unknown[]>): Promise<number> {
  const before = await heldBytes()
  // A copy has no room to spare, which an array that grew has.
  const things = [...(await keep())]
  const after = await heldBytes()
  return after - before - things.length * POINTER_BYTES
}

/** Heap and array buffers. The latter are swept a little after they are collected. */
async function heldBytes(): Promise<number> {
  let least = Infinity
  for (let times = 0; times < 5; times++) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    least = Math.min(least, heapUsed + arrayBuffers)
  }
  return least
}
