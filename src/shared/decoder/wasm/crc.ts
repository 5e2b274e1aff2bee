/**
 * CRC-32 as in IEEE 802.3, 16 bytes at a time: a table for each place in them says what a byte does
 * to the CRC from there on, so that no lookup waits for the one before.
 */

/** Bytes of a table. */
const TABLE_BYTES: usize = 1024

/** A CRC before its first byte. What {@link crcOf} returns is to be inverted at the end. */
export const CRC_START: u32 = -1

/** Goes on with a CRC from `at` to `end`. */
export function crcOf(tables: usize, crc: u32, at: usize, end: usize): u32 {
  for (; at + 16 <= end; at += 16) {
    crc =
      wordCrc(tables + 12 * TABLE_BYTES, load<u32>(at) ^ crc) ^
      wordCrc(tables + 8 * TABLE_BYTES, load<u32>(at, 4)) ^
      wordCrc(tables + 4 * TABLE_BYTES, load<u32>(at, 8)) ^
      wordCrc(tables, load<u32>(at, 12))
  }
  if (at + 8 <= end) {
    crc = wordCrc(tables + 4 * TABLE_BYTES, load<u32>(at) ^ crc) ^ wordCrc(tables, load<u32>(at, 4))
    at += 8
  }
  if (at + 4 <= end) {
    crc = wordCrc(tables, load<u32>(at) ^ crc)
    at += 4
  }
  for (; at < end; at++) {
    crc = (crc >>> 8) ^ load<u32>(tables + ((crc ^ <u32>load<u8>(at)) & 0xff) * 4)
  }
  return crc
}

/** What the four bytes of a word do, of which the last has its table at `tables`. */
function wordCrc(tables: usize, word: u32): u32 {
  return (
    load<u32>(tables + (word & 0xff) * 4, 3 * TABLE_BYTES) ^
    load<u32>(tables + ((word >>> 8) & 0xff) * 4, 2 * TABLE_BYTES) ^
    load<u32>(tables + ((word >>> 16) & 0xff) * 4, TABLE_BYTES) ^
    load<u32>(tables + (word >>> 24) * 4)
  )
}
