/** What one writes by hand for AWS event streams: a DataView's numbers, zlib's CRCs, JSON.parse. */
import { crc32 } from 'node:zlib'
import type { Chunk } from '../fixtures.ts'

const PRELUDE_BYTES = 12
const TYPE_STRING = 7
const EVENT_TYPE = ':event-type'

/** Takes a frame's payload. */
type TakeFrame = (eventType: string, payload: string) => void

/** Cuts chunks into frames, both CRCs of each checked. */
export function frameFeed(take: TakeFrame): (chunk: Chunk) => void {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const bytes = rest.length === 0 ? fresh : Buffer.concat([rest, fresh])
    let at = 0
    while (bytes.length - at >= PRELUDE_BYTES) {
      const total = bytes.readUInt32BE(at)
      checkCrc(bytes, at, at + 8)
      if (bytes.length - at < total) break
      const end = at + total - 4
      checkCrc(bytes, at, end)
      const payloadAt = at + PRELUDE_BYTES + bytes.readUInt32BE(at + 4)
      const type = eventTypeOf(bytes, at + PRELUDE_BYTES, payloadAt)
      take(type, bytes.toString('utf8', payloadAt, end))
      at += total
    }
    rest = bytes.subarray(at)
  }
}

function checkCrc(bytes: Buffer, start: number, end: number): void {
  if (crc32(bytes.subarray(start, end)) !== bytes.readUInt32BE(end)) throw new Error('bad CRC')
}

/** All headers of a service's events are strings. */
function eventTypeOf(bytes: Buffer, start: number, end: number): string {
  for (let at = start; at < end;) {
    const nameEnd = at + 1 + bytes[at]!
    if (bytes[nameEnd] !== TYPE_STRING) throw new Error(`header type ${bytes[nameEnd]}`)
    const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1)
    const isAsLong = nameEnd - at - 1 === EVENT_TYPE.length
    if (isAsLong && bytes.toString('latin1', at + 1, nameEnd) === EVENT_TYPE) {
      return bytes.toString('latin1', nameEnd + 3, valueEnd)
    }
    at = valueEnd
  }
  return ''
}
