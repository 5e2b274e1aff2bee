/** CRC-32 as in IEEE 802.3, ZIP and AWS event streams: reflected polynomial 0xEDB88320. */

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/**
 * Tables for so many bytes at a time, one behind the other: each is what a byte does to the CRC
 * with one more byte behind it.
 */
export function crcTables(count: number): readonly number[] {
  const tables = [...TABLE]
  for (let at = 256; at < count * 256; at++) {
    const before = tables[at - 256] as number
    tables.push(((before >>> 8) ^ (TABLE[before & 0xff] as number)) >>> 0)
  }
  return tables
}

export function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number)
  return ~crc >>> 0
}
