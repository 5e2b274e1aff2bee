/**
 * A dialect: where a provider keeps its tokens, as a table. Plain data, so that a worker can have
 * it, and a decoder can compile it into whatever it walks fastest.
 *
 * Meaning comes at the close of a payload: rules run over the whole value, in the table's order,
 * and over the elements of an array in theirs. So key order on the wire is free, and of equal keys
 * the last wins.
 */

/** Keys from a scope's value down, joined by dots: `delta.content`. `''` is the value itself. */
export type Path = string

/** Where there are several, the first that holds something of the right kind counts. */
export type Paths = Path | readonly Path[]

/** As the `index` of a scope: the element's position in its array. */
export const POSITION = '#'

/** Choices above have no place in a row, nor indexes. */
export const CHOICE_MAX = 65_535
export const INDEX_MAX: number = 2 ** 31 - 1

/** All that are given must hold. */
export interface Conditions {
  /** Only in events of these types, see {@link Dialect.discriminator}. */
  readonly on?: readonly string[]
  /** Not in events of these types. */
  readonly off?: readonly string[]
  /** Only where each path holds one of its values. */
  readonly when?: Readonly<Record<Path, readonly (string | boolean)[]>>
  /** Only where each path holds none of its values. */
  readonly unless?: Readonly<Record<Path, readonly (string | boolean)[]>>
}

/** Rules over each element of an array, or, without `each`, over the same value once more. */
export interface ScopeRule extends Conditions {
  readonly each?: Path
  /**
   * Where an element keeps its choice: 0 to {@link CHOICE_MAX}, in digits alone. Absent or null is
   * 0; an event with anything else there is malformed, lest it be taken for another choice's.
   */
  readonly choice?: Path
  /** Where it keeps its block or tool index: so too, to {@link INDEX_MAX}; or {@link POSITION}. */
  readonly index?: Path
  readonly rules: readonly Rule[]
}

/** A string that is a delta. An empty one is reported once per choice: it has text, though none. */
export type DeltaName = 'text' | 'reasoning' | 'refusal'
/** A string that is a fact. An empty one is none, but for a first `id` or `model`. */
export type WordName =
  | 'id'
  | 'model'
  | 'role'
  | 'finish'
  | 'signature'
  | 'hosted-block'
  | 'tool-plan'
  | 'request-id'
/**
 * A value that is passed on as it was sent: `usage` an object, `logprobs` and `sources` an array
 * with elements, `error` an object or a string that is not empty, the others anything but null.
 */
export type RawName =
  | 'usage'
  | 'logprobs'
  | 'error'
  | 'annotation'
  | 'sources'
  | 'safety'
  | 'finish-detail'

export interface ValueRule extends Conditions {
  readonly emit: DeltaName | WordName | RawName
  readonly path: Paths
  /** A delta that is empty here says nothing. */
  readonly skipEmpty?: true
  /** A delta that is the whole text of its block: it counts where none of its deltas came. */
  readonly whole?: true
  /** For a word: say this one wherever the path holds anything but null. */
  readonly as?: string
}

/** A fragment of a tool call, where any of its paths holds something. */
export interface ToolRule extends Conditions {
  readonly emit: 'tool'
  /** The provider's word for this sort of call. */
  readonly kind?: Path
  readonly id?: Path
  readonly name?: Path
  /** A string is a fragment of the arguments; an object or array is the whole of them. */
  readonly arguments?: Path
  /** The whole of the arguments: an object, an array, or a string that holds them. */
  readonly input?: Path
  /**
   * An array of values with the places where they belong in the arguments, Gemini's way:
   * `{jsonPath, stringValue | numberValue | boolValue | nullValue, willContinue}`. Where the call
   * has a name and no whole arguments, it is one whose arguments come so.
   */
  readonly parts?: Path
  /** An empty object as `input` holds a place for fragments to come, and says nothing. */
  readonly skipEmpty?: true
}

/** The event says that the block with the scope's index is complete. */
export interface BlockStopRule extends Conditions {
  readonly emit: 'block-stop'
}

/** The event is the protocol's end. */
export interface EndRule extends Conditions {
  readonly emit: 'end'
  /** How the end is called. Default: the event's type. */
  readonly name?: string
}

export type Rule = ScopeRule | ValueRule | ToolRule | BlockStopRule | EndRule

/** Where a usage object keeps its counts. */
export interface UsageFields {
  readonly input?: Paths
  readonly output?: Paths
  readonly total?: Paths
  readonly cachedInput?: Paths
  readonly reasoning?: Paths
}

export interface UsageRule extends UsageFields {
  /** A later usage object replaces the whole earlier one, or its fields, each by one not null. */
  readonly merge: 'last' | 'fields'
  /** The fields that are about usage, where the object holds others. Default: all. */
  readonly only?: readonly string[]
}

/** How a body is cut into payloads: see the framers in ../decoder. */
export type Framing = 'sse' | 'ndjson' | 'json-array' | 'aws-eventstream'

/** How a payload tells whose it is: all that is given must hold. */
export interface Sign {
  /** Its type begins so, see {@link Dialect.discriminator}. */
  readonly type?: string
  /** It has something there, not null; with `each`, some element of that array has. */
  readonly has?: Path
  readonly each?: Path
}

export interface Dialect {
  /** Lower case letters, digits and dashes. */
  readonly name: string
  readonly framing: Framing
  /** How `auto` knows it: by the first payload that has one of these. */
  readonly signs?: readonly Sign[]
  /** `json`: each payload is an object that `rules` run over. `text`: each is reported as it is. */
  readonly payload: 'json' | 'text'
  /**
   * Several JSON objects one after the other in one payload are refused, EVENT_CONCATENATED.
   * Default: each is taken as a payload of its own.
   */
  readonly oneValue?: true
  /** Payloads of the type `on` hold the real one, base64 in a string; that one has its own type. */
  readonly wrapped?: { readonly on: string; readonly path: Path }
  /** Payloads that end the stream, by equality; what follows them is ignored. */
  readonly sentinels?: readonly string[]
  /** Where a payload keeps its type. Where that is no string, or '': the name of the event. */
  readonly discriminator?: Path
  /**
   * What must have been seen when the source ends, lest it be STREAM_TRUNCATED: a sentinel or an
   * `end` rule; or at least a finish reason; or nothing.
   */
  readonly end: 'terminator' | 'finish' | 'none'
  /** Facts follow the protocol's end, such as the usage: the source is read to its own end. */
  readonly trailer?: true
  readonly usage?: UsageRule
  /** The final message has a tool call's arguments as a value, too, as the provider's own has. */
  readonly toolInput?: true
  readonly rules: readonly Rule[]
}
