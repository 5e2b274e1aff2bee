/** Base64, 16 letters at a time. Strict: whole groups of four letters, padded, nothing between. */

const PAD: u32 = 0x3d

/**
 * Decodes the letters `at` to `end` to `out`, which has room for as many bytes and 16 more, and may
 * be where the letters are. Returns how many bytes there are; -1 where the letters are no base64.
 *
 * @see http://0x80.pl/notesen/2016-01-17-sse-base64-decoding.html for the lookups
 */
export function decodeBase64(at: usize, end: usize, out: usize): i32 {
  if (((end - at) & 3) != 0) return -1
  const start = out
  const padBytes: u32 = at < end ? padsBefore(end) : 0
  const whole = padBytes == 0 ? end : end - 4
  let wrong: i32 = 0
  for (; at + 16 <= whole; at += 16, out += 12) {
    const letters = v128.load(at)
    const high = i8x16.shr_u(letters, 4)
    wrong |= <i32>v128.any_true(v128.and(classesOf(letters), kindsOf(high)))
    v128.store(out, joined(valuesOf(letters, high)))
  }
  for (; at < whole; at += 4, out += 3) wrong |= writeGroup(at, out, 4)
  if (padBytes != 0) {
    wrong |= writeGroup(at, out, 4 - padBytes)
    out += 3 - padBytes
  }
  return wrong != 0 ? -1 : <i32>(out - start)
}

function padsBefore(end: usize): u32 {
  if (<u32>load<u8>(end - 1) != PAD) return 0
  return <u32>load<u8>(end - 2) == PAD ? 2 : 1
}

// A byte is a letter where the bits that its low half stands for and those that its high half
// stands for have none in common.

function classesOf(letters: v128): v128 {
  const classes = i8x16(
    0x15,
    0x11,
    0x11,
    0x11,
    0x11,
    0x11,
    0x11,
    0x11,
    0x11,
    0x11,
    0x13,
    0x1a,
    0x1b,
    0x1b,
    0x1b,
    0x1a,
  )
  return i8x16.swizzle(classes, v128.and(letters, i8x16.splat(15)))
}

function kindsOf(high: v128): v128 {
  const kinds = i8x16(
    0x10,
    0x10,
    0x01,
    0x02,
    0x04,
    0x08,
    0x04,
    0x08,
    0x10,
    0x10,
    0x10,
    0x10,
    0x10,
    0x10,
    0x10,
    0x10,
  )
  return i8x16.swizzle(kinds, high)
}

/** What each letter stands for: its distance from that goes by its high half, `/` apart. */
function valuesOf(letters: v128, high: v128): v128 {
  const distances = i8x16(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0)
  const isSlash = i8x16.eq(letters, i8x16.splat(0x2f))
  return i8x16.add(letters, i8x16.swizzle(distances, i8x16.add(high, isSlash)))
}

/** The 12 bytes of 16 values of six bits each. */
function joined(values: v128): v128 {
  const evens = v128.and(values, i16x8.splat(0x3f))
  const pairs = v128.or(i16x8.shl(evens, 6), i16x8.shr_u(values, 8))
  const fours = v128.or(i32x4.shl(pairs, 12), i32x4.shr_u(pairs, 16))
  return i8x16.swizzle(fours, i8x16(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1))
}

/** Writes a group of which `count` letters are no padding. Not 0 where one is no letter. */
function writeGroup(at: usize, out: usize, count: u32): i32 {
  const first = valueOf(load<u8>(at))
  const second = valueOf(load<u8>(at, 1))
  const third = count > 2 ? valueOf(load<u8>(at, 2)) : 0
  const fourth = count > 3 ? valueOf(load<u8>(at, 3)) : 0
  const bits = (first << 18) | (second << 12) | (third << 6) | fourth
  store<u8>(out, <u8>(bits >> 16))
  store<u8>(out, <u8>(bits >> 8), 1)
  store<u8>(out, <u8>bits, 2)
  return (first | second | third | fourth) & i32.MIN_VALUE
}

function valueOf(letter: u32): i32 {
  if (letter - 0x41 < 26) return letter - 0x41
  if (letter - 0x61 < 26) return letter - 0x61 + 26
  if (letter - 0x30 < 10) return letter - 0x30 + 52
  if (letter == 0x2b) return 62
  return letter == 0x2f ? 63 : -1
}
