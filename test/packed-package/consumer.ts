/**
 * A stranger's program: what it imports it has from the installed package.
 *
 * `scripts/packed-package.js` copies it beside the installed tarball, compiles it against the
 * published types with every check on, and runs it.
 */
import assert from 'node:assert/strict'
import { createDecoder, createMillrace, MillraceError, type Placement } from 'millrace'

const body = [
  'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"Mill"}}]}\n\n',
  'data: {"id":"1","choices":[{"index":0,"delta":{"content":"race \u{1f30a}"}}]}\n\n',
  'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
  'data: [DONE]\n\n',
]
const text = 'Millrace \u{1f30a}'
const dialect = 'openai-chat'

const mill = await createMillrace({ workers: 1 })
try {
  for (const placement of ['inline', 'worker'] satisfies Placement[]) {
    const stream = mill.decode(body, { dialect, placement })
    let streamed = ''
    for await (const event of stream) if (event.type === 'text-delta') streamed += event.text
    assert.equal(streamed, text, placement)
    assert.equal((await stream.final()).text[0], text, placement)
  }
} finally {
  await mill.close()
}

const decoder = createDecoder({ dialect })
const bytes = new TextEncoder().encode(body.join(''))
let pushed = ''
for (const batch of [decoder.push(bytes), decoder.end()]) {
  for (const event of batch) if (event.type === 'text-delta') pushed += event.text
}
assert.equal(pushed, text, 'createDecoder')

assert.equal(new MillraceError('TIMEOUT', 'late').code, 'TIMEOUT')
