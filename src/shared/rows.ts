/**
 * Rows: what a decoder says, one fixed-size row per extracted fact.
 *
 * A row is three 32-bit words; its text lies apart, in one of the batch's two text areas, in row
 * order:
 *
 *     word 0   kind (bits 0-7) | flags (bits 8-15) | choice (bits 16-31)
 *     word 1   index: content block or tool index as the provider sent it, -1 where absent
 *     word 2   length of the text in UTF-16 units
 *
 * Text lies as V8 keeps strings: Latin-1 where no character is above U+00FF, else, of rows flagged
 * {@link FLAG_WIDE}, UTF-16LE. So a reader makes one string of each area, at the speed of a copy,
 * and cuts every row's text out of it; a lone surrogate needs no case of its own; and one character
 * of four bytes does not make the text beside it twice as long.
 *
 * Rows are facts, not meaning: tool identity, merging of usage and the order of public events are
 * the assembler's (src/main/assembler.ts), whose state therefore survives a worker's death.
 */

export const ROW_WORDS = 3
export const ROW_BYTES: number = ROW_WORDS * Int32Array.BYTES_PER_ELEMENT

/** The value has a character above U+00FF: its text lies in the wide area. */
export const FLAG_WIDE = 1
/** More text of this same value follows in the stream's next row. */
export const FLAG_CONTINUED = 2
/** A delta row that repeats the whole text of its block: it counts where no delta of it came. */
export const FLAG_WHOLE = 4

export type RowKind = number

/**
 * Deltas: the frequent rows. The text is the delta. An empty one says that the choice has such a
 * text, though none of it came yet; it is sent only as the first (choices 0 to 15; above, always).
 */
export const ROW_TEXT: RowKind = 1
export const ROW_REASONING: RowKind = 2
export const ROW_REFUSAL: RowKind = 3
/** The last row kind that is a plain delta; the kinds up to here need no state to read. */
export const ROW_DELTA_LAST: RowKind = 3

/**
 * One fragment of a tool call is up to four rows with the same choice and index: KIND, ID and NAME
 * where they are sent and not empty, then ARGUMENTS, INPUT or PARTS, which closes the fragment and
 * is always there. ARGUMENTS is a string fragment to append (maybe empty); INPUT is the whole of
 * them, as raw JSON (an object, or a string that holds them), and counts where no fragment came
 * before.
 */
export const ROW_TOOL_ID: RowKind = 4
export const ROW_TOOL_NAME: RowKind = 5
export const ROW_TOOL_ARGUMENTS: RowKind = 6
export const ROW_TOOL_INPUT: RowKind = 7
/** The provider closed the block with this index (Anthropic). No text. */
export const ROW_BLOCK_STOP: RowKind = 8

/** First non-empty response id and model, each once; before it, once, an empty one if one came. */
export const ROW_ID: RowKind = 9
export const ROW_MODEL: RowKind = 10
/** Role of a choice; the decoder sends it once per choice (choices 0 to 15; above, each time). */
export const ROW_ROLE: RowKind = 11
/** Native finish reason of a choice, non-empty. May repeat. */
export const ROW_FINISH: RowKind = 12
/** The provider's usage object, raw JSON. */
export const ROW_USAGE: RowKind = 13
/**
 * The provider's error, raw JSON (object or string). Its index is -1 in a payload of the protocol,
 * and 0 where it came outside, on a bare `error:` line.
 */
export const ROW_PROVIDER_ERROR: RowKind = 14
/** Log probabilities of a choice, raw JSON array. */
export const ROW_LOGPROBS: RowKind = 15
/** One annotation or citation, raw JSON value. */
export const ROW_ANNOTATION: RowKind = 16
/** Reasoning signature or encrypted reasoning, opaque text. */
export const ROW_SIGNATURE: RowKind = 17
/** A whole block that is neither text, reasoning nor a client's tool: its type as text. */
export const ROW_HOSTED_BLOCK: RowKind = 18
/** The protocol's own end; the text names it (`[DONE]`, `message_stop`). */
export const ROW_TERMINATOR: RowKind = 19

/** Raw records (`sse`): name and id precede the data row of the same event; data closes it. */
export const ROW_EVENT_NAME: RowKind = 20
export const ROW_EVENT_ID: RowKind = 21
export const ROW_EVENT_DATA: RowKind = 22

/**
 * A malformed event or a fatal failure. `choice` is the index of its code in
 * {@link DECODE_ERROR_CODES}; the text is `JSON.stringify({offset, message, excerpt, ...numbers})`.
 * After ROW_FATAL the decoder takes no more bytes.
 */
export const ROW_ERROR: RowKind = 23
export const ROW_FATAL: RowKind = 24

/** The provider's word for this sort of tool call (`server_tool_use`); see ROW_TOOL_ID. */
export const ROW_TOOL_KIND: RowKind = 25
/**
 * Closes a fragment of a tool call like ARGUMENTS: values with the paths where they belong in the
 * arguments, as a raw JSON array, or no text.
 */
export const ROW_TOOL_PARTS: RowKind = 26

/** What the model is about to do with its tools, a delta, not empty. */
export const ROW_TOOL_PLAN: RowKind = 27
/** What a safety filter found, raw JSON value. */
export const ROW_SAFETY: RowKind = 28
/** Why the answer ended, beyond its finish reason, raw JSON value. */
export const ROW_FINISH_DETAIL: RowKind = 29
/** All that the answer draws on so far, raw JSON array. May repeat. */
export const ROW_SOURCES: RowKind = 30
/** What the provider calls the request that fails: of the error that follows. */
export const ROW_REQUEST_ID: RowKind = 31

/** Error codes that a decoder reports, by number, since a row holds no strings but its text. */
export const DECODE_ERROR_CODES = [
  'EVENT_MALFORMED',
  'NOT_A_STREAM',
  'LINE_TOO_LONG',
  'EVENT_TOO_LARGE',
  'JSON_TOO_DEEP',
  'BUFFERS_EXHAUSTED',
  'STREAM_POISONED',
  'EVENT_CONCATENATED',
  'FRAME_CORRUPT',
  'JSON_NUMBER_TOO_LONG',
] as const

export type DecodeErrorCode = (typeof DECODE_ERROR_CODES)[number]

/** Rows with their two texts as bytes, wherever they lie: what a decoder hands on. */
export interface RowArea {
  /** `ROW_WORDS` words a row, from index `rowsAt`. */
  readonly rows: Int32Array
  readonly rowsAt: number
  readonly rowCount: number
  /** Latin-1 of the rows without {@link FLAG_WIDE}. */
  readonly text: Uint8Array
  readonly textAt: number
  readonly textBytes: number
  /** UTF-16LE of the rows with {@link FLAG_WIDE}. */
  readonly wide: Uint8Array
  readonly wideAt: number
  readonly wideBytes: number
}

/**
 * Rows with their two texts as strings: what one batch of one stream looks like to its reader. The
 * rows are read at once: they may change as soon as the reader has returned.
 */
export interface RowBatch {
  /** `ROW_WORDS` words a row, from index `rowsAt`. */
  readonly rows: Int32Array
  readonly rowsAt: number
  readonly rowCount: number
  /** Latin-1 of the rows without {@link FLAG_WIDE}, at `textAt`, and eight bytes more. */
  readonly bytes: DataView
  readonly textAt: number
  /** Text of all rows without {@link FLAG_WIDE}, joined. */
  readonly text: string
  /** Text of all rows with {@link FLAG_WIDE}, joined. */
  readonly wideText: string
}
