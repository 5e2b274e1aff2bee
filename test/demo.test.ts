import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { performance } from 'node:perf_hooks'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { planPhase, runPhase, type Connection, type Phase } from '../src/cli/demo/load.ts'
import { Meter } from '../src/cli/demo/meter.ts'
import { heading, liveLines, plainLine, table, type Run } from '../src/cli/demo/report.ts'
import { Terminal, type TerminalStream } from '../src/cli/demo/terminal.ts'
import type { ExpectedMessage } from '../src/cli/provider/expected.ts'
import { startProvider } from '../src/cli/provider/server.ts'
import { createMillrace } from '../src/main/index.ts'

const DEMO = fileURLToPath(new URL('../src/cli/demo.js', import.meta.url))

/** Runs a phase of few connections whose expectations or requests a test has changed. */
async function runChanged(change: (connection: Connection) => Connection): Promise<Meter> {
  const planned = planPhase('test', { connections: 4, seconds: 0, tokensPerSecond: Infinity })
  const phase: Phase = { ...planned, connections: planned.connections.map(change) }
  const meter = new Meter()
  const provider = await startProvider()
  const mill = await createMillrace()
  try {
    await runPhase(mill, provider.origin, phase, meter)
    await meter.sample(mill)
  } finally {
    await Promise.all([mill.close(), provider.close()])
  }
  return meter
}

const changeToken = (expected: ExpectedMessage, at: number): ExpectedMessage => ({
  ...expected,
  tokens: expected.tokens.with(at, 'another'),
})

test('runPhase: counts and times every token of every stream, and finds no mismatch', async () => {
  let tokens = 0
  const meter = await runChanged((connection) => {
    tokens += connection.expected.tokens.length
    return connection
  })
  assert.deepEqual(meter.mismatchesShown, [])
  assert.equal(meter.streams, 4)
  assert.equal(meter.tokens, tokens)
  assert.ok((meter.latency()?.p50 ?? 0) > 0)
  assert.ok(meter.channelBytes > 0)
  assert.ok(meter.stopped)
})

test('runPhase: one token that differs is one mismatch', async () => {
  let changed = 0
  const meter = await runChanged((connection) => {
    changed += 1
    if (changed > 1) return connection
    return { ...connection, expected: changeToken(connection.expected, 77) }
  })
  assert.equal(meter.mismatches, 1)
  assert.match(meter.mismatchesShown[0] ?? '', /^token 77 is text .*, not text "another"$/)
})

test('runPhase: a token that never came is a mismatch, though the message be right', async () => {
  const meter = await runChanged(({ expected, ...rest }) => ({
    ...rest,
    expected: { ...expected, tokens: [...expected.tokens, 'one more'] },
  }))
  assert.equal(meter.mismatches, 4)
  assert.match(meter.mismatchesShown[0] ?? '', /^\d+ tokens of \d+$/)
})

test('runPhase: a wrong finish, a missing end and a provider error are mismatches', async () => {
  for (const [change, message] of [
    [
      ({ expected, ...rest }: Connection) => ({
        ...rest,
        expected: { ...expected, finishReason: 'length' },
      }),
      /the message is .*, not .*"length"/,
    ],
    [
      ({ request, ...rest }: Connection) => ({
        ...rest,
        request: { ...request, ending: 'truncated' as const },
      }),
      /end of a|truncated/,
    ],
    [
      ({ request, ...rest }: Connection) => ({
        ...rest,
        request: { ...request, ending: 'error' as const },
      }),
      /overloaded/,
    ],
    [
      ({ request, ...rest }: Connection) => ({
        ...rest,
        request: { ...request, status: 500 },
      }),
      /./,
    ],
  ] as const) {
    const meter = await runChanged(change)
    assert.ok(meter.mismatches >= 4, `${meter.mismatches}`)
    assert.match(meter.mismatchesShown[0] ?? '', message)
  }
})

test('planPhase: paced streams last as long as asked, at the pace asked', () => {
  const { connections } = planPhase('p', { connections: 20, seconds: 4, tokensPerSecond: 100 })
  for (const { expected, request } of connections) {
    assert.equal(request.tokensPerSecond, 100)
    const seconds = expected.tokens.length / 100
    assert.ok(seconds > 3.5 && seconds < 4.5, `${seconds} s`)
  }
  const chunkers = new Set(connections.map(({ request }) => request.chunker))
  assert.ok(chunkers.has('bytes') && chunkers.has('awkward') && chunkers.has('primes'))
})

test('Meter: a token without a known arrival is counted and not timed', () => {
  const meter = new Meter()
  meter.token(NaN)
  assert.equal(meter.tokens, 1)
  assert.equal(meter.latency(), null)
  meter.token(2)
  meter.token(1e12)
  assert.ok(Math.abs((meter.latency()?.p50 ?? 0) - 2) < 0.01)
  assert.ok((meter.latency()?.p999 ?? 0) >= 60_000)
})

interface Screen {
  readonly stream: TerminalStream
  readonly written: () => string
}

function screen(isTTY: boolean): Screen {
  let written = ''
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      written += chunk
      done()
    },
  })
  return { stream: Object.assign(stream, { isTTY, columns: 80 }), written: () => written }
}

function largeRuns(t: TestContext): Run[] {
  let nowMs = 1000
  t.mock.method(performance, 'now', () => nowMs)
  const runs = ['paced', 'flat out'].map((name) => ({
    phase: planPhase(name, { connections: 1000, seconds: 60, tokensPerSecond: Infinity }),
    meter: new Meter(),
  }))
  for (const { meter } of runs) {
    meter.start()
    for (let i = 0; i < 1000; i += 1) meter.token(59_999.99)
    meter.bytes = 123_456_789_012
    meter.tokens = 1_234_567_890
    meter.heapBytesPeak = 999_999_999
    meter.inFlightBytesPeak = 99_999_999
    meter.channelBytes = 99_999_999
    meter.mismatches = 1_234_567
    nowMs += 60_000
    meter.stop()
  }
  return runs
}

test('report: fits 80 columns, even with the largest figures', (t) => {
  const terminal = new Terminal(screen(false).stream, {})
  const runs = largeRuns(t)
  const lines = [
    ...heading(terminal, { connections: 1000, workers: 64 }),
    ...liveLines(terminal, runs),
    ...runs.map(plainLine),
    ...table(terminal, runs),
  ]
  for (const line of lines) assert.ok(line.length <= 80, `${line.length} columns: ${line}`)
})

test('report: says so where the paced part fell behind its rate', (t) => {
  const terminal = new Terminal(screen(false).stream, {})
  const [run] = largeRuns(t)
  assert.ok(run)
  const noteAt = (seconds: number): boolean => {
    const phase = { ...run.phase, again: false, seconds }
    return table(terminal, [{ ...run, phase }]).some((line) => line.includes('fell behind'))
  }
  assert.equal(noteAt(59), false)
  assert.equal(noteAt(30), true)
})

test('report: is red where a token was wrong and green where none was', (t) => {
  const { stream } = screen(true)
  const terminal = new Terminal(stream, { TERM: 'xterm' })
  const runs = largeRuns(t)
  const row = (): string => table(terminal, runs).find((line) => /mismatches/.test(line)) ?? ''
  assert.ok(row().startsWith('\u001b[31m'))
  for (const { meter } of runs) meter.mismatches = 0
  assert.ok(row().startsWith('\u001b[32m'))
})

test('Terminal: draws in place, and gives the cursor back', () => {
  const { stream, written } = screen(true)
  const terminal = new Terminal(stream, { TERM: 'xterm' })
  terminal.draw(['one', 'two'])
  terminal.draw(['three'])
  terminal.clear()
  assert.equal(
    written(),
    '\u001b[?25l\u001b[Jone\ntwo\n' +
      '\u001b[?25l\u001b[2A\r\u001b[Jthree\n' +
      '\u001b[1A\r\u001b[J\u001b[?25h',
  )
})

test('Terminal: NO_COLOR takes the colours, a dumb terminal or a pipe all escapes', () => {
  for (const [isTTY, env, isLive, styled] of [
    [true, { TERM: 'xterm' }, true, '\u001b[1mx\u001b[0m'],
    [true, { TERM: 'xterm', NO_COLOR: '1' }, true, 'x'],
    [true, { TERM: 'xterm', NO_COLOR: '' }, true, '\u001b[1mx\u001b[0m'],
    [true, { TERM: 'dumb' }, false, 'x'],
    [false, { TERM: 'xterm' }, false, 'x'],
  ] as const) {
    const { stream, written } = screen(isTTY)
    const terminal = new Terminal(stream, env)
    assert.equal(terminal.isLive, isLive)
    assert.equal(terminal.style('bold', 'x'), styled)
    terminal.clear()
    if (!isLive) assert.equal(written(), '')
  }
})

interface DemoRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function runDemo(
  args: readonly string[],
  onFirstOutput?: (kill: () => void) => void,
): Promise<DemoRun> {
  const child = spawn(process.execPath, [DEMO, ...args], { stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  if (onFirstOutput) child.stdout.once('data', () => onFirstOutput(() => child.kill('SIGINT')))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

test('demo: decodes everything right, prints a plain table into a pipe, and exits 0', async () => {
  const { code, stdout, stderr } = await runDemo(['--connections', '6', '--seconds', '1'])
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.ok(!stdout.includes('\u001b'), 'escapes in a pipe')
  assert.match(stdout, /mismatches +0 +0\n/)
  assert.match(stdout, /added latency, p50 +[\d.]+ ms +[\d.]+ ms\n/)
  assert.match(stdout, /streams at once +6 +6\n/)
})

test('demo: exits 130 on Ctrl-C and 2 for an option that is wrong', async () => {
  const interrupted = await runDemo(['--connections', '6'], (kill) => kill())
  assert.equal(interrupted.code, 130)
  assert.equal(interrupted.stderr, '')
  const wrong = await runDemo(['--connections', '0'])
  assert.equal(wrong.code, 2)
  assert.match(
    wrong.stderr,
    /^millrace: --connections is an integer from 1 to 1000, not 0[^\n]*\n$/,
  )
})
