import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { SilenceTimer } from '../src/main/silence-timer.ts'
import { createMillrace, type TokenEvent } from '../src/main/index.ts'
import { chat, delta, FINISH, hanging } from './chat-bytes.ts'
import { collect, collectUntilFailure } from './reading.ts'

const TIMEOUT_MS = 20

/** Keeps the event loop from turning. */
function standStill(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('silence timer: calls back once', async () => {
  let calls = 0
  await new Promise<void>((resolve) => {
    const timer = new SilenceTimer(TIMEOUT_MS, () => {
      calls++
      resolve()
    })
    timer.restart()
  })
  standStill(TIMEOUT_MS * 2)
  for (let turns = 0; turns < 4; turns++) await turn()
  assert.equal(calls, 1)
})

test('silence timer: 0 is no limit', async () => {
  new SilenceTimer(0, () => assert.fail('called back')).restart()
  standStill(TIMEOUT_MS)
  for (let turns = 0; turns < 4; turns++) await turn()
})

for (const [what, act] of [
  ['ends the silence', (timer: SilenceTimer) => timer.restart()],
  ['stops the timer', (timer: SilenceTimer) => timer.stop()],
] as const) {
  test(`silence timer: what came while the loop stood still ${what}`, async () => {
    const { port1, port2 } = new MessageChannel()
    const timer = new SilenceTimer(TIMEOUT_MS, () => assert.fail('called back'))
    const came = new Promise<void>((resolve) => {
      port1.once('message', () => {
        act(timer)
        resolve()
      })
    })
    timer.restart()
    port2.postMessage('bytes')
    standStill(TIMEOUT_MS * 2)
    await came
    await turn()
    timer.stop()
    port1.close()
  })
}

for (const placement of ['worker', 'inline'] as const) {
  test(`timeout: bytes that came while the loop stood still are read, ${placement}`, async () => {
    const { port1, port2 } = new MessageChannel()
    const mill = await createMillrace({ workers: 1 })
    const source = async function* (): AsyncGenerator<string> {
      yield delta('a')
      const came = new Promise((resolve) => port1.once('message', resolve))
      setImmediate(() => {
        port2.postMessage('bytes')
        standStill(TIMEOUT_MS * 3)
      })
      await came
      yield chat('b')
    }
    const message = await mill.decode(source(), { timeout: TIMEOUT_MS, placement }).final()
    assert.equal(message.text[0], 'ab')
    port1.close()
    await mill.close()
  })
}

const TOOL_CALL =
  'data: {"choices":[{"delta":' +
  '{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]}}]}\n\n'

test('timeout: silence after a finish reason is the end, and ends open calls', async () => {
  const mill = await createMillrace({ workers: 1 })
  for (const placement of ['worker', 'inline'] as const) {
    const { source, cancelled } = hanging(TOOL_CALL, FINISH)
    const options = { dialect: 'openai-chat', timeout: TIMEOUT_MS, placement }
    const events: readonly TokenEvent[] = await collect(mill.decode(source, options))
    assert.deepEqual(
      events.map(({ type }) => type),
      ['tool-input-start', 'finish', 'tool-input-end'],
    )
    await cancelled
  }
  await mill.close()
})

test('timeout: silence before the end that a dialect has, or with none, is no end', async () => {
  const mill = await createMillrace({ workers: 1 })
  for (const [dialect, body] of [
    ['anthropic', 'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'],
    ['text', 'data: {"text":"a"}\n\n'],
  ] as const) {
    const { source } = hanging(body)
    const stream = mill.decode(source, { dialect, timeout: TIMEOUT_MS })
    const { events, error } = await collectUntilFailure(stream)
    assert.deepEqual([events.length, error.code], [1, 'TIMEOUT'])
  }
  await mill.close()
})

test('timeout: a source that fails after a finish reason may have had more to say', async () => {
  const mill = await createMillrace({ workers: 1 })
  const source = async function* (): AsyncGenerator<string> {
    yield FINISH
    throw new Error('reset')
  }
  const { error } = await collectUntilFailure(mill.decode(source(), { dialect: 'openai-chat' }))
  assert.equal(error.code, 'SOURCE_FAILED')
  await mill.close()
})

test('durationMax: no timer keeps a stream that is over', async (t) => {
  const started = t.mock.method(globalThis, 'setTimeout')
  const cleared = t.mock.method(globalThis, 'clearTimeout')
  const mill = await createMillrace()
  await mill.decode(chat('a'), { durationMax: 123_456, placement: 'inline' }).final()
  await mill.close()
  const own = started.mock.calls.filter(({ arguments: [, ms] }) => ms === 123_456)
  assert.equal(own.length, 1)
  assert.ok(cleared.mock.calls.some(({ arguments: [timer] }) => timer === own[0]!.result))
})
