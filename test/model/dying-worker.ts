/**
 * The worker, where it may die of more than a test could do to it from outside. Its thread decides
 * by its id and `MILLRACE_SEED` when and how; `MILLRACE_DYING` says of what:
 *
 *     atomics   instead of some atomic operation
 *     poison    of bytes that hold the word, whenever they are decoded
 *     hang      it does not die, and does nothing else either
 */
import { threadId } from 'node:worker_threads'
import { BATCH } from '../../src/shared/channel-layout.ts'
import type { ChannelTask } from '../../src/shared/control-protocol.ts'
import { WasmStreams } from '../../src/shared/decoder/wasm-streams.ts'
import { decodeChannel as decode } from '../../src/workers/decode-worker.ts'
import { randomFrom } from './random.ts'
import { POISON } from '../poison.ts'

const { MILLRACE_DYING: dying, MILLRACE_SEED: seed } = process.env
const random = randomFrom(Math.imul(Number(seed) + threadId, 0x9e3779b1))
for (let skipped = 0; skipped < 8; skipped++) random()

const DEATHS: readonly (() => void)[] = [
  () => process.exit(7),
  () => {
    throw new Error('a task that fails, in a thread that goes on')
  },
  () => {
    // Nobody catches it, but only a thread whose event loop turns finds out.
    setImmediate(() => {
      throw new Error('an error that nobody catches')
    })
    throw new Error('a task that fails, in a thread that does not go on')
  },
]

function die(): void {
  DEATHS[(random() >>> 8) % (mayTakeNext ? DEATHS.length : DEATHS.length - 1)]!()
}

export function decodeChannel(task: ChannelTask): Promise<void> {
  if (dying === 'hang') for (;;);
  // Some hundreds of them are a worker's start, and a batch takes some ten.
  left = 300 + ((random() >>> 8) % 4000)
  // One that has nothing to do spends its life on looking for work, and where five in a row die
  // like that, main gives the channel up: every fourth lives until it has published something.
  mayDie = task.ticket % 4 !== 0
  // Tickets count down; a thread that does not go on may take the next task with it.
  mayTakeNext = (task.ticket - 1) % 4 !== 0
  return decode(task)
}

/** Atomic operations until death. */
let left = Infinity
let mayDie = true
let mayTakeNext = true

if (dying === 'atomics') {
  for (const name of ['load', 'store', 'exchange'] as const) {
    const operation = Atomics[name] as (...values: unknown[]) => unknown
    Object.defineProperty(Atomics, name, {
      configurable: true,
      value: (...values: unknown[]): unknown => {
        if (--left <= 0 && mayDie) {
          left = Infinity
          die()
        }
        if (name === 'store' && values[1] === BATCH) mayDie = true
        return operation(...values)
      },
    })
  }
}

if (dying === 'poison') {
  const { prototype } = WasmStreams
  const decodeStream = prototype.decode
  prototype.decode = function (this: WasmStreams, row, state, at, byteLength): number {
    if (Buffer.from(this.views.bytes.slice(at, at + byteLength)).includes(POISON)) die()
    return decodeStream.call(this, row, state, at, byteLength)
  }
}
