/** Where WebAssembly, SIMD or shared memory are missing, the plain decoder does the same. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chat } from './chat-bytes.ts'

const run = promisify(execFile)

const MAIN = new URL('../src/main/index.js', import.meta.url).href
const MODULE = new URL('../src/main/decoder-module.js', import.meta.url).href

/**
 * What the caller sees, in tests that know nothing of decoders. Tests of decoders need no second
 * run: they drive both themselves (decoding.ts).
 */
const SURFACE = [
  'cli',
  'demo',
  'failures',
  'hostile-sources',
  'inline-decoder',
  'lifecycle',
  'relay',
  'token-stream',
  'worker-death',
]

const SCRIPT = `
  const { createDecoder, createMillrace } = await import(${JSON.stringify(MAIN)})
  const { inlineEngine } = await import(${JSON.stringify(MODULE)})
  const decoder = createDecoder({ dialect: 'openai-chat' })
  const texts = [...decoder.push(${JSON.stringify(chat('in', 'line'))})].map(({ text }) => text)
  const mill = await createMillrace()
  const source = ${JSON.stringify(chat('work', 'er'))}
  const message = await mill.decode(source, { dialect: 'openai-chat' }).final()
  await mill.close()
  console.log(inlineEngine() === null ? 'plain' : 'wasm', texts.join(''), message.text[0])`

const NO_MEMORY = 'WebAssembly.Memory = class { constructor() { throw new RangeError() } };'

const WAYS: readonly { name: string; decoder: string; env?: object; args?: string[] }[] = [
  { name: 'asked for nothing else, it is the WASM decoder', decoder: 'wasm' },
  {
    name: 'the environment asks for the plain decoder',
    decoder: 'plain',
    env: { MILLRACE_DECODER: 'plain' },
  },
  { name: 'there is no WebAssembly', decoder: 'plain', args: ['--jitless'] },
  {
    name: 'no WebAssembly memory is to be had',
    decoder: 'plain',
    args: ['--import', `data:text/javascript,${encodeURIComponent(NO_MEMORY)}`],
  },
]

for (const { name, decoder, env, args = [] } of WAYS) {
  test(`the decoder: ${name}`, async () => {
    const program = ['--input-type=module', '--eval', SCRIPT]
    const options = { env: { ...process.env, MILLRACE_DECODER: '', ...env }, timeout: 60_000 }
    const { stdout } = await run(process.execPath, [...args, ...program], options)
    assert.equal(stdout, `${decoder} inline worker\n`)
  })
}

test('the plain decoder: every test of the surface passes on it, too', async () => {
  const files = SURFACE.map((name) => fileURLToPath(new URL(`${name}.test.js`, import.meta.url)))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const plain = { ...env, MILLRACE_DECODER: 'plain', MILLRACE_STREAMS: '2000' }
  const options = { env: plain, maxBuffer: 64 * 1024 * 1024 }
  const { stdout } = await run(
    process.execPath,
    ['--test', '--test-reporter=tap', ...files],
    options,
  )
    // What failed is in what it printed.
    .catch((error: { stdout: string }) => error)
  const failures = stdout.match(/^ *not ok .*$/gm) ?? []
  assert.deepEqual(failures, [])
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 300, stdout.slice(-500))
})
