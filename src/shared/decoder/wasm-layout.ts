/**
 * What lies where in the memory that the WASM decoder and its host share.
 *
 * Read by two compilers: TypeScript for the host, AssemblyScript for the decoder. So it holds
 * nothing but numbers. All are byte offsets from the start of the structure that they belong to;
 * words are 32 bits wide unless the comment says otherwise, and addresses are words.
 */

// ---- Context: one per instance. The host fills it in; the decoder keeps its running values here.

/** Stack of open containers, an address; STACK_BYTES. */
export const CTX_STACK = 0
/** Scalars of an event that is learnt from, an address; SPANS_BYTES. */
export const CTX_SPANS = 4
/** Room to decode a key or a condition's value, an address; SCRATCH_BYTES. */
export const CTX_SCRATCH = 8
/** Output: rows, Latin-1 text, UTF-16 text. Each an address, what is used, and the capacity. */
export const CTX_ROWS = 12
export const CTX_ROW_COUNT = 16
export const CTX_ROWS_MAX = 20
export const CTX_TEXT = 24
export const CTX_TEXT_BYTES = 28
export const CTX_TEXT_BYTES_MAX = 32
export const CTX_WIDE = 36
export const CTX_WIDE_BYTES = 40
export const CTX_WIDE_BYTES_MAX = 44
/** `push` returns at the first event boundary with so many rows, or so many bytes of text. */
export const CTX_ROWS_ENOUGH = 48
export const CTX_TEXT_BYTES_ENOUGH = 52
export const CTX_WIDE_BYTES_ENOUGH = 108
/** The stream at hand: its state, its profile, and the profile's program. Addresses. */
export const CTX_STATE = 56
export const CTX_PROFILE = 60
export const CTX_PROGRAM = 64
/** The chunk at hand: its address, and (float64) the offset of its first byte in the body. */
export const CTX_CHUNK = 68
export const CTX_CHUNK_OFFSET = 72
/** Parts of the open event, wherever they lie: in the chunk or in a slab. Address and length. */
export const CTX_NAME = 80
export const CTX_NAME_BYTES = 84
export const CTX_ID = 88
export const CTX_ID_BYTES = 92
export const CTX_DATA = 96
/** Why the last walk refused: 0 malformed, 1 too deep. */
export const CTX_REFUSAL = 104
/** U+FFFD that the last text was given for malformed input. */
export const CTX_REPLACED = 112
/** The payload's type: its number, its text, and whether that is a JSON string's inside. */
export const CTX_TYPE = 116
export const CTX_TYPE_AT = 120
export const CTX_TYPE_END = 124
export const CTX_TYPE_IS_JSON = 128
/** The byte after the last of the payload at hand. */
export const CTX_PAYLOAD_END = 136
/** 1 once an output area could not be made larger: the event is then undone. */
export const CTX_OUT_OF_ROOM = 140
/** Payloads decoded by a template, and by a walk. Counters. */
export const CTX_TEMPLATE_HITS = 144
export const CTX_TEMPLATE_MISSES = 148
/** Bytes looked at, however often (float64): line ends, walks, templates. */
export const CTX_SCANNED = 152
/** The walk, where it is: next byte; what is open; node to come; stack, its bound; next key. */
export const CTX_AT = 160
export const CTX_OPEN = 164
export const CTX_NODE = 168
export const CTX_DEPTH = 172
export const CTX_DEPTH_END = 176
export const CTX_KEY = 180
/** What the event has for a choice or index that cannot be one: first byte, byte after the last. */
export const CTX_INDEX_AT = 184
export const CTX_INDEX_END = 188
/** The largest that it could be; 0 where there is no such fault. */
export const CTX_INDEX_MAX = 192
export const CTX_BYTES = 200

/**
 * Deepest nesting that the stack has room for; a word a level. STREAM_LIMITS_CAP allows no more.
 */
export const DEPTH_CAP = 1024
export const STACK_BYTES = 4112
/** A span is two words: the address of a scalar's first byte, and of the byte after its last. */
export const SPANS_MAX = 64
export const SPANS_BYTES = 528
export const SCRATCH_BYTES = 4096
/** Keys and conditions' values that a program may hold: the scratch has room for 18 times that. */
export const PROGRAM_TEXT_BYTES_MAX = 224
/** Bytes past an input or an output that may be read, or overwritten. */
export const SLACK_BYTES = 64

// ---- State: all that is kept of a stream between two chunks. Plain, copyable, all 0 at first.

/** Bits: see FLAG_ names below. */
export const STATE_FLAGS = 0
/**
 * The unfinished line, bar a comment's, or element of an array, or AWS frame: its slab (0: none),
 * and its length, a comment's too.
 */
export const STATE_LINE_SLAB = 4
export const STATE_LINE_BYTES = 8
/** The open event's data, or a body that is no stream: its slab, and its length. */
export const STATE_DATA_SLAB = 12
export const STATE_DATA_BYTES = 16
/** The open event's name, then the event id that waits for its event: the slab of both. */
export const STATE_FIELDS_SLAB = 20
export const STATE_NAME_BYTES = 24
export const STATE_ID_BYTES = 28
/** In its place, of a JSON array: how many brackets of the open element are open. */
export const STATE_DEPTH = 28
/**
 * What was sent that is sent once: a bit for each choice (16 bits each). Behind those of text lie
 * those of reasoning and of refusal, as their rows are numbered.
 */
export const STATE_SAID_TEXT = 32
export const STATE_SAID_ID = 38
export const STATE_SAID_MODEL = 40
export const STATE_SAID_ROLE = 42
/** Counters, see DecodeCounts. Bytes are a float64. */
export const STATE_EVENTS = 44
export const STATE_BYTES = 48
/** Offset of the open event, or of the body that is no stream (float64). */
export const STATE_OFFSET = 56
export const STATE_MALFORMED = 64
export const STATE_COMMENTS = 68
export const STATE_REPLACEMENTS = 72
export const STATE_IGNORED_FIELDS = 76
export const STATE_SIZE = 80

/** The first line is over: a byte order mark is one no more. */
export const FLAG_MARK_DONE = 1
/** The last byte was a CR: an LF belongs to the same line end. */
export const FLAG_AFTER_CR = 2
/** A field came since the last blank line. */
export const FLAG_OPEN = 4
export const FLAG_HAS_DATA = 8
/** An event id came since the last event. */
export const FLAG_HAS_ID = 16
/** The unfinished line is a comment. */
export const FLAG_IN_COMMENT = 32
/** A sentinel was seen. */
export const FLAG_ENDED = 64
export const FLAG_FAILED = 128
/** What the body is, once that is known: one of these. */
export const FLAG_IS_STREAM = 256
export const FLAG_IS_JSON = 512
export const FLAG_IS_HTML = 1024
/** While that is not known: bytes of a byte order mark seen, and that no more can come. */
export const MARK_BYTES_SHIFT = 11
export const FLAG_MARK_OVER = 8192
/** Of a JSON array: inside of it; inside of a string, and a backslash came just now. */
export const FLAG_IN_ARRAY = 16384
export const FLAG_IN_STRING = 32768
export const FLAG_ESCAPED = 65536
/**
 * Of Server-Sent Events: offset of the data inside its slab, in the upper half, since that slab may
 * have been the line's.
 */
export const DATA_AT_SHIFT = 16

/** A slab is its address, a multiple of 256, with the logarithm of its capacity in the low bits. */
export const SLAB_ALIGN = 256

// ---- Profile: what a stream is decoded by.

export const PROFILE_PROGRAM = 0
export const PROFILE_LINE_BYTES_MAX = 4
export const PROFILE_EVENT_BYTES_MAX = 8
export const PROFILE_DEPTH_MAX = 12
/** A byte, 1 where malformed events end the stream. */
export const PROFILE_STRICT = 16
/** A byte, 1 where an event counts that the source's end cuts before its blank line. */
export const PROFILE_FLUSH = 17
/** A byte, 1 where each event is passed on as it was sent, too. */
export const PROFILE_RAW = 18
export const PROFILE_NUMBER_BYTES_MAX = 20
export const PROFILE_NAME_BYTES_MAX = 24
export const PROFILE_ID_BYTES_MAX = 28
export const PROFILE_SIZE = 32
/** No stream's limits on numbers and event names are less: STREAM_LIMITS_LEAST. */
export const NUMBER_BYTES_SAFE = 32
export const NAME_BYTES_SAFE = 64

// ---- Program: a compiled dialect. See wasm-program.ts.

/** 1 where payloads are text, reported as they are. */
export const PROGRAM_IS_TEXT = 0
/** Sentinels: how many, and the address of as many pairs (address, length). */
export const PROGRAM_SENTINELS = 4
export const PROGRAM_SENTINEL_COUNT = 8
/** Event types that rules name: the address of as many pairs (address, length); their numbers. */
export const PROGRAM_TYPES = 12
export const PROGRAM_TYPE_COUNT = 16
/** Rules of the payload itself: the address of their list. */
export const PROGRAM_RULES = 20
/** Keys that the last walk met, in its order: the address of MEMO_COUNT entries. */
export const PROGRAM_MEMO = 24
/** Trie node of the payload itself. */
export const PROGRAM_ROOT = 28
/** Where the values of the payload at hand are noted, and how large that is. */
export const PROGRAM_FRAMES = 32
export const PROGRAM_FRAMES_BYTES = 36
/** Reference to the value that tells the type; its bit is 0 where there is none. */
export const PROGRAM_TYPE_REF = 40
/** Longest key, bytes. */
export const PROGRAM_KEY_BYTES_MAX = 56
/** 1 where an event of the usual shape may take the fast path: JSON, and no sentinel an object. */
export const PROGRAM_IS_FAST = 60
/** How many rules write rows: all but scopes. */
export const PROGRAM_WRITER_COUNT = 112
/** The type of an event that neither tells one nor has a name. */
export const PROGRAM_NAMELESS_TYPE = 116
/** Templates: the address of as many, one after the other; those that serve, latest first. */
export const PROGRAM_TEMPLATES = 64
export const PROGRAM_TEMPLATE_COUNT = 68
export const PROGRAM_ORDER = 72
/** The template that served last, 0 at first. */
export const PROGRAM_LAST = 76
/** Slots, for templates: the address of the first, and how many. */
export const PROGRAM_SLOTS = 80
export const PROGRAM_SLOT_COUNT = 84
/** Offsets of elements' frames, words: the address of the first, and how many. */
export const PROGRAM_ELEMENTS = 88
export const PROGRAM_ELEMENT_COUNT = 92
/** Payloads that a template served; as many when one was learnt last. Counters. */
export const PROGRAM_HITS = 96
export const PROGRAM_HITS_THEN = 100
/** What learning has cost, in hits, that hits have not brought in yet. */
export const PROGRAM_DEBT = 104
/** Payloads that were not learnt from for that reason, a counter. */
export const PROGRAM_SKIPPED = 108
/** 1 where several objects in one payload are refused. */
export const PROGRAM_ONE_VALUE = 120
/** How bodies are cut into payloads: one of these. */
export const PROGRAM_FRAMING = 124
/** Of AWS frames: 16 tables of 256 words for their CRCs, an address. See wasm/crc.ts. */
export const PROGRAM_CRC = 128
/** The program of a wrapping, whose type is the payload that it holds; 0 where there is none. */
export const PROGRAM_WRAPPING = 132
/** Name of the events whose payloads are wrapped: address and length. */
export const PROGRAM_WRAPPED_TYPE = 136
export const PROGRAM_WRAPPED_TYPE_BYTES = 140
/** Keys that the last walk noted and did not know; walks to come that note none. */
export const PROGRAM_NEW_KEYS = 144
export const PROGRAM_WALKS_WITHOUT_NOTES = 148
/**
 * Of AWS frames: headers of an event, as most have them: the address of a copy, how many bytes;
 * where in them its name begins, and how long that is.
 */
export const PROGRAM_HEADERS = 152
export const PROGRAM_HEADERS_BYTES = 156
export const PROGRAM_HEADERS_NAME_AT = 160
export const PROGRAM_HEADERS_NAME_BYTES = 164
export const PROGRAM_SIZE = 168
/** Longest headers that are remembered. */
export const HEADERS_BYTES_MAX = 256

export const FRAMING_SSE = 0
export const FRAMING_NDJSON = 1
export const FRAMING_ARRAY = 2
export const FRAMING_AWS = 3

// Trie node: what to do with a value at one path of a scope.

/** Bits (64): of the value, where a rule reads it; of an array whose elements are read. */
export const NODE_BIT = 0
export const NODE_EACH_BIT = 8
/** Bits (64) that stay as they are: not the node's own nor those of what lies under it. */
export const NODE_KEEP = 16
/** Offset of the frame, and of the slot in it, from the start of all frames. */
export const NODE_FRAME = 24
export const NODE_SLOT = 28
/** Node of an element, 0 where nobody reads any. */
export const NODE_ELEMENT = 32
/** Keys: the address of the table (0: none), its size - 1, and the hash's multiplier (64). */
export const NODE_KEYS = 36
export const NODE_MULTIPLIER = 40
export const NODE_KEYS_MASK = 48
export const NODE_SIZE = 64

// Entry of a key table.

/** First 16 bytes of the key, the rest of them 0. */
export const KEY_START = 0
/** Length, bytes; 0 marks an empty entry. No key of a table is empty. */
export const KEY_BYTES = 16
/** The bytes from the 17th on. */
export const KEY_REST = 20
export const KEY_NODE = 24
export const KEY_SIZE = 32

// Frame: the values of one scope. Then slots, 8 bytes each: first byte, byte after the last.

/** Bits (64) of the values that are there. */
export const FRAME_PRESENT = 0
/** Of an element's frame: where the first element begins, and the second. 0 where there is none. */
export const FRAME_FIRST = 8
export const FRAME_SECOND = 12
export const FRAME_SLOTS = 16
/** Where values go that nobody reads: the first slot of all. */
export const SLOT_UNREAD = 0
export const SLOT_SIZE = 8

// Reference to a value of the scope: its bit (64; 0: none), and the offset of its slot.

export const REF_BIT = 0
export const REF_SLOT = 8
export const REF_SIZE = 16

// Key that a walk met: object's node, value's node; the key as it was sent, from its quote to its
// colon: length, a bit for each of the first 16 bytes, for each of the second 16, all bytes.

/** No object is these two: of an entry that is empty, and of the last, which stays so. */
export const MEMO_EMPTY = 4
export const MEMO_LAST = 8

export const MEMO_OPEN = 0
export const MEMO_NODE = 4
export const MEMO_BYTES = 8
export const MEMO_BITS = 12
export const MEMO_TEXT = 16
export const MEMO_TEXT_BYTES = 32
export const MEMO_MORE_BITS = 48
export const MEMO_SIZE = 64
export const MEMO_COUNT = 64

// List of a scope's rules, 64 at most.

/** Bits (64) of the rules that run whatever is present. */
export const LIST_ALWAYS = 0
/** For each bit of the frame, the rules (64) that its value concerns: the address of the first. */
export const LIST_BY_BIT = 8
/** For each event type, and for all others, the rules (64) that run then. */
export const LIST_BY_TYPE = 12
/** The rules (64) for id and model: nothing is left to do for them once both were sent. */
export const LIST_NAMES = 16
/** Addresses of the rules: a word each. */
export const LIST_RULES = 24

// Rule.

export const RULE_FORM = 0
/** Row kind; shape; flags: a byte each. */
export const RULE_KIND = 1
export const RULE_SHAPE = 2
export const RULE_FLAGS = 3
/** Conditions: how many, and the address of the first. */
export const RULE_CONDITION_COUNT = 4
export const RULE_CONDITIONS = 8
/**
 * From here on by form. A value: how many paths, and the address of the first reference; kind and
 * flags of a row that is not empty; what it says whatever the value (0: that), and its length.
 */
export const VALUE_REF_COUNT = 12
export const VALUE_REFS = 16
export const VALUE_ROW = 20
export const VALUE_AS = 24
export const VALUE_AS_BYTES = 28
export const VALUE_SIZE = 32
/** A tool: six references, kind, id, name, arguments, input, parts. */
export const TOOL_KIND = 16
export const TOOL_ID = 32
export const TOOL_NAME = 48
export const TOOL_ARGUMENTS = 64
export const TOOL_INPUT = 80
export const TOOL_PARTS = 96
export const TOOL_SIZE = 112
/** A scope: its rules, the address of their list; 1 where it is the elements of an array. */
export const SCOPE_RULES = 12
export const SCOPE_IS_EACH = 16
/** Offset of the elements' frame, and their trie node. */
export const SCOPE_FRAME = 20
export const SCOPE_ELEMENT = 24
/** References to choice and index. */
export const SCOPE_CHOICE = 32
export const SCOPE_INDEX = 48
export const SCOPE_SIZE = 64
/** An end: its name, and how long that is; 0 for the event's type. */
export const END_NAME = 12
export const END_NAME_BYTES = 16
export const MARK_SIZE = 24

export const FORM_SCOPE = 0
export const FORM_VALUE = 1
export const FORM_TOOL = 2
export const FORM_BLOCK_STOP = 3
export const FORM_END = 4

export const SHAPE_DELTA = 0
export const SHAPE_WORD = 1
export const SHAPE_OBJECT = 2
export const SHAPE_LIST = 3
export const SHAPE_ERROR = 4
export const SHAPE_ANY = 5

export const RULE_SKIP_EMPTY = 1
export const RULE_POSITION = 2
/** A tool's arguments may come in parts. */
export const RULE_HAS_PARTS = 4

// Condition: a reference, whether one of the values must be there or none, and the values.

export const CONDITION_REF = 0
export const CONDITION_HOLDS = 16
export const CONDITION_VALUES = 20
export const CONDITION_VALUE_COUNT = 24
export const CONDITION_SIZE = 32
/** A value: the first byte of its kind (`"`, `t` or `f`), and a string's address and length. */
export const WANTED_KIND = 0
export const WANTED_TEXT = 4
export const WANTED_BYTES = 8
export const WANTED_SIZE = 16

// Slot, for templates: offset of the frame, offset of the slot, bit (64); of a choice or index, the
// largest that it can be, else 0.

export const SLOT_FRAME = 0
export const SLOT_OFFSET = 4
export const SLOT_BIT = 8
export const SLOT_INDEX_MAX = 16
export const SLOT_ENTRY_SIZE = 24

// ---- What the decoder asks of its host.

/** Output areas, for `grow`. */
export const AREA_ROWS = 0
export const AREA_TEXT = 1
export const AREA_WIDE = 2
/** Bytes of the text area that `grow` need not provide: room for the report of a failure. */
export const FAULT_BYTES_MAX = 1024
