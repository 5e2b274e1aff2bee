import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMillrace } from '../src/main/index.ts'
import { LATENCY_EVERY, LatencyProbe, LatencySamples } from '../src/main/latency.ts'
import { delta } from './chat-bytes.ts'
import { brief } from './reading.ts'

test('latency: percentiles are of the samples that were taken', () => {
  const samples = new LatencySamples()
  assert.equal(samples.snapshot(), null)
  samples.add(7)
  assert.deepEqual(samples.snapshot(), { samples: 1, p50: 7, p99: 7, max: 7 })
  for (let ms = 1000; ms > 0; ms--) samples.add(ms)
  assert.deepEqual(samples.snapshot(), { samples: 1001, p50: 500, p99: 990, max: 1000 })
})

test('latency: the last samples are kept, not the first', () => {
  const samples = new LatencySamples()
  for (let ms = 1; ms <= 10_000; ms++) samples.add(ms)
  const { samples: kept, max, p50 } = samples.snapshot()!
  assert.deepEqual([kept, max], [4096, 10_000])
  assert.ok(p50 > 10_000 - 4096)
})

for (const placement of ['inline', 'worker'] as const) {
  test(`stats: ${placement}, one chunk in sixteen is timed, from the first`, async () => {
    const mill = await createMillrace()
    assert.equal((await mill.stats()).latencyMs, null)
    const stream = mill.open({ dialect: 'openai-chat', placement })
    const events = stream[Symbol.asyncIterator]()
    for (let chunk = 0; chunk <= 2 * LATENCY_EVERY; chunk++) {
      stream.write(delta(`${chunk}`))
      assert.equal(brief((await events.next()).value), `${chunk}`)
    }
    const { samples, p50, p99, max } = (await mill.stats()).latencyMs!
    assert.equal(samples, 3)
    assert.ok(p50 > 0 && p50 <= p99 && p99 <= max)
    await mill.close()
  })
}

test('latency: neither a chunk that has to wait nor one behind one that is timed is timed', () => {
  const samples = new LatencySamples()
  const probe = new LatencyProbe(samples)
  probe.wrote(100, false)
  probe.received(100)
  assert.equal(samples.snapshot(), null)
  for (let chunk = 1; chunk <= 2 * LATENCY_EVERY; chunk++) probe.wrote(10, true)
  probe.received(2 * LATENCY_EVERY * 10)
  assert.equal(samples.snapshot()?.samples, 1)
})
