import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BATCH,
  SLOT_BYTES,
  SLOT_HEAD,
  SLOT_REACH,
  SLOT_ROW_COUNT,
  SLOT_ROWS,
  SLOT_ROWS_MAX,
  SLOT_SENT,
  SLOT_TAIL,
  STREAM_COPIES,
  STREAM_COPY_BYTES,
  STREAM_LIVE,
  STREAM_ROW_BYTES,
} from '../src/shared/channel-layout.ts'
import type { CommitWriter } from '../src/shared/commit.ts'
import { SMALL } from './model/small-channel.ts'
import { during as recorded, recordAccesses, recordedCommit } from './model/recording.ts'

/** A word by its index, as the log calls it. */
const word = (offset: number): string => `word ${offset >> 2}`
const slotWord = (slot: number, offset: number): string =>
  word(SMALL.commits + slot * SLOT_BYTES + offset)
const live = (row: number): string => word(SMALL.streams + row * STREAM_ROW_BYTES + STREAM_LIVE)
const copyAt = (row: number, copy: number): number =>
  SMALL.streams + row * STREAM_ROW_BYTES + STREAM_COPIES + copy * STREAM_COPY_BYTES

/** What `action` did to the memory, and what it loaded: plain reads are left out. */
function during(log: string[], action: () => unknown): string[] {
  return recorded(log, action).filter((access) => !access.startsWith('read'))
}

function newWriter(): { words: Int32Array; log: string[]; commits: CommitWriter } {
  const { words, log } = recordAccesses(SMALL.bytes / 4)
  return { words, log, commits: new recordedCommit.CommitWriter(words, SMALL) }
}

test('commit: fills the other slot, stores the batch number, then brings rows into force', () => {
  const { log, commits } = newWriter()
  commits.change(2)
  assert.deepEqual(
    during(log, () => commits.commit(24, 48)),
    [
      `store ${slotWord(1, SLOT_HEAD)} 24`,
      `store ${slotWord(1, SLOT_TAIL)} 48`,
      `write ${slotWord(1, SLOT_SENT)} 0`,
      `write ${slotWord(1, SLOT_REACH)} 24`,
      `write ${slotWord(1, SLOT_ROW_COUNT)} 1`,
      `write ${slotWord(1, SLOT_ROWS)} ${(2 << 1) | 1}`,
      'store BATCH 1',
      `write ${live(2)} 1`,
    ],
  )
  const [first, second] = during(log, () => commits.commit(32, 56))
  assert.equal(first, `store ${slotWord(0, SLOT_HEAD)} 32`)
  assert.equal(second, `store ${slotWord(0, SLOT_TAIL)} 56`)
})

test('show: moves the tail, counts what was shown, and brings nothing into force', () => {
  const { log, words, commits } = newWriter()
  commits.commit(24, 0)
  commits.change(0)
  const shown = during(log, () => commits.show(64, 3, 40))
  assert.deepEqual(shown.slice(0, 4), [
    `store ${slotWord(0, SLOT_HEAD)} 24`,
    `store ${slotWord(0, SLOT_TAIL)} 64`,
    `write ${slotWord(0, SLOT_SENT)} 3`,
    `write ${slotWord(0, SLOT_REACH)} 40`,
  ])
  assert.equal(shown.at(-1), 'store BATCH 2')
  const reader = new recordedCommit.CommitReader(words, SMALL)
  assert.deepEqual([reader.head(), reader.tail()], [24, 64])
  // The row that the open batch has changed is listed when it is whole.
  const committed = during(log, () => commits.commit(48, 64))
  assert.equal(committed.at(-1), `write ${live(0)} 1`)
})

test('change: copies the row once a batch, and copyOf tells the changed copy', () => {
  const { log, words, commits } = newWriter()
  words[copyAt(1, 0) >> 2] = 77
  assert.equal(commits.copyOf(1), copyAt(1, 0))
  assert.equal(commits.change(1), copyAt(1, 1))
  assert.equal(words[copyAt(1, 1) >> 2], 77)
  assert.deepEqual(
    during(log, () => commits.change(1)),
    [],
  )
  assert.equal(commits.copyOf(1), copyAt(1, 1))
  commits.commit(0, 0)
  assert.equal(commits.change(1), copyAt(1, 0))
})

test('change: more rows than a slot lists is a broken invariant', () => {
  const layout = { ...SMALL, streams: 8192, streamsMax: SLOT_ROWS_MAX + 1 }
  const bytes = layout.streams + layout.streamsMax * STREAM_ROW_BYTES
  const commits = new recordedCommit.CommitWriter(recordAccesses(bytes / 4).words, layout)
  for (let row = 0; row < SLOT_ROWS_MAX; row++) commits.change(row)
  assert.throws(() => commits.change(SLOT_ROWS_MAX), /broken invariant: more than 256 rows/)
})

test('a successor: brings what was published into force, however often it is made', () => {
  const { words, commits } = newWriter()
  commits.change(3)
  commits.commit(24, 48)
  commits.change(3)
  words[(SMALL.streams + 3 * STREAM_ROW_BYTES + STREAM_LIVE) >> 2] = 12345
  for (let life = 0; life < 2; life++) {
    const successor = new recordedCommit.CommitWriter(words, SMALL)
    assert.deepEqual([successor.head, successor.tail, successor.sent], [24, 48, 0])
    assert.equal(successor.copyOf(3), copyAt(3, 1))
  }
})

test('a reader: reads the slot once more where another batch was published meanwhile', () => {
  const { words, log, commits } = newWriter()
  commits.commit(8, 16)
  const reader = new recordedCommit.CommitReader(words, SMALL)
  assert.deepEqual(
    during(log, () => reader.tail()),
    ['load BATCH', `load ${slotWord(1, SLOT_TAIL)}`, 'load BATCH'],
  )
  // Published between its first two loads: the log is where a test can stand.
  let moved = false
  const push = log.push.bind(log)
  log.push = (line) => {
    if (line === `load ${slotWord(1, SLOT_TAIL)}` && !moved) {
      moved = true
      words[BATCH] = 2
      words[(SMALL.commits + SLOT_TAIL) >> 2] = 99
    }
    return push(line)
  }
  assert.equal(reader.tail(), 99)
})
