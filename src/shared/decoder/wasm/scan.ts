/**
 * Finding where things end, 16 bytes at a time.
 *
 * Loads may reach up to 31 bytes past the end of what is searched: those bytes are masked off or
 * found to lie past the end, and the host leaves that much slack behind every region.
 */

export const TAB: u32 = 0x09
export const LF: u32 = 0x0a
export const CR: u32 = 0x0d
export const SPACE: u32 = 0x20
export const QUOTE: u32 = 0x22
export const COMMA: u32 = 0x2c
export const MINUS: u32 = 0x2d
export const ZERO: u32 = 0x30
export const COLON: u32 = 0x3a
export const ARRAY_START: u32 = 0x5b
export const BACKSLASH: u32 = 0x5c
export const ARRAY_END: u32 = 0x5d
export const LETTER_E: u32 = 0x65
export const LETTER_U: u32 = 0x75
export const OBJECT_START: u32 = 0x7b
export const OBJECT_END: u32 = 0x7d

/** The first LF or CR, or `end`. */
export function lineEnd(at: usize, end: usize): usize {
  const lf = i8x16.splat(0x0a)
  const cr = i8x16.splat(0x0d)
  for (; at < end; at += 32) {
    const low = v128.load(at)
    const high = v128.load(at, 16)
    const lowEnds = v128.or(i8x16.eq(low, lf), i8x16.eq(low, cr))
    const highEnds = v128.or(i8x16.eq(high, lf), i8x16.eq(high, cr))
    if (!v128.any_true(v128.or(lowEnds, highEnds))) continue
    at += ctz(i8x16.bitmask(lowEnds) | (i8x16.bitmask(highEnds) << 16))
    return at < end ? at : end
  }
  return end
}

/** A bit for each of 16 bytes that a JSON string's inside cannot have, or not as it is. */
export function stringStops(bytes: v128): i32 {
  return i8x16.bitmask(
    v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
      i8x16.le_u(bytes, i8x16.splat(0x1f)),
    ),
  )
}

/**
 * The closing quote of the JSON string whose inside begins at `at`; 0 where the string is malformed
 * or does not end before `end`.
 */
export function stringEnd(at: usize, end: usize): usize {
  while (at < end) {
    const stops = stringStops(v128.load(at))
    if (stops == 0) {
      at += 16
      continue
    }
    at += ctz(stops)
    const byte: u32 = load<u8>(at)
    if (byte == QUOTE) return at < end ? at : 0
    if (byte != BACKSLASH) return 0
    at = escapeEnd(at)
    if (at == 0) return 0
  }
  return 0
}

/** The byte after the escape that begins at `at`; 0 where it is malformed. */
function escapeEnd(at: usize): usize {
  const letter: u32 = load<u8>(at, 1)
  if (letter != LETTER_U) return isShortEscape(letter) ? at + 2 : 0
  for (let digit = at + 2; digit < at + 6; digit++) {
    if (hexValue(load<u8>(digit)) < 0) return 0
  }
  return at + 6
}

/** One of `" / \ b f n r t`. */
function isShortEscape(letter: u32): bool {
  // Bits 0x22, 0x2f of the first half of ASCII; 0x5c, 0x62, 0x66, 0x6e, 0x72, 0x74 of the second.
  const bits: u64 = letter < 64 ? 0x0000_8004_0000_0000 : 0x0014_4044_1000_0000
  return letter < 128 && ((bits >> (letter & 63)) & 1) != 0
}

/** 0 to 15, or -1 where the byte is no hexadecimal digit. */
export function hexValue(byte: u32): i32 {
  const digit = byte - ZERO
  if (digit < 10) return digit
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? letter + 10 : -1
}

/** The first byte that is no blank, or `end`. Inside a line a CR or LF cannot be one. */
export function blanksEnd(at: usize, end: usize, isLine: bool): usize {
  for (; at < end; at++) {
    const byte: u32 = load<u8>(at)
    if (byte == SPACE || byte == TAB) continue
    if (isLine || (byte != LF && byte != CR)) break
  }
  return at
}

/**
 * The byte after the JSON number at `at`; 0 where there is none. A lone number is over where the
 * payload is, whatever lies behind it.
 */
export function numberEnd(at: usize, end: usize): usize {
  if (<u32>load<u8>(at) == MINUS) at++
  const whole = <u32>load<u8>(at) == ZERO ? at + 1 : digitsEnd(at, end)
  if (whole == at) return 0
  const next: u32 = load<u8>(whole)
  if (next != 0x2e && (next | 0x20) != LETTER_E) return whole
  return whole < end ? fractionEnd(whole, end) : whole
}

/** The same, from the byte after the digits before the point. */
function fractionEnd(at: usize, end: usize): usize {
  if (<u32>load<u8>(at) == 0x2e) {
    const digits = digitsEnd(++at, end)
    if (digits == at) return 0
    at = digits
  }
  if (at < end && (<u32>load<u8>(at) | 0x20) == LETTER_E) {
    const sign: u32 = load<u8>(++at)
    if (sign == 0x2b || sign == MINUS) at++
    const digits = digitsEnd(at, end)
    if (digits == at) return 0
    at = digits
  }
  return at
}

/** The first byte that is no digit, or `end`; `at` where that lies past it. */
function digitsEnd(start: usize, end: usize): usize {
  let at = start
  for (; at < end; at += 16) {
    const values = i8x16.sub(v128.load(at), i8x16.splat(0x30))
    const others = i8x16.bitmask(i8x16.gt_u(values, i8x16.splat(9)))
    if (others != 0) return min(at + ctz(others), end)
  }
  return max(start, end)
}

/** Whether `bytes` bytes are the same in two places. */
export function same(one: usize, other: usize, bytes: usize): bool {
  const end = one + bytes
  for (; one + 16 <= end; one += 16, other += 16) {
    if (v128.any_true(v128.xor(v128.load(one), v128.load(other)))) return false
  }
  const equal = i8x16.bitmask(i8x16.eq(v128.load(one), v128.load(other)))
  return (~equal & ((1 << (<i32>(end - one))) - 1)) == 0
}
