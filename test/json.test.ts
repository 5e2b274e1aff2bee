import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compactJson } from '../src/shared/decoder/compact-json.ts'
import {
  type JsonNode,
  parseJson,
  parsePayload,
  type JsonLimits,
  UNBOUNDED,
} from '../src/shared/decoder/json.ts'
import { decodeIndex, decodeJsonString } from '../src/shared/decoder/json-text.ts'
import { sharedBytes, sharedData, SHARED_DATA_MISSING, sharedJson } from './shared-data.ts'

const utf8 = new TextEncoder()

/** What `JSON.parse` makes of the bytes, or `undefined` where it refuses them. */
function reference(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** A node as `JSON.parse` would give it. */
function valueOf(node: JsonNode, bytes: Uint8Array): unknown {
  const own = bytes.subarray(node.start, node.end)
  switch (node.type) {
    case 'string':
      return decodeJsonString(own)
    case 'number':
      return Number(new TextDecoder().decode(own))
    case 'array':
      return node.items.map((item) => valueOf(item, bytes))
    case 'object':
      return Object.fromEntries(
        Array.from(node.members, ([key, value]) => [key, valueOf(value, bytes)]),
      )
    default:
      return JSON.parse(node.type)
  }
}

function toDepth(jsonDepthMax: number): JsonLimits {
  return { ...UNBOUNDED, jsonDepthMax }
}

function assertParsesAsReference(bytes: Uint8Array, where: string): void {
  const node = parseJson(bytes, toDepth(1024))
  const expected = reference(bytes)
  if (typeof node === 'string') assert.equal(expected, undefined, `${where}: must be accepted`)
  else assert.deepEqual(valueOf(node, bytes), expected, where)
}

const texts: readonly string[] = [
  ['', ' ', '{}', '[]', '[[]]', '{"a":{}}', ' \t\r\n[ 1 , 2 ] ', '{"a" : [ ] , "b" : { } }'],
  ['[1,]', '[,1]', '[1 2]', '{"a":1,}', '{,}', '{"a"}', '{"a":}', '{a:1}', '{"a":1 "b":2}'],
  ['[', '{', ']', '}', '[}', '{]', '{"a":1]', '[1}', '[]]', '{}}', '{"a"', '{"a":', '"', '"\\'],
  ['0', '-0', '-', '01', '1.', '.1', '1.5e+10', '1e', '1e+', '1E-2', '+1', '0x1', '1e400', '--1'],
  ['NaN', 'Infinity', '-Infinity', 'tru', 'true', 'truex', 'nul', 'null', 'falsey', 'undefined'],
  ['"a', '"\\u12"', '"\\u12G4"', '"\\uD83D\\uDE00"', '"\\ud83d"', '"\\udE00x"', '"\\x"', '"\\/"'],
  ['"\u2028\u2029"', '"\u007f"', '"\t"', '"\0"', '"a\nb"', '"\\b\\f\\n\\r\\t\\"\\\\"', "'a'"],
  ['{"a":1,"a":2}', '{"__proto__":1}', '{"a":{"b":1},"a":{"c":2}}', '{"":0}', '{"\\u0061":1}'],
  ['\ufeff{}', ' \ufeff{}', '\ufeff', '\ufeff\ufeff1', '[1]\ufeff', '\u00a01', '// x\n1', '1//'],
].flat()

test('parseJson: accepts, refuses and reads as JSON.parse does', () => {
  for (const text of texts) assertParsesAsReference(utf8.encode(text), JSON.stringify(text))
  for (const hex of ['ef7b7d', 'efbb7b7d', 'efbbbf7b7d', 'ef7d', 'ff', '22ff22', '7bff7d']) {
    assertParsesAsReference(new Uint8Array(Buffer.from(hex, 'hex')), hex)
  }
})

test('parseJson: accepts, refuses and reads as JSON.parse does, with any one change', () => {
  const change = fc.record({
    at: fc.nat(),
    byte: fc.integer({ min: 0, max: 255 }),
    kind: fc.nat(3),
  })
  const anyJson = fc.json({ stringUnit: 'grapheme' })
  fc.assert(
    fc.property(
      anyJson,
      fc.integer({ min: 0, max: 3 }),
      change,
      (json, indent, { at, byte, kind }) => {
        const bytes = [...utf8.encode(JSON.stringify(JSON.parse(json), null, indent))]
        if (kind === 1) bytes[at % bytes.length] = byte
        if (kind === 2) bytes.splice(at % bytes.length, 1)
        if (kind === 3) bytes.splice(at % bytes.length, 0, byte)
        assertParsesAsReference(new Uint8Array(bytes), `${bytes}`)
      },
    ),
    { numRuns: 1000 },
  )
})

test('parseJson: accepts, refuses and reads as JSON.parse does, for all of JSONTestSuite', (t) => {
  const shared = sharedData()
  if (shared === null) return t.skip(SHARED_DATA_MISSING)
  const names = readdirSync(`${shared}data/JSONTestSuite/test_parsing`)
  const verdicts = sharedJson<Record<string, { lossy: string }>>(
    'data/expected/JSONTestSuite.node20.json',
  )
  for (const name of names) {
    const bytes = sharedBytes(`data/JSONTestSuite/test_parsing/${name}`)
    // Two files nest 100,000 deep: refused here for it, and by JSON.parse for being unclosed.
    assertParsesAsReference(bytes, name)
    const isRefused = typeof parseJson(bytes, toDepth(1024)) === 'string'
    assert.equal(isRefused ? 'reject' : 'accept', verdicts[name]?.lossy, name)
  }
  assert.equal(names.length, 318)
})

test('parseJson: the places of nodes are those of their bytes', () => {
  const text = ' {"a": [1, "x\\n"] , "b":{"c":null}} '
  const node = parseJson(utf8.encode(text), toDepth(8))
  assert.ok(typeof node === 'object' && node.type === 'object')
  const placeOf = (child: JsonNode | undefined): string => text.slice(child?.start, child?.end)
  assert.equal(placeOf(node), text.trim())
  assert.equal(placeOf(node.members.get('a')), '[1, "x\\n"]')
  assert.equal(placeOf(node.members.get('b')), '{"c":null}')
})

test('parseJson: of equal keys the last wins wholly, and __proto__ is a key like any other', () => {
  const text = '{"a":{"x":1,"y":2},"__proto__":{"z":3},"a":{"y":4}}'
  const node = parseJson(utf8.encode(text), toDepth(8))
  assert.ok(typeof node === 'object' && node.type === 'object')
  assert.deepEqual([...node.members.keys()], ['a', '__proto__'])
  const a = node.members.get('a')
  assert.ok(a?.type === 'object')
  assert.deepEqual([...a.members.keys()], ['y'])
})

test('jsonDepthMax: nesting of the limit passes, one more is too deep, not malformed', () => {
  const nested = (depth: number, inner = ''): Uint8Array => {
    return utf8.encode('[{"a":'.repeat(depth / 2) + (inner || '1') + '}]'.repeat(depth / 2))
  }
  assert.equal(typeof parseJson(nested(64), toDepth(64)), 'object')
  assert.equal(parseJson(nested(64, '[]'), toDepth(64)), 'too-deep')
  assert.equal(parseJson(nested(64, '{'), toDepth(64)), 'too-deep')
  assert.equal(parseJson(nested(64, ']'), toDepth(64)), 'malformed')
  assert.equal(parseJson(utf8.encode('['.repeat(1_000_000)), toDepth(1024)), 'too-deep')
})

test('jsonNumberBytesMax: a number of the limit passes, one more byte is too long', () => {
  const read = (text: string): unknown => {
    const node = parseJson(utf8.encode(text), { jsonDepthMax: 8, jsonNumberBytesMax: 32 })
    return typeof node === 'string' ? node : node.type
  }
  for (const number of ['1'.repeat(32), `-0.${'1'.repeat(29)}`, `1e+${'1'.repeat(29)}`]) {
    assert.equal(read(`[${number}]`), 'array', number)
    assert.equal(read(number), 'number', number)
    assert.equal(read(`[${number}1]`), 'number-too-long', number)
    assert.equal(read(`${number}1x`), 'number-too-long', number)
    assert.equal(read(`[x, ${number}1]`), 'malformed', number)
  }
  assert.equal(read(`${'1'.repeat(33)}.`), 'malformed')
})

test('parsePayload: takes several objects in a row, and nothing else after a value', () => {
  const count = (text: string): number | string => {
    const values = parsePayload(utf8.encode(text), toDepth(8))
    return typeof values === 'string' ? values : values.length
  }
  assert.equal(count('{"a":1}'), 1)
  assert.equal(count('{"a":1}{"b":2}'), 2)
  assert.equal(count(' {}\n{} \r\n\t{} '), 3)
  assert.equal(count('[1]'), 1)
  for (const text of ['{}[]', '[]{}', '{}1', '1 2', '{}{', '{},{}', '{}\n[DONE]', '{}}', '']) {
    assert.equal(count(text), 'malformed', text)
  }
})

test('decodeJsonString: malformed UTF-8 is replaced as TextDecoder does, and counted', (t) => {
  if (sharedData() === null) return t.skip(SHARED_DATA_MISSING)
  interface Utf8Case {
    readonly id: string
    readonly bytes: string
    readonly valid: boolean
    readonly replaced: string
  }
  const cases = sharedJson<Utf8Case[]>('data/expected/utf8-cases.json')
  for (const { id, bytes, valid, replaced } of cases) {
    const inner = new Uint8Array(Buffer.from(bytes, 'hex'))
    // A control byte or quote ends a JSON string; the cases about those are not about UTF-8.
    if (inner.some((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c)) continue
    const quoted = new Uint8Array([0x22, ...inner, 0x22])
    const node = parseJson(quoted, toDepth(1))
    assert.ok(typeof node === 'object', id)
    const tally = { replacements: 0 }
    const text = decodeJsonString(quoted.subarray(node.start, node.end), tally)
    assert.equal(text, Buffer.from(replaced, 'hex').toString('utf8'), id)
    assert.equal(tally.replacements > 0, !valid, id)
  }
  assert.equal(cases.length, 216)
})

test('decodeJsonString: counts what it replaced, not the U+FFFD that were sent', () => {
  const tally = { replacements: 0 }
  const bytes = new Uint8Array(Buffer.from('22efefbfbdff5c6ee28241efbf22', 'hex'))
  assert.equal(decodeJsonString(bytes, tally), '\ufffd\ufffd\ufffd\n\ufffdA\ufffd')
  assert.equal(tally.replacements, 4)
})

test('decodeIndex: takes digits up to the largest and nothing else', () => {
  const index = (text: string): number => decodeIndex(utf8.encode(text), 2_147_483_647)
  assert.deepEqual(['0', '7', '2147483647'].map(index), [0, 7, 2147483647])
  const others = ['2147483648', '99999999999999999999', '-1', '-0', '1.0', '1e0', '"1"', 'null']
  assert.deepEqual(
    others.map(index),
    Array.from(others, () => -1),
  )
  assert.deepEqual(
    [decodeIndex(utf8.encode('10'), 10), decodeIndex(utf8.encode('11'), 10)],
    [10, -1],
  )
})

test('compactJson: writes as JSON.stringify does, for any JSON without numbers', () => {
  const text = fc.string({ unit: 'binary' })
  const anything = fc.anything({ key: text, values: [text, fc.boolean(), fc.constant(null)] })
  fc.assert(
    fc.property(anything, (value) => {
      assert.equal(compactJson(JSON.stringify(value, null, 2)), JSON.stringify(value))
    }),
    { numRuns: 50 },
  )
})

test('compactJson: keeps every number as it was sent', () => {
  assert.equal(
    compactJson('{ "id": 12345678901234567890, "x": [1.0, -0, 1E+2] }'),
    '{"id":12345678901234567890,"x":[1.0,-0,1E+2]}',
  )
})
