/**
 * The worker's entry: serves one channel for the length of a piscina task.
 *
 * Duty cycle: read frames, decode, write records, publish once, ring main's doorbell; without work,
 * spin, then park on the bell. The loop blocks its own event loop while it works or waits, so
 * comlink's port is heard only where the loop yields: when the control word says that it should.
 */
import { expose, type Endpoint } from 'comlink'
import type {
  ChannelConfig,
  ChannelTask,
  WorkerControl,
  WorkerStats,
} from '../shared/control-protocol.ts'
import { load } from '#atomics'
import { attachWorker, CONTROL_COUNT } from '../shared/channel-layout.ts'
import { createEngine } from '../shared/decoder/create-decoder.ts'
import type { WasmEngine } from '../shared/decoder/wasm-engine.ts'
import { workOrWait } from '../shared/wait-strategy.ts'
import { ChannelServer } from './channel-server.ts'

/** This thread's engine, kept from task to task. */
let engine: WasmEngine | null = null

/** Serves the channel until `shutdown()` and no stream is open. Run by piscina, by name. */
export async function decodeChannel(task: ChannelTask): Promise<void> {
  try {
    await serve(task)
  } catch (error) {
    // What threw may have left the engine's memory in pieces; the next task gets a new one.
    engine = null
    throw error
  }
}

async function serve(task: ChannelTask): Promise<void> {
  const end = attachWorker(task.buffer)
  const control = new Control()
  expose(control.api, task.controlPort as unknown as Endpoint)
  engine ??= createEngine(task.module)
  let received = task.controlCount
  task.controlPort.on('message', () => (received = (received + 1) | 0))
  let controlWaits = false
  const work = (): boolean => {
    controlWaits = load(end.words, CONTROL_COUNT) !== received
    return controlWaits || (control.server?.turn() ?? false)
  }
  for (;;) {
    workOrWait(end.words, work)
    if (!controlWaits) continue
    // Some turns, maybe: a message that was posted need not have reached this thread yet.
    await eventLoopTurn()
    if (control.server === null && control.config !== null) {
      control.server = new ChannelServer(end, task.doorbellPort, control.config, engine)
    }
    if (control.stopping && (control.server?.idle ?? true)) break
  }
  // Lets comlink's answer to shutdown() leave before the port closes.
  await eventLoopTurn()
  task.controlPort.close()
  task.doorbellPort.close()
}

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
    stats: (): WorkerStats => this.server?.stats() ?? NO_STATS,
    shutdown: (): void => {
      this.stopping = true
    },
  }
}

const NO_STATS: WorkerStats = {
  streamsOpen: 0,
  frames: 0,
  batches: 0,
  recordRingFull: 0,
  slabBytes: 0,
  leasedBytes: 0,
  decoderBytes: 0,
  collections: 0,
}
