import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { TokenStream } from '../src/main/index.ts'
import { Output } from '../src/cli/output.ts'
import { Progress } from '../src/cli/progress.ts'
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

/** A stream that is halfway through. */
const half = {
  stats: () => ({ bytes: 5_000_000, tokens: 12_345, durationMs: 500 }),
} as unknown as TokenStream

/** What a progress writes to stderr over `ms`, and what it adds when it ends. */
function progressOver(t: TestContext, ms: number, isTTY: boolean, total: number | null): string[] {
  const written: string[] = []
  const { stderr } = process
  const before = { isTTY: stderr.isTTY, columns: stderr.columns }
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const write = t.mock.method(stderr, 'write', (text: string) => written.push(text) > 0)
  try {
    Object.assign(stderr, { isTTY, columns: 50 })
    const progress = new Progress(half, total)
    // An interval that begins within a tick begins at its end.
    for (let at = 0; at < ms; at += 100) t.mock.timers.tick(Math.min(100, ms - at))
    written.push('end')
    progress.end()
    t.mock.timers.tick(60_000)
  } finally {
    write.mock.restore()
    t.mock.timers.reset()
    Object.assign(stderr, before)
  }
  return written
}

test('Progress: into a log, a line after two seconds and then every five', (t) => {
  const line = 'millrace: 5.0 of 10.0 MB (50 %), 12,345 tokens, 10.0 MB/s\n'
  assert.deepEqual(progressOver(t, 1999, false, 10_000_000), ['end'])
  assert.deepEqual(progressOver(t, 2000, false, 10_000_000), [line, 'end'])
  assert.deepEqual(progressOver(t, 12_000, false, 10_000_000), [line, line, line, 'end'])
})

test('Progress: where the size is not known, says how much there was', (t) => {
  const line = 'millrace: 5.0 MB, 12,345 tokens, 10.0 MB/s\n'
  assert.deepEqual(progressOver(t, 2000, false, null), [line, 'end'])
})

test('Progress: on a terminal, redraws one line that fits, and clears it at the end', (t) => {
  const line = '\rmillrace: 5.0 of 10.0 MB (50 %), 12,345 tokens, 1\u001b[K'
  const clear = '\r\u001b[K'
  assert.deepEqual(progressOver(t, 499, true, 10_000_000), ['end'])
  assert.deepEqual(progressOver(t, 700, true, 10_000_000), [line, line, 'end', clear])
})
