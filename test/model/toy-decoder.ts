/**
 * A decoder as small as can be that keeps all it has in the channel's memory, for the model.
 *
 * Its events end with a full stop. A letter stands for itself, a capital for forty of its small
 * letter and a few more, as the stream's options say, so that a few bytes make more than a ring
 * holds. Each event is one row. An event that holds a `!` kills the worker.
 */
import { slabAddress, slabCapacity, type CarrySlabs } from '../../src/shared/carry-slabs.ts'
import type { ChannelViews } from '../../src/shared/channel-ends.ts'
import { SLOT_BYTES, STREAM_DIALECT, streamWord } from '../../src/shared/channel-layout.ts'
import type { OpenFrame } from '../../src/shared/control-protocol.ts'
import type { ChannelDecoder } from '../../src/shared/decoder/channel-decoder.ts'
import type { DecodeCounts } from '../../src/shared/decoder/decoder.ts'
import { ROW_TEXT, ROW_WORDS, type RowArea } from '../../src/shared/rows.ts'

const FULL_STOP = 0x2e
const EXCLAMATION = 0x21
const CASE = 0x20

/** What a capital letter stands for, by the stream's `jsonDepthMax`. */
export function expansionOf(jsonDepthMax: number): number {
  return 40 + (jsonDepthMax & 3)
}

/** Byte offsets in a state: the slab of an unfinished event, its length; counters. */
export const TOY_STATE_SLAB = 0
export const TOY_STATE_LENGTH = 4
const SLAB = TOY_STATE_SLAB / 4
const LENGTH = TOY_STATE_LENGTH / 4
const EVENTS = 2
const BYTES = 3

/** Where the stream table of the small channel begins, behind its commit slots. */
export const COMMITS = 1280
export const STREAMS: number = COMMITS + 2 * SLOT_BYTES

/** Rows after which decode() returns. */
const ROWS_ENOUGH = 3
const ROWS_BYTES = 128

/** Where it writes its rows: this many bytes, of which ROWS_BYTES are for rows. */
export const OUTPUT_BYTES = 2048

/** What a poisonous event does to its thread. */
export class Poisoned extends Error {}

export class ToyDecoder implements ChannelDecoder {
  readonly templateHits = 0
  readonly templateMisses = 0
  readonly streamsOnHeap = 0
  readonly views: ChannelViews
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #slabs: CarrySlabs
  readonly #output: number
  #rowCount = 0
  #textBytes = 0

  /** @param output - Byte offset of OUTPUT_BYTES. */
  constructor(views: ChannelViews, slabs: CarrySlabs, output: number) {
    this.views = views
    this.#words = views.words
    this.#bytes = views.bytes
    this.#slabs = slabs
    this.#output = output
  }

  get slabBytes(): number {
    return this.#slabs.slabBytes
  }

  get leasedBytes(): number {
    return this.#slabs.leasedBytes
  }

  get rows(): RowArea {
    const bytes = this.#bytes
    const textAt = this.#output + ROWS_BYTES
    return {
      rows: this.#words,
      rowsAt: this.#output >> 2,
      rowCount: this.#rowCount,
      text: bytes,
      textAt,
      textBytes: this.#textBytes,
      wide: bytes,
      wideAt: textAt,
      wideBytes: 0,
    }
  }

  resetRows(): void {
    this.#rowCount = 0
    this.#textBytes = 0
  }

  open(row: number, _state: number, { limits }: OpenFrame): void {
    this.#words[dialectWord(row)] = limits.jsonDepthMax
  }

  decode(row: number, state: number, at: number, byteLength: number): number {
    const end = at + byteLength
    for (let from = at; from < end;) {
      let stop = from
      while (stop < end && this.#bytes[stop] !== FULL_STOP) stop++
      if (stop === end) {
        this.#keep(state, from, end)
        from = end
      } else {
        this.#event(row, state, from, stop)
        from = stop + 1
      }
      this.#count(state, BYTES, from - at)
      at = from
      if (this.#rowCount >= ROWS_ENOUGH) break
    }
    return at - (end - byteLength)
  }

  end(_row: number): void {}

  counts(_row: number, state: number): DecodeCounts {
    const bytes = this.#words[(state >> 2) + BYTES]!
    const events = this.#words[(state >> 2) + EVENTS]!
    return { bytes, events, malformed: 0, comments: 0, replacements: 0, ignoredFields: 0 }
  }

  close(_row: number, state: number): void {
    this.#drop(state)
  }

  adopt(_row: number, state: number): void {
    const slab = this.#words[(state >> 2) + SLAB]!
    if (slab !== 0) this.#slabs.adopt(slab)
  }

  settle(): void {
    this.#slabs.settle()
  }

  #event(row: number, state: number, from: number, stop: number): void {
    const word = state >> 2
    if (this.#words[word + LENGTH] === 0) this.#write(row, from, stop)
    else {
      this.#keep(state, from, stop)
      const start = slabAddress(this.#words[word + SLAB]!)
      this.#write(row, start, start + this.#words[word + LENGTH]!)
      this.#drop(state)
    }
    this.#count(state, EVENTS, 1)
  }

  #write(row: number, from: number, stop: number): void {
    const expansion = expansionOf(this.#words[dialectWord(row)]!)
    const textAt = this.#output + ROWS_BYTES + this.#textBytes
    let length = 0
    for (let at = from; at < stop; at++) {
      const letter = this.#bytes[at]!
      if (letter === EXCLAMATION) throw new Poisoned('an event that kills')
      const times = (letter & CASE) === 0 ? expansion : 1
      for (let time = 0; time < times; time++) this.#bytes[textAt + length++] = letter | CASE
    }
    const word = (this.#output >> 2) + ROW_WORDS * this.#rowCount++
    this.#words[word] = ROW_TEXT
    this.#words[word + 1] = -1
    this.#words[word + 2] = length
    this.#textBytes += length
  }

  /** Appends to the unfinished event, in a larger slab where this one is full. */
  #keep(state: number, from: number, end: number): void {
    if (from === end) return
    const word = state >> 2
    const slab = this.#words[word + SLAB]!
    const length = this.#words[word + LENGTH]!
    const wanted = length + end - from
    let place = slab
    if (wanted > slabCapacity(slab)) {
      place = this.#slabs.allocate(Math.max(wanted, 2 * slabCapacity(slab)))
      if (place === 0) throw new Error('the toy has no room for its carry')
      const start = slabAddress(slab)
      this.#bytes.copyWithin(slabAddress(place), start, start + length)
      if (slab !== 0) this.#slabs.free(slab)
      this.#words[word + SLAB] = place
    }
    this.#bytes.copyWithin(slabAddress(place) + length, from, end)
    this.#words[word + LENGTH] = wanted
  }

  #drop(state: number): void {
    const word = state >> 2
    const slab = this.#words[word + SLAB]!
    this.#words[word + SLAB] = 0
    this.#words[word + LENGTH] = 0
    if (slab !== 0) this.#slabs.free(slab)
  }

  #count(state: number, counter: number, by: number): void {
    const word = (state >> 2) + counter
    this.#words[word] = this.#words[word]! + by
  }
}

function dialectWord(row: number): number {
  return streamWord(row, STREAM_DIALECT, STREAMS)
}
