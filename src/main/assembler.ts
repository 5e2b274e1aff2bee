import { compileDialect } from '../shared/dialects/compile.ts'
import type { Dialect } from '../shared/dialects/dialect.ts'
import { type ErrorCode, MillraceError } from '../shared/errors.ts'
import { limitPassed, STREAM_LIMITS_DEFAULT, type StreamLimits } from '../shared/limits.ts'
import * as row from '../shared/rows.ts'
import { BatchRows } from './batch-rows.ts'
import type { TokenEvent } from './events.ts'
import { providerError } from './provider-error.ts'
import { TokenBatch, type ReadValue } from './token-batch.ts'
import { StreamedTexts } from './streamed-texts.ts'
import { ToolCalls, type ToolFragment } from './tool-calls.ts'
import { UsageMeter } from './usage.ts'

const { FLAG_CONTINUED, FLAG_WHOLE, ROW_DELTA_LAST } = row

/** A row with one of these is no delta to pass on as it is. */
const NOT_PLAIN = FLAG_CONTINUED | FLAG_WHOLE

const NO_ROWS: row.RowBatch = {
  rows: new Int32Array(0),
  rowsAt: 0,
  rowCount: 0,
  bytes: new DataView(new ArrayBuffer(8)),
  textAt: 0,
  text: '',
  wideText: '',
}

/**
 * Kinds whose rows are events by themselves: a value, as it was sent. Some providers send one with
 * every token, and few readers look: so they stay rows until they are asked for.
 */
const VALUE_KINDS = [row.ROW_LOGPROBS, row.ROW_ANNOTATION, row.ROW_SAFETY]

/** Lists of sources to remember: a provider may repeat two in each event, and no more are known. */
const SOURCE_LISTS_MAX = 2

const NO_EVENTS: readonly TokenEvent[] = []

/** How a stream ended, as far as the protocol goes. */
export interface StreamEnd {
  /** The last events: tool calls that no one closed end, unless the stream was cut. */
  readonly batch: TokenBatch
  /**
   * `null` where the protocol's end was seen; else STREAM_TRUNCATED, or the failure that ended the
   * stream before.
   */
  readonly error: MillraceError | null
}

/**
 * Gives the rows of one stream their meaning: which call a fragment belongs to, what the usage is
 * by now, whether the end was seen. Runs on the caller's thread, so its state outlives any worker.
 *
 * Frequent rows cost one addition each; see {@link TokenBatch}.
 */
export class Assembler {
  /** The failure that ended the stream; no more rows come after it. */
  failure: MillraceError | null = null
  /** Deltas of any kind, and errors in the stream, so far. */
  deltas = 0
  errors = 0

  readonly #dialect: Dialect
  readonly #limits: StreamLimits
  readonly #usage: UsageMeter
  readonly #tools: ToolCalls
  /** By row kind: rows that are events by themselves. */
  readonly #isValue: boolean[] = []
  /** By choice: the finish reason that was last reported. */
  readonly #finish = new Map<number, string>()
  #id: string | null = null
  #model: string | null = null
  /** Why an answer ended was told in more words than a finish reason. */
  #hasFinishDetail = false
  #terminator: string | null = null
  /** Which texts came as deltas, where the dialect repeats them whole; else `null`. */
  readonly #streamed: StreamedTexts | null
  #providerError: MillraceError | null = null

  // What rows of the same fact have said so far.
  #partial = ''
  #tool = { kind: '', id: '', name: '' }
  #eventName = ''
  /** Lists of sources, the one that was sent latest last. */
  #sources: string[] = []
  #lastEventId = ''
  #requestId: string | null = null

  // The batch at hand.
  #places: number[] = []
  #events: TokenEvent[] = []

  /**
   * @param isRecognized - Nobody named the dialect: the first event tells it.
   * @param limits - What the decoder goes by: errors tell which was passed.
   */
  constructor(
    dialect: Dialect,
    isRecognized = false,
    limits: StreamLimits = STREAM_LIMITS_DEFAULT,
  ) {
    this.#dialect = dialect
    this.#limits = limits
    this.#streamed = compileDialect(dialect).hasWhole ? new StreamedTexts() : null
    this.#usage = new UsageMeter(dialect.usage)
    for (const kind of VALUE_KINDS) this.#isValue[kind] = true
    this.#isValue[row.ROW_USAGE] = this.#usage.isWhole
    this.#tools = new ToolCalls((event) => this.#emit(event))
    if (isRecognized) this.#emit({ type: 'dialect', dialect: dialect.name })
  }

  /** Turns the next rows into tokens. */
  read(batch: row.RowBatch): TokenBatch {
    if (batch.rowCount > 0 && this.#partial === '' && this.#events.length === 0) {
      const packed = BatchRows.pack(batch)
      if (packed !== null) {
        this.deltas += packed.length
        const head = packed.head(0)
        this.#streamed?.add(head & 0xff, head >>> 16, packed.index(0))
        return new TokenBatch(packed, null, NO_EVENTS, this.#readValue)
      }
    }
    const rows = BatchRows.copy(batch)
    const leading = this.#events.length === 0 ? this.#leadingTokens(rows) : 0
    if (leading === rows.length) return new TokenBatch(rows, null, NO_EVENTS, this.#readValue)
    this.#readRows(rows, leading)
    return this.#toBatch(rows)
  }

  /** Whether the protocol's own end was seen, and nothing that counts follows it. */
  get terminated(): boolean {
    return this.#terminator !== null && this.#dialect.trailer !== true
  }

  /** Whether the answer came to its end, as far as its protocol says where that is. */
  get answered(): boolean {
    const isFinished = this.#finish.size > 0 || this.#hasFinishDetail
    return this.#terminator !== null || (this.#dialect.end === 'finish' && isFinished)
  }

  /**
   * The source ended. Turns the last rows into tokens, closes what no one closed, and says whether
   * the stream came to its proper end.
   *
   * @param isBroken - Something else than the end of its bytes ended it.
   */
  end(last: row.RowBatch = NO_ROWS, isBroken = false): StreamEnd {
    const rows = BatchRows.copy(last)
    this.#readRows(rows, 0)
    const error = this.failure ?? this.#truncation()
    // An end would say that the whole of a call's input came.
    if (error === null && !isBroken) this.#tools.endAll()
    else this.#tools.cut()
    return { batch: this.#toBatch(rows), error }
  }

  #truncation(): MillraceError | null {
    const { end, name } = this.#dialect
    if (end === 'none' || this.answered) return null
    // What broke it off is known, and says more than that it was.
    if (this.#providerError !== null) return this.#providerError
    const tokens = this.deltas
    const message = `source ended after ${tokens} tokens without the end of a '${name}' stream`
    const finishReasons = Object.fromEntries(this.#finish)
    return new MillraceError('STREAM_TRUNCATED', message, { tokens, finishReasons })
  }

  /** How many rows are tokens by themselves before the first that is not. */
  #leadingTokens(rows: BatchRows): number {
    let at = 0
    while (at < rows.length && this.#stays(rows, at)) at++
    return at
  }

  /** @param leading - So many rows were found to be tokens by themselves. */
  #readRows(rows: BatchRows, leading: number): void {
    for (let at = 0; at < rows.length; at++) {
      if (at < leading || this.#stays(rows, at)) this.#places.push(at)
      else this.#readRow(rows, at)
    }
  }

  /** Whether a row is a token by itself: a delta, which is counted, or a value for who asks. */
  #stays(rows: BatchRows, at: number): boolean {
    const head = rows.head(at)
    const kind = head & 0xff
    if (((head >>> 8) & NOT_PLAIN) !== 0 || this.#partial !== '') return false
    if (kind > ROW_DELTA_LAST) return this.#isValue[kind] === true
    this.deltas++
    this.#streamed?.add(kind, head >>> 16, rows.index(at))
    return true
  }

  #readRow(rows: BatchRows, at: number): void {
    const head = rows.head(at)
    const kind = head & 0xff
    const flags = (head >>> 8) & 0xff
    const choice = head >>> 16
    const index = rows.index(at)
    this.#partial += rows.text(at)
    if ((flags & FLAG_CONTINUED) !== 0) return
    const value = this.#partial
    this.#partial = ''
    const isWhole = (flags & FLAG_WHOLE) !== 0
    if (isWhole && this.#streamed?.has(kind, choice, index)) return
    if (!isWhole && kind <= ROW_DELTA_LAST) this.#streamed?.add(kind, choice, index)
    this.#read(kind, choice, index, value)
  }

  #read(kind: row.RowKind, choice: number, index: number, text: string): void {
    switch (kind) {
      case row.ROW_TEXT:
        return this.#emit({ type: 'text-delta', choice, text })
      case row.ROW_REASONING:
        return this.#emit({ type: 'reasoning-delta', choice, text })
      case row.ROW_REFUSAL:
        return this.#emit({ type: 'refusal-delta', choice, text })
      case row.ROW_TOOL_PLAN:
        return this.#emit({ type: 'plan-delta', choice, text })
      case row.ROW_SIGNATURE:
        return this.#emit({ type: 'reasoning-signature', choice, index, signature: text })
      case row.ROW_ROLE:
        return this.#emit({ type: 'role', choice, role: text })
      case row.ROW_LOGPROBS:
      case row.ROW_ANNOTATION:
      case row.ROW_SAFETY:
      case row.ROW_USAGE:
        return this.#emit(this.#readValue(kind, choice, text))
      case row.ROW_REQUEST_ID:
        this.#requestId = text
        return
      case row.ROW_SOURCES:
        return this.#takeSources(choice, text)
      case row.ROW_FINISH_DETAIL:
        this.#hasFinishDetail = true
        return this.#emit({ type: 'finish-detail', choice, value: JSON.parse(text) })
      case row.ROW_HOSTED_BLOCK:
        return this.#emit({ type: 'hosted-block', index, blockType: text })
      case row.ROW_BLOCK_STOP:
        return this.#tools.stop(choice, index)
      case row.ROW_FINISH:
        return this.#takeFinish(choice, text)
      case row.ROW_TERMINATOR:
        return this.#takeTerminator(text)
      case row.ROW_ID:
      case row.ROW_MODEL:
        return this.#takeMetadata(kind, text)
      case row.ROW_EVENT_NAME:
      case row.ROW_EVENT_ID:
      case row.ROW_EVENT_DATA:
        return this.#takeEvent(kind, text)
      case row.ROW_ERROR:
      case row.ROW_FATAL:
      case row.ROW_PROVIDER_ERROR:
        return this.#takeError(kind, choice, index, text)
      case row.ROW_TOOL_KIND:
      case row.ROW_TOOL_ID:
      case row.ROW_TOOL_NAME:
      case row.ROW_TOOL_ARGUMENTS:
      case row.ROW_TOOL_INPUT:
      case row.ROW_TOOL_PARTS:
        return this.#takeTool(kind, choice, index, text)
      default:
        throw new Error(`unknown row kind ${kind}`)
    }
  }

  readonly #readValue: ReadValue = (kind, choice, text) => {
    const value = JSON.parse(text)
    if (kind === row.ROW_USAGE) return this.#usage.add(value)
    if (kind === row.ROW_LOGPROBS) return { type: 'logprobs', choice, value }
    return { type: kind === row.ROW_SAFETY ? 'safety' : 'annotation', choice, value }
  }

  #takeMetadata(kind: row.RowKind, text: string): void {
    if (kind === row.ROW_ID) this.#id = text
    else this.#model = text
    // One event a fact: whether two came in one payload, the rows do not say.
    this.#emit({ type: 'response-metadata', id: this.#id, model: this.#model })
  }

  #takeTool(kind: row.RowKind, choice: number, index: number, text: string): void {
    const tool = this.#tool
    if (kind === row.ROW_TOOL_KIND) tool.kind = text
    else if (kind === row.ROW_TOOL_ID) tool.id = text
    else if (kind === row.ROW_TOOL_NAME) tool.name = text
    else {
      this.#tools.add({ ...tool, choice, index, text, form: formOf(kind) })
      this.#tool = { kind: '', id: '', name: '' }
    }
  }

  /** Perplexity sends its lists with every token: one that was sent before is no news. */
  #takeSources(choice: number, text: string): void {
    const sent = `${choice} ${text}`
    const others = this.#sources.filter((list) => list !== sent)
    const isNews = others.length === this.#sources.length
    this.#sources = [...others, sent].slice(-SOURCE_LISTS_MAX)
    if (isNews) this.#emit({ type: 'sources', choice, value: JSON.parse(text) })
  }

  #takeFinish(choice: number, reason: string): void {
    if (this.#finish.get(choice) === reason) return
    this.#finish.set(choice, reason)
    this.#emit({ type: 'finish', choice, reason })
  }

  /** Only the first counts: a relay may add a sentinel of its own to a provider's end. */
  #takeTerminator(terminator: string): void {
    if (this.#terminator !== null) return
    this.#terminator = terminator
    this.#tools.endAll()
    this.#emit({ type: 'end', terminator })
  }

  #takeEvent(kind: row.RowKind, text: string): void {
    if (kind === row.ROW_EVENT_NAME) this.#eventName = text
    else if (kind === row.ROW_EVENT_ID) this.#lastEventId = text
    else {
      const event = this.#eventName || 'message'
      this.#eventName = ''
      this.#emit({ type: 'event', event, data: text, lastEventId: this.#lastEventId })
    }
  }

  #takeError(kind: row.RowKind, choice: number, index: number, text: string): void {
    const value: unknown = JSON.parse(text)
    if (kind === row.ROW_PROVIDER_ERROR) {
      this.#providerError = providerError(value, index !== -1, this.#requestId)
      this.#requestId = null
      this.#emit({ type: 'error', error: this.#providerError })
      return
    }
    const code = row.DECODE_ERROR_CODES[choice] as ErrorCode
    const { message, ...details } = value as { message: string }
    const numbers = { ...details, ...limitPassed(code, this.#limits) }
    const error = new MillraceError(code, message, numbers)
    if (kind !== row.ROW_FATAL) {
      this.#emit({ type: 'error', error })
      return
    }
    // A body that says what the provider had to refuse is a clear answer, though no stream.
    this.failure = (code === 'NOT_A_STREAM' && this.#providerError) || error
    this.#tools.cut()
  }

  #emit(event: TokenEvent): void {
    if ('text' in event) this.deltas++
    else if (event.type === 'error') this.errors++
    this.#places.push(~this.#events.length)
    this.#events.push(event)
  }

  /** The batch at hand is complete. */
  #toBatch(rows: BatchRows): TokenBatch {
    const batch = new TokenBatch(rows, this.#places, this.#events, this.#readValue)
    this.#places = []
    this.#events = []
    return batch
  }
}

/** By the row that closes a fragment of a tool call. */
function formOf(kind: row.RowKind): ToolFragment['form'] {
  if (kind === row.ROW_TOOL_INPUT) return 'whole'
  return kind === row.ROW_TOOL_PARTS ? 'parts' : 'fragment'
}
