/**
 * Finds the frame that kills the worker, so that its stream alone ends and not the channel.
 *
 * One word says which frame is being decoded. A successor that finds it so suspects that frame: it
 * publishes frame by frame until past it, and if it dies at the same frame once more, that one is
 * poisoned: the next successor does not decode it.
 *
 *     nothing    --begin--> decoding               --rest, done--> nothing
 *     decoding   --death--> suspected
 *     suspected  --begin--> decoding the suspect   --rest--> suspected   --done--> nothing
 *     the suspect being decoded   --death--> poisoned   --passed--> nothing
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

  /** Made by a successor, it counts the death of its predecessor. @param head - As published. */
  constructor(words: Int32Array, head: number) {
    this.#words = words
    const word = words[FRAME_WATCH]!
    // One store, so that a death in here, too, counts no death twice.
    if ((((word & ~STATES) - head) | 0) <= 0) {
      words[FRAME_WATCH] = 0
    } else if ((word & DECODING) !== 0) {
      const state = (word & SUSPECTED) === 0 ? SUSPECTED : POISONED
      words[FRAME_WATCH] = (word & ~STATES) | state
    }
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

  /** The frame was taken. */
  done(end: number): void {
    const word = this.#words[FRAME_WATCH]!
    if ((word & ~STATES) === end && (word & POISONED) === 0) this.#words[FRAME_WATCH] = 0
  }

  /** It is published that a poisoned frame was passed over, where `head` is its end. */
  passed(head: number): void {
    if ((this.#words[FRAME_WATCH]! & ~STATES) === head) this.#words[FRAME_WATCH] = 0
  }
}
