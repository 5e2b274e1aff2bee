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
 * whether the next key is the one that stood there before: then its end and its node are known, and
 * nothing has to wait for a search. Where most keys are new, all are searched for, for a while.
 *
 * Of an array whose elements are read, the first is noted in their frame; where the second begins
 * is noted, too, and rules that want to see it, and those after it, walk there once more. So the
 * frames take the same few bytes whatever the payload holds, and the arrays of one element, which
 * are nearly all, are walked once.
 *
 * `rush` goes through what is usual, and leaves the rest to `walk`: keys to be noted, escapes,
 * fractions, blanks that were not there before.
 */
import {
  CTX_AT,
  CTX_DEPTH,
  CTX_DEPTH_END,
  CTX_KEY,
  CTX_NODE,
  CTX_OPEN,
  CTX_PROFILE,
  CTX_PROGRAM,
  CTX_REFUSAL,
  CTX_STACK,
  FRAMING_ARRAY,
  FRAMING_AWS,
  MEMO_BITS,
  MEMO_BYTES,
  MEMO_LAST,
  MEMO_MORE_BITS,
  MEMO_NODE,
  MEMO_OPEN,
  MEMO_SIZE,
  MEMO_TEXT,
  NODE_SLOT,
  PROFILE_NUMBER_BYTES_MAX,
  PROGRAM_FRAMING,
} from '../wasm-layout.ts'
import {
  ARRAY_END,
  ARRAY_START,
  blanksEnd,
  COLON,
  COMMA,
  LETTER_E,
  numberEnd,
  OBJECT_END,
  OBJECT_START,
  QUOTE,
  SPACE,
  stringEnd,
  stringStops,
  ZERO,
} from './scan.ts'
import { child, findKey, firstEntry, lastEntry, noteKey } from './keys.ts'
import { note, noteArray, noteFirst, noteNull, noteSecond } from './notes.ts'

/** The value lies in one line: a CR or LF ends it, and is no blank. */
const WALK_LINE = 1
/** Only a part of a payload that was walked before. */
export const WALK_AGAIN = 2

/** What CTX_REFUSAL says. */
const MALFORMED: u32 = 0
export const TOO_DEEP: u32 = 1
export const NUMBER_TOO_LONG: u32 = 2

/** What is open: an object or an array, a bit beside its node; neither around the value itself. */
const IN_OBJECT: usize = 1
const IN_ARRAY: usize = 2

/** `true`, `fals` and `null` as little-endian words. */
const WORD_TRUE: u32 = 0x65757274
const WORD_FALS: u32 = 0x736c6166
const WORD_NULL: u32 = 0x6c6c756e

/** A closing quote and a colon, as a little-endian word. */
const QUOTE_COLON: u32 = 0x3a22

/** What `rush` has come to: the end of the value, or something that it leaves to `walk`. */
const DONE = 0
const AT_KEY = 1
const AT_VALUE = 2
const AFTER_START = 3
const AFTER_VALUE = 4
const FAILED = 5

/** How events of a program are walked in place. */
export function modeOf(program: usize): i32 {
  const framing = load<u32>(program, PROGRAM_FRAMING)
  return framing == FRAMING_ARRAY || framing == FRAMING_AWS ? 0 : WALK_LINE
}

/**
 * Walks the value at `at` and the blanks around it. Returns the byte after those; 0 where the value
 * is malformed, too deep, or not over before `end`: see CTX_REFUSAL.
 *
 * What lies past `end` may be read, and even noted, before it is found out: that is looked at after
 * each value.
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
  const program = load<usize>(ctx, CTX_PROGRAM)
  const again = (mode & WALK_AGAIN) != 0
  const stack = load<usize>(ctx, CTX_STACK)
  const start = blanksEnd(at, end, isLine)
  store<u32>(ctx, MALFORMED, CTX_REFUSAL)
  store<usize>(ctx, start, CTX_AT)
  store<usize>(ctx, 0, CTX_OPEN)
  store<usize>(ctx, root, CTX_NODE)
  store<usize>(ctx, stack, CTX_DEPTH)
  store<usize>(ctx, stack + (depthMax << 2), CTX_DEPTH_END)
  store<usize>(ctx, again ? lastEntry(program) : firstEntry(program), CTX_KEY)
  let next = AT_VALUE
  if ((<u32>load<u8>(start) | 0x20) != OBJECT_START) next = takeLeaf(ctx, end, frames, isLine)
  while (next == AT_KEY || next == AT_VALUE) {
    const left = rush(ctx, end, frames, next)
    if (left == AT_KEY) next = takeKey(ctx, end, isLine)
    else if (left == AT_VALUE) next = takeValue(ctx, end, frames, isLine)
    else if (left == AFTER_START) next = takeStart(ctx, end, frames, isLine)
    else if (left == AFTER_VALUE) next = takeAfter(ctx, end, frames, isLine)
    else next = DONE
  }
  const stop = load<usize>(ctx, CTX_AT)
  return next == DONE && stop <= end ? blanksEnd(stop, end, isLine) : 0
}

/**
 * Goes on inside a container from where the context says; `next` is what comes there. Long, since
 * it is flat: around each call, however rare, V8 would put all values of the loop on the stack. The
 * one that it makes is for keys that nobody noted.
 */
function rush(ctx: usize, end: usize, frames: usize, next: i32): i32 {
  let at = load<usize>(ctx, CTX_AT)
  let open = load<usize>(ctx, CTX_OPEN)
  let node = load<usize>(ctx, CTX_NODE)
  let stack = load<usize>(ctx, CTX_DEPTH)
  let memo = load<usize>(ctx, CTX_KEY)
  let left = DONE
  while (true) {
    if (next == AT_KEY) {
      const memoOpen = load<usize>(memo, MEMO_OPEN)
      if (memoOpen != MEMO_LAST) {
        const equal = i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(memo, MEMO_TEXT)))
        let differs = ~equal & load<u32>(memo, MEMO_BITS)
        differs |= <u32>(memoOpen ^ open)
        const more = load<u32>(memo, MEMO_MORE_BITS)
        if (more != 0) {
          const rest = i8x16.eq(v128.load(at, 16), v128.load(memo, MEMO_TEXT + 16))
          differs |= ~i8x16.bitmask(rest) & more
        }
        if (differs != 0) {
          left = AT_KEY
          break
        }
        at += load<u32>(memo, MEMO_BYTES)
        node = load<usize>(memo, MEMO_NODE)
        memo += MEMO_SIZE
      } else {
        const key = at + 1
        const stops = stringStops(v128.load(key)) | (stringStops(v128.load(key, 16)) << 16)
        const bytes = <usize>ctz(stops)
        // No quote and colon follow one that has an escape, or more than 32 bytes.
        const isUsual = <u32>load<u8>(at) == QUOTE && <u32>load<u16>(key + bytes) == QUOTE_COLON
        if (!isUsual || key + bytes + 2 > end) {
          left = AT_KEY
          break
        }
        node = findKey(open ^ IN_OBJECT, key, bytes)
        at = key + bytes + 2
      }
    }

    let byte: u32 = load<u8>(at)
    const start = at
    if (byte == QUOTE) {
      let stops = stringStops(v128.load(++at))
      while (stops == 0) {
        if (at >= end) break
        at += 16
        stops = stringStops(v128.load(at))
      }
      at += ctz(stops)
      if (<u32>load<u8>(at) != QUOTE) {
        at = start
        left = AT_VALUE
        break
      }
      at++
      if (node != 0) note(node, frames, start, at)
    } else if (byte == OBJECT_START) {
      if (stack == load<usize>(ctx, CTX_DEPTH_END)) {
        left = AT_VALUE
        break
      }
      store<usize>(stack, open)
      stack += 4
      open = node | IN_OBJECT
      if (node != 0) note(node, frames, start, start)
      next = AT_KEY
      byte = load<u8>(++at)
      if (byte == QUOTE) continue
      if (byte != OBJECT_END) {
        left = AFTER_START
        break
      }
      // The last byte of an empty one is read below.
    } else if (byte == ARRAY_START) {
      if (stack == load<usize>(ctx, CTX_DEPTH_END)) {
        left = AT_VALUE
        break
      }
      store<usize>(stack, open)
      stack += 4
      open = node | IN_ARRAY
      if (node != 0) node = noteArray(node, frames, start)
      next = AT_VALUE
      byte = load<u8>(++at)
      if (byte <= SPACE) {
        left = AFTER_START
        break
      }
      if (byte != ARRAY_END) {
        if (node != 0) noteFirst(node, frames, at)
        continue
      }
    } else if (byte - ZERO < 10) {
      const values = i8x16.sub(v128.load(at), i8x16.splat(0x30))
      const digits = ctz(i8x16.bitmask(i8x16.gt_u(values, i8x16.splat(9))) | 0x10000)
      const after: u32 = load<u8>(at + digits)
      const isWhole = <u32>(after == COMMA) | <u32>((after | 0x20) == OBJECT_END)
      const isPadded = <u32>(byte == ZERO) & <u32>(digits > 1)
      if (isWhole <= isPadded) {
        left = AT_VALUE
        break
      }
      at += digits
      if (node != 0) note(node, frames, start, at)
    } else {
      const word = load<u32>(at)
      if (word == WORD_NULL) {
        at += 4
        if (node != 0) noteNull(node, frames)
      } else {
        at += word == WORD_FALS ? 5 : 4
        const last: u32 = load<u8>(at - 1)
        const isOther = <u32>(word != WORD_TRUE) & <u32>(word != WORD_FALS)
        if (isOther | <u32>(last != LETTER_E)) {
          at = start
          left = AT_VALUE
          break
        }
        if (node != 0) note(node, frames, start, at)
      }
    }

    // The value is whole, and with it every container that ends here.
    if (at > end) {
      left = AFTER_VALUE
      break
    }
    byte = load<u8>(at)
    while (byte != COMMA) {
      if (byte != closing(open)) {
        left = AFTER_VALUE
        break
      }
      at++
      const closed = open & ~(IN_OBJECT | IN_ARRAY)
      if (closed != 0) store<usize>(frames + load<u32>(closed, NODE_SLOT), at, 4)
      stack -= 4
      open = load<usize>(stack)
      if (open == 0) break
      byte = load<u8>(at)
    }
    if (byte != COMMA) break
    at++
    next = AT_KEY
    if (open & IN_ARRAY) {
      next = AT_VALUE
      node = 0
      if (open != IN_ARRAY) noteSecond(open ^ IN_ARRAY, frames, at)
    }
  }
  store<usize>(ctx, at, CTX_AT)
  store<usize>(ctx, open, CTX_OPEN)
  store<usize>(ctx, node, CTX_NODE)
  store<usize>(ctx, stack, CTX_DEPTH)
  store<usize>(ctx, memo, CTX_KEY)
  return left
}

/** The last byte of what is open. */
function closing(open: usize): u32 {
  return ARRAY_END | ((<u32>(open & IN_OBJECT)) << 5)
}

/** Takes a key that was not here before, its colon, and the blanks around both. */
function takeKey(ctx: usize, end: usize, isLine: bool): i32 {
  const open = load<usize>(ctx, CTX_OPEN)
  const at = load<usize>(ctx, CTX_AT)
  const key = blanksEnd(at, end, isLine)
  if (<u32>load<u8>(key) != QUOTE) return FAILED
  const last = stringEnd(key + 1, end)
  if (last == 0) return FAILED
  const colon = blanksEnd(last + 1, end, isLine)
  if (<u32>load<u8>(colon) != COLON) return FAILED
  const value = blanksEnd(colon + 1, end, isLine)
  const parent = open ^ IN_OBJECT
  const node = child(ctx, parent, key + 1, last)
  noteKey(ctx, open, node, at, value)
  store<usize>(ctx, node, CTX_NODE)
  store<usize>(ctx, value, CTX_AT)
  return AT_VALUE
}

/** Takes a value of an unusual form, or the blanks before one. */
function takeValue(ctx: usize, end: usize, frames: usize, isLine: bool): i32 {
  const at = load<usize>(ctx, CTX_AT)
  const start = blanksEnd(at, end, isLine)
  store<usize>(ctx, start, CTX_AT)
  if (start != at) return AT_VALUE
  if ((<u32>load<u8>(start) | 0x20) != OBJECT_START) return takeLeaf(ctx, end, frames, isLine)
  if (start < end) store<u32>(ctx, TOO_DEEP, CTX_REFUSAL)
  return FAILED
}

/** Takes a string, a number or a literal, of whatever form. */
function takeLeaf(ctx: usize, end: usize, frames: usize, isLine: bool): i32 {
  const start = load<usize>(ctx, CTX_AT)
  const node = load<usize>(ctx, CTX_NODE)
  const byte: u32 = load<u8>(start)
  const word = load<u32>(start)
  let stop: usize = 0
  if (start >= end) return FAILED
  if (byte == QUOTE) {
    stop = stringEnd(start + 1, end)
    if (stop != 0) stop++
  } else if (word == WORD_NULL || word == WORD_TRUE) {
    stop = start + 4
  } else if (word == WORD_FALS) {
    stop = <u32>load<u8>(start, 4) == LETTER_E ? start + 5 : 0
  } else {
    stop = numberEnd(start, end)
    const bytesMax = load<u32>(load<usize>(ctx, CTX_PROFILE), PROFILE_NUMBER_BYTES_MAX)
    if (stop > start + bytesMax) {
      store<u32>(ctx, NUMBER_TOO_LONG, CTX_REFUSAL)
      return FAILED
    }
  }
  if (stop == 0) return FAILED
  if (node != 0) {
    if (word == WORD_NULL) noteNull(node, frames)
    else note(node, frames, start, stop)
  }
  store<usize>(ctx, stop, CTX_AT)
  return takeAfter(ctx, end, frames, isLine)
}

/** Takes the blanks after the first byte of a container. */
function takeStart(ctx: usize, end: usize, frames: usize, isLine: bool): i32 {
  const open = load<usize>(ctx, CTX_OPEN)
  const node = load<usize>(ctx, CTX_NODE)
  const at = blanksEnd(load<usize>(ctx, CTX_AT), end, isLine)
  store<usize>(ctx, at, CTX_AT)
  if (<u32>load<u8>(at) == closing(open)) return takeAfter(ctx, end, frames, isLine)
  if (open & IN_OBJECT) return AT_KEY
  if (node != 0) noteFirst(node, frames, at)
  return AT_VALUE
}

/** Takes what follows a value: the end of containers, and a comma, and blanks. */
function takeAfter(ctx: usize, end: usize, frames: usize, isLine: bool): i32 {
  let open = load<usize>(ctx, CTX_OPEN)
  let stack = load<usize>(ctx, CTX_DEPTH)
  let at = load<usize>(ctx, CTX_AT)
  while (open != 0 && at <= end) {
    at = blanksEnd(at, end, isLine)
    const byte: u32 = load<u8>(at++)
    if (byte == COMMA) break
    if (byte != closing(open)) return FAILED
    const closed = open & ~(IN_OBJECT | IN_ARRAY)
    if (closed != 0) store<usize>(frames + load<u32>(closed, NODE_SLOT), at, 4)
    stack -= 4
    open = load<usize>(stack)
  }
  store<usize>(ctx, at, CTX_AT)
  store<usize>(ctx, open, CTX_OPEN)
  store<usize>(ctx, stack, CTX_DEPTH)
  if (at > end) return FAILED
  if (open == 0) return DONE
  if (open & IN_OBJECT) return AT_KEY
  store<usize>(ctx, 0, CTX_NODE)
  if (open != IN_ARRAY) noteSecond(open ^ IN_ARRAY, frames, at)
  return AT_VALUE
}
