import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { anthropic } from '../src/shared/dialects/anthropic.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { sse } from '../src/shared/dialects/records.ts'
import { type Chunks, randomCuts, seeded } from './chunking.ts'
import { decode, type SeenRow } from './decoding.ts'

const utf8 = new TextEncoder()

/** What streams are made of, so that random ones come near to real ones. */
const pieces: readonly (readonly [weight: number, bytes: Uint8Array])[] = [
  ...(
    [
      [9, '\n'],
      [5, '\r\n'],
      [3, '\r'],
      [9, 'data: '],
      [2, 'data'],
      [2, 'event: error'],
      [1, 'event: content_block_delta'],
      [1, 'id: 1\0'],
      [2, 'id: é'],
      [1, 'retry: 10'],
      [1, 'error: {"a":1}'],
      [2, ': hi'],
      [1, '\ufeff'],
      [1, ' '],
      [1, 'x'],
      [1, '<'],
      [3, '[DONE]'],
      [3, '{}'],
      [6, '{"id":"i","choices":[{"index":1,"delta":{"content":"é\\ud83d","role":"r"}}]}'],
      [2, '{"choices":[{"delta":{"tool_calls":[{"id":"t","function":{"arguments":"{"}}]}}]}'],
      [2, '{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"'],
      [2, '"}}'],
      [2, '{"usage":{"prompt_tokens":1},"error":"e"'],
      [2, '}'],
      [1, '{"id":[[[[[[[[['],
    ] satisfies readonly (readonly [number, string])[]
  ).map(([weight, text]) => [weight, utf8.encode(text)] as const),
  [1, new Uint8Array([0xff])],
  [1, new Uint8Array([0xf0, 0x9f])],
  [1, new Uint8Array([0xef, 0xbb])],
]

const body: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(...pieces.map(([weight, bytes]) => ({ weight, arbitrary: fc.constant(bytes) }))),
    { maxLength: 60 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)))

const cuts = fc.record({ seed: fc.integer(), chunkBytes: fc.integer({ min: 1, max: 40 }) })

const limits = { lineBytesMax: 300, eventBytesMax: 280, jsonDepthMax: 8 }

test('createPlainDecoder: any bytes give the same rows and counts however they are cut', () => {
  fc.assert(
    fc.property(
      body,
      cuts,
      fc.constantFrom(openaiChat, anthropic, sse),
      fc.boolean(),
      (bytes, { seed, chunkBytes }, dialect, strict) => {
        const setup = { limits, strict }
        const chunks: Chunks = randomCuts(bytes, chunkBytes, seeded(seed))
        assert.deepEqual(decode(dialect, chunks, setup), decode(dialect, [bytes], setup))
      },
    ),
    { numRuns: 1000 },
  )
})

/** Server-Sent Events read in the most naive way: the whole text, cut into lines. */
function naiveEvents(bytes: Uint8Array): SeenRow[] {
  const rows: SeenRow[] = []
  let data: string[] = []
  let name = ''
  let id: string | null = null
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/)
  for (const line of lines.slice(0, -1)) {
    const [field = '', value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line)?.slice(1) ?? []
    if (line === '') {
      if (data.length > 0) {
        if (name !== '') rows.push(['event-name', name])
        if (id !== null) rows.push(['event-id', id])
        rows.push(['event-data', data.join('\n')])
        id = null
      }
      data = []
      name = ''
    } else if (field === 'data') data.push(value)
    else if (field === 'event') name = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }
  return rows
}

test('sse: any bytes give the events that a naive reader of the whole text finds', () => {
  fc.assert(
    fc.property(body, cuts, (bytes, { seed, chunkBytes }) => {
      const { rows } = decode(sse, randomCuts(bytes, chunkBytes, seeded(seed)))
      assert.deepEqual(rows, naiveEvents(bytes))
    }),
    { numRuns: 1000 },
  )
})
