/**
 * Main's end of the control plane: comlink over one MessagePort, with every call bounded.
 *
 * The worker may be parked in Atomics.wait and hear no message, so each post also moves a shared
 * word and rings the bell; the worker then gives its event loop one turn.
 */
import { releaseProxy, wrap, type Endpoint, type Remote } from 'comlink'
import type { MessagePort } from 'node:worker_threads'
import { MillraceError } from '../shared/errors.ts'
import { CALL_MS_MAX } from '../shared/limits.ts'
import type { WorkerControl } from '../shared/control-protocol.ts'

export class ControlClient {
  readonly #port: MessagePort
  readonly #bell: Bell
  readonly #remote: Remote<WorkerControl>
  /** Rejects when the worker has gone; comlink's own promises would stay pending. */
  readonly #death: Promise<never>
  #die: (error: MillraceError) => void = () => {}

  /** @param announce - Tells the worker, after a post, that its port holds a message. */
  constructor(port: MessagePort, announce: () => void) {
    this.#port = port
    this.#bell = { announce }
    this.#remote = wrap<WorkerControl>(announcing(port, this.#bell))
    this.#death = new Promise((_, reject) => (this.#die = reject))
    this.#death.catch(() => {})
  }

  /** @throws {MillraceError} `CONTROL_TIMEOUT`, or what {@link close} was given. */
  call<T>(
    name: keyof WorkerControl,
    invoke: (remote: Remote<WorkerControl>) => Promise<T>,
  ): Promise<T> {
    let timer: NodeJS.Timeout
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const message = `the worker did not answer ${name}() within ${CALL_MS_MAX} ms`
        reject(
          new MillraceError('CONTROL_TIMEOUT', message, { call: name, timeoutMs: CALL_MS_MAX }),
        )
      }, CALL_MS_MAX)
    })
    return Promise.race([invoke(this.#remote), this.#death, timeout]).finally(() => {
      clearTimeout(timer)
    })
  }

  /** Rejects what is pending and lets the port go. */
  close(error: MillraceError): void {
    this.#die(error)
    // comlink keeps an endpoint until its proxy is released, and says farewell on the port, which
    // must ring no bell: it may be another task's by now.
    this.#bell.announce = () => {}
    this.#remote[releaseProxy]()
    this.#port.close()
  }
}

/** Tells the worker that its port holds a message, as long as it is this client's worker. */
interface Bell {
  announce: () => void
}

function announcing(port: MessagePort, bell: Bell): Endpoint {
  // Node's MessagePort is an EventTarget; only its listener types differ from the DOM's.
  const target = port as unknown as Endpoint
  return {
    addEventListener: (type, listener, options) => target.addEventListener(type, listener, options),
    removeEventListener: (type, listener, options) =>
      target.removeEventListener(type, listener, options),
    postMessage(message, transfer) {
      target.postMessage(message, transfer ?? [])
      bell.announce()
    },
    start: () => port.start(),
  }
}
