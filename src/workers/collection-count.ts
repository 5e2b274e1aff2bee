/**
 * Garbage collections of this thread since it began.
 *
 * The worker should cause none in its steady state, and this is how one knows. V8 reports them in a
 * turn of the event loop, so those since the last turn are missing.
 */
import { PerformanceObserver } from 'node:perf_hooks'

let collections = 0

new PerformanceObserver((list) => {
  collections += list.getEntries().length
}).observe({ entryTypes: ['gc'] })

export function collectionCount(): number {
  return collections
}
