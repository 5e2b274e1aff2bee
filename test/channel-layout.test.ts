import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { attachMain, attachWorker, type ChannelViews, viewsOf } from '../src/shared/channel-ends.ts'
import * as layout from '../src/shared/channel-layout.ts'
import { PADDING } from '../src/shared/ring-buffer.ts'
import { ROW_BYTES } from '../src/shared/rows.ts'

const LAYOUT_URL = new URL('../src/shared/channel-layout.js', import.meta.url).href

test('budget: a channel is whole pages, in less than 2,000,000 bytes', () => {
  assert.equal(layout.CHANNEL_BYTES % layout.PAGE_BYTES, 0)
  assert.ok(layout.CHANNEL_BYTES < layout.CHANNEL_BYTES_MAX)
})

test('regions: follow each other without a gap, the carry last', () => {
  const regions = [
    [0, layout.CONTROL_BYTES],
    [layout.COMMIT_SLOTS, 2 * layout.SLOT_BYTES],
    [layout.STREAM_TABLE, layout.STREAMS_MAX * layout.STREAM_ROW_BYTES],
    [layout.CHUNK_RING.data, layout.CHUNK_RING.capacityBytes],
    [layout.RECORD_RING.data, layout.RECORD_RING.capacityBytes],
    [layout.DECODER, layout.DECODER_BYTES],
    [layout.CARRY, layout.CARRY_BYTES],
  ] as const
  let end = 0
  for (const [offset, bytes] of regions) {
    assert.equal(offset, end)
    end = offset + bytes
  }
  assert.equal(end, layout.CHANNEL_BYTES)
})

test('commit slots: hold a list of all rows that a batch may change', () => {
  assert.ok(layout.SLOT_ROWS + 4 * layout.SLOT_ROWS_MAX <= layout.SLOT_BYTES)
})

test('stream rows: hold a profile and two copies, each with a state of 96 bytes', () => {
  assert.equal(layout.STREAM_ROW_BYTES, 256)
  assert.equal(layout.STATE_BYTES_MAX, 96)
  // Offsets in the decoder's state are those of 64-bit words.
  assert.equal((layout.STREAM_COPIES + layout.COPY_STATE) % 8, 0)
  assert.equal(layout.STREAM_COPY_BYTES % 8, 0)
})

test('rings: a frame of 64 KiB and a record of 32 KiB fit whole', () => {
  const { chunks } = attachMain(newViews())
  assert.ok(chunks.payloadBytesMax >= 64 * 1024 + layout.FRAME_OVERHEAD_BYTES)
  const { records } = attachWorker(newViews())
  assert.ok(records.payloadBytesMax >= 32 * 1024)
})

test('streamWord: rows lie apart, the last one inside the table', () => {
  assert.equal(layout.streamWord(0, 0) * 4, layout.STREAM_TABLE)
  assert.equal(layout.streamWord(1, 0) - layout.streamWord(0, 0), layout.STREAM_ROW_BYTES / 4)
  const last = layout.streamWord(layout.STREAMS_MAX - 1, layout.STREAM_ROW_BYTES - 4)
  assert.equal(last * 4 + 4, layout.CHUNK_RING.data)
})

test('streamId: holds row and generation, and is an int32', () => {
  for (const row of [0, 1, 1023]) {
    for (const generation of [0, 1, 2 ** 21, 2 ** 22 - 1]) {
      const id = layout.streamId(row, generation)
      assert.equal(id, id | 0)
      assert.deepEqual([layout.rowOf(id), layout.generationOf(id)], [row, generation])
    }
  }
  assert.equal(layout.streamId(5, 2 ** 22), layout.streamId(5, 0))
})

test('frames, records: types are positive, as rings ask, and differ within their ring', () => {
  const frames = [layout.FRAME_OPEN, layout.FRAME_DATA, layout.FRAME_END, layout.FRAME_ABORT]
  const records = [layout.RECORD_ROWS, layout.RECORD_CLOSED]
  for (const types of [frames, records]) {
    assert.ok(types.every((type) => type > PADDING))
    assert.equal(new Set(types).size, types.length)
  }
})

test('alignedPayload: the least offset past the header that agrees with the chunk modulo 8', () => {
  for (let byteOffset = 0; byteOffset < 64; byteOffset++) {
    const at = layout.alignedPayload(byteOffset)
    assert.equal((at - byteOffset) & 7, 0)
    assert.ok(at >= layout.FRAME_HEADER_BYTES && at < layout.FRAME_HEADER_BYTES + 8)
    assert.ok(at <= layout.FRAME_OVERHEAD_BYTES)
  }
})

test('wideTextAt: the even offset at or just behind the Latin-1 text', () => {
  for (const rows of [0, 1, 2]) {
    for (const textBytes of [0, 1, 2, 3, 250]) {
      const end = layout.ROWS_HEADER_BYTES + rows * ROW_BYTES + textBytes
      const at = layout.wideTextAt(rows * ROW_BYTES, textBytes)
      assert.equal(at, end + (end % 2))
    }
  }
})

test('createChannelMemory: shared WebAssembly memory of CHANNEL_BYTES that can grow', () => {
  const { memory, buffer } = layout.createChannelMemory()
  assert.ok(memory)
  assert.ok(buffer instanceof SharedArrayBuffer)
  assert.equal(buffer.byteLength, layout.CHANNEL_BYTES)
  memory.grow(1)
  assert.equal(memory.buffer.byteLength, layout.CHANNEL_BYTES + layout.PAGE_BYTES)
})

test('createChannelMemory: every word starts at 0', () => {
  assert.ok(newViews().words.every((word) => word === 0))
})

const REPORT = `
  const { createChannelMemory } = await import('${LAYOUT_URL}')
  const { memory, buffer } = createChannelMemory()
  console.log(memory === null, buffer instanceof SharedArrayBuffer, buffer.byteLength)
`

test('createChannelMemory: a plain SharedArrayBuffer where there is no WebAssembly', () => {
  const args = ['--jitless', '--input-type=module', '--eval', REPORT]
  const said = execFileSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(said.trim(), `true true ${layout.CHANNEL_BYTES}`)
})

test('createChannelMemory: never fails for want of address space', (t) => {
  if (runLimited('--version').status !== 0) return t.skip('no shell with ulimit -v here')
  const { stdout } = runLimited('--input-type=module', '--eval', REPORT)
  // Whether a WebAssembly memory fits is up to V8: it does from Node 24 on.
  assert.match(stdout.trim(), new RegExp(`^(true|false) true ${layout.CHANNEL_BYTES}$`))
})

/** Node in 4 GB of address space: enough for itself, too little for what V8 reserved once. */
function runLimited(...args: string[]) {
  const script = 'ulimit -v 4000000 && exec "$0" "$@"'
  return spawnSync('bash', ['-c', script, process.execPath, ...args], { encoding: 'utf8' })
}

test('attach: frames go from main to the worker, records back, once committed', () => {
  const views = newViews()
  const main = attachMain(views)
  const worker = attachWorker(views)
  const frameAt = main.chunks.claim(layout.FRAME_DATA, 4)
  main.words[frameAt >> 2] = 11
  main.chunks.commit()
  main.chunks.publish()
  assert.ok(worker.chunks.next())
  assert.equal(worker.chunks.type, layout.FRAME_DATA)
  assert.equal(worker.words[worker.chunks.payloadOffset >> 2], 11)
  const recordAt = worker.records.claim(layout.RECORD_CLOSED, 4)
  worker.words[recordAt >> 2] = 12
  worker.records.commit()
  assert.ok(!main.records.next())
  const freeBytes = main.chunks.freeBytes()
  worker.commits.commit(worker.chunks.position, worker.records.position)
  assert.ok(main.records.next())
  assert.equal(main.records.type, layout.RECORD_CLOSED)
  assert.equal(main.words[main.records.payloadOffset >> 2], 12)
  assert.equal(main.chunks.freeBytes(), freeBytes + 16)
})

test('viewsOf: refuses a memory that is too short', () => {
  const short = new SharedArrayBuffer(layout.CHANNEL_BYTES - 65_536)
  assert.throws(() => viewsOf(short), /broken invariant: channel memory/)
})

function newViews(): ChannelViews {
  return viewsOf(layout.createChannelMemory().buffer)
}
