import { collectGarbage } from './collect-garbage.ts'

/** A slot of an array. */
const POINTER_BYTES = 8

/**
 * Heap that stays taken as long as `things` are kept, their own array apart, bytes.
 *
 * A frame that has ended holds nothing: so call this once a measurement, and keep nothing outside.
 */
export async function retainedBytes(keep: () => Promise<readonly unknown[]>): Promise<number> {
  const before = heapBytes()
  const things = await keep()
  const after = heapBytes()
  return after - before - things.length * POINTER_BYTES
}

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
