/** One run of the worker's task on a channel's memory: from its start until nobody uses that. */
import { once } from 'node:events'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { add, compareExchange, load, store } from '#atomics'
import { ATTACHED, type ChannelMemory, CONTROL_COUNT } from '../shared/channel-layout.ts'
import {
  type ChannelConfig,
  type ChannelTask,
  DECODE_TASK_NAME,
} from '../shared/control-protocol.ts'
import type { MillraceError } from '../shared/errors.ts'
import { ringBell } from '../shared/wait-strategy.ts'
import { ControlClient } from './control-client.ts'

/** In ATTACHED, of tasks that have not begun: all differ, and from the ids of threads. */
let lastTicket = 0

export class ChannelRun {
  readonly control: ControlClient
  /** Settles as the task does. */
  readonly task: Promise<void>
  readonly #words: Int32Array
  readonly #doorbell: MessagePort
  readonly #ticket = --lastTicket
  readonly #abort = new AbortController()
  /** Those that may have been given the task, by id. */
  readonly #threads: ReadonlyMap<number, Worker>
  #isOver = false

  /** @param onDoorbell - The worker has published something. */
  constructor(
    pool: Piscina,
    { buffer, memory }: ChannelMemory,
    module: WebAssembly.Module | null,
    onDoorbell: () => void,
  ) {
    const control = new MessageChannel()
    const doorbell = new MessageChannel()
    const words = new Int32Array(buffer)
    this.#words = words
    this.control = new ControlClient(control.port1, () => this.#announceControl())
    this.#doorbell = doorbell.port1
    this.#doorbell.on('message', onDoorbell)
    store(words, ATTACHED, this.#ticket)
    const task: ChannelTask = {
      buffer,
      memory,
      ticket: this.#ticket,
      controlPort: control.port2,
      module,
      controlCount: load(words, CONTROL_COUNT),
      doorbellPort: doorbell.port2,
    }
    const transferList = [control.port2, doorbell.port2]
    const { signal } = this.#abort
    const over = (): void => void (this.#isOver = true)
    this.task = pool.run(task, { name: DECODE_TASK_NAME, transferList, signal })
    this.task.then(over, over)
    this.#threads = new Map(pool.threads.map((thread) => [thread.threadId, thread]))
  }

  configure(config: ChannelConfig): Promise<void> {
    return this.control.call('configure', (remote) => remote.configure(config))
  }

  /** Hears nothing more of the worker, nor does anybody wait for its answers. */
  close(error: MillraceError): void {
    this.control.close(error)
    this.#doorbell.close()
  }

  /** Ends the task if it runs. Resolves once it can no longer write to the memory. */
  async gone(): Promise<void> {
    const words = this.#words
    // A thread that is hung or has failed; where the task only waits for one, it waits no longer.
    if (!this.#isOver) this.#abort.abort()
    // Where the ticket still lies there the task has not begun, and cannot any more.
    const attached = compareExchange(words, ATTACHED, this.#ticket, 0)
    const thread = this.#threads.get(attached)
    // piscina tells of a death before the thread has ended. Its id is gone once it has.
    if (thread?.threadId === attached) await once(thread, 'exit')
    store(words, ATTACHED, 0)
  }

  // After a post: the worker, parked or not, yields to its event loop when it sees the count move.
  #announceControl(): void {
    add(this.#words, CONTROL_COUNT, 1)
    ringBell(this.#words)
  }
}
