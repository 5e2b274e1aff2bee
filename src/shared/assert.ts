/**
 * Ends this thread's work over a broken invariant: our bug, never the caller's input.
 *
 * A plain Error, not a MillraceError: nobody is meant to match on it. Call it as `if (bad)
 * broken(...)`, so that a hot path builds no message.
 */
export function broken(message: string): never {
  throw new Error(`millrace: broken invariant: ${message}`)
}
