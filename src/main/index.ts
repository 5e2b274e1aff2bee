export { createMillrace, type Millrace } from './millrace.ts'
export { createDecoder, type InlineDecoder } from './inline-decoder.ts'
export { defineDialect } from '../shared/dialects/define-dialect.ts'
export { dialects } from '../shared/dialects/dialects.ts'
export type {
  BlockStopRule,
  Conditions,
  DeltaName,
  Dialect,
  EndRule,
  Framing,
  Path,
  Paths,
  RawName,
  Rule,
  ScopeRule,
  Sign,
  ToolRule,
  UsageFields,
  UsageRule,
  ValueRule,
  WordName,
} from '../shared/dialects/dialect.ts'
export { MillraceError, type ErrorCode, type ErrorDetails } from '../shared/errors.ts'
export type { StreamLimits } from '../shared/limits.ts'
export type { WorkerStats } from '../shared/control-protocol.ts'
export type { TokenEvent, TokenEventType, Usage } from './events.ts'
export type { LatencyStats } from './latency.ts'
export type { Message } from './message.ts'
export type { DecodeOptions, MillraceOptions, Placement } from './options.ts'
export type { Relay } from './relay.ts'
export type { Chunk, Source } from './source.ts'
export type { MillraceStats, StreamStats } from './stats.ts'
export type { TokenBatch } from './token-batch.ts'
export type { TokenStream } from './token-stream.ts'
export type { WritableTokenStream } from './writable-token-stream.ts'
