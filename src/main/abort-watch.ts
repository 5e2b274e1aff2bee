/**
 * One listener per signal, however many streams share it: a server hands the same shutdown signal
 * to thousands, and each listener of its own would be a leak to be warned of.
 */
type OnAbort = (reason: unknown) => void

const watchers = new WeakMap<AbortSignal, Set<OnAbort>>()

/** Calls `onAbort` once, at once if the signal has aborted. @returns stops watching. */
export function watchAbort(signal: AbortSignal, onAbort: OnAbort): () => void {
  if (signal.aborted) {
    queueMicrotask(() => onAbort(signal.reason))
    return () => {}
  }
  let set = watchers.get(signal)
  if (set === undefined) {
    const created = new Set<OnAbort>()
    set = created
    watchers.set(signal, created)
    const fire = (): void => {
      watchers.delete(signal)
      for (const watcher of created) watcher(signal.reason)
    }
    signal.addEventListener('abort', fire, { once: true })
  }
  const joined = set
  joined.add(onAbort)
  return () => {
    joined.delete(onAbort)
  }
}
