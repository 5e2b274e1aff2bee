/** What latency is measured of: tokens go in by number, and come out by number. */
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { load, store } from '#atomics'
import { createMillrace } from '../src/main/index.ts'
import {
  BATCH,
  CHUNK_TAIL,
  CHUNK_TAIL_CLOSED,
  CONTROL_BYTES,
} from '../src/shared/channel-layout.ts'
import { answerDoorbell, ringBell } from '../src/shared/wait-strategy.ts'
import type { EchoTask } from './echo-worker.ts'
import { makeFixture } from './fixtures.ts'
import { CHAT_EVENT_BYTES } from './fixtures/chat.ts'

/** A way through, open for any number of measurements. */
export interface Pipe {
  readonly traffic: Traffic
  /** Sends the next token; a promise where there was no room and it must be waited for. */
  send(): Promise<void> | void
  close(): Promise<void>
}

/** Counts of one pipe's tokens. */
export class Traffic {
  sent = 0
  delivered = 0
  /** Called once a token, with its number: how many were sent before it. */
  onDelivered: (token: number) => void = () => {}
  #whenEmpty: (() => void) | null = null

  deliver(token: number): void {
    this.delivered++
    this.onDelivered(token)
    if (this.delivered === this.sent) this.#whenEmpty?.()
  }

  /** Resolves when all that was sent has been delivered. */
  async empty(): Promise<void> {
    if (this.delivered < this.sent) await new Promise<void>((empty) => (this.#whenEmpty = empty))
  }
}

/** Events that the streams send in turns. */
const EVENTS = 1000

/** One worker, one event a chunk, tokens dealt out to the streams in turn. */
export async function millracePipe(count: number): Promise<Pipe> {
  const size = { events: EVENTS, chunkBytes: CHAT_EVENT_BYTES }
  const { dialect, body, tail, tokens } = makeFixture('chat', size)
  const traffic = new Traffic()
  const mill = await createMillrace({ workers: 1 })
  const streams = Array.from({ length: count }, () => mill.open({ dialect, accumulate: false }))
  const consumed = streams.map(async (stream, index) => {
    let next = index
    for await (const batch of stream.batches()) {
      for (let at = 0; at < batch.length; at++) {
        if (batch.type(at) !== 'text-delta') continue
        const text = batch.text(at)
        const due = tokens[next % EVENTS]
        if (text !== due) throw new Error(`token ${next} is ${text}, not ${due}`)
        traffic.deliver(next)
        next += count
      }
    }
  })
  return {
    traffic,
    send() {
      const number = traffic.sent++
      const stream = streams[number % count]!
      return stream.write(body[number % EVENTS]!) ? undefined : stream.drained()
    },
    async close() {
      for (const stream of streams) {
        await stream.drained()
        stream.write(tail)
        stream.end()
      }
      await Promise.all(consumed)
      await mill.close()
    },
  }
}

/** The control: a worker that echoes a count through the same wake-ups. */
export async function echoPipe(): Promise<Pipe> {
  const traffic = new Traffic()
  const words = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES))
  const { port1, port2 } = new MessageChannel()
  const workerData: EchoTask = { words, doorbell: port2 }
  const url = new URL('./echo-worker.js', import.meta.url)
  const worker = new Worker(url, { workerData, transferList: [port2] })
  await once(worker, 'online')
  port1.on('message', () => {
    answerDoorbell(words, () => {
      const echoed = load(words, BATCH)
      while (traffic.delivered < echoed) traffic.deliver(traffic.delivered)
    })
  })
  return {
    traffic,
    send() {
      store(words, CHUNK_TAIL, ++traffic.sent)
      ringBell(words)
    },
    async close() {
      await traffic.empty()
      store(words, CHUNK_TAIL_CLOSED, 1)
      ringBell(words)
      port1.close()
      await once(worker, 'exit')
    },
  }
}
