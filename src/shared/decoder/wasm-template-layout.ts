/**
 * What lies where in a template of the WASM decoder: see wasm/template.ts, and wasm-layout.ts for
 * what all such files have in common.
 */

/** Bytes of the event that it was learnt from; 0: there is none yet. */
export const TEMPLATE_BYTES = 0
/** Those before its payload, and those after it. */
export const TEMPLATE_LEAD = 4
export const TEMPLATE_TAIL = 8
/** The event's name, inside the lead: address and length. */
export const TEMPLATE_NAME = 12
export const TEMPLATE_NAME_BYTES = 16
/** Spans of that event, and the bytes outside of them. */
export const TEMPLATE_SPAN_COUNT = 20
export const TEMPLATE_SKELETON_BYTES = 24
/** The last of the literal pieces, of which there is one more than there are holes. */
export const TEMPLATE_LAST_PIECE = 28
export const TEMPLATE_DEPTH = 32
/** The template that served next, the last time. */
export const TEMPLATE_NEXT = 36
export const TEMPLATE_PATCH_COUNT = 40
/** Steps, STEPS_UNKNOWN where all rules have to be run; whether some step is a rule to be run. */
export const TEMPLATE_STEP_COUNT = 44
export const TEMPLATE_HAS_RULES = 48
/** How many rules may write. */
export const TEMPLATE_RULE_COUNT = 68
/** The type of the event, the same for all: its number, its text, whether that is JSON's. */
export const TEMPLATE_TYPE = 52
export const TEMPLATE_TYPE_AT = 56
export const TEMPLATE_TYPE_END = 60
export const TEMPLATE_TYPE_IS_JSON = 64

export const STEPS_UNKNOWN = 0xffff

/**
 * Pieces: a literal's address and length; the hole after it: kind, slot; where it was found. The
 * kind of a number that is a choice or index is the largest that it can be.
 */
export const TEMPLATE_PIECES = 80
export const PIECE_LITERAL = 0
export const PIECE_BYTES = 4
export const PIECE_HOLE = 8
export const PIECE_SLOT = 12
export const PIECE_FOUND = 16
export const PIECE_SIZE = 20
export const HOLES_MAX = 20

export const HOLE_STRING = 0
export const HOLE_NUMBER = 1
export const HOLE_BLANKS = 2

/** Spans: address of the first byte, and of the byte after the last; 1 where it is a hole. */
export const TEMPLATE_SPANS = 504
export const TEMPLATE_SPAN_HOLE = 8
export const TEMPLATE_SPAN_SIZE = 12

/** Patches: address of a slot's word; the piece, and the distance from its start, to note there. */
export const TEMPLATE_PATCHES = 1296
export const PATCH_WORD = 0
export const PATCH_PIECE = 4
export const PATCH_DISTANCE = 8
export const PATCH_SIZE = 12
export const PATCHES_MAX = 16

/**
 * Steps. A string to be passed on: its slot, the first half of its row (64), and what is said by it
 * (16 bits each: the mask in the state, bits that forbid it, bits that it sets). A rule to be run:
 * slot 0, the rule, its frame, choice and index.
 */
export const TEMPLATE_STEPS = 1488
export const STEP_ROW = 0
export const STEP_SLOT = 8
export const STEP_SAID = 12
export const STEP_ONCE = 14
export const STEP_SAYS = 16
export const STEP_RULE = 20
export const STEP_FRAME = 24
export const STEP_CHOICE = 28
export const STEP_INDEX = 32
export const STEP_SIZE = 40
export const STEPS_MAX = 20

/** The frames as the rules find them. */
export const TEMPLATE_FRAMES = 2288
export const TEMPLATE_FRAMES_BYTES_MAX = 1024
/** The event that it was learnt from. */
export const TEMPLATE_EVENT = 3312
export const TEMPLATE_EVENT_BYTES_MAX = 1024
export const TEMPLATE_SIZE = 4376
