/**
 * Finds the frame that kills the worker, so that its stream alone ends and not the channel.
 *
 * One word says which frame is being decoded. A successor that finds it so suspects that frame: it
 * publishes frame by frame until past it. If a worker dies of the same frame once more, that frame
 * is poisoned: the next one ends its stream instead.
 *
 *     nothing    --begin--> decoding               --rest, done--> nothing
 *     decoding   --death--> suspected
 *     suspected  --begin--> decoding the suspect   --rest--> suspected   --done--> nothing
 *     the suspect being decoded   --death--> poisoned   --done--> nothing
 *
 * A frame is known by the position of its end, a multiple of 8, and the three low bits say what is
 * the matter with it. While there is a suspect ahead, other frames leave no trace: a death there is
 * laid to no one, and the suspect stays one.
 */
import { FRAME_WATCH } from './channel-layout.ts'

const DECODING = 1
const SUSPECTED = 2
const POISONED = 4
const STATES = 7

export class FrameWatch {
  readonly #words: Int32Array

  /** Made by a successor, it counts the death of its predecessor. */
  constructor(words: Int32Array) {
    this.#words = words
    const word = words[FRAME_WATCH]!
    if ((word & DECODING) === 0) return
    const state = (word & SUSPECTED) === 0 ? SUSPECTED : POISONED
    // One store, so that a death in here, too, counts no death twice.
    words[FRAME_WATCH] = (word & ~STATES) | state
  }

  /** Whether, between two frames, one ahead is suspected or poisoned. */
  get isCareful(): boolean {
    return this.#words[FRAME_WATCH] !== 0
  }

  /** Before a frame is decoded, or goes on to be. @returns False where it is poisoned. */
  begin(end: number): boolean {
    const words = this.#words
    const word = words[FRAME_WATCH]!
    if (word === 0) {
      words[FRAME_WATCH] = end | DECODING
    } else if ((word & ~STATES) === end) {
      if ((word & POISONED) !== 0) return false
      words[FRAME_WATCH] = word | DECODING
    }
    return true
  }

  /** Decoding rests, while its records are written: a death there is not the frame's fault. */
  rest(end: number): void {
    const word = this.#words[FRAME_WATCH]!
    if ((word & ~STATES) !== end) return
    this.#words[FRAME_WATCH] = (word & SUSPECTED) === 0 ? 0 : word & ~DECODING
  }

  /** The frame was decoded; or its stream takes no more, and that is published. */
  done(end: number): void {
    if ((this.#words[FRAME_WATCH]! & ~STATES) === end) this.#words[FRAME_WATCH] = 0
  }
}
