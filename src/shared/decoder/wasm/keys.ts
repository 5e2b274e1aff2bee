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
  MEMO_COUNT,
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
  PROGRAM_MEMO,
  PROGRAM_NEW_KEYS,
  PROGRAM_WALKS_WITHOUT_NOTES,
} from '../wasm-layout.ts'
import { BACKSLASH, lineEnd, same } from './scan.ts'
import { count } from './state.ts'
import { normalize } from './text.ts'

/** So many new keys in one walk, and the next ones go without notes: so many. */
const NEW_KEYS_MAX: u32 = 4
const WALKS_WITHOUT_NOTES: u32 = 63

/** The entry that a walk begins at: the last where it is to go without. */
export function firstEntry(program: usize): usize {
  const isNew = load<u32>(program, PROGRAM_NEW_KEYS) > NEW_KEYS_MAX
  const left = isNew ? WALKS_WITHOUT_NOTES : load<u32>(program, PROGRAM_WALKS_WITHOUT_NOTES)
  store<u32>(program, 0, PROGRAM_NEW_KEYS)
  if (left == 0) return load<usize>(program, PROGRAM_MEMO)
  store<u32>(program, left - 1, PROGRAM_WALKS_WITHOUT_NOTES)
  return lastEntry(program)
}

/** The entry that is never any: from there on all keys are looked up. */
export function lastEntry(program: usize): usize {
  return load<usize>(program, PROGRAM_MEMO) + (MEMO_COUNT - 1) * MEMO_SIZE
}

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
  count(load<usize>(ctx, CTX_PROGRAM), PROGRAM_NEW_KEYS)
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

/**
 * Looks a key up by its text; 0 where there is no such key. The hash takes its first and last eight
 * bytes, and its length: without a branch, since nobody can foretell that.
 */
export function findKey(parent: usize, key: usize, bytes: usize): usize {
  const keys: usize = parent == 0 ? 0 : load<usize>(parent, NODE_KEYS)
  if (keys == 0) return 0
  const first = load<u64>(key)
  const short = first & (((<u64>1) << ((<u64>bytes & 7) << 3)) - 1)
  const long = first ^ rotl<u64>(load<u64>(key + max<usize>(bytes, 8) - 8), 27)
  const hash = ((bytes < 8 ? short : long) + bytes) * load<u64>(parent, NODE_MULTIPLIER)
  const mask = load<u32>(parent, NODE_KEYS_MASK)
  const start = v128.load(key)
  const bits: u32 = bytes < 16 ? (1 << (<u32>bytes)) - 1 : 0xffff
  let index = <u32>(hash >> 40)
  while (true) {
    const entry = keys + (index++ & mask) * KEY_SIZE
    const length = load<usize>(entry, KEY_BYTES)
    if (length == 0) return 0
    const equal = i8x16.bitmask(i8x16.eq(v128.load(entry, KEY_START), start))
    if (length != bytes || (~equal & bits) != 0) continue
    if (bytes <= 16 || hasRest(entry, key, bytes)) return load<usize>(entry, KEY_NODE)
  }
}

function hasRest(entry: usize, key: usize, bytes: usize): bool {
  return same(key + 16, load<usize>(entry, KEY_REST), bytes - 16)
}
