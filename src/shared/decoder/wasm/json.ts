/**
 * The walk: one pass over a JSON value, in place. It checks every byte, and notes the values whose
 * paths the program's trie knows.
 *
 * Containers are kept on a stack of words, so that no input exhausts anything. While the walk is on
 * a path of the trie, `node` is the trie node of the value to come, else 0: then all is skipped.
 *
 * A value goes into the slot of its node, and its bit says that it is there. An equal key later on
 * takes all that back: the bits of the node and of what lies under it go, then the new value is
 * noted. A null takes and notes nothing, since no rule tells it from an absence.
 *
 * Keys come in the same order time and again. So the walk notes those it met, and looks first
 * whether
 * the next key is the one that stood there before: then its end and its node are known, and nothing
 * has to wait for a search.
 *
 * Of an array whose elements are read, the first is noted in their frame; where the second begins
 * is noted, too, and rules that want to see it, and those after it, walk there once more. So the
 * frames take the same few bytes whatever the payload holds, and the arrays of one element, which
 * are nearly all, are walked once.
 */
import {
  CTX_PROGRAM,
  CTX_REFUSAL,
  CTX_SCRATCH,
  CTX_SPANS,
  CTX_SPANS_END,
  CTX_STACK,
  FRAME_FIRST,
  FRAME_PRESENT,
  FRAME_SECOND,
  KEY_BYTES,
  KEY_NODE,
  KEY_REST,
  KEY_SIZE,
  KEY_START,
  NODE_BIT,
  NODE_EACH_BIT,
  NODE_ELEMENT,
  NODE_FRAME,
  NODE_KEEP,
  NODE_KEYS,
  NODE_KEYS_MASK,
  NODE_MULTIPLIER,
  NODE_SLOT,
  MEMO_BITS,
  MEMO_BYTES,
  MEMO_COUNT,
  MEMO_LAST,
  MEMO_NODE,
  MEMO_PARENT,
  MEMO_SIZE,
  MEMO_TEXT,
  MEMO_TEXT_BYTES,
  PROGRAM_MEMO,
  PROGRAM_KEY_BYTES_MAX,
  SPANS_MAX,
} from '../wasm-layout.ts'
import {
  ARRAY_END,
  BACKSLASH,
  blanksEnd,
  COLON,
  COMMA,
  LETTER_E,
  MINUS,
  numberEnd,
  OBJECT_END,
  OBJECT_START,
  QUOTE,
  same,
  SPACE,
  stringEnd,
  stringStops,
  ZERO,
} from './scan.ts'
import { LONE_PASSES, transcode } from './text.ts'

/** The value lies in one line: a CR or LF ends it, and is no blank. */
export const WALK_LINE = 1
/** Note where the scalars lie, for a template. */
export const WALK_RECORD = 2
/** Only a part of a payload that was walked before. */
export const WALK_AGAIN = 4

/** What CTX_REFUSAL says. */
export const MALFORMED: u32 = 0
export const TOO_DEEP: u32 = 1

/** What is open: an object or an array, a bit beside its node; neither around the value itself. */
const IN_OBJECT: usize = 1
const IN_ARRAY: usize = 2

/** `true`, `fals` and `null` as little-endian words. */
const WORD_TRUE: u32 = 0x65757274
const WORD_FALS: u32 = 0x736c6166
const WORD_NULL: u32 = 0x6c6c756e

/**
 * Walks the value at `at` and the blanks around it. Returns the byte after those; 0 where the value
 * is malformed, too deep, or not over before `end`: see CTX_REFUSAL.
 *
 * What lies past `end` may be read, and even noted, before it is found out: at the start of the
 * next value, at the end of a string, or when the walk is over.
 *
 * @param root - Trie node of the value, 0 to skip it.
 * @param frames - Where values are noted.
 */
export function walk(
  ctx: usize,
  at: usize,
  end: usize,
  root: usize,
  frames: usize,
  depthMax: u32,
  mode: i32,
): usize {
  const isLine = (mode & WALK_LINE) != 0
  const keys = load<usize>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_MEMO)
  let memo = (mode & WALK_AGAIN) != 0 ? keys + (MEMO_COUNT - 1) * MEMO_SIZE : keys
  let span = load<usize>(ctx, CTX_SPANS)
  let stack = load<usize>(ctx, CTX_STACK)
  let open: usize = 0
  let node = root
  store<u32>(ctx, MALFORMED, CTX_REFUSAL)

  while (true) {
    if (open & IN_OBJECT) {
      if (<u32>load<u8>(at) <= SPACE) at = blanksEnd(at, end, isLine)
      const parent = open ^ IN_OBJECT
      if (load<usize>(memo, MEMO_PARENT) == parent && isSameKey(memo, at)) {
        at += load<u32>(memo, MEMO_BYTES)
        node = load<usize>(memo, MEMO_NODE)
        memo += MEMO_SIZE
      } else {
        const key = at
        if (<u32>load<u8>(at) != QUOTE) return 0
        at = stringEnd(at + 1, end)
        if (at == 0) return 0
        node = parent == 0 ? 0 : child(ctx, parent, key + 1, at)
        if (<u32>load<u8>(++at) <= SPACE) at = blanksEnd(at, end, isLine)
        if (<u32>load<u8>(at++) != COLON) return 0
        memo = noteKey(memo, parent, node, key, at)
      }
    }

    let byte: u32 = load<u8>(at)
    if (byte <= SPACE) {
      at = blanksEnd(at, end, isLine)
      byte = load<u8>(at)
    }
    if (at >= end) return 0
    const start = at
    if (byte == QUOTE) {
      let stops = stringStops(v128.load(++at))
      while (stops == 0 && at < end) {
        at += 16
        stops = stringStops(v128.load(at))
      }
      at += ctz(stops)
      if (<u32>load<u8>(at) != QUOTE) at = stringEnd(at, end)
      if (at == 0 || at >= end) return 0
      if (mode & WALK_RECORD) span = addSpan(ctx, span, start + 1, at)
      at++
      if (node != 0) note(node, frames, start, at)
    } else if ((byte | 0x20) == OBJECT_START) {
      if (stack - load<usize>(ctx, CTX_STACK) == depthMax << 2) {
        store<u32>(ctx, TOO_DEEP, CTX_REFUSAL)
        return 0
      }
      const isObject = byte == OBJECT_START
      store<usize>(stack, open)
      stack += 4
      open = node | (isObject ? IN_OBJECT : IN_ARRAY)
      if (node != 0) node = noteStart(node, frames, start, isObject)
      if (<u32>load<u8>(++at) <= SPACE) at = blanksEnd(at, end, isLine)
      // Of an empty one the last byte is read below.
      if (<u32>load<u8>(at) != closing(open)) {
        if (!isObject && node != 0)
          store<u32>(frames + load<u32>(node, NODE_FRAME), at, FRAME_FIRST)
        continue
      }
    } else if (byte - ZERO < 10 || byte == MINUS) {
      const next: u32 = load<u8>(at, 1)
      at = next == COMMA || next == OBJECT_END ? lone(at, byte) : numberEnd(at, end)
      if (at == 0) return 0
      if (mode & WALK_RECORD) span = addSpan(ctx, span, start, at)
      if (node != 0) note(node, frames, start, at)
    } else {
      const word = load<u32>(at)
      at += word == WORD_FALS ? 5 : 4
      if (word == WORD_NULL) {
        if (node != 0) noteNull(node, frames)
      } else if (word == WORD_TRUE || (word == WORD_FALS && <u32>load<u8>(at - 1) == LETTER_E)) {
        if (node != 0) note(node, frames, start, at)
      } else return 0
    }

    // The value is whole, and with it every container that ends here.
    let gap: usize = 0
    let last: usize = 0
    while (true) {
      const from = at
      byte = load<u8>(at)
      if (byte <= SPACE) {
        at = blanksEnd(at, end, isLine)
        byte = load<u8>(at)
      }
      if (open == 0) {
        if (at > end) return 0
        if (mode & WALK_RECORD) endSpans(ctx, span, gap, last, at)
        return at
      }
      if (byte == COMMA) break
      if (byte != closing(open)) return 0
      gap = from
      last = at++
      node = open & ~(IN_OBJECT | IN_ARRAY)
      if (node != 0) store<u32>(frames + load<u32>(node, NODE_SLOT), at, 4)
      stack -= 4
      open = load<usize>(stack)
    }
    at++
    if (open & IN_OBJECT) continue
    node = 0
    if (open != IN_ARRAY) noteSecond(open ^ IN_ARRAY, frames, at)
  }
}

/** The byte after a number of one digit; 0 where it is a sign. */
function lone(at: usize, byte: u32): usize {
  return byte == MINUS ? 0 : at + 1
}

function addSpan(ctx: usize, span: usize, start: usize, end: usize): usize {
  if (span == load<usize>(ctx, CTX_SPANS) + SPANS_MAX * 8) return span
  store<usize>(span, start)
  store<usize>(span, end, 4)
  return span + 8
}

/** The last byte of what is open. */
function closing(open: usize): u32 {
  return open & IN_OBJECT ? OBJECT_END : ARRAY_END
}

/** Notes a leaf. */
function note(node: usize, frames: usize, start: usize, end: usize): void {
  const frame = frames + load<u32>(node, NODE_FRAME)
  const kept = load<u64>(frame, FRAME_PRESENT) & load<u64>(node, NODE_KEEP)
  store<u64>(frame, kept | load<u64>(node, NODE_BIT), FRAME_PRESENT)
  const slot = frames + load<u32>(node, NODE_SLOT)
  store<u32>(slot, start)
  store<u32>(slot, end, 4)
}

function noteNull(node: usize, frames: usize): void {
  const frame = frames + load<u32>(node, NODE_FRAME)
  const kept = load<u64>(frame, FRAME_PRESENT) & load<u64>(node, NODE_KEEP)
  store<u64>(frame, kept, FRAME_PRESENT)
}

/** Notes a container. Returns the node of an array's first element, 0 where nobody reads that. */
function noteStart(node: usize, frames: usize, start: usize, isObject: bool): usize {
  note(node, frames, start, start)
  const element = load<usize>(node, NODE_ELEMENT)
  if (isObject || element == 0) return 0
  const frame = frames + load<u32>(node, NODE_FRAME)
  const present = load<u64>(frame, FRAME_PRESENT) | load<u64>(node, NODE_EACH_BIT)
  store<u64>(frame, present, FRAME_PRESENT)
  store<u64>(frames + load<u32>(element, NODE_FRAME), 0, FRAME_FIRST)
  return element
}

/** Notes where the second element of an array begins. */
function noteSecond(node: usize, frames: usize, at: usize): void {
  const element = load<usize>(node, NODE_ELEMENT)
  if (element == 0) return
  const frame = frames + load<u32>(element, NODE_FRAME)
  if (load<u32>(frame, FRAME_SECOND) == 0) store<u32>(frame, at, FRAME_SECOND)
}

/**
 * Ends the record of scalars with two that may be empty: the blanks before the last byte of the
 * payload's object, and those after it.
 */
function endSpans(ctx: usize, span: usize, gap: usize, last: usize, end: usize): void {
  store<u32>(span, gap)
  store<u32>(span, last, 4)
  store<u32>(span, last + 1, 8)
  store<u32>(span, end, 12)
  store<usize>(ctx, span + 16, CTX_SPANS_END)
}

/** Whether the bytes at `at`, from the quote to the colon, are those of a noted key. */
function isSameKey(memo: usize, at: usize): bool {
  const bits = load<u32>(memo, MEMO_BITS)
  let equal = i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(memo, MEMO_TEXT)))
  if (bits > 0xffff) {
    equal |= i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(memo, MEMO_TEXT + 16))) << 16
  }
  return (~equal & bits) == 0
}

/**
 * Notes a key and its node, for the next walk to find at this place; returns the next place. Long
 * keys are not noted, nor those for which no place is left: the last entry is never any.
 */
function noteKey(memo: usize, parent: usize, node: usize, key: usize, end: usize): usize {
  if (load<usize>(memo, MEMO_PARENT) == MEMO_LAST) return memo
  const bytes = <u32>(end - key)
  if (bytes <= <u32>MEMO_TEXT_BYTES) {
    store<usize>(memo, parent, MEMO_PARENT)
    store<usize>(memo, node, MEMO_NODE)
    store<u32>(memo, bytes, MEMO_BYTES)
    store<u32>(memo, -1 >>> (MEMO_TEXT_BYTES - bytes), MEMO_BITS)
    v128.store(memo, v128.load(key), MEMO_TEXT)
    v128.store(memo, v128.load(key, 16), MEMO_TEXT + 16)
  }
  return memo + MEMO_SIZE
}

/** The trie node of a key, 0 where there is none. */
function child(ctx: usize, parent: usize, key: usize, end: usize): usize {
  if (load<usize>(parent, NODE_KEYS) == 0) return 0
  return hasEscape(key, end)
    ? childOfEscaped(ctx, parent, key, end - key)
    : findKey(parent, key, end - key)
}

function hasEscape(key: usize, end: usize): bool {
  for (; key < end; key++) {
    if (<u32>load<u8>(key) == BACKSLASH) return true
  }
  return false
}

/** A key that is longer, escape for escape, than any that the program knows is none of them. */
function childOfEscaped(ctx: usize, parent: usize, key: usize, bytes: usize): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (bytes > load<u32>(program, PROGRAM_KEY_BYTES_MAX) * 6) return 0
  const scratch = load<usize>(ctx, CTX_SCRATCH)
  const end = transcode(ctx, key, key + bytes, scratch, true, LONE_PASSES)
  return findKey(parent, scratch, end - scratch)
}

/** Looks a key up by its text. The hash takes its first and last eight bytes, and its length. */
function findKey(parent: usize, key: usize, bytes: usize): usize {
  const start = load<u64>(key)
  const hashed =
    bytes < 8
      ? start & (((<u64>1) << ((<u64>bytes) << 3)) - 1)
      : start ^ rotl<u64>(load<u64>(key + bytes - 8), 27)
  const keys = load<usize>(parent, NODE_KEYS)
  const mask = load<u32>(parent, NODE_KEYS_MASK)
  let index = <u32>(((hashed + bytes) * load<u64>(parent, NODE_MULTIPLIER)) >> 40)
  while (true) {
    const entry = keys + (index & mask) * KEY_SIZE
    const length = load<usize>(entry, KEY_BYTES)
    if (length == 0) return 0
    if (length == bytes && isKey(entry, key, bytes)) return load<usize>(entry, KEY_NODE)
    index++
  }
}

function isKey(entry: usize, key: usize, bytes: usize): bool {
  const equal = i8x16.bitmask(i8x16.eq(v128.load(entry, KEY_START), v128.load(key)))
  if (bytes <= 16) return (~equal & ((1 << (<i32>bytes)) - 1)) == 0
  return equal == 0xffff && same(key + 16, load<usize>(entry, KEY_REST), bytes - 16)
}
