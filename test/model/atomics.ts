/**
 * What `#atomics` is under `--conditions=model`: the same functions, each handed to whoever plays
 * the machine at the moment. In `shared`'s eyes nothing differs.
 */
import type * as production from '../../src/shared/atomics.ts'

export type { WaitOutcome } from '../../src/shared/atomics.ts'

/** The operations of src/shared/atomics.ts. */
export type Machine = typeof production

let machine: Machine | null = null

/** All atomic operations go to `next` from now on. */
export function play(next: Machine): void {
  machine = next
}

function current(): Machine {
  if (machine === null) throw new Error('an atomic operation before play()')
  return machine
}

export const load: Machine['load'] = (...args) => current().load(...args)
export const store: Machine['store'] = (...args) => current().store(...args)
export const add: Machine['add'] = (...args) => current().add(...args)
export const exchange: Machine['exchange'] = (...args) => current().exchange(...args)
export const compareExchange: Machine['compareExchange'] = (...args) =>
  current().compareExchange(...args)
export const wait: Machine['wait'] = (...args) => current().wait(...args)
export const notify: Machine['notify'] = (...args) => current().notify(...args)
