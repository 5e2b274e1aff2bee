/**
 * Small programs of two threads, main and worker, on the production code. Each ends when all that
 * it expects has arrived, so a lost wake-up is a deadlock.
 *
 * A ring has 64 bytes and messages take 16, so a few of them meet padding, the wrap and fullness.
 * Positions start where a test of this size would never get to: just before 2^31 and 2^32.
 */
import assert from 'node:assert/strict'
import {
  CHUNK_SPACE_WANTED,
  MAIN_NOTIFIED,
  RECORD_SPACE_WANTED,
} from '../../src/shared/channel-layout.ts'
import { load } from './atomics.ts'
import type { Context, Scenario } from './scenario.ts'
import type { Code } from './code.ts'
import {
  CHUNKS,
  drainer,
  fillFrom,
  PAYLOAD_BYTES,
  PORT,
  post,
  readAll,
  readCurrent,
  receiver,
  RECORDS,
  sender,
  serve,
  startAt,
  TYPE,
  WORD_COUNT,
  write,
} from './ends.ts'

/**
 * From 8 on, padding is due when three messages already lie there and it no longer fits; from 40
 * on, after the first. The last two pass 2^31 and 2^32, which are multiples of the ring.
 */
const STARTS = [0, 8, 40, 2 ** 31 - 24, 2 ** 32 - 56]

export function scenariosOf(code: Code): Scenario[] {
  return [
    ...STARTS.flatMap((start) => [
      transfer(code, { start, messages: 4, batch: 1 }),
      transfer(code, { start, messages: 5, batch: 2 }),
      transfer(code, { start, messages: 5, batch: 5 }),
    ]),
    transfer(code, { start: 0, messages: 3, batch: 1, aborts: true }),
    transfer(code, { start: 40, messages: 4, batch: 2, aborts: true }),
    ...[0, 1, 2].map((messages) => mainCloses(code, messages)),
    ...[0, 1, 2].map((messages) => workerCloses(code, messages)),
    bell(code, 3, 0),
    bell(code, 2, 1),
    doorbell(code, 3),
    chunkSpace(code, 2),
    recordSpace(code, 2),
    echo(code, 2),
  ]
}

interface Transfer {
  readonly start: number
  readonly messages: number
  /** Messages per publication. */
  readonly batch: number
  /** Before each message another is claimed, written and aborted. */
  readonly aborts?: boolean
}

/** The ring alone: each side waits for the other's position to move. */
function transfer(code: Code, { start, messages, batch, aborts = false }: Transfer): Scenario {
  const producer = ({ words, until }: Context) => {
    const chunks = new code.ring.Producer(words, CHUNKS)
    const claim = () => {
      let at = chunks.claim(TYPE, PAYLOAD_BYTES)
      while (at === code.ring.BACKPRESSURED) {
        chunks.publish()
        const head = load(words, CHUNKS.head)
        at = chunks.claim(TYPE, PAYLOAD_BYTES)
        if (at === code.ring.BACKPRESSURED) until(CHUNKS.head, head)
      }
      return at
    }
    return () => {
      for (let message = 1; message <= messages; message++) {
        if (aborts) {
          write(words, claim(), -1)
          chunks.abort()
        }
        write(words, claim(), message)
        chunks.commit()
        if (message % batch === 0) chunks.publish()
      }
      chunks.publish()
    }
  }
  const consumer = ({ words, until }: Context) => {
    const chunks = new code.ring.Consumer(words, CHUNKS)
    return () => {
      let received = 0
      while (received < messages) {
        const tail = load(words, CHUNKS.tail)
        const before = received
        received = readAll(words, chunks, received)
        chunks.release()
        if (received === before) until(CHUNKS.tail, tail)
      }
      return received
    }
  }
  const suffix = aborts ? ', an abort before each' : ''
  return {
    name: `transfer: ${messages} messages, batches of ${batch}, from ${start}${suffix}`,
    wordCount: WORD_COUNT,
    initial: startAt(CHUNKS, start),
    threads: [producer, consumer],
    check: ([, received]) => assert.equal(received, messages),
  }
}

/**
 * Main sends, then closes with the last message unpublished and a claim open; the worker ends when
 * drained.
 */
function mainCloses(code: Code, messages: number): Scenario {
  const main = ({ words }: Context) => {
    const chunks = new code.ring.Producer(words, CHUNKS)
    return () => {
      for (let message = 1; message <= messages; message++) {
        write(words, chunks.claim(TYPE, PAYLOAD_BYTES), message)
        chunks.commit()
        if (message < messages) chunks.publish()
        code.wait.ringBell(words)
      }
      write(words, chunks.claim(TYPE, PAYLOAD_BYTES), -1)
      chunks.close()
      code.wait.ringBell(words)
      return chunks.claim(TYPE, 0)
    }
  }
  const worker = ({ words }: Context) => {
    const chunks = new code.ring.Consumer(words, CHUNKS)
    return () => {
      let received = 0
      let ended = false
      const work = () => {
        const before = received
        received = readAll(words, chunks, received)
        ended = chunks.drained
        return ended || received > before
      }
      serve(code, words, work, () => ended)
      return received
    }
  }
  return {
    name: `close: by main after ${messages} messages`,
    wordCount: WORD_COUNT,
    initial: startAt(CHUNKS, 40),
    threads: [main, worker],
    check: (results) => assert.deepEqual(results, [code.ring.CLOSED, messages]),
  }
}

/** The worker reads a few and closes; main sends until told so, waiting where there is no room. */
function workerCloses(code: Code, messages: number): Scenario {
  const worker = ({ words }: Context) => {
    const chunks = new code.ring.Consumer(words, CHUNKS)
    return () => {
      let received = 0
      const work = () => {
        if (!chunks.next()) return false
        received = readCurrent(words, chunks, received)
        if (code.wait.releaseAsked(words, CHUNK_SPACE_WANTED, chunks)) post(code, words)
        return true
      }
      serve(code, words, work, () => received === messages)
      chunks.close()
      post(code, words)
      return received
    }
  }
  const prefilled = 2
  return {
    name: `close: by the worker after ${messages} messages`,
    wordCount: WORD_COUNT,
    initial: fillFrom(CHUNKS, 0, prefilled),
    threads: [sender(code, prefilled, Infinity), worker],
    check: ([sent, received]) => {
      assert.equal(sent, code.ring.CLOSED)
      assert.equal(received, messages)
    },
  }
}

/** Main publishes and rings; the worker parks when there is nothing. */
function bell(code: Code, messages: number, spinChecks: number): Scenario {
  return {
    name: `bell: ${messages} messages, ${spinChecks} spins before parking`,
    wordCount: WORD_COUNT,
    initial: [],
    threads: [sender(code, 0, messages), receiver(code, messages, spinChecks)],
    check: (results) => assert.deepEqual(results, [0, messages]),
  }
}

/** The worker publishes and posts only where none is under way; main drains on each. */
function doorbell(code: Code, messages: number): Scenario {
  const worker = ({ words }: Context) => {
    const records = new code.ring.Producer(words, RECORDS)
    return () => {
      for (let message = 1; message <= messages; message++) {
        write(words, records.claim(TYPE, PAYLOAD_BYTES), message)
        records.commit()
        records.publish()
        post(code, words)
      }
    }
  }
  return {
    name: `doorbell: ${messages} messages`,
    wordCount: WORD_COUNT,
    initial: [],
    threads: [drainer(code, messages), worker],
    check: ([received]) => assert.equal(received, messages),
  }
}

/** Main fills the chunk ring and waits to be told of room. */
function chunkSpace(code: Code, messages: number): Scenario {
  const prefilled = 3
  const total = prefilled + messages
  return {
    name: `space wanted: ${messages} chunks into a ring with room for one`,
    wordCount: WORD_COUNT,
    initial: fillFrom(CHUNKS, 0, prefilled),
    threads: [sender(code, prefilled, total), receiver(code, total, 0)],
    check: (results) => assert.deepEqual(results, [0, total]),
  }
}

/** The worker fills the record ring and parks until main has made room. */
function recordSpace(code: Code, messages: number): Scenario {
  const prefilled = 3
  const total = prefilled + messages
  const worker = ({ words }: Context) => {
    const records = new code.ring.Producer(words, RECORDS)
    return () => {
      let sent = prefilled
      const work = () => {
        const { claimOrWant } = code.wait
        const at = claimOrWant(words, RECORD_SPACE_WANTED, records, TYPE, PAYLOAD_BYTES)
        if (at < 0) return false
        write(words, at, ++sent)
        records.commit()
        records.publish()
        post(code, words)
        return true
      }
      serve(code, words, work, () => sent === total)
    }
  }
  return {
    name: `space wanted: ${messages} records into a ring with room for one`,
    wordCount: WORD_COUNT,
    initial: [...fillFrom(RECORDS, 0, prefilled), [MAIN_NOTIFIED, 1], [PORT, 1]],
    threads: [drainer(code, total), worker],
    check: ([received]) => assert.equal(received, total),
  }
}

/** There and back: each message returns as a record, by bell and doorbell. */
function echo(code: Code, messages: number): Scenario {
  const main = (context: Context) => {
    const send = sender(code, 0, messages)(context)
    const drain = drainer(code, messages)(context)
    return () => {
      send()
      return drain()
    }
  }
  const worker = ({ words }: Context) => {
    const chunks = new code.ring.Consumer(words, CHUNKS)
    const records = new code.ring.Producer(words, RECORDS)
    return () => {
      let echoed = 0
      const work = () => {
        if (!chunks.next()) return false
        echoed = readCurrent(words, chunks, echoed)
        write(words, records.claim(TYPE, PAYLOAD_BYTES), echoed)
        records.commit()
        records.publish()
        chunks.release()
        post(code, words)
        return true
      }
      serve(code, words, work, () => echoed === messages)
    }
  }
  return {
    name: `echo: ${messages} messages`,
    wordCount: WORD_COUNT,
    initial: [...startAt(CHUNKS, 56), ...startAt(RECORDS, 56)],
    threads: [main, worker],
    check: ([received]) => assert.equal(received, messages),
  }
}
