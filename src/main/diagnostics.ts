/**
 * Stream starts, ends and failures on `node:diagnostics_channel`, for tracing tools. Without a
 * subscriber a publication costs one look at a flag.
 *
 *     millrace:stream:start     { stats }
 *     millrace:stream:end       { stats }
 *     millrace:stream:failure   { stats, error }
 *
 * @see https://nodejs.org/api/diagnostics_channel.html
 */
import { channel } from 'node:diagnostics_channel'
import type { MillraceError } from '../shared/errors.ts'
import type { StreamStats } from './stats.ts'

const started = channel('millrace:stream:start')
const ended = channel('millrace:stream:end')
const failed = channel('millrace:stream:failure')

export function reportStart(stats: StreamStats): void {
  if (started.hasSubscribers) started.publish({ stats })
}

export function reportEnd(stats: StreamStats, error: MillraceError | null): void {
  if (error !== null) failed.publish({ stats, error })
  else if (ended.hasSubscribers) ended.publish({ stats })
}
