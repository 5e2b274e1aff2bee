import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BELL, CHUNK_SPACE_WANTED, PARKED } from '../src/shared/channel-layout.ts'
import * as wait from '../src/shared/wait-strategy.ts'
import {
  during,
  put,
  recordAccesses,
  recordedRing,
  recordedWait,
  recordRing,
  TYPE,
} from './model/recording.ts'

test('ringBell: rings before it looks whether anyone is parked, and notifies only then', () => {
  const { log, words } = recordAccesses(256)
  const ring = () => recordedWait.ringBell(words)
  assert.deepEqual(during(log, ring), ['add BELL 1', 'load PARKED'])
  words[PARKED] = 1
  assert.deepEqual(during(log, ring), ['add BELL 1', 'load PARKED', 'notify BELL 1'])
})

test('workOrWait: loads the bell, looks for work, spins, says it is parked, and waits', () => {
  const { log, words } = recordAccesses(256)
  words[BELL] = 5
  const work = () => {
    log.push('work')
    return false
  }
  assert.deepEqual(
    during(log, () => recordedWait.workOrWait(words, work, 2)),
    [
      'load BELL',
      'work',
      'load BELL',
      'load BELL',
      'store PARKED 1',
      'wait BELL 5 for 100 ms',
      'store PARKED 0',
    ],
  )
})

test('workOrWait: with work, waits for nothing', () => {
  const { log, words } = recordAccesses(256)
  let round: number | null = null
  const work = () => true
  const log1 = during(log, () => (round = recordedWait.workOrWait(words, work)))
  assert.deepEqual([log1, round], [['load BELL'], wait.WORKED])
})

test('workOrWait: a ring while it looked or spins ends the round without parking', () => {
  const { log, words } = recordAccesses(256)
  const work = () => {
    recordedWait.ringBell(words)
    return false
  }
  let round: number | null = null
  const log1 = during(log, () => (round = recordedWait.workOrWait(words, work, 9)))
  assert.deepEqual(log1, ['load BELL', 'add BELL 1', 'load PARKED', 'load BELL'])
  assert.equal(round, wait.RUNG)
})

test('workOrWait: its three outcomes differ', () => {
  assert.equal(new Set([wait.WORKED, wait.RUNG, wait.TIMED_OUT]).size, 3)
})

test('workOrWait: tells a ring from the safety timeout', () => {
  const recording = recordAccesses(256)
  const idle = () => recordedWait.workOrWait(recording.words, () => false, 0)
  assert.equal(idle(), wait.RUNG)
  recording.waitOutcome = 'not-equal'
  assert.equal(idle(), wait.RUNG)
  recording.waitOutcome = 'timed-out'
  assert.equal(idle(), wait.TIMED_OUT)
})

test('workOrWait: parks for real, and the safety timeout ends it', () => {
  const words = new Int32Array(new SharedArrayBuffer(4096))
  assert.equal(
    wait.workOrWait(words, () => false),
    wait.TIMED_OUT,
  )
  assert.equal(words[PARKED], 0)
})

test('doorbellNeeded: true once until main has answered', () => {
  const { words } = recordAccesses(256)
  const { doorbellNeeded, answerDoorbell } = recordedWait
  assert.deepEqual([doorbellNeeded(words), doorbellNeeded(words)], [true, false])
  answerDoorbell(words, () => {})
  assert.deepEqual([doorbellNeeded(words), doorbellNeeded(words)], [true, false])
})

test('answerDoorbell: lets the next doorbell through before it drains', () => {
  const { log, words } = recordAccesses(256)
  const answer = () => recordedWait.answerDoorbell(words, () => void log.push('drain'))
  assert.deepEqual(during(log, answer), ['store MAIN_NOTIFIED 0', 'drain'])
})

test('claimOrWant: with room, asks for nothing', () => {
  const { log, words, producer } = recordRing()
  const claim = () => recordedWait.claimOrWant(words, CHUNK_SPACE_WANTED, producer, TYPE, 8)
  assert.deepEqual(during(log, claim), [])
})

test('claimOrWant: without room, asks and then looks once more', () => {
  const recorded = recordRing()
  const { log, words, producer } = recorded
  for (let record = 0; record < 8; record++) put(recorded, 0)
  let at: number | null = null
  const claim = () => {
    at = recordedWait.claimOrWant(words, CHUNK_SPACE_WANTED, producer, TYPE, 8)
  }
  const looks = ['load head', 'load consumerClosed']
  assert.deepEqual(during(log, claim), [...looks, 'store WANTED 1', ...looks])
  assert.equal(at, recordedRing.BACKPRESSURED)
})

test('claimOrWant: a closed ring is CLOSED, and nobody is asked', () => {
  const { log, words, producer } = recordRing()
  producer.close()
  const claim = () => recordedWait.claimOrWant(words, CHUNK_SPACE_WANTED, producer, TYPE, 8)
  assert.deepEqual(during(log, claim), [])
  assert.equal(claim(), recordedRing.CLOSED)
})

test('releaseAsked: releases, then asks, and takes the wish back', () => {
  const recorded = recordRing()
  const { log, words, consumer } = recorded
  const release = () => recordedWait.releaseAsked(words, CHUNK_SPACE_WANTED, consumer)
  const next = () => {
    put(recorded, 0)
    recorded.producer.publish()
    assert.ok(consumer.next())
  }
  next()
  assert.deepEqual(during(log, release), ['store head 8', 'load WANTED'])
  next()
  words[CHUNK_SPACE_WANTED] = 1
  assert.deepEqual(during(log, release), ['store head 16', 'load WANTED', 'exchange WANTED 0'])
  next()
  assert.equal(release(), false)
})

test('releaseAsked: without anything to release, leaves the wish standing', () => {
  const { log, words, consumer } = recordRing()
  words[CHUNK_SPACE_WANTED] = 1
  const release = () => recordedWait.releaseAsked(words, CHUNK_SPACE_WANTED, consumer)
  assert.deepEqual(during(log, release), [])
  assert.equal(words[CHUNK_SPACE_WANTED], 1)
})
