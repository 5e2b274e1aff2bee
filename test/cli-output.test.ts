import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { Output } from '../src/cli/output.ts'
import { escapeControls } from '../src/cli/terminal-text.ts'

test('Output: write resolves when the reader has taken what was written', async () => {
  const taken: string[] = []
  const waiting: (() => void)[] = []
  const slow = new Writable({
    highWaterMark: 4,
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk.toString())
      waiting.push(done)
    },
  })
  const output = new Output(slow)
  let written = false
  const writing = output.write('longer than four').then(() => (written = true))
  await new Promise(setImmediate)
  assert.equal(written, false)
  waiting.shift()?.()
  await writing
  assert.deepEqual(taken, ['longer than four'])
})

test('Output: closed aborts with exit code 1 for a failed write, 0 for a closed pipe', async () => {
  for (const [code, exitCode] of [
    ['ENOSPC', 1],
    ['EPIPE', 0],
  ] as const) {
    const failing = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error(`${code}: no`), { code }))
      },
    })
    const output = new Output(failing)
    await output.write('some text')
    assert.equal(output.closed.aborted, true)
    assert.equal((output.closed.reason as { exitCode: number }).exitCode, exitCode)
    await output.write('more')
    await output.end()
  }
})

test('Output: only a terminal is spared control characters', async () => {
  const text = 'a\u001b[2Jb\u009b1mc\td\n\u202e\u{E0041}'
  for (const isTTY of [true, false]) {
    let written = ''
    const stream = Object.assign(
      new Writable({
        decodeStrings: false,
        write(chunk: string, _encoding, done) {
          written += chunk
          done()
        },
      }),
      { isTTY },
    )
    const output = new Output(stream)
    // Cut inside the tag character, as tokens may be.
    await output.write(text.slice(0, -1))
    await output.write(text.slice(-1))
    await output.end()
    const shown = 'a\\u001b[2Jb\\u009b1mc\td\n\\u202e\\udb40\\udc41'
    assert.equal(written, isTTY ? shown : text)
  }
})

test('escapeControls: leaves letters, emoji and joiners of every script as they are', () => {
  const text = 'caf\u00e9 \u6c34\u8eca \u05de\u05d9\u05dd \u{1F469}\u200d\u{1F527}\n\t"\\'
  assert.equal(escapeControls(text), text)
})
