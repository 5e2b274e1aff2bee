/**
 * The least that a worker can do: see how many were sent, say that many came, and ring.
 *
 * The same waits and wakes as a channel's, over the same words, with nothing in between. What a
 * token takes longer than this is what decoding and delivering it takes.
 */
import { workerData, type MessagePort } from 'node:worker_threads'
import { load, store } from '#atomics'
import { BATCH, CHUNK_TAIL, CHUNK_TAIL_CLOSED } from '../src/shared/channel-layout.ts'
import { doorbellNeeded, workOrWait } from '../src/shared/wait-strategy.ts'

/** Its CHUNK_TAIL counts what was sent, its BATCH what was echoed. */
export interface EchoTask {
  readonly words: Int32Array
  readonly doorbell: MessagePort
}

const { words, doorbell } = workerData as EchoTask

while (load(words, CHUNK_TAIL_CLOSED) === 0) workOrWait(words, echo)
doorbell.close()

function echo(): boolean {
  const sent = load(words, CHUNK_TAIL)
  if (sent === load(words, BATCH)) return false
  store(words, BATCH, sent)
  if (doorbellNeeded(words)) doorbell.postMessage(0)
  return true
}
