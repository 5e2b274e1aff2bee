import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { CHUNK_TAIL } from '../src/shared/channel-layout.ts'
import { CONTROL_BYTES, HEAD, type StressReport, type StressTask } from './ring-stress-worker.ts'

const RECORDS = Number(process.env['MILLRACE_STRESS_RECORDS'] ?? 300_000)
const SEED = Number(process.env['MILLRACE_STRESS_SEED'] ?? Date.now() & 0x7fffffff)
const REPLAY = `MILLRACE_STRESS_RECORDS=${RECORDS} MILLRACE_STRESS_SEED=${SEED} npm test`
/** A hang is a failure; a slow machine is not. */
const TIMEOUT_MS = 60_000 + RECORDS

/** A position some records before 2^32, so that every run passes it. */
const START = -4096

for (const capacityBytes of [64, 1024, 65_536]) {
  const name = `two threads: any records cross a ring of ${capacityBytes} bytes whole and in order`
  test(name, { timeout: TIMEOUT_MS }, async (t) => {
    t.diagnostic(`replay: ${REPLAY}`)
    const channel = new SharedArrayBuffer(CONTROL_BYTES + capacityBytes)
    const back = new SharedArrayBuffer(CONTROL_BYTES)
    const words = new Int32Array(channel)
    words[CHUNK_TAIL] = START
    words[HEAD] = START
    const task = { records: RECORDS, seed: SEED, capacityBytes, channel, back }
    const producer = start({ ...task, role: 'producer' })
    const consumer = start({ ...task, role: 'consumer' })
    // However it ends, even with one thread dead: the other would wait for it for ever.
    t.after(() => Promise.all([producer.terminate(), consumer.terminate()]))
    const [sent, received] = await Promise.all([reportOf(producer), reportOf(consumer)])
    const timeouts = sent.timeouts + received.timeouts
    t.diagnostic(`${received.records} records, ${timeouts} safety timeouts`)
    assert.equal(received.records, RECORDS)
    assert.equal(received.checksum, sent.checksum)
  })
}

function start(workerData: StressTask): Worker {
  return new Worker(new URL('./ring-stress-worker.js', import.meta.url), { workerData })
}

async function reportOf(worker: Worker): Promise<StressReport> {
  const [report] = (await once(worker, 'message')) as [StressReport]
  return report
}
