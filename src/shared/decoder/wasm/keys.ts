/** Keys: those that a walk met, and the trie of those that matter. */
import {
  CTX_KEY,
  CTX_PROGRAM,
  CTX_SCRATCH,
  FRAMING_ARRAY,
  KEY_BYTES,
  KEY_NODE,
  KEY_REST,
  KEY_SIZE,
  KEY_START,
  MEMO_BITS,
  MEMO_BYTES,
  MEMO_LAST,
  MEMO_MORE_BITS,
  MEMO_NODE,
  MEMO_OPEN,
  MEMO_SIZE,
  MEMO_TEXT,
  MEMO_TEXT_BYTES,
  NODE_KEYS,
  NODE_KEYS_MASK,
  NODE_MULTIPLIER,
  PROGRAM_FRAMING,
  PROGRAM_KEY_BYTES_MAX,
} from '../wasm-layout.ts'
import { BACKSLASH, lineEnd, same } from './scan.ts'
import { normalize } from './text.ts'

/**
 * Notes a key and its node, for the next walk to find at this place: as it was sent, with the
 * blanks around it. Long ones are not noted, nor those for which no place is left: the last entry
 * is never any. Nor is one with a CR or LF around, unless that is a blank everywhere in such
 * streams.
 */
export function noteKey(ctx: usize, open: usize, node: usize, key: usize, end: usize): void {
  const memo = load<usize>(ctx, CTX_KEY)
  if (load<usize>(memo, MEMO_OPEN) == MEMO_LAST) return
  store<usize>(ctx, memo + MEMO_SIZE, CTX_KEY)
  const bytes = <u32>(end - key)
  if (bytes > <u32>MEMO_TEXT_BYTES) return
  const framing = load<u32>(load<usize>(ctx, CTX_PROGRAM), PROGRAM_FRAMING)
  if (framing != FRAMING_ARRAY && lineEnd(key, end) != end) return
  const bits = <u32>-1 >>> (MEMO_TEXT_BYTES - bytes)
  store<usize>(memo, open, MEMO_OPEN)
  store<usize>(memo, node, MEMO_NODE)
  store<u32>(memo, bytes, MEMO_BYTES)
  store<u32>(memo, bits & 0xffff, MEMO_BITS)
  store<u32>(memo, bits >>> 16, MEMO_MORE_BITS)
  v128.store(memo, v128.load(key), MEMO_TEXT)
  v128.store(memo, v128.load(key, 16), MEMO_TEXT + 16)
}

/** The trie node of a key, 0 where there is none. */
export function child(ctx: usize, parent: usize, key: usize, end: usize): usize {
  if (load<usize>(parent, NODE_KEYS) == 0) return 0
  return hasEscape(key, end)
    ? childOfEscaped(ctx, parent, key, end - key)
    : findKey(parent, key, end - key)
}

function hasEscape(key: usize, end: usize): bool {
  for (; key < end; key += 16) {
    const backslashes = i8x16.bitmask(i8x16.eq(v128.load(key), i8x16.splat(0x5c)))
    if (backslashes != 0) return key + ctz(backslashes) < end
  }
  return false
}

/** A key that is longer, escape for escape, than any that the program knows is none of them. */
function childOfEscaped(ctx: usize, parent: usize, key: usize, bytes: usize): usize {
  const program = load<usize>(ctx, CTX_PROGRAM)
  if (bytes > load<u32>(program, PROGRAM_KEY_BYTES_MAX) * 6) return 0
  const scratch = load<usize>(ctx, CTX_SCRATCH)
  const end = normalize(key, key + bytes, scratch, true)
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
