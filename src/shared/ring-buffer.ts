/**
 * A ring of byte records with one producer and one consumer, on shared memory.
 *
 *     |<---------------------------- capacityBytes ---------------------------->|
 *     | free | length type payload.. | length type payload.. |  free   | padding |
 *            ^ head                                          ^ tail
 *
 *     record   word 0   length, bytes: header and payload, before alignment
 *              word 1   type: PADDING or the caller's, positive
 *              then the payload, at the next multiple of 8 the next record
 *
 * A record is contiguous: where it would pass the end, a padding record fills the rest and the
 * record starts over at index 0. Positions count bytes for ever and wrap at 2^32, so they are
 * compared by difference. Each side owns one position and keeps an old copy of the other's, which
 * may lag and never leads: a lagging copy only makes the ring look fuller or emptier than it is,
 * and is refreshed before saying so.
 *
 * Nothing is visible before the tail has moved past it, nothing is reused before the head has.
 * These two stores, one each per batch, order all other accesses, which are therefore plain.
 *
 * A side whose position is told as part of something larger (commit.ts) is made with the position
 * to start from, and neither publishes nor releases here; the other side is made with a function
 * that reads that position. Whatever tells it, the two orders above must hold.
 *
 * After Agrona's OneToOneRingBuffer, with publication taken out of commit.
 *
 * @see https://github.com/aeron-io/agrona
 */
import { load, store } from '#atomics'
import { broken } from './assert.ts'

/** No room now; claim again after the consumer has released. A status, not an error. */
export const BACKPRESSURED = -1
/** The consumer has closed: there will never be room again. */
export const CLOSED = -2

/** Header of a record, bytes. */
export const HEADER_BYTES = 8
/** Records start at multiples of this, bytes. */
const RECORD_ALIGNMENT = 8
/** Type of the record that fills up to the wrap. The caller's types are positive. */
export const PADDING = 0

/** In place of a word's index: the position is told in some other way, see above. */
export const TOLD_ELSEWHERE = -1

/**
 * A record, header included, is at most this fraction of the capacity. A half would still always
 * fit into an empty ring, padding counted; a quarter lets the two sides overlap.
 */
const RECORD_FRACTION = 4

/** Where a ring lies in its memory. The first four are indices of int32 words. */
export interface RingLayout {
  /** Producer's position, bytes. Written by the producer only. */
  readonly tail: number
  /** 1 once the producer has closed. Written by the producer only. */
  readonly producerClosed: number
  /** Consumer's position, bytes. Written by the consumer only. */
  readonly head: number
  /** 1 once the consumer has closed. Written by the consumer only. */
  readonly consumerClosed: number
  /** Byte offset of index 0. A multiple of 8. */
  readonly data: number
  /** A power of two, at least 64. */
  readonly capacityBytes: number
}

/**
 * The writing end. One thread at a time; a successor attaches where the last publication left off.
 *
 * @example
 * const at = producer.claim(type, bytes.length)
 * if (at < 0) return at                 // BACKPRESSURED or CLOSED
 * memory.set(bytes, at)
 * producer.commit()
 * producer.publish()                    // once per batch
 */
export class Producer {
  /** Longest payload, bytes. */
  readonly payloadBytesMax: number
  readonly #words: Int32Array
  readonly #layout: RingLayout
  readonly #readHead: () => number
  readonly #mask: number
  /** End of what is committed. */
  #position: number
  /** The tail as the consumer sees it. */
  #published: number
  #cachedHead: number
  #closed = false
  /** The open claim: where its record starts, its type and payload; -1 while there is none. */
  #claimPosition = 0
  #claimType = 0
  #claimBytes = -1

  /**
   * @param words - The whole memory; byte offsets that `claim` returns count from its start.
   * @param readHead - Where the consumer's position is told; by default, its word.
   * @param tail - The end of what is published; by default, what the tail's word says.
   */
  constructor(
    words: Int32Array,
    layout: RingLayout,
    readHead: () => number = () => load(words, layout.head),
    tail: number = load(words, layout.tail),
  ) {
    checkLayout(layout)
    this.#words = words
    this.#layout = layout
    this.#readHead = readHead
    this.#mask = layout.capacityBytes - 1
    this.payloadBytesMax = layout.capacityBytes / RECORD_FRACTION - HEADER_BYTES
    this.#position = tail
    this.#published = tail
    this.#cachedHead = this.#loadHead()
  }

  /**
   * Reserves room for one record.
   *
   * @param type - The caller's, positive.
   * @param payloadBytes - 0 to `payloadBytesMax`; more is a broken invariant and throws.
   * @returns Byte offset of the payload, a multiple of 8; or {@link BACKPRESSURED}; or
   *   {@link CLOSED}, which is learnt at the latest when the ring is full or at the next publish.
   */
  claim(type: number, payloadBytes: number): number {
    if (this.#claimBytes !== -1) broken('claim: the last claim is neither committed nor aborted')
    if (type <= PADDING) broken(`claim: type ${type} is not positive`)
    if (!(payloadBytes >= 0 && payloadBytes <= this.payloadBytesMax)) {
      broken(`claim: payload of ${payloadBytes} bytes, payloadBytesMax is ${this.payloadBytesMax}`)
    }
    if (this.#closed) return CLOSED
    const { capacityBytes, data } = this.#layout
    const size = align(HEADER_BYTES + payloadBytes)
    const toEnd = capacityBytes - (this.#position & this.#mask)
    const padding = size > toEnd ? toEnd : 0
    if (!this.#hasRoom(padding + size)) return this.closed ? CLOSED : BACKPRESSURED
    this.#claimPosition = (this.#position + padding) | 0
    this.#claimType = type
    this.#claimBytes = payloadBytes
    return data + (this.#claimPosition & this.#mask) + HEADER_BYTES
  }

  /**
   * Makes the claimed record part of the next publication.
   *
   * @param payloadBytes - Its final length, at most what was claimed; the rest is given back.
   */
  commit(payloadBytes: number = this.#claimBytes): void {
    if (this.#claimBytes === -1) broken('commit: nothing is claimed')
    if (!(payloadBytes >= 0 && payloadBytes <= this.#claimBytes)) {
      broken(`commit: ${payloadBytes} bytes, claimed were ${this.#claimBytes}`)
    }
    const padding = (this.#claimPosition - this.#position) | 0
    if (padding !== 0) this.#writeHeader(this.#position, padding, PADDING)
    const length = HEADER_BYTES + payloadBytes
    this.#writeHeader(this.#claimPosition, length, this.#claimType)
    this.#position = (this.#claimPosition + align(length)) | 0
    this.#claimBytes = -1
  }

  /**
   * Forgets the claim. What was written into it lies past every published tail and is overwritten
   * by the next claim, so not even padding is left behind.
   */
  abort(): void {
    if (this.#claimBytes === -1) broken('abort: nothing is claimed')
    this.#claimBytes = -1
  }

  /** Shows all commits to the consumer. Returns whether there were any since the last time. */
  publish(): boolean {
    this.#closed ||= load(this.#words, this.#layout.consumerClosed) !== 0
    if (this.#position === this.#published) return false
    // Release: pairs with the load of the tail in Consumer. A consumer that sees this tail also
    // sees every header and payload byte below it. Moved up, it would hand out torn records.
    store(this.#words, this.#layout.tail, this.#position)
    this.#published = this.#position
    return true
  }

  /** Publishes, and says that no record will follow. An open claim is dropped. Idempotent. */
  close(): void {
    this.#claimBytes = -1
    this.publish()
    this.#closed = true
    // After the tail: a consumer that sees the flag looks at the tail once more and finds the last
    // records. The other way round it could call itself drained before them.
    store(this.#words, this.#layout.producerClosed, 1)
  }

  /** End of what is committed: the tail, once that is published. */
  get position(): number {
    return this.#position
  }

  /** Whether either side has closed; asks the memory. */
  get closed(): boolean {
    this.#closed ||= load(this.#words, this.#layout.consumerClosed) !== 0
    return this.#closed
  }

  /** Room behind the commits, bytes, headers and padding to come included. Asks the memory. */
  freeBytes(): number {
    this.#cachedHead = this.#loadHead()
    return this.#layout.capacityBytes - ((this.#position - this.#cachedHead) | 0)
  }

  #hasRoom(bytes: number): boolean {
    const { capacityBytes } = this.#layout
    if (capacityBytes - ((this.#position - this.#cachedHead) | 0) >= bytes) return true
    return this.freeBytes() >= bytes
  }

  #loadHead(): number {
    // Acquire: pairs with the store in Consumer.release(). Below this head the consumer reads
    // nothing any more, so the bytes may be written again.
    const head = this.#readHead()
    const used = (this.#position - head) >>> 0
    if (used > this.#layout.capacityBytes || used % RECORD_ALIGNMENT !== 0) {
      broken(`head ${head} is ${used} bytes behind the tail`)
    }
    return head
  }

  #writeHeader(position: number, length: number, type: number): void {
    const at = (this.#layout.data + (position & this.#mask)) >> 2
    this.#words[at] = length
    this.#words[at + 1] = type
  }
}

/**
 * The reading end. One thread at a time; a successor attaches at the last release and meets again
 * what was not released.
 *
 * @example
 * while (consumer.next()) handle(consumer.type, consumer.payloadOffset, consumer.payloadBytes)
 * consumer.release()                    // once per batch
 */
export class Consumer {
  /** Of the current record: its type, and where its payload lies in the memory, bytes. */
  type: number = PADDING
  payloadOffset = 0
  payloadBytes = 0
  readonly #words: Int32Array
  readonly #layout: RingLayout
  readonly #readTail: () => number
  readonly #mask: number
  /** End of the current record. */
  #position: number
  /** The head as the producer sees it. */
  #released: number
  #cachedTail: number

  /**
   * @param words - The whole memory; `payloadOffset` counts from its start.
   * @param readTail - Where the producer's position is told; by default, its word.
   * @param head - The end of what is released; by default, what the head's word says.
   */
  constructor(
    words: Int32Array,
    layout: RingLayout,
    readTail: () => number = () => load(words, layout.tail),
    head: number = load(words, layout.head),
  ) {
    checkLayout(layout)
    this.#words = words
    this.#layout = layout
    this.#readTail = readTail
    this.#mask = layout.capacityBytes - 1
    this.#position = head
    this.#released = head
    this.#cachedTail = head
  }

  /** End of the current record: the head, once that is released. */
  get position(): number {
    return this.#position
  }

  /**
   * Moves to the next published record and sets `type`, `payloadOffset`, `payloadBytes`.
   *
   * @returns False where there is none; then the fields keep the last record's values. A record
   *   whose header cannot be is a broken invariant and throws.
   */
  next(): boolean {
    for (;;) {
      if (this.#position === this.#cachedTail && this.availableBytes() === 0) return false
      const { capacityBytes, data } = this.#layout
      const index = this.#position & this.#mask
      const at = (data + index) >> 2
      // Read once, then checked: a second read could differ from what was checked.
      const length = this.#words[at]!
      const type = this.#words[at + 1]!
      const readable = Math.min((this.#cachedTail - this.#position) | 0, capacityBytes - index)
      if (length < HEADER_BYTES || length > readable) {
        broken(`record of ${length} bytes at index ${index}, ${readable} are readable`)
      }
      this.#position = (this.#position + align(length)) | 0
      if (type !== PADDING) {
        this.type = type
        this.payloadOffset = data + index + HEADER_BYTES
        this.payloadBytes = length - HEADER_BYTES
        return true
      }
    }
  }

  /**
   * Gives all records up to and including the current one back to the producer, which may
   * overwrite them at once. Returns whether there was anything to give.
   */
  release(): boolean {
    if (this.#position === this.#released) return false
    // Release: pairs with the load of the head in Producer. The producer overwrites what lies
    // below; moved above the last read of a payload, this would let it do so under our eyes.
    store(this.#words, this.#layout.head, this.#position)
    this.#released = this.#position
    return true
  }

  /** Says that nothing more will be read: the producer's claims become CLOSED. Idempotent. */
  close(): void {
    store(this.#words, this.#layout.consumerClosed, 1)
  }

  /** Whether the producer has closed and every record was met. Ask after `next()` said false. */
  get drained(): boolean {
    // Before the tail, see Producer.close().
    const closed = load(this.#words, this.#layout.producerClosed) !== 0
    return closed && this.availableBytes() === 0
  }

  /** Published and not yet met by `next()`, bytes, padding included. Asks the memory. */
  availableBytes(): number {
    // Acquire: pairs with the store in Producer.publish().
    const tail = this.#readTail()
    const available = (tail - this.#position) >>> 0
    if (available > this.#layout.capacityBytes || available % RECORD_ALIGNMENT !== 0) {
      broken(`tail ${tail} is ${available} bytes ahead of the reader`)
    }
    this.#cachedTail = tail
    return available
  }
}

function align(bytes: number): number {
  return (bytes + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT
}

function checkLayout({ capacityBytes, data }: RingLayout): void {
  if (capacityBytes < 64 || (capacityBytes & (capacityBytes - 1)) !== 0) {
    broken(`ring capacity ${capacityBytes} is not a power of two from 64`)
  }
  if (data % RECORD_ALIGNMENT !== 0) broken(`ring data at ${data} is not aligned`)
}
