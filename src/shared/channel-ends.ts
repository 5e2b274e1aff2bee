/** The two ends of a channel: views of its memory, its rings, and what was committed. */
import { broken } from './assert.ts'
import { CHANNEL, type ChannelLayout } from './channel-layout.ts'
import { CommitReader, CommitWriter } from './commit.ts'
import { Consumer, Producer } from './ring-buffer.ts'

/** The whole memory as words and as bytes. */
export interface ChannelViews {
  readonly words: Int32Array
  readonly bytes: Uint8Array
}

export interface MainEnd extends ChannelViews {
  readonly chunks: Producer
  readonly records: Consumer
}

export interface WorkerEnd extends ChannelViews {
  readonly layout: ChannelLayout
  readonly chunks: Consumer
  readonly records: Producer
  readonly commits: CommitWriter
}

export function attachMain(views: ChannelViews, layout: ChannelLayout = CHANNEL): MainEnd {
  const { words, bytes } = views
  const commits = new CommitReader(words, layout)
  const chunks = new Producer(words, layout.chunkRing, () => commits.head())
  const records = new Consumer(words, layout.recordRing, () => commits.tail())
  return { words, bytes, chunks, records }
}

/** Goes on where the last publication left off; whoever made it must be gone. */
export function attachWorker(views: ChannelViews, layout: ChannelLayout = CHANNEL): WorkerEnd {
  const { words, bytes } = views
  const commits = new CommitWriter(words, layout)
  const chunks = new Consumer(words, layout.chunkRing, undefined, commits.head)
  const records = new Producer(words, layout.recordRing, undefined, commits.tail)
  return { layout, words, bytes, chunks, records, commits }
}

export function viewsOf(buffer: SharedArrayBuffer): ChannelViews {
  if (buffer.byteLength < CHANNEL.bytes) {
    broken(`channel memory has ${buffer.byteLength} bytes, needs ${CHANNEL.bytes}`)
  }
  return { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) }
}
