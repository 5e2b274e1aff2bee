/** AWS event stream frames, made by hand. */
import { crc32 } from 'node:zlib'

const TYPE_STRING = 7

/** One frame; its headers are strings. */
export function awsFrame(
  headers: Readonly<Record<string, string>>,
  payload: string | Uint8Array,
): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([TYPE_STRING, 0, Buffer.byteLength(value)]),
      Buffer.from(value),
    ]),
  )
  return awsFrameOf(head, Buffer.from(payload))
}

/** One frame of headers as they lie. */
export function awsFrameOf(head: Uint8Array, payload: Uint8Array): Buffer {
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(16 + head.length + payload.length, 0)
  prelude.writeUInt32BE(head.length, 4)
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
  const body = Buffer.concat([prelude, head, payload])
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  return Buffer.concat([body, crc])
}

/** An event of ConverseStream. */
export function awsEvent(type: string, payload: object): Buffer {
  const headers = { ':event-type': type, ':message-type': 'event' }
  return awsFrame(headers, JSON.stringify(payload))
}

/** An event of InvokeModel, around a vendor's own. */
export function awsChunk(payload: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(payload)).toString('base64')
  return awsEvent('chunk', { bytes, p: 'abcd' })
}
