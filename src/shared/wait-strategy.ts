/**
 * How the two threads of a channel wait for each other and wake each other.
 *
 *     main -> worker   the bell, a counter; the worker spins on it, then parks in wait
 *     worker -> main   the doorbell, a posted message; at most one is under way
 *
 * Every pair below has the same shape: one side stores A then loads B, the other stores B then
 * loads A. Whichever store comes second in the one order of all atomics, its thread's load sees
 * the other's store: so at least one side notices, and no wake-up is lost. Swap the two lines on
 * either side and both may look before either has spoken.
 */
import { add, exchange, load, notify, store, wait } from '#atomics'
import { BELL, MAIN_NOTIFIED, PARKED } from './channel-layout.ts'
import { BACKPRESSURED, type Consumer, type Producer } from './ring-buffer.ts'

/**
 * Looks at the bell before parking. At some 20 ns each they take as long as being woken does, so
 * spinning wastes at most as much as parking would have cost.
 */
export const SPIN_CHECKS = 256

/** A parked worker looks up this often, ms. No wake-up is ever lost; were one, this would heal. */
const PARK_MS_MAX = 100

/** What {@link workOrWait} did. */
export type Round = typeof WORKED | typeof RUNG | typeof TIMED_OUT
export const WORKED = 1
/** There was no work, then the bell rang. */
export const RUNG = 0
/** There was no work and the bell did not ring for PARK_MS_MAX. */
export const TIMED_OUT = -1

/**
 * Worker: one round of doing what there is to do, or else waiting for the bell.
 *
 * Whatever the bell is rung for must be looked at by `work`: what the caller looks at between two
 * rounds may be rung for just after, and then counts as heard.
 *
 * @param work - Does the work that there is, publishes it, and says whether there was any. Work
 *   that lacks room in the record ring is none, once {@link claimOrWant} has asked for that room.
 */
export function workOrWait(
  words: Int32Array,
  work: () => boolean,
  spinChecks: number = SPIN_CHECKS,
): Round {
  // Before looking for work: what is rung for after this line changes the value waited for. Loaded
  // after looking, a ring in between would count as heard, and its chunk would lie until the next.
  const heard = load(words, BELL)
  if (work()) return WORKED
  for (let check = 0; check < spinChecks; check++) {
    if (load(words, BELL) !== heard) return RUNG
  }
  return park(words, heard)
}

function park(words: Int32Array, heard: number): Round {
  // Before wait looks at the bell; pairs with ringBell(), which adds and then looks here. Either
  // main sees this flag and notifies, or wait sees the bell moved and returns at once.
  store(words, PARKED, 1)
  const outcome = wait(words, BELL, heard, PARK_MS_MAX)
  store(words, PARKED, 0)
  return outcome === 'timed-out' ? TIMED_OUT : RUNG
}

/**
 * Main: tells the worker to look again. Call it after what there is to see was published.
 *
 * A notify costs 78 ns without a waiter and 3 us with one, hence only where one waits.
 */
export function ringBell(words: Int32Array): void {
  // Before the flag is read, see park(). Before the notify: a worker that woke first would find
  // the bell unmoved and park again, and no second notify would come.
  add(words, BELL, 1)
  if (load(words, PARKED) !== 0) notify(words, BELL, 1)
}

/**
 * Worker: whether to post a doorbell to main. Ask after publishing, and post if so.
 *
 * False while a posted one is unanswered: main will look at everything published by now.
 */
export function doorbellNeeded(words: Int32Array): boolean {
  return exchange(words, MAIN_NOTIFIED, 1) === 0
}

/** Main: handles a doorbell. `drain` reads all that is published and retries what had no room. */
export function answerDoorbell(words: Int32Array, drain: () => void): void {
  // Before draining; pairs with doorbellNeeded(). A worker that still sees 1 has published before
  // this line, so the drain finds it. Cleared after draining, what was published in between would
  // have neither been found nor be rung for.
  store(words, MAIN_NOTIFIED, 0)
  drain()
}

/**
 * Main: the worker's thread has ended. `drain` reads all that it published, whether or not it rang
 * for that, and retries what had no room. Before a successor begins.
 */
export function answerDeath(words: Int32Array, drain: () => void): void {
  store(words, PARKED, 0)
  // A doorbell that was on its way may be lost with the port: as if it had come.
  answerDoorbell(words, drain)
}

/**
 * Either producer: claims, and where there is no room asks the consumer to say when there is.
 *
 * @param wanted - CHUNK_SPACE_WANTED or RECORD_SPACE_WANTED.
 * @returns As {@link Producer.claim}. After BACKPRESSURED the consumer rings once it has released.
 */
export function claimOrWant(
  words: Int32Array,
  wanted: number,
  producer: Producer,
  type: number,
  payloadBytes: number,
): number {
  const at = producer.claim(type, payloadBytes)
  if (at !== BACKPRESSURED) return at
  // Before the head is looked at again; pairs with releaseAsked(). Either the consumer sees this
  // flag after its release, or the second claim sees the release.
  store(words, wanted, 1)
  return producer.claim(type, payloadBytes)
}

/**
 * Either consumer: releases what was read, and says whether the producer had asked for room and
 * must now be told: main rings the bell, the worker posts the doorbell.
 */
export function releaseAsked(words: Int32Array, wanted: number, consumer: Consumer): boolean {
  return consumer.release() && roomAsked(words, wanted)
}

/** Either consumer: the second half of {@link releaseAsked}, where the release was a commit. */
export function roomAsked(words: Int32Array, wanted: number): boolean {
  // Released before the flag is read; pairs with claimOrWant().
  // Most often 0, and a load leaves the line with both cores.
  return load(words, wanted) !== 0 && exchange(words, wanted, 0) !== 0
}
