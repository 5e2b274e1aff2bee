import { inspect } from 'node:util'
import { MillraceError } from '../shared/errors.ts'

/** What a stream fails with that its caller wants no more of. */
export function streamAborted(reason: unknown): MillraceError {
  const why = reason instanceof Error ? reason.message : inspect(reason)
  const message =
    reason === undefined ? 'the stream was cancelled' : `the stream was aborted: ${why}`
  return new MillraceError('STREAM_ABORTED', message, {}, reason)
}
