import { compactJson } from '../shared/decoder/compact-json.ts'
import { OPEN_TOOL_CALLS_MAX } from '../shared/limits.ts'
import type { TokenEvent } from './events.ts'
import { PartialArguments } from './partial-arguments.ts'

/** What one fragment of a tool call says, `''` for nothing. */
export interface ToolFragment {
  readonly choice: number
  /** -1 where the provider sent none. */
  readonly index: number
  readonly kind: string
  readonly id: string
  readonly name: string
  /** Arguments to append, the whole of them as raw JSON, or some of their values with places. */
  readonly text: string
  readonly form: 'fragment' | 'whole' | 'parts'
}

interface Call {
  readonly choice: number
  readonly index: number
  /** What it is found by; `null` where the provider sent no index. */
  readonly key: number | null
  kind: string | null
  id: string | null
  name: string
  hasStarted: boolean
  /** How its arguments come: what came first decides. */
  source: 'none' | ToolFragment['form']
  parts: PartialArguments | null
}

/**
 * Tells the tool calls of a stream apart, and turns their fragments into events.
 *
 * A call is known by its choice and index. A different id at the same index is a new call: some
 * servers use one index for all. Where there is no index, an id begins a call and its absence
 * continues the last; whole arguments with neither are a call of their own, and so is a name where
 * arguments come in parts. A name may be empty at first and repeated later, and is never
 * concatenated.
 */
export class ToolCalls {
  readonly #emit: (event: TokenEvent) => void
  /** Calls that have not ended, in the order of their beginning. */
  readonly #open = new Set<Call>()
  readonly #byIndex = new Map<number, Call>()
  /** By choice: the call that began last. */
  readonly #last = new Map<number, Call>()
  /** By choice: one more than the largest index. */
  readonly #nextIndex = new Map<number, number>()

  constructor(emit: (event: TokenEvent) => void) {
    this.#emit = emit
  }

  add(fragment: ToolFragment): void {
    const call = this.#find(fragment) ?? this.#begin(fragment)
    const { kind, id, name, text, form } = fragment
    call.kind ??= kind || null
    call.id ??= id || null
    call.name ||= name
    if (form === 'parts') {
      this.#addParts(call, text)
      return
    }
    const isWhole = form === 'whole'
    const isNews = text !== '' && (isWhole ? call.source === 'none' : call.source !== 'whole')
    if (call.name !== '' || isNews) this.#start(call)
    if (!isNews) return
    call.source = form
    this.#emitInput(call, isWhole ? wholeOf(text) : text)
  }

  /** The provider says that the block with this index is complete. */
  stop(choice: number, index: number): void {
    const call = this.#byIndex.get(keyOf(choice, index))
    if (call !== undefined) this.#end(call)
  }

  /** No fragment can come any more. */
  endAll(): void {
    for (const call of this.#open) this.#end(call)
  }

  /** The stream was cut: what is open is told as far as it came, and has no end. */
  cut(): void {
    for (const call of this.#open) {
      this.#start(call)
      if (call.parts !== null) this.#emitInput(call, call.parts.toJson())
    }
    this.#open.clear()
  }

  /** Values come in any order, so the text of the arguments is known when they are complete. */
  #addParts(call: Call, parts: string): void {
    this.#start(call)
    if (call.source !== 'none' && call.source !== 'parts') return
    call.source = 'parts'
    call.parts ??= new PartialArguments()
    call.parts.add(parts)
  }

  #emitInput({ choice, index, id }: Call, text: string): void {
    this.#emit({ type: 'tool-input-delta', choice, index, id, text })
  }

  #find({ choice, index, id: sent, name, form }: ToolFragment): Call | undefined {
    // Mistral's word for none.
    const id = sent === 'null' ? '' : sent
    if (index >= 0) {
      const call = this.#byIndex.get(keyOf(choice, index))
      return id === '' || call?.id === null || call?.id === id ? call : undefined
    }
    const last = this.#last.get(choice)
    const isNew = form === 'whole' || (form === 'parts' && name !== '')
    if (id === '') return isNew ? undefined : last
    return last?.id === id ? last : undefined
  }

  /** Begins a call, and ends the one that it takes the place of. */
  #begin({ choice, index: sent }: ToolFragment): Call {
    const key = sent < 0 ? null : keyOf(choice, sent)
    const last = this.#last.get(choice)
    const before = key !== null ? this.#byIndex.get(key) : last?.key === null ? last : undefined
    if (before !== undefined) this.#end(before)
    const [oldest] = this.#open
    if (this.#open.size === OPEN_TOOL_CALLS_MAX && oldest !== undefined) this.#end(oldest)
    const next = this.#nextIndex.get(choice) ?? 0
    const index = sent < 0 ? next : sent
    this.#nextIndex.set(choice, Math.max(next, index + 1))
    const call: Call = {
      choice,
      index,
      key,
      kind: null,
      id: null,
      name: '',
      hasStarted: false,
      source: 'none',
      parts: null,
    }
    this.#open.add(call)
    this.#last.set(choice, call)
    if (key !== null) this.#byIndex.set(key, call)
    return call
  }

  #start(call: Call): void {
    if (call.hasStarted) return
    call.hasStarted = true
    const { choice, index, id, name: toolName, kind } = call
    this.#emit({ type: 'tool-input-start', choice, index, id, toolName, kind })
  }

  #end(call: Call): void {
    this.#start(call)
    if (call.parts !== null) this.#emitInput(call, call.parts.toJson())
    this.#open.delete(call)
    if (this.#last.get(call.choice) === call) this.#last.delete(call.choice)
    if (call.key !== null) this.#byIndex.delete(call.key)
    const { choice, index, id, name: toolName } = call
    this.#emit({ type: 'tool-input-end', choice, index, id, toolName })
  }
}

/** Arguments that were sent as a value, or as a string that holds them. */
function wholeOf(raw: string): string {
  return raw.startsWith('"') ? (JSON.parse(raw) as string) : compactJson(raw)
}

/** A choice is below 2^16 and an index below 2^31, so this is exact. */
function keyOf(choice: number, index: number): number {
  return choice * 2 ** 31 + index
}
