/** AWS event streams for property tests: mostly sound frames, of any headers and payloads. */
import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { awsFrameOf } from './aws-frames.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Those that mean something, and some that come near. */
const NAMES: readonly string[] = (
  ':event-type|:event-type|:event-type|:message-type|:message-type|:exception-type|:error-code|' +
  ':error-message|:content-type|:event-typo|:event-typ|xevent-type|:massage-type||x'
).split('|')

const VALUES: readonly Buffer[] = (
  'chunk|chunk|contentBlockDelta|contentBlockStart|messageStop|metadata|event|event|exception|' +
  'error|exceptiom|erro|throttlingException||"quoted"\\\n|caf\xc3\xa9|\xff\xe2\x82|' +
  'a value of more than sixteen bytes'
)
  .split('|')
  .map(latin1)

const named = (name: string, type: number, value: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([name.length]), latin1(name), Buffer.from([type]), value])

const withLength = (value: Uint8Array): Buffer => {
  return Buffer.concat([Buffer.from([value.length >> 8, value.length & 0xff]), value])
}

/** Bytes of a value by its type, from 0 on; -1: it says so itself. */
const FIXED = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]

const name = fc.constantFrom(...NAMES)

const header: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(name, fc.constantFrom(...VALUES))
      .map(([key, value]) => named(key, 7, withLength(value))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(name, fc.nat({ max: FIXED.length - 1 })).map(([key, type]) => {
      const bytes = FIXED[type]!
      const value = latin1('exception')
      return named(key, type, bytes < 0 ? withLength(value) : Buffer.alloc(bytes, 7))
    }),
  },
)

/** What makes headers none: a type that does not exist, a value or a name that is cut. */
const brokenHeader: fc.Arbitrary<Buffer> = fc.constantFrom(
  named('x', 10, Buffer.alloc(16)),
  named('x', 255, Buffer.alloc(16)),
  named('x', 7, Buffer.from([0])),
  named('x', 7, Buffer.from([0, 2, 0x61])),
  named('x', 6, Buffer.from([0xff, 0xff, 0x61])),
  named('x', 9, Buffer.alloc(15)),
  named('x', 4, Buffer.alloc(3)),
  Buffer.from([2, 0x78]),
  Buffer.from([1, 0x78]),
  Buffer.from([255]),
)

const EVENT_NAMES = ['chunk', 'contentBlockDelta', 'messageStart', 'x'] as const

/** As a service sends them. */
const usualHead: fc.Arbitrary<Buffer> = fc
  .constantFrom(...EVENT_NAMES)
  .map((value) =>
    Buffer.concat([
      named(':event-type', 7, withLength(latin1(value))),
      named(':content-type', 7, withLength(latin1('application/json'))),
      named(':message-type', 7, withLength(latin1('event'))),
    ]),
  )

const head: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: usualHead },
  { weight: 4, arbitrary: fc.array(header, { maxLength: 4 }).map((list) => Buffer.concat(list)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(header, { maxLength: 2 }), brokenHeader)
      .map(([list, last]) => Buffer.concat([...list, last])),
  },
)

/** Base64 as it should be, and as it should not. */
const LETTERS: readonly ((letters: string) => string)[] = [
  (letters) => letters,
  (letters) => letters,
  (letters) => letters,
  (letters) => letters.replaceAll('/', '\\/'),
  (letters) => letters.replace('A', '\\u0041').replace('y', '\\u0079'),
  (letters) => letters.replaceAll('=', ''),
  (letters) => `${letters}=`,
  (letters) => `${letters}====`,
  (letters) => letters.slice(1),
  (letters) => letters.slice(0, -1),
  (letters) => letters.slice(0, -2),
  (letters) => letters.replace(/.(?=.{5}$)/, '-'),
  (letters) => letters.replace(/.(?=.{20}$)/, '_'),
  (letters) => letters.replace(/.(?=.{17}$)/, '='),
  (letters) => letters.replace(/^./, '\xe9'),
  (letters) => letters.replace(/..$/, '=A'),
  (letters) => `\\ud83d${letters}`,
]

const SHELLS: readonly ((letters: string) => string)[] = [
  (letters) => `{"bytes":"${letters}"}`,
  (letters) => `{"bytes":"${letters}"}`,
  (letters) => `{"bytes":"${letters}","p":"abcdefghij"}`,
  (letters) => `\ufeff { "p" : 1 , "byte\\u0073" : "${letters}" } `,
  (letters) => `{"bytes":"e30=","bytes":"${letters}"}`,
  (letters) => `{"bytes":"${letters}","bytes":null}`,
  (letters) => `{"bytes":["${letters}"]}`,
  (letters) => `{"bytes":{"bytes":"${letters}"}}`,
  (letters) => `{"bytes":"${letters}"}{}`,
  (letters) => `{"a":[[[{}]]],"bytes":"${letters}"}`,
  (letters) => `{"bytes":"${letters}"`,
  (letters) => `"${letters}"`,
]

/** Payloads as they are, or each in the same wrapping. */
function maybeWrapped(payloads: fc.Arbitrary<Buffer[]>): fc.Arbitrary<Buffer[]> {
  const wrap = fc
    .tuple(fc.constantFrom(...LETTERS), fc.constantFrom(...SHELLS))
    .map(([letters, shell]) => (data: Buffer) => {
      return Buffer.from(shell(letters(data.toString('base64'))))
    })
  return fc.oneof(
    payloads,
    fc.tuple(payloads, wrap).map(([list, change]) => list.map((data) => change(data))),
  )
}

/** Faults of a frame as a whole: where only its lengths are wrong, both CRCs are right. */
const FAULTS: readonly ((frame: Buffer) => Buffer)[] = [
  (frame) => flipped(frame, frame.length - 1),
  (frame) => flipped(frame, 11),
  (frame) => withLengths(frame, frame.length + 1, frame.readUInt32BE(4)),
  (frame) => withLengths(frame, frame.length - 1, frame.readUInt32BE(4)),
  (frame) => withLengths(frame, 15, 0),
  (frame) => withLengths(frame, 16, 1),
  (frame) => withLengths(frame, 0, 0),
  (frame) => withLengths(frame, 0xffff_ffff, 0xffff_fff0),
  (frame) => withLengths(frame, frame.length, frame.length - 16),
  (frame) => withLengths(frame, frame.length, frame.length - 15),
  (frame) => withLengths(frame, frame.length, 0),
]

function flipped(frame: Buffer, at: number): Buffer {
  const copy = Buffer.from(frame)
  copy[at]! ^= 1
  return copy
}

function withLengths(frame: Buffer, total: number, headers: number): Buffer {
  const copy = Buffer.from(frame)
  copy.writeUInt32BE(total, 0)
  copy.writeUInt32BE(headers, 4)
  copy.writeUInt32BE(crc32(copy.subarray(0, 8)), 8)
  copy.writeUInt32BE(crc32(copy.subarray(0, -4)), copy.length - 4)
  return copy
}

const fault: fc.Arbitrary<(frame: Buffer) => Buffer> = fc.oneof(
  { weight: 30, arbitrary: fc.constant((frame: Buffer) => frame) },
  { weight: 1, arbitrary: fc.constantFrom(...FAULTS) },
)

/**
 * Bodies of frames.
 *
 * @param payload - Of one frame.
 * @param family - Of frames that are much alike: what templates are learnt from.
 */
export function awsBodies(
  payload: fc.Arbitrary<Buffer>,
  family: fc.Arbitrary<Buffer[]>,
): fc.Arbitrary<Uint8Array> {
  const one = maybeWrapped(fc.tuple(payload)).chain(([data]) =>
    fc.tuple(head, fault).map(([bytes, change]) => [change(awsFrameOf(bytes, data!))]),
  )
  const alike = fc
    .tuple(usualHead, maybeWrapped(family))
    .map(([bytes, list]) => list.map((data) => awsFrameOf(bytes, data)))
  const pieces = fc.oneof(
    fc.array(one, { maxLength: 6 }).map((list) => list.flat()),
    fc.tuple(alike, one).map(([list, last]) => [...list, ...last]),
  )
  const starts = ['', '', '', '', '', '', ' ', '\r\n'.repeat(6), '\xef\xbb\xbf', '{"a":', '[', '<']
  return fc
    .tuple(fc.constantFrom(...starts), pieces, fc.nat({ max: 40 }))
    .map(([start, list, cutBytes]) => {
      const whole = Buffer.concat([latin1(start), ...list])
      return new Uint8Array(cutBytes > 20 ? whole.subarray(0, 20 - cutBytes) : whole)
    })
}
