/** What lies in the chunk ring stays there until it is decoded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMillrace } from '../src/main/index.ts'
import { DONE } from './chat-bytes.ts'

test('worker: a frame in hand is not written over while main leaves records unread', async () => {
  // Small events of many streams in turns: their records fill the record ring while their frames
  // leave room in the chunk ring, and this loop reads nothing until both are full.
  const mill = await createMillrace({ workers: 1 })
  const streams = Array.from({ length: 200 }, () =>
    mill.open({ dialect: 'openai-chat', accumulate: false, windowBytes: 2 ** 20 }),
  )
  const received = streams.map(async (stream) => {
    const texts: string[] = []
    for await (const text of stream.textStream) texts.push(text)
    return texts
  })
  const turns = 300
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, stream] of streams.entries()) {
      // Small, or the chunk ring would be full before the record ring.
      const event = `data: {"choices":[{"delta":{"content":"${index}:${turn};"}}]}\n\n`
      if (!stream.write(event)) await stream.drained()
    }
  }
  const { workers } = await mill.stats()
  assert.ok(workers[0]!.recordRingFull > 0, 'the record ring was never full')
  for (const stream of streams) {
    stream.write(DONE)
    stream.end()
  }
  for (const [index, texts] of (await Promise.all(received)).entries()) {
    assert.deepEqual(
      texts,
      Array.from({ length: turns }, (_, turn) => `${index}:${turn};`),
    )
  }
  await mill.close()
})
