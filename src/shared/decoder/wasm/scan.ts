/**
 * Finding where things end, 16 bytes at a time.
 *
 * Loads may reach past the end of what is searched, by less than SLACK_BYTES: such bytes are masked
 * off or found to lie past the end, and the host leaves that much slack behind every region.
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
    const past = at + 64 <= end ? shortEscapesEnd(at) : at
    at = past != at ? past : escapeEnd(at)
    if (at == 0) return 0
  }
  return 0
}

/**
 * Goes on from the escape at `at` through 64 bytes, all at once, since nobody can foretell where in
 * them the next escapes are. Returns the first byte that ends a string, or begins an escape of more
 * than one letter, or a malformed one; else the byte after the last whole one.
 */
export function shortEscapesEnd(at: usize): usize {
  const first = v128.load(at)
  const second = v128.load(at, 16)
  const third = v128.load(at, 32)
  const fourth = v128.load(at, 48)
  const backslash = i8x16.splat(0x5c)
  const backslashes = bits(
    i8x16.eq(first, backslash),
    i8x16.eq(second, backslash),
    i8x16.eq(third, backslash),
    i8x16.eq(fourth, backslash),
  )
  // Of each run of backslashes every second one is escaped by the one before. Adding its first bit
  // to a run clears it: so those that begin at an even bit are told from the others.
  const even: u64 = 0x5555_5555_5555_5555
  const starts = backslashes & ~(backslashes << 1)
  const evenRuns = backslashes & ~(backslashes + (starts & even))
  const escapes = (evenRuns & even) | (backslashes & ~evenRuns & ~even)
  const escaped = escapes << 1
  const stops = bits(isStop(first), isStop(second), isStop(third), isStop(fourth))
  const letters = bits(isLetter(first), isLetter(second), isLetter(third), isLetter(fourth))
  const ends = (stops & ~escaped) | (escaped & ~letters)
  if (ends == 0) return at + 64 - <usize>(escapes >> 63)
  const place = ctz(ends)
  return at + <usize>(place - ((escaped >> place) & 1))
}

function bits(first: v128, second: v128, third: v128, fourth: v128): u64 {
  const low = <u32>(i8x16.bitmask(first) | (i8x16.bitmask(second) << 16))
  const high = <u32>(i8x16.bitmask(third) | (i8x16.bitmask(fourth) << 16))
  return <u64>low | ((<u64>high) << 32)
}

/** Quotes and control characters. */
function isStop(bytes: v128): v128 {
  return v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.le_u(bytes, i8x16.splat(0x1f)))
}

/** `" / \ b f n r t`: by a bit for each high half, and the bits of those that a low half is in. */
function isLetter(bytes: v128): v128 {
  const low = i8x16(0, 0, 13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1)
  const high = i8x16(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0)
  const lows = i8x16.swizzle(low, v128.and(bytes, i8x16.splat(15)))
  const highs = i8x16.swizzle(high, i8x16.shr_u(bytes, 4))
  return i8x16.ne(v128.and(lows, highs), i8x16.splat(0))
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
  const letter = (byte | 0x20) - 0x61
  return select<i32>(digit, select<i32>(letter + 10, -1, letter < 6), digit < 10)
}

/** The first byte that is no space and no tab, or `end`: where their number cannot be foretold. */
export function gapEnd(at: usize, end: usize): usize {
  const space = i8x16.splat(0x20)
  const tab = i8x16.splat(0x09)
  for (; at < end; at += 16) {
    const bytes = v128.load(at)
    const blanks = i8x16.bitmask(v128.or(i8x16.eq(bytes, space), i8x16.eq(bytes, tab)))
    if (blanks != 0xffff) return min(at + ctz(~blanks), end)
  }
  return end
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
