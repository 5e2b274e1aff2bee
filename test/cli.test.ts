import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { requestUrl } from '../src/cli/provider/request.ts'
import { startProvider } from '../src/cli/provider/server.ts'
import { bundledStream } from '../src/cli/provider/streams.ts'
import { SHARED_DATA_MISSING, sharedData, sharedJson } from './shared-data.ts'

const CLI = fileURLToPath(new URL('../src/cli/cli.js', import.meta.url))
const PACKAGE = new URL('../../package.json', import.meta.url)

const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
function fileOf(bytes: Uint8Array | string): string {
  files += 1
  const path = join(folder, `${files}.sse`)
  writeFileSync(path, bytes)
  return path
}

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], { stdio: 'pipe' })
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const text = async (stream: AsyncIterable<Buffer> | null): Promise<string> => {
    const chunks: Buffer[] = []
    for await (const chunk of stream ?? []) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  const exited = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await exited) as [number | null]
  // A slow machine may see progress.
  return { code, stdout, stderr: stderr.replaceAll(/^millrace: [\d.]+(?: of .*)? MB.*\n/gm, '') }
}

function run(args: readonly string[], stdin: Uint8Array | string = ''): Promise<Outcome> {
  const child = start(args)
  child.stdin?.on('error', () => {})
  child.stdin?.end(stdin)
  return outcomeOf(child)
}

/** One line to people: the program's name, what happened, and not a word of where in the code. */
function assertOneLine(stderr: string, pattern: RegExp): void {
  assert.match(stderr, /^millrace: [^\n]+\n$/)
  assert.match(stderr, pattern)
  assert.doesNotMatch(stderr, /\n\s+at |node:internal|\.js:\d/)
}

const CHAT = bundledStream('openai-chat', { seed: 3, tokens: 150, reasoning: 20, toolCalls: 2 })
const ANTHROPIC = bundledStream('anthropic', { seed: 4, tokens: 150, reasoning: 20, toolCalls: 2 })

test('--help: names every option and exit code, and exits 0', async () => {
  for (const args of [['--help'], ['decode', '--help'], ['decode', '-h']]) {
    const { code, stdout, stderr } = await run(args)
    assert.equal(code, 0)
    assert.equal(stderr, '')
    for (const word of ['--dialect', '--format', '--workers', '--chunk-bytes', '66', '130']) {
      assert.ok(stdout.includes(word), `no ${word} in the help`)
    }
  }
})

test('--version: prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }
  assert.deepEqual(await run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

const MISUSES: readonly (readonly [string[], RegExp])[] = [
  [[], /no command/],
  [['encode'], /no command encode/],
  [['decode', '-', '--dialect', 'klingon'], /klingon.*openai-chat/],
  [['decode', '-', '--dialect', 'sse', '--format', 'xml'], /--format is one of text, .*xml/],
  [['decode', '-', '--dialect', 'sse', '--workers', 'two'], /--workers is an integer .*two/],
  [['decode', '-', '--dialect', 'sse', '--workers', '65'], /from 0 to 64, not 65/],
  [['decode', '-', '--dialect', 'sse', '--chunk-bytes', '0'], /--chunk-bytes is an integer/],
  [['decode', '-', '--dialect', 'sse', '--colour'], /--colour/],
  [['decode', '-', '--dialect'], /--dialect/],
  [['decode', 'a', 'b', '--dialect', 'sse'], /one input, not 2/],
]

for (const [args, message] of MISUSES) {
  test(`decode: exits 2 with one line for: millrace ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await run(args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assertOneLine(stderr, message)
  })
}

test('decode: exits 66 with one line where there is nothing to read', async () => {
  const empty = fileOf('')
  for (const [input, message] of [
    [join(folder, 'missing.sse'), /no such file: .*missing\.sse/],
    ['ftp://host/file', /only http and https are fetched: ftp:/],
    [folder, /is a directory/],
    [empty, /is empty/],
    ['-', /standard input is empty/],
  ] as const) {
    for (const format of ['text', 'final']) {
      const outcome = await run(['decode', input, '--dialect', 'openai-chat', '--format', format])
      assert.equal(outcome.code, 66)
      assert.equal(outcome.stdout, '')
      assertOneLine(outcome.stderr, message)
    }
  }
})

for (const { dialect, bytes, expected } of [CHAT, ANTHROPIC]) {
  const path = fileOf(bytes)

  test(`decode: writes the text of ${dialect}, however cut and wherever decoded`, async () => {
    const ways = ['0 1', '0 65536', '1 1', '2 7'].map((way) => way.split(' '))
    const outcomes = await Promise.all(
      ways.map(([workers = '', chunk = '']) =>
        run(['decode', path, '--dialect', dialect, '--workers', workers, '--chunk-bytes', chunk]),
      ),
    )
    for (const outcome of outcomes) {
      assert.deepEqual(outcome, { code: 0, stdout: expected.text, stderr: '' })
    }
  })

  test(`decode: recognises ${dialect} where no dialect is named`, async () => {
    assert.deepEqual(await run(['decode', path]), { code: 0, stdout: expected.text, stderr: '' })
  })

  test(`--format final: writes the message of ${dialect} as one object`, async () => {
    const args = ['decode', path, '--dialect', dialect, '--format', 'final']
    const { code, stdout } = await run(args)
    assert.equal(code, 0)
    const message = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(message['id'], expected.id)
    assert.equal(message['model'], expected.model)
    assert.deepEqual(message['role'], { 0: 'assistant' })
    assert.deepEqual(message['text'], { 0: expected.text })
    assert.deepEqual(message['reasoning'], { 0: expected.reasoning })
    assert.deepEqual(message['usage'], expected.usage)
    assert.deepEqual(message['finishReason'], { 0: expected.finishReason })
    assert.equal(message['terminator'], expected.terminator)
    assert.equal(message['badJson'], 0)
    const calls = message['toolCalls'] as Record<string, unknown>[]
    assert.deepEqual(
      calls.map(({ index, id, name, arguments: json }) => ({ index, id, name, arguments: json })),
      expected.toolCalls,
    )
  })
}

const CHAT_PATH = fileOf(CHAT.bytes)

test('decode: reads from standard input, named - or not at all', async () => {
  for (const input of [['-'], []]) {
    const outcome = await run(['decode', ...input, '--dialect', 'openai-chat'], CHAT.bytes)
    assert.deepEqual(outcome, { code: 0, stdout: CHAT.expected.text, stderr: '' })
  }
})

test('--format events: writes each event as one line of JSON', async () => {
  const args = ['decode', CHAT_PATH, '--dialect', 'openai-chat', '--format', 'events']
  const { code, stdout } = await run(args)
  assert.equal(code, 0)
  assert.ok(stdout.endsWith('\n'))
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; text?: string })
  const tokens = events.filter(({ type }) => /^(text|reasoning|tool-input)-delta$/.test(type))
  assert.deepEqual(
    tokens.map(({ text }) => text).filter((text) => text !== ''),
    CHAT.expected.tokens,
  )
  assert.equal(events.at(-1)?.type, 'end')
})

test('--format stats: counts bytes, and tokens as events do', async () => {
  const statsOf = ['decode', CHAT_PATH, '--dialect', 'openai-chat', '--format', 'stats']
  const eventsOf = ['decode', CHAT_PATH, '--dialect', 'openai-chat', '--format', 'events']
  const [stats, events] = await Promise.all([run(statsOf), run(eventsOf)])
  assert.equal(stats.code, 0)
  const counts = JSON.parse(stats.stdout) as Record<string, unknown>
  assert.equal(counts['bytes'], CHAT.bytes.length)
  assert.equal(counts['tokens'], [...events.stdout.matchAll(/"type":"[a-z-]+-delta"/g)].length)
})

test('decode: exits 1 where the stream breaks off, and writes what came before', async () => {
  const cut = bundledStream('openai-chat', { ending: 'truncated' })
  const outcome = await run(['decode', fileOf(cut.bytes), '--dialect', 'openai-chat'])
  assert.equal(outcome.code, 1)
  assert.equal(outcome.stdout, cut.expected.text)
  assertOneLine(outcome.stderr, /STREAM_TRUNCATED/)

  const final = ['decode', fileOf(cut.bytes), '--dialect', 'openai-chat', '--format', 'final']
  const { code, stdout } = await run(final)
  assert.equal(code, 1)
  assert.deepEqual((JSON.parse(stdout) as { text: unknown }).text, { 0: cut.expected.text })
})

test('decode: exits 1 with the error that the provider reports in mid-stream', async () => {
  const failed = bundledStream('openai-chat', { ending: 'error' })
  for (const format of ['text', 'events', 'final', 'stats']) {
    const args = ['decode', fileOf(failed.bytes), '--dialect', 'openai-chat', '--format', format]
    const { code, stdout, stderr } = await run(args)
    assert.equal(code, 1)
    assertOneLine(stderr, /The mill is overloaded .*PROVIDER_ERROR/)
    if (format === 'text') assert.equal(stdout, failed.expected.text)
    if (format === 'events') assert.match(stdout, /"code":"PROVIDER_ERROR"/)
    if (format === 'final') assert.match(stdout, /"error":\{.*The mill is overloaded/)
  }
})

test('--format text: writes the first of several answers, not all in one', async () => {
  const event = (index: number, content: string): string =>
    `data: {"choices":[{"index":${index},"delta":{"content":"${content}"}}]}\n\n`
  const bytes = `${event(0, 'a')}${event(1, 'x')}${event(1, 'y')}${event(0, 'b')}data: [DONE]\n\n`
  const outcome = await run(['decode', '--dialect', 'openai-chat'], bytes)
  assert.deepEqual(outcome, { code: 0, stdout: 'ab', stderr: '' })
})

test('--format text: writes the data of raw events, a line each', async () => {
  const bytes = 'event: tick\ndata: one\n\n: comment\n\nid: 7\ndata: {"two":2}\ndata: three\n\n'
  const outcome = await run(['decode', '--dialect', 'sse'], bytes)
  assert.deepEqual(outcome, { code: 0, stdout: 'one\n{"two":2}\nthree\n', stderr: '' })
})

test('--chunk-bytes: is the most that the decoder gets at a time', async () => {
  const stats = ['decode', CHAT_PATH, '--dialect', 'openai-chat', '--format', 'stats']
  const { stdout } = await run([...stats, '--chunk-bytes', '100'])
  const { chunks } = JSON.parse(stdout) as { chunks: number }
  assert.ok(chunks >= CHAT.bytes.length / 100, `${chunks} chunks`)
})

/** Recordings by file, and how the command ends with each. */
const RECORDINGS: readonly (readonly [string, string, number])[] = [
  ['openai-chat/open-ai-function-calls-tools-streaming-parallel-e92ce3.sse', 'openai-chat', 0],
  ['openai-chat/openai-python-snapshot-a491ad.sse', 'openai-chat', 0],
  ['anthropic-messages/anthropic-model-thinking-part-stream-9bf85f.sse', 'anthropic', 0],
  ['anthropic-messages/pause-turn-web-search-streaming-vcr-a8bdc2.sse', 'anthropic', 0],
  ['openrouter-chat/openrouter-stream-error-baafd4.sse', 'openai-chat', 1],
  ['mutated/chat-nonfinite-number.sse', 'openai-chat', 1],
  ['mutated/chat-html-error.sse', 'openai-chat', 1],
]

const MESSAGE_KEYS = [
  'id',
  'model',
  'role',
  'text',
  'textDeltas',
  'textDeltaChoices',
  'reasoning',
  'reasoningDeltas',
  'refusal',
  'toolCalls',
  'hostedToolCalls',
  'finishReason',
  'usage',
  'usageRaw',
  'logprobs',
  'annotations',
  'error',
  'terminator',
  'badJson',
]

const shared = sharedData()
const skip = shared === null ? SHARED_DATA_MISSING : false

for (const [file, dialect, exitCode] of RECORDINGS) {
  test(`--format final: gives the recorded message of ${file}`, { skip }, async () => {
    const path = `${shared}corpus/streams/${file}`
    const outcome = await run(['decode', path, '--dialect', dialect, '--format', 'final'])
    assert.equal(outcome.code, exitCode)
    if (exitCode === 0) assert.equal(outcome.stderr, '')
    else assertOneLine(outcome.stderr, /./)
    const message = JSON.parse(outcome.stdout) as Record<string, unknown>
    const expected = sharedJson<Record<string, unknown>>(`corpus/expected/${file}.json`)
    for (const key of MESSAGE_KEYS) {
      if (key in expected) assert.deepEqual(message[key], expected[key], key)
    }
    assert.deepEqual(
      Object.keys(message).filter((key) => !MESSAGE_KEYS.includes(key)),
      [],
    )
  })
}

test('decode: exits 1 for malformed events, and decodes the others', async () => {
  const event = (content: string): string =>
    `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`
  const bytes = `${event('a')}data: {"choices":[}\n\n${event('b')}data: nope\n\ndata: [DONE]\n\n`
  const { code, stdout, stderr } = await run(['decode', '--dialect', 'openai-chat'], bytes)
  assert.equal(code, 1)
  assert.equal(stdout, 'ab')
  assertOneLine(stderr, /2 malformed events, the first: .*EVENT_MALFORMED/)
})

test('decode: joins a surrogate pair whose halves come apart in time', async () => {
  const event = (content: string): string =>
    `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`
  const child = start(['decode', '--dialect', 'openai-chat'])
  child.stdin?.write(event('a\\ud83c'))
  const [first] = (await once(child.stdout!, 'data')) as [Buffer]
  child.stdin?.end(`${event('\\udf0a!')}data: [DONE]\n\n`)
  const { code, stdout } = await outcomeOf(child)
  assert.equal(code, 0)
  assert.equal(first.toString() + stdout, 'a\u{1F30A}!')
})

test('decode: fetches a URL, and explains what it could not fetch, without its query', async () => {
  const provider = await startProvider()
  const moved = createServer((_, response) => {
    response.writeHead(302, { location: provider.origin }).end()
  })
  try {
    const url = requestUrl(provider.origin, 'anthropic', { seed: 6, chunker: 'awkward' })
    const { expected } = bundledStream('anthropic', { seed: 6 })
    const decoded = await run(['decode', url, '--dialect', 'anthropic'])
    assert.deepEqual(decoded, { code: 0, stdout: expected.text, stderr: '' })
    const cut = await run(['decode', url, '--dialect', 'anthropic', '--chunk-bytes', '3'])
    assert.deepEqual(cut, decoded)

    moved.listen(0, '127.0.0.1')
    await once(moved, 'listening')
    const { port } = moved.address() as AddressInfo
    for (const [address, message] of [
      [requestUrl(provider.origin, 'anthropic', { status: 503 }), /503.*HTTP_STATUS/],
      [requestUrl(provider.origin, 'anthropic', { cutBytes: 4000 }), /SOURCE_FAILED|TRUNCATED/],
      [`http://127.0.0.1:${port}/?key=sesame`, /cannot fetch http:[^?]*: .*redirect/],
      ['http://127.0.0.1:1/?key=sesame', /cannot fetch http:[^?]*: /],
      ['http://me:sesame@127.0.0.1:1/', /a user or password/],
      ['http://:sesame', /not a valid URL/],
    ] as const) {
      const outcome = await run(['decode', address, '--dialect', 'anthropic'])
      assert.equal(outcome.code, /password|valid/.test(message.source) ? 2 : 1, address)
      assertOneLine(outcome.stderr, message)
      assert.doesNotMatch(outcome.stderr, /sesame/)
    }
  } finally {
    moved.close()
    await provider.close()
  }
})

test('decode: ends quietly with 0 when the reader of its output leaves', async () => {
  const { bytes } = bundledStream('openai-chat', { tokens: 20_000 })
  const child = start(['decode', fileOf(bytes), '--dialect', 'openai-chat', '--format', 'events'])
  child.stdout?.once('data', () => child.stdout?.destroy())
  const exited = once(child, 'exit')
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  assert.deepEqual(await exited, [0, null])
  assert.equal(stderr, '')
})

test('decode: exits 130 on Ctrl-C, without a word, while its input is still open', async () => {
  for (const workers of ['0', '1']) {
    const child = start(['decode', '--dialect', 'openai-chat', '--workers', workers])
    child.stdin?.write(CHAT.bytes.subarray(0, CHAT.bytes.length / 2))
    await once(child.stdout!, 'data')
    child.kill('SIGINT')
    const { code, stderr } = await outcomeOf(child)
    assert.equal(code, 130)
    assert.equal(stderr, '')
  }
})
