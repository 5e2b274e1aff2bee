/**
 * The worker's entry: serves one channel for the length of a piscina task.
 *
 * Duty cycle: read frames, decode, write records, publish once, ring main's doorbell; without work,
 * spin, then park on the bell. The loop blocks its own event loop while it works or waits, so
 * comlink's port is heard only where the loop yields: when the control word says that it should.
 */
import { threadId } from 'node:worker_threads'
import { expose, type Endpoint } from 'comlink'
import { compareExchange, load, store } from '#atomics'
import { attachWorker, viewsOf } from '../shared/channel-ends.ts'
import { ATTACHED, CARRY, CARRY_BYTES, CONTROL_COUNT } from '../shared/channel-layout.ts'
import type {
  ChannelConfig,
  ChannelTask,
  WorkerControl,
  WorkerStats,
} from '../shared/control-protocol.ts'
import { WasmStreams } from '../shared/decoder/wasm-streams.ts'
import { workOrWait } from '../shared/wait-strategy.ts'
import { ChannelServer, type ServerStats } from './channel-server.ts'
import { collectionCount } from './collection-count.ts'
import { HeapStreams } from './heap-streams.ts'

/** Serves the channel until `shutdown()` and no stream is open. Run by piscina, by name. */
export async function decodeChannel(task: ChannelTask): Promise<void> {
  const { words } = viewsOf(task.buffer)
  // Main may have given the task up by now, and handed the memory to another.
  if (compareExchange(words, ATTACHED, task.ticket, threadId) !== task.ticket) return
  try {
    await serve(task, words)
  } finally {
    // Where the task fails and its thread does not end, main need not wait for that.
    store(words, ATTACHED, 0)
  }
}

async function serve(task: ChannelTask, words: Int32Array): Promise<void> {
  const control = new Control()
  expose(control.api, task.controlPort as unknown as Endpoint)
  let received = task.controlCount
  task.controlPort.on('message', () => (received = (received + 1) | 0))
  let controlWaits = false
  const work = (): boolean => {
    controlWaits = load(words, CONTROL_COUNT) !== received
    return controlWaits || (control.server?.turn() ?? false)
  }
  for (;;) {
    workOrWait(words, work)
    if (!controlWaits) continue
    // Some turns, maybe: a message that was posted need not have reached this thread yet.
    await eventLoopTurn()
    if (control.server === null && control.config !== null) {
      control.server = startServer(task, control.config)
    }
    if (control.stopping && (control.server?.idle ?? true)) break
  }
  // Lets comlink's answer to shutdown() leave before the port closes.
  await eventLoopTurn()
  task.controlPort.close()
  task.doorbellPort.close()
}

function startServer(task: ChannelTask, { leaseBytesMax }: ChannelConfig): ChannelServer {
  const { buffer, memory, module, doorbellPort } = task
  const end = attachWorker(viewsOf(buffer))
  const isInPlace = memory !== null && module !== null
  const region = isInPlace ? NO_REGION : end.bytes.subarray(CARRY, CARRY + CARRY_BYTES)
  const heap = new HeapStreams(end, region, leaseBytesMax)
  const decoder = isInPlace ? new WasmStreams(end, memory, module, leaseBytesMax, heap) : heap
  return new ChannelServer(end, decoder, () => doorbellPort.postMessage(0))
}

/** The carry region is the WASM decoder's then. */
const NO_REGION = new Uint8Array(0)

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The comlink interface, and what it left for the loop to act on. */
class Control {
  config: ChannelConfig | null = null
  stopping = false
  server: ChannelServer | null = null
  readonly api: WorkerControl = {
    configure: (config: ChannelConfig): void => {
      this.config = config
    },
    stats: (): WorkerStats => ({
      ...(this.server?.stats() ?? NO_STATS),
      collections: collectionCount(),
    }),
    shutdown: (): void => {
      this.stopping = true
    },
  }
}

const NO_STATS: ServerStats = {
  streamsOpen: 0,
  frames: 0,
  batches: 0,
  recordRingFull: 0,
  slabBytes: 0,
  leasedBytes: 0,
  templateHits: 0,
  templateMisses: 0,
}
