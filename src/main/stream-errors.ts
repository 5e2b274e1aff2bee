/** What a stream fails with for its caller's or its source's sake. */
import { inspect } from 'node:util'
import { MillraceError } from '../shared/errors.ts'

/** Its caller wants no more of it. */
export function streamAborted(reason: unknown): MillraceError {
  const why = reason instanceof Error ? reason.message : inspect(reason)
  const message =
    reason === undefined ? 'the stream was cancelled' : `the stream was aborted: ${why}`
  return new MillraceError('STREAM_ABORTED', message, {}, reason)
}

/** Its source was silent for too long, after so many bytes. */
export function sourceSilent(timeoutMs: number, bytes: number): MillraceError {
  const message = `no bytes from the source for ${timeoutMs} ms, after ${bytes} bytes`
  return new MillraceError('TIMEOUT', message, { timeoutMs, bytes })
}

/** Its source went on for too long. */
export function sourceEndless(durationMax: number): MillraceError {
  const message = `source took longer than durationMax, ${durationMax} ms`
  return new MillraceError('DURATION_EXCEEDED', message, { durationMax })
}
