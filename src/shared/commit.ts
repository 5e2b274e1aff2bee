/**
 * How a worker's progress becomes a fact, all of a batch at once, so that a successor can go on.
 *
 * A batch takes frames from the chunk ring, changes the decoder's state of some streams, and makes
 * records. None of that overwrites what was there: state is changed in the copy that is not in
 * force, records lie past the tail, carried bytes past the lengths that the copies in force tell.
 * Then
 *
 *     1. the slot that is not in force is filled: the head, the tail, the rows that were changed
 *     2. BATCH is stored: one word, and all of it has happened
 *     3. the changed copies come into force, row by row
 *     4. slabs that the batch gave back may be handed out again
 *
 * A death before 2 leaves nothing of the batch: its frames still lie past the head, and a successor
 * decodes them again, to the same records. A death after 2 leaves all of it: a successor does 3
 * from the list in the slot, which comes to the same however often it is done.
 *
 * Records that do not fit into the ring are shown before their batch is whole. A publication then
 * moves the tail alone, and says how many records were shown since the last commit. Which records a
 * batch makes depends on its frames and on the committed state and on nothing else; so a successor,
 * which makes them again, leaves so many of them out.
 */
import { load, store } from '#atomics'
import { broken } from './assert.ts'
import {
  BATCH,
  type ChannelLayout,
  COPY_ID,
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
  streamWord,
} from './channel-layout.ts'

/** Main's view: how far the worker has come. */
export class CommitReader {
  readonly #words: Int32Array
  readonly #slots: number

  constructor(words: Int32Array, { commits }: ChannelLayout) {
    this.#words = words
    this.#slots = commits
  }

  /** Head of the chunk ring, bytes. */
  head(): number {
    return this.#read(SLOT_HEAD)
  }

  /** Tail of the record ring, bytes. */
  tail(): number {
    return this.#read(SLOT_TAIL)
  }

  #read(offset: number): number {
    for (;;) {
      const batch = load(this.#words, BATCH)
      const value = load(this.#words, slotWord(this.#slots, batch, offset))
      // Once more: after the next publication the worker may write this slot, and what was read
      // then could be of a batch that is not there yet.
      if (load(this.#words, BATCH) === batch) return value
    }
  }
}

/** The worker's side. Made by a successor, it first completes what its predecessor published. */
export class CommitWriter {
  /** What is published: the chunk ring's head, the record ring's tail, bytes. */
  head: number
  tail: number
  /** Records published since the last commit, and the end of the frame that they go up to. */
  sent: number
  reach: number
  /** Rows changed since the last commit. */
  rowCount = 0
  readonly #words: Int32Array
  readonly #layout: ChannelLayout
  #batch: number
  /** The rows changed, each as it will be listed in the slot. */
  readonly #rows = new Int32Array(SLOT_ROWS_MAX)
  /** By row: the number of the last commit that it was changed for. */
  readonly #changedFor: Int32Array
  /** Number of the commit to come. */
  #commit = 1

  constructor(words: Int32Array, layout: ChannelLayout) {
    this.#words = words
    this.#layout = layout
    this.#changedFor = new Int32Array(layout.streamsMax)
    this.#batch = load(words, BATCH)
    this.head = load(words, this.#slot(SLOT_HEAD))
    this.tail = load(words, this.#slot(SLOT_TAIL))
    this.sent = words[this.#slot(SLOT_SENT)]!
    this.reach = words[this.#slot(SLOT_REACH)]!
    this.#bringIntoForce()
  }

  /** Byte offset of the row's copy that tells how things are, the open batch included. */
  copyOf(row: number): number {
    return this.#copyAt(row, this.#live(row) ^ Number(this.isChanged(row)))
  }

  /** Id of the stream that is open in the row; 0 where none is. */
  idOf(row: number): number {
    return this.#words[(this.copyOf(row) + COPY_ID) >> 2]!
  }

  /** Whether the open batch has changed the row. */
  isChanged(row: number): boolean {
    return this.#changedFor[row] === this.#commit
  }

  /** Byte offset of the row's copy that the open batch may write. */
  change(row: number): number {
    const live = this.#live(row)
    const to = this.#copyAt(row, live ^ 1)
    if (this.isChanged(row)) return to
    if (this.rowCount === SLOT_ROWS_MAX) broken(`more than ${SLOT_ROWS_MAX} rows in a batch`)
    const from = this.#copyAt(row, live)
    this.#words.copyWithin(to >> 2, from >> 2, (from + STREAM_COPY_BYTES) >> 2)
    this.#changedFor[row] = this.#commit
    this.#rows[this.rowCount++] = (row << 1) | (live ^ 1)
    return to
  }

  /**
   * Shows records before their batch is whole.
   *
   * @param sent - How many there are since the last commit.
   * @param reach - End of the frame at hand.
   */
  show(tail: number, sent: number, reach: number): void {
    this.#publish(this.head, tail, sent, reach, 0)
  }

  /** Publishes the batch: all rows changed, with the head and the tail that go with them. */
  commit(head: number, tail: number): void {
    this.#publish(head, tail, 0, head, this.rowCount)
    this.#bringIntoForce()
    this.rowCount = 0
    this.#commit++
  }

  #publish(head: number, tail: number, sent: number, reach: number, rowCount: number): void {
    const words = this.#words
    const batch = (this.#batch + 1) | 0
    const slot = slotWord(this.#layout.commits, batch, 0)
    // Atomic, since main may be reading this slot still; it will notice and read again.
    store(words, slot + (SLOT_HEAD >> 2), head)
    store(words, slot + (SLOT_TAIL >> 2), tail)
    words[slot + (SLOT_SENT >> 2)] = sent
    words[slot + (SLOT_REACH >> 2)] = reach
    words[slot + (SLOT_ROW_COUNT >> 2)] = rowCount
    const listed = slot + (SLOT_ROWS >> 2)
    for (let at = 0; at < rowCount; at++) words[listed + at] = this.#rows[at]!
    // Release: pairs with CommitReader and with a successor's first load. Who sees this number also
    // sees the slot, every record below the tail and every changed copy. Moved up, it would publish
    // what is not there yet.
    store(words, BATCH, batch)
    this.#batch = batch
    this.head = head
    this.tail = tail
    this.sent = sent
    this.reach = reach
  }

  // After the publication, never before: a copy in force that was not published would be a batch
  // half done. Written again by a successor, to the same values.
  #bringIntoForce(): void {
    const words = this.#words
    const { streams } = this.#layout
    const listed = this.#slot(SLOT_ROWS)
    const rowCount = words[this.#slot(SLOT_ROW_COUNT)]!
    for (let at = listed; at < listed + rowCount; at++) {
      const row = words[at]!
      words[streamWord(row >> 1, STREAM_LIVE, streams)] = row & 1
    }
  }

  #live(row: number): number {
    return this.#words[streamWord(row, STREAM_LIVE, this.#layout.streams)]!
  }

  #copyAt(row: number, copy: number): number {
    const { streams } = this.#layout
    return streams + row * STREAM_ROW_BYTES + STREAM_COPIES + copy * STREAM_COPY_BYTES
  }

  #slot(offset: number): number {
    return slotWord(this.#layout.commits, this.#batch, offset)
  }
}

/** Index of a slot's word. `batch` is the number that tells the slot. */
function slotWord(slots: number, batch: number, offset: number): number {
  return (slots + (batch & 1) * SLOT_BYTES + offset) >> 2
}
