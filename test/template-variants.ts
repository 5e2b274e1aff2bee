/** Events that are nearly those of a family: a template must serve what is, and nothing else. */
import { eventWith, type Family, pick, type Random, valuesOf } from './template-families.ts'

/** Values for one byte: those that mean something somewhere, and some that mean nothing. */
const BYTES: Buffer = Buffer.from(
  '"\\\n\r\t {}[]:,0-9en.+x/utdi\u0000\u0001\u001f\u007f\u0080\u00bf\u00c3\u00e2\u00ed\u00f0\u00ff',
  'latin1',
)

/** The event with one byte replaced, inserted, removed, or with one of its bits flipped. */
export function withByte(event: Buffer, at: number, random: Random): Buffer {
  const before = event.subarray(0, at)
  const byte = BYTES[Math.floor(random() * BYTES.length)]!
  const kind = Math.floor(random() * 4)
  if (kind === 0) return Buffer.concat([before, Buffer.of(byte), event.subarray(at)])
  if (kind === 1) return Buffer.concat([before, event.subarray(at + 1)])
  const changed = kind === 2 ? byte : event[at]! ^ (1 << Math.floor(random() * 8))
  return Buffer.concat([before, Buffer.of(changed), event.subarray(at + 1)])
}

/**
 * The event with blanks inserted at one place, of two lengths, and then with something else there:
 * two of one skeleton would make a hole of that place, if it were one for a template.
 */
export function withBlanks(event: Buffer, random: Random): Buffer {
  const places = Array.from(event.keys()).filter((at) => ',:[]{}'.includes(latin1(event, at)))
  const at = pick(places, random) + Math.floor(random() * 2)
  const variants = [' ', '\t \t', pick([',', '1', 'x', '}', ':0', '\n'], random)].map(
    (inserted) => {
      return Buffer.concat([event.subarray(0, at), Buffer.from(inserted), event.subarray(at)])
    },
  )
  return Buffer.concat(variants)
}

function latin1(event: Buffer, at: number): string {
  return String.fromCharCode(event[at]!)
}

/** What ends a string, or is no part of one, or needs a look. */
const IN_STRINGS: readonly Buffer[] = (
  '"|\\|\\x|\\u12|\\u123g|\\ud83d|\\"|\\\\|\u0000|\u001f|\n|\r|\r\n|\n\n|\t|\u007f|"}|","a":"|' +
  '":"|" |"\n\ndata: {"a":"'
)
  .split('|')
  .map((text) => Buffer.from(text))
const NOT_UTF8: readonly Buffer[] = 'ff c3 e282 eda080 f09f98 f4908080 c080 80'
  .split(' ')
  .map((hex) => Buffer.from(hex, 'hex'))
/** Where blocks of 16, 32 and 64 bytes end. */
const LENGTHS = [0, 1, 14, 15, 16, 17, 30, 31, 32, 33, 47, 48, 62, 63, 64, 65, 127, 128, 129, 300]

/** No JSON numbers, or others, or no numbers at all. */
const IN_NUMBERS: readonly Buffer[] = (
  '|01|-|--1|+1|1.|.5|1e|1e+|1.e1|1..2|0x1|1a|-a|00|-01|1-|1 2|NaN|null|true|[]|{}|"1"|1,2|1}|' +
  `${'9'.repeat(32)}|-1.5e${'2'.repeat(28)}|${'9'.repeat(64)}|${'9'.repeat(65)}|` +
  '123456789012345678901234567890|' +
  '0.00000000000000000000001e-10|1E400|-0.0|4294967296|1\n|1 |\t1'
)
  .split('|')
  .map((text) => Buffer.from(text))

const IN_BLANKS: readonly Buffer[] = ['\n', '\r', '\r\n', ' \n', 'x', '\u000b', '}', ',', '\u00a0']
  .concat([' '.repeat(70), '\t'.repeat(17), ''])
  .map((text) => Buffer.from(text))

/** Something for one of the family's holes: of the right kind, or nearly. */
function inHole(family: Family, index: number, random: Random): Buffer {
  const { kind } = family.holes[index]!
  if (kind === 'number') return pick(IN_NUMBERS, random)
  if (kind === 'blanks') return pick(IN_BLANKS, random)
  const special = pick(random() < 0.75 ? IN_STRINGS : NOT_UTF8, random)
  const filler = random() < 0.8 ? 'x' : '\u00e9'
  const [before, after] = [pick(LENGTHS, random), random() < 0.5 ? 0 : pick(LENGTHS, random)]
  return Buffer.concat([Buffer.from(filler.repeat(before)), special, Buffer.alloc(after, 'y')])
}

/** An event of the family with one of its holes filled by something odd. */
export function withOddHole(family: Family, turn: number, random: Random): Buffer {
  const values = [...valuesOf(family, turn, random)]
  if (values.length === 0) return family.event
  const index = Math.floor(random() * values.length)
  values[index] = inHole(family, index, random)
  return eventWith(family, values)
}

/** Edits of an event's lines, as Latin-1. */
const LINE_EDITS: readonly ((event: string, random: Random) => string)[] = [
  (event) => event.replaceAll(/\r?\n/g, '\r\n'),
  (event) => event.replaceAll(/\r?\n/g, '\r'),
  (event) => event.replaceAll(/\r?\n/g, '\n'),
  (event) => event.replace(/\r?\n$/, ''),
  (event) => event.replace(/\n$/, ''),
  (event) => `${event}\n`,
  (event) => `${event}\r`,
  (event) => event.replace(/(\r?\n)$/, ' $1'),
  (event) => `\n${event}`,
  (event) => `\ufeff${event}`.replace('\ufeff', '\xef\xbb\xbf'),
  (event) => `: a comment\n${event}`,
  (event) => `id: 7\n${event}`,
  (event) => `data: [DONE]\n\n${event}`,
  (event) => `event: error\n${event}`,
  (event) => `event: message_stop\n${event}`,
  (event) => event.replace(/event: /, 'event:'),
  (event) => event.replace(/event: \w*/, 'event: error'),
  (event) => event.replace(/event: .*\r?\n/, ''),
  (event) => event.replace(/data: ?/, 'data:'),
  (event) => event.replace(/data: ?/, 'data:  '),
  (event) => event.replace(/data: ?/, 'data: \t'),
  (event) => event.replace(/data: ?/, 'data : '),
  (event) => event.replace(/(data: ?.*)/, '$1\n$1'),
  (event) => event.replace(/\}(\r?\n|$)/, '} $1'),
  (event) => event.replace(/\}(\r?\n|$)/, '\t}$1'),
  (event) => event.replace(/\}(\r?\n|$)/, ',"id":"late"}$1'),
  (event) => event.replace(/\}(\r?\n|$)/, '}{"id":"second"}$1'),
  (event) => event.replace('{', '{"id":"early",'),
  (event) => event.replace('{', '{ '),
  (event, random) => event.slice(0, Math.floor(random() * event.length)),
  (event, random) => {
    const at = Math.floor(random() * event.length)
    return `${event.slice(0, at)}\ndata: ${event.slice(at)}`
  },
  (event, random) => {
    const [from, to] = [random(), random()].map((part) => Math.floor(part * event.length))
    return event.slice(0, from) + event.slice(Math.min(from!, to!), to) + event.slice(from)
  },
]

export function withOddLines(event: Buffer, random: Random): Buffer {
  return Buffer.from(pick(LINE_EDITS, random)(event.toString('latin1'), random), 'latin1')
}
