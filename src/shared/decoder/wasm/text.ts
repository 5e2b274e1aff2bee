/**
 * Text as it is sent becomes text as it is passed on: Latin-1, or UTF-16 where a character needs it
 * (rows.ts of the library says why). Escapes are resolved inside JSON strings. One U+FFFD stands
 * for each maximal part of a malformed UTF-8 sequence, as WHATWG has it.
 *
 * @see https://encoding.spec.whatwg.org/#utf-8-decoder
 */
import { CTX_REPLACED } from '../wasm-layout.ts'
import { BACKSLASH, hexValue, LETTER_U } from './scan.ts'

/**
 * Writes the text `at` to `end` as Latin-1 to `out`, which has room for as many bytes and 16 more.
 * Returns the end of what was written, or 0 where the text has a character above U+00FF.
 */
export function narrow(at: usize, end: usize, out: usize, isJson: bool): usize {
  const backslashes = i8x16.splat(isJson ? 0x5c : -1)
  while (at < end) {
    const bytes = v128.load(at)
    v128.store(out, bytes)
    const stops = i8x16.bitmask(v128.or(bytes, i8x16.eq(bytes, backslashes)))
    if (stops == 0 && at + 16 <= end) {
      // Not as many as there are: what follows would have to wait for their number.
      at += 16
      out += 16
      continue
    }
    const plain = min(<u32>ctz(stops | 0x10000), <u32>(end - at))
    at += plain
    out += plain
    if (at == end) break
    const word: u32 = load<u16>(at)
    const second = word >> 8
    if ((word & 0xff) != BACKSLASH) {
      // Two bytes that begin with C2 or C3; malformed ones become U+FFFD.
      if ((word & 0xc0fe) != 0x80c2 || at + 2 > end) return 0
      store<u8>(out, <u8>((word << 6) | (second & 0x3f)))
      at += 2
    } else if (second != LETTER_U) {
      store<u8>(out, <u8>shortCode(second))
      at += 2
    } else {
      const code = longCode(at)
      if (code > 0xff) return 0
      store<u8>(out, <u8>code)
      at += 6
    }
    out++
  }
  return out
}

/**
 * Writes the text `at` to `end` as UTF-16LE to `out`, lone surrogates and all, which has room for
 * two bytes for each of its bytes and 32 more. Returns the end of what was written, and leaves the
 * count of replacements in the context.
 */
export function widen(ctx: usize, at: usize, end: usize, out: usize, isJson: bool): usize {
  let replaced: u32 = 0
  const backslashes = i8x16.splat(isJson ? 0x5c : -1)
  while (at < end) {
    const bytes = v128.load(at)
    v128.store(out, i16x8.extend_low_i8x16_u(bytes))
    v128.store(out, i16x8.extend_high_i8x16_u(bytes), 16)
    const stops = i8x16.bitmask(v128.or(bytes, i8x16.eq(bytes, backslashes)))
    if (stops == 0 && at + 16 <= end) {
      at += 16
      out += 32
      continue
    }
    const plain = min(<u32>ctz(stops | 0x10000), <u32>(end - at))
    at += plain
    out += plain << 1
    if (at == end) break
    if (<u32>load<u8>(at) == BACKSLASH) {
      // Halves of a pair may come as two escapes: each is a unit as it is.
      store<u16>(out, <u16>escapeCode(at))
      at += escapeBytes(at)
      out += 2
      continue
    }
    // Characters beyond ASCII mostly come in a row.
    do {
      const length = sequenceBytes(at, end)
      if (length == 0) {
        store<u16>(out, 0xfffd)
        at += malformedBytes(at, end)
        out += 2
        replaced++
        continue
      }
      const code = sequenceCode(at, length)
      at += length
      if (code < 0x10000) {
        store<u16>(out, <u16>code)
        out += 2
      } else {
        store<u16>(out, <u16>(0xd7c0 + (code >> 10)))
        store<u16>(out, <u16>(0xdc00 | (code & 0x3ff)), 2)
        out += 4
      }
    } while (at < end && <u32>load<u8>(at) >= 0x80)
  }
  store<u32>(ctx, replaced, CTX_REPLACED)
  return out
}

/**
 * Writes the text `at` to `end` as UTF-8 to `out`, to compare it: a lone surrogate is written in
 * three bytes as if it were a character. Room for three bytes for each byte, and 16 more.
 */
export function normalize(at: usize, end: usize, out: usize, isJson: bool): usize {
  while (at < end) {
    const first: u32 = load<u8>(at)
    if (first == BACKSLASH && isJson) {
      let code = escapeCode(at)
      at += escapeBytes(at)
      const pair = (code & 0xfc00) == 0xd800 ? pairCode(code, at, end) : 0
      if (pair != 0) {
        code = pair
        at += 6
      }
      out += writeCode(code, out)
      continue
    }
    const length: usize = first < 0x80 ? 1 : sequenceBytes(at, end)
    if (length > 0) {
      store<u32>(out, load<u32>(at))
      at += length
      out += length
    } else {
      at += malformedBytes(at, end)
      out += writeCode(0xfffd, out)
    }
  }
  return out
}

/** Length of the escape that begins at `at`. Escapes were checked when the string was. */
function escapeBytes(at: usize): usize {
  return <u32>load<u8>(at, 1) == LETTER_U ? 6 : 2
}

/** The UTF-16 unit that an escape stands for. */
function escapeCode(at: usize): u32 {
  const letter: u32 = load<u8>(at, 1)
  return letter == LETTER_U ? longCode(at) : shortCode(letter)
}

/** What the escape of one letter stands for: without a branch, since nobody can foretell it. */
function shortCode(letter: u32): u32 {
  // Four bits for each of b, f, n, r, t: their codes are below 16. The other three mean themselves.
  const controls: u64 = 0x0000_09d0_a000_c080
  const control = <u32>(controls >> ((<u64>(letter & 0x1e)) << 1)) & 15
  return select<u32>(control, letter, letter > 0x60)
}

function longCode(at: usize): u32 {
  let code: u32 = 0
  for (let digit = at + 2; digit < at + 6; digit++) code = (code << 4) | hexValue(load<u8>(digit))
  return code
}

/** The code point of a surrogate pair whose second half is the escape at `at`; 0 if it is none. */
function pairCode(first: u32, at: usize, end: usize): u32 {
  if (at + 6 > end) return 0
  if (<u32>load<u8>(at) != BACKSLASH || <u32>load<u8>(at, 1) != LETTER_U) return 0
  const second = escapeCode(at)
  return (second & 0xfc00) == 0xdc00 ? 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff) : 0
}

/** Length of the well-formed sequence of two bytes or more at `at`; 0 where there is none. */
function sequenceBytes(at: usize, end: usize): usize {
  const word: u32 = load<u32>(at)
  const first = word & 0xff
  if (first < 0xe0) {
    return first >= 0xc2 && (word & 0xc000) == 0x8000 && at + 2 <= end ? 2 : 0
  }
  if (first < 0xf0) {
    if ((word & 0xc0c000) != 0x808000 || at + 3 > end) return 0
    const second = word & 0x3f00
    // No overlong form, no surrogate.
    return (first != 0xe0 || second >= 0x2000) && (first != 0xed || second < 0x2000) ? 3 : 0
  }
  if (first > 0xf4 || (word & 0xc0c0c000) != 0x80808000 || at + 4 > end) return 0
  const second = word & 0x3f00
  return (first != 0xf0 || second >= 0x1000) && (first != 0xf4 || second < 0x1000) ? 4 : 0
}

function sequenceCode(at: usize, length: usize): u32 {
  const word: u32 = load<u32>(at)
  const second = (word >> 8) & 0x3f
  if (length == 2) return ((word & 0x1f) << 6) | second
  const third = (word >> 16) & 0x3f
  if (length == 3) return ((word & 0x0f) << 12) | (second << 6) | third
  return ((word & 0x07) << 18) | (second << 12) | (third << 6) | ((word >> 24) & 0x3f)
}

/** How many bytes at `at` one U+FFFD stands for: as many as could have begun a sequence, or one. */
function malformedBytes(at: usize, end: usize): usize {
  const first: u32 = load<u8>(at)
  if (first < 0xc2 || first > 0xf4) return 1
  const length: usize = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  let low: u32 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
  let high: u32 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
  let taken: usize = 1
  while (taken < length && at + taken < end) {
    const byte: u32 = load<u8>(at + taken)
    if (byte < low || byte > high) break
    low = 0x80
    high = 0xbf
    taken++
  }
  return taken
}

/** Writes a code point as UTF-8, a surrogate too; returns its length. */
function writeCode(code: u32, out: usize): usize {
  if (code < 0x80) {
    store<u8>(out, <u8>code)
    return 1
  }
  if (code < 0x800) {
    store<u8>(out, <u8>(0xc0 | (code >> 6)))
    store<u8>(out, <u8>(0x80 | (code & 0x3f)), 1)
    return 2
  }
  if (code < 0x10000) {
    store<u8>(out, <u8>(0xe0 | (code >> 12)))
    store<u8>(out, <u8>(0x80 | ((code >> 6) & 0x3f)), 1)
    store<u8>(out, <u8>(0x80 | (code & 0x3f)), 2)
    return 3
  }
  store<u8>(out, <u8>(0xf0 | (code >> 18)))
  store<u8>(out, <u8>(0x80 | ((code >> 12) & 0x3f)), 1)
  store<u8>(out, <u8>(0x80 | ((code >> 6) & 0x3f)), 2)
  store<u8>(out, <u8>(0x80 | (code & 0x3f)), 3)
  return 4
}
