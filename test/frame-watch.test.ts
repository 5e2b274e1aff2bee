import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FRAME_WATCH } from '../src/shared/channel-layout.ts'
import { FrameWatch } from '../src/shared/frame-watch.ts'

/** Words of a channel whose worker has died while it decoded these frames, one life each. */
function afterDeathsAt(...frames: number[]): Int32Array {
  const words = new Int32Array(FRAME_WATCH + 1)
  for (const frame of frames) new FrameWatch(words).begin(frame)
  return words
}

test('begin: a frame is decoded, and leaves nothing behind once it is done', () => {
  const words = afterDeathsAt()
  const watch = new FrameWatch(words)
  assert.ok(watch.begin(24))
  watch.rest(24)
  assert.ok(watch.begin(24))
  watch.done(24)
  assert.deepEqual([watch.isCareful, words[FRAME_WATCH]], [false, 0])
})

test('begin: after one death at a frame, the successor is careful until past it', () => {
  const watch = new FrameWatch(afterDeathsAt(48))
  assert.ok(watch.isCareful)
  assert.ok(watch.begin(24))
  watch.done(24)
  assert.ok(watch.isCareful)
  assert.ok(watch.begin(48))
  watch.done(48)
  assert.ok(!watch.isCareful)
})

test('begin: after two deaths at a frame, says no, until it is passed over', () => {
  const watch = new FrameWatch(afterDeathsAt(48, 48))
  assert.ok(watch.begin(24))
  assert.ok(!watch.begin(48))
  assert.ok(!watch.begin(48))
  watch.done(48)
  assert.ok(!watch.isCareful)
  assert.ok(watch.begin(72))
})

test('begin: a death at another frame while one is suspected is laid to neither', () => {
  const words = afterDeathsAt(48, 24, 24)
  const watch = new FrameWatch(words)
  assert.ok(watch.begin(24))
  watch.done(24)
  assert.ok(watch.begin(48))
})

test('rest: a death between two stretches of a frame is not laid to it', () => {
  const words = afterDeathsAt()
  new FrameWatch(words).begin(48)
  for (let life = 0; life < 3; life++) {
    const watch = new FrameWatch(words)
    assert.ok(watch.begin(48))
    watch.rest(48)
  }
  assert.ok(new FrameWatch(words).begin(48))
})

test('constructor: a successor that dies before it decodes counts no death twice', () => {
  const words = afterDeathsAt(48)
  for (let life = 0; life < 3; life++) void new FrameWatch(words)
  assert.ok(new FrameWatch(words).begin(48))
})

test('begin: positions beyond 2^31 are frames like others', () => {
  const end = (2 ** 31 + 8) | 0
  const watch = new FrameWatch(afterDeathsAt(end, end))
  assert.ok(!watch.begin(end))
})
