/** Bytes for property tests of decoders: from pure noise to near misses of real streams. */
import * as fc from 'fast-check'
import { anthropicStream, openaiChatStream } from '../src/cli/provider/streams.ts'
import type { Framing } from '../src/shared/dialects/dialect.ts'
import { awsBodies } from './aws-arbitraries.ts'
import type { Chunks } from './chunking.ts'

export const noise: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 400 })

/** Keys that some dialect reads, and some that none does. */
const KEYS: readonly string[] = (
  'id model choices index delta content role refusal text type reasoning reasoning_content ' +
  'reasoning_text tool_calls function name arguments function_call annotations logprobs ' +
  'finish_reason usage error x_groq object thinking message stop_reason content_block input ' +
  'data signature partial_json citation system_fingerprint k inde indexx reasoning_contenu ' +
  'reasoning_content_and_more_of_it d\u00e9lta a\\b response item output_index summary status ' +
  'candidates parts thought functionCall args partialArgs finishReason usageMetadata inlineData ' +
  'contentBlockIndex contentBlockDelta reasoningContent toolUse stopReason outputText bytes p ' +
  'event_type step arguments tool_plan call_id encrypted_content safetyRatings '
).split(' ')

/** Strings that mean something to a dialect, and strings that a decoder could stumble over. */
export const STRINGS: readonly string[] = (
  'error|text|thinking|text_delta|thinking_delta|tool_use|input_json_delta|message_start|' +
  'content_block_delta|content_block_start|message_delta|message_stop|content_block_stop|' +
  'message|signature_delta|chat.completion.chunk||a|a string of more than sixteen bytes|' +
  'caf\u00e9 \u4e2d\u6587|\u{1f600} and \u{10ffff}|"quoted" and \\ back|two\nlines\t|' +
  'response.output_text.delta|response.output_item.done|response.completed|function_call|' +
  'output_text|content-delta|message-end|step.delta|thread.message.delta|' +
  '\ufeffmark|\ufffd|fifteen bytes..|sixteen bytes...|seventeen bytes..|[DONE]|line\u2028end'
).split('|')

/** A JSON string's spelling: plain, or with some characters escaped, or with malformed bytes. */
const string: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...STRINGS).map((text) => spelled(text)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...STRINGS), fc.nat({ max: 40 }))
      .map(([text, at]) => spelled(text, at)),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('\\ud83d', '\\ude00', '\\ud83d\\ude00', '\\uD83Dx', '\\n\\"\\\\\\/\\u0000')
      .map((text) => Buffer.from(`"a${text}b"`)),
  },
  { weight: 1, arbitrary: fc.constant(Buffer.from([0x22, 0x61, 0xff, 0xe2, 0x82, 0x22])) },
  {
    weight: 1,
    arbitrary: fc.constant(Buffer.from([0x22, 0xf0, 0x9f, 0x98, 0xed, 0xa0, 0x80, 0x22])),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map((text) => spelled(text)),
  },
)

/** With the character at `at`, if there is one, as an escape. */
function spelled(text: string, at = -1): Buffer {
  const quoted = JSON.stringify(text)
  const inside = Array.from(quoted.slice(1, -1))
  const character = inside[at]
  if (character !== undefined && character !== '\\' && inside[at - 1] !== '\\') {
    inside[at] = Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join('')
  }
  return Buffer.from(`"${inside.join('')}"`)
}

/** As long as any limit allows; what follows makes it longer. */
const LONG_NUMBER: string = '7'.repeat(32)

/** Mostly one that may be an index: what cannot be spoils its event where it is to be one. */
const number: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(...['0', '1', '2', '15', '16', '65535'].map((n) => Buffer.from(n))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('0', '1', '65536', '2147483647', '2147483648', '-1', LONG_NUMBER),
        fc.constantFrom('', '', '', '.5', 'e1', 'E+2', '.25e-3', 'e', '.'),
      )
      .map((parts) => Buffer.from(parts.join(''))),
  },
)

const literal: fc.Arbitrary<Buffer> = fc
  .constantFrom('null', 'null', 'true', 'false', '{}', '[]', '{ }', '[ ]')
  .map((text) => Buffer.from(text))

const blanks: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constantFrom(' ', '\t', '  ', ' '.repeat(17)) },
)

const key: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...KEYS).map((text) => spelled(text)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...KEYS), fc.nat({ max: 10 }))
      .map(([text, at]) => spelled(text, at)),
  },
)

const { value } = fc.letrec<{ value: Buffer; object: Buffer; array: Buffer }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: string },
    { weight: 2, arbitrary: number },
    { weight: 2, arbitrary: literal },
    { weight: 5, arbitrary: tie('object') },
    { weight: 3, arbitrary: tie('array') },
  ),
  object: fc.array(fc.tuple(key, blanks, tie('value'), blanks), { maxLength: 6 }).map((members) =>
    wrapped(
      '{',
      '}',
      members.map(([name, before, item, after]) => {
        return Buffer.concat([name, Buffer.from(`${before}:${after}`), item, Buffer.from(before)])
      }),
    ),
  ),
  array: fc.array(fc.tuple(tie('value'), blanks), { maxLength: 4 }).map((items) =>
    wrapped(
      '[',
      ']',
      items.map(([item, after]) => Buffer.concat([item, Buffer.from(after)])),
    ),
  ),
}))

function wrapped(start: string, end: string, items: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',')
  const separated = items.flatMap((item, at) => (at === 0 ? [item] : [comma, item]))
  return Buffer.concat([Buffer.from(start), ...separated, Buffer.from(end)])
}

/** A payload, mostly JSON, now and then several or with something around it. */
export const payload: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 10, arbitrary: value },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        value,
        fc.constantFrom('', ' ', '\ufeff', '{', 'x'),
        fc.constantFrom('', ' ', '}', ','),
      )
      .map(([item, before, after]) =>
        Buffer.concat([Buffer.from(before), item, Buffer.from(after)]),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(value, value).map((items) => Buffer.concat(items)),
  },
  { weight: 1, arbitrary: fc.constant(Buffer.from('[DONE]')) },
)

const LINE_ENDS = ['\n', '\r\n', '\r'] as const

const otherLine: fc.Arbitrary<Buffer> = fc
  .constantFrom(
    ...'event: content_block_delta|event: error|event:x|event|id: 7|id|id: \0|: comment|:'.split(
      '|',
    ),
    ...'retry: 5|data|data:|data:  x|error: {"a": "b"}|error: no|\ufeffdata: {}|datum: 1'.split(
      '|',
    ),
    ...`event: message_delta|eventful: 2|event: ${'n'.repeat(260)}|id: ${'i'.repeat(1030)}`.split(
      '|',
    ),
  )
  .map((text) => Buffer.from(text))

/** An event: its lines, their ends, the blank line. Most are of the usual shape. */
const event: fc.Arbitrary<Buffer> = fc
  .record({
    lines: fc.array(otherLine, { maxLength: 2 }),
    data: payload,
    prefix: fc.constantFrom('data: ', 'data: ', 'data: ', 'data:', 'data:  '),
    name: fc.constantFrom(
      '',
      '',
      'event: content_block_delta',
      'event: error',
      'event: message_stop',
      // Every letter becomes one byte: those beyond ASCII are malformed.
      'event: \xff_delta',
    ),
    end: fc.constantFrom(...LINE_ENDS, '\n', '\n'),
    isCut: fc.integer({ min: 0, max: 20 }).map((roll) => roll === 0),
    hasLines: fc.integer({ min: 0, max: 3 }).map((roll) => roll === 0),
  })
  .map(({ lines, data, prefix, name, end, isCut, hasLines }) => {
    const cut = Buffer.from(end)
    const named = name === '' ? [] : [Buffer.from(name, 'latin1'), cut]
    const extra = hasLines ? lines.flatMap((line) => [line, cut]) : []
    const whole = [...extra, ...named, Buffer.from(prefix), data, cut, ...(isCut ? [] : [cut])]
    return Buffer.concat(whole)
  })

/** A body of Server-Sent Events. */
export const stream: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom('', '', '', '\ufeff', '\n', ' ', '[', '<html>'),
    fc.array(event, { maxLength: 8 }),
  )
  .map(([start, events]) => new Uint8Array(Buffer.concat([Buffer.from(start), ...events])))

const EDIT_BYTES: readonly number[] = Array.from(
  Buffer.from(
    '"\\{}[],:\r\n \t0e-.nu/x\0\u001f\u007f\u0080\u00bf\u00c3\u00e2\u00ed\u00f0\u00ff',
    'latin1',
  ),
)

/** One byte of a body replaced, removed, inserted, or a stretch of it doubled. */
interface Edit {
  readonly kind: 'replace' | 'remove' | 'insert' | 'double'
  readonly at: number
  readonly byte: number
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('replace', 'remove', 'insert', 'double'),
  at: fc.nat({ max: 1 << 20 }),
  byte: fc.oneof(fc.constantFrom(...EDIT_BYTES), fc.nat({ max: 255 })),
})

export function edited(bytes: Uint8Array, { kind, at, byte }: Edit): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length
  const before = bytes.subarray(0, place)
  const rest = bytes.subarray(place)
  const changed = Uint8Array.of(byte)
  switch (kind) {
    case 'replace':
      return Buffer.concat([before, changed, rest.subarray(1)])
    case 'remove':
      return Buffer.concat([before, rest.subarray(1)])
    case 'insert':
      return Buffer.concat([before, changed, rest])
    case 'double':
      return Buffer.concat([before, rest.subarray(0, byte), rest])
  }
}

/** A line of NDJSON, or what could be taken for one. */
const record: fc.Arbitrary<Buffer> = fc
  .tuple(
    payload,
    fc.constantFrom('\n', '\n', '\n', '\r\n', '\r\r\n', '\n\n', ' \n', '\n \r\n', '\r'),
  )
  .map(([data, end]) => Buffer.concat([data, Buffer.from(end)]))

/** An element of an array, and what lies before it. */
const element: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(',', ',', ',', '\n,\r\n', ', ', '\n', '', ',,', ']', '][', 'x', '"'),
    payload,
  )
  .map(([before, data]) => Buffer.concat([Buffer.from(before), data]))

/** Bodies by how they are cut into payloads. */
export const bodies: Readonly<Record<Framing, fc.Arbitrary<Uint8Array>>> = {
  sse: stream,
  ndjson: bodyOf(['', '', '', '\ufeff', '\n', ' ', '<html>'], record, ['', '', '{"id":"x"}']),
  'json-array': bodyOf(['[', '[', '[', '\ufeff [\n', '', '<'], element, [']', '\n]\n', '', ',1']),
  'aws-eventstream': fc.oneof(
    { weight: 1, arbitrary: noise },
    { weight: 15, arbitrary: awsBodies(payload, familyOf(payload)) },
  ),
}

function bodyOf(
  starts: readonly string[],
  piece: fc.Arbitrary<Buffer>,
  ends: readonly string[],
): fc.Arbitrary<Uint8Array> {
  const pieces = fc.oneof(fc.array(piece, { maxLength: 8 }), familyOf(piece))
  return fc
    .tuple(fc.constantFrom(...starts), pieces, fc.constantFrom(...ends))
    .map(([start, list, end]) => {
      return new Uint8Array(Buffer.concat([Buffer.from(start), ...list, Buffer.from(end)]))
    })
}

/** One over and over, with an edit here and there: what templates are learnt from. */
function familyOf(piece: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer[]> {
  return fc
    .tuple(piece, fc.array(fc.array(edit, { maxLength: 1 }), { minLength: 3, maxLength: 9 }))
    .map(([first, turns]) => turns.map((edits) => Buffer.from(edits.reduce(edited, first))))
}

/** A body with a few edits. */
export function nearly(body: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(body, fc.array(edit, { maxLength: 3 }))
    .map(([bytes, edits]) => new Uint8Array(edits.reduce(edited, bytes)))
}

/** Streams as providers send them. */
export const realistic: fc.Arbitrary<Uint8Array> = fc
  .record({
    seed: fc.integer(),
    isChat: fc.boolean(),
    eol: fc.constantFrom('\n', '\r\n'),
    text: fc.constantFrom('plain', 'rich'),
    toolCalls: fc.nat({ max: 1 }),
    reasoning: fc.nat({ max: 3 }),
  })
  .map(({ isChat, ...options }) => {
    const make = isChat ? openaiChatStream : anthropicStream
    return make({ ...options, tokens: 8 }).bytes
  })

/** One event over and over, with an edit here and there: what templates are learnt from. */
const family: fc.Arbitrary<Uint8Array> = fc
  .tuple(event, fc.array(fc.array(edit, { maxLength: 1 }), { minLength: 3, maxLength: 9 }))
  .map(([first, turns]) => {
    const events = turns.map((edits) => edits.reduce(edited, new Uint8Array(first)))
    return new Uint8Array(Buffer.concat(events))
  })

export const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 1, arbitrary: noise },
  { weight: 4, arbitrary: stream },
  { weight: 4, arbitrary: nearly(stream) },
  { weight: 4, arbitrary: family },
  { weight: 3, arbitrary: nearly(realistic) },
)

/** A way to cut a body: sizes of chunks, used over and over. */
export const sizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.constant([1 << 20]),
  fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 12 }).filter((list) => {
    return list.some((size) => size > 0)
  }),
)

export function cutInto(bytes: Uint8Array, list: readonly number[]): Chunks {
  const chunks: Uint8Array[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = list[turn % list.length]!
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}
