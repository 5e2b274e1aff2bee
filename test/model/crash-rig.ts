/**
 * Main and worker of one small channel, by turns on one thread, where the worker may die at every
 * write to the shared memory, atomic or plain. Between two writes nothing is different for those
 * who come after it, so no other place need be tried.
 * The worker's side is the production code.
 */
import assert from 'node:assert/strict'
import { FRAME_WATCH } from '../../src/shared/channel-layout.ts'
import type { OpenFrame } from '../../src/shared/control-protocol.ts'
import type { ChannelServer } from '../../src/workers/channel-server.ts'
import { type Machine, play } from './atomics.ts'
import type { Code } from './code.ts'
import { type MainPlan, MainSide } from './crash-main.ts'
import { randomFrom } from './random.ts'
import { CARRY_BYTES, OUTPUT, overwriteLeft, SMALL, SMALL_BOUNDS } from './small-channel.ts'
import { Poisoned, ToyDecoder } from './toy-decoder.ts'

/** The worker goes on each time that main has written and read so much. */
export interface Play extends MainPlan {
  /** By life: the worker dies instead of its n-th write in that life; Infinity: not so. */
  readonly deaths: readonly number[]
  readonly seed: number
}

export interface Played {
  /** By life: how many writes it had come to. */
  readonly writes: readonly number[]
  /** How many of the planned deaths it came to. */
  readonly deaths: number
}

class Killed extends Error {}

/** Plays to the end. Throws an AssertionError if anything is lost, doubled, torn or stuck. */
export function playThrough(code: Code, plan: Play): Played {
  return new Rig(code, plan).run()
}

/** Knows which frame is being decoded. */
class WatchedDecoder extends ToyDecoder {
  frame: string | null = null
  #isOver = false

  override open(row: number, state: number, options: OpenFrame): void {
    this.#begin(`the OPEN of row ${row}`)
    super.open(row, state, options)
    this.#isOver = true
  }

  override decode(row: number, state: number, at: number, byteLength: number): number {
    this.#begin(`the frame of row ${row} up to ${at + byteLength}`)
    const taken = super.decode(row, state, at, byteLength)
    this.#isOver = true
    return taken
  }

  override end(row: number): void {
    this.#begin(`the END of row ${row}`)
    super.end(row)
    this.#isOver = true
  }

  /** Something else is written. */
  returned(): void {
    if (this.#isOver) this.frame = null
  }

  #begin(frame: string): void {
    this.frame = frame
    this.#isOver = false
  }
}

/** In place of a word's index: something else is written. */
const NO_WORD = -1

const TURNS_MAX = 2000
const LIVES_MAX = 20

class Rig {
  readonly #code: Code
  readonly #plan: Play
  readonly #buffer = new ArrayBuffer(SMALL.bytes)
  readonly #words = new Int32Array(this.#buffer)
  readonly #main: MainSide
  /** By life that has ended. */
  readonly #lives: number[] = []
  /** By planned death: the frame that was being decoded, or `null`. */
  readonly #diedOf: (string | null)[] = []
  #decoder!: WatchedDecoder
  #isDead = false
  #writes = 0
  #inWorker = false

  constructor(code: Code, plan: Play) {
    this.#code = code
    this.#plan = plan
    play(this.#machine())
    this.#main = new MainSide(code, this.#words, plan)
  }

  run(): Played {
    let server = this.#worker()
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const mainDid = this.#main.step()
      let workerDid = true
      if (server !== null) workerDid = this.#alive(() => server!.turn()) ?? false
      if (this.#isDead) {
        this.#takeOver()
        server = this.#worker()
        continue
      }
      if (mainDid || workerDid) continue
      this.#main.check(server!.stats(), this.#mayBePoisoned())
      return { writes: [...this.#lives, this.#writes], deaths: this.#diedOf.length }
    }
    throw new assert.AssertionError({ message: 'it does not come to an end' })
  }

  #worker(): ChannelServer | null {
    this.#writes = 0
    this.#isDead = false
    return this.#alive(() => {
      const views = { words: this.#guarded(this.#words), bytes: this.#guarded(this.#main.bytes) }
      const end = this.#code.ends.attachWorker(views, SMALL)
      const region = { at: SMALL.carry, bytes: CARRY_BYTES, leaseBytesMax: 0 }
      const carry = new this.#code.slabs.CarrySlabs({
        ...region,
        grownBytes: CARRY_BYTES,
        grow: () => assert.fail('the toy has no more memory'),
      })
      this.#decoder = new WatchedDecoder(views, carry, OUTPUT)
      const ring = (): void => void this.#main.posted++
      return new this.#code.server.ChannelServer(end, this.#decoder, ring, SMALL_BOUNDS)
    })
  }

  #alive<T>(action: () => T): T | null {
    this.#inWorker = true
    try {
      return action()
    } catch (error) {
      if (error instanceof Killed) this.#diedOf.push(this.#decoder.frame)
      else if (!(error instanceof Poisoned)) throw error
      this.#lives.push(this.#writes)
      this.#isDead = true
      return null
    } finally {
      this.#inWorker = false
    }
  }

  #takeOver(): void {
    assert.ok(this.#lives.length < LIVES_MAX, 'the worker dies again and again')
    const random = randomFrom(this.#plan.seed + 7919 * this.#lives.length)
    overwriteLeft(this.#buffer, random)
    this.#main.takeOver()
  }

  /** Whether planned deaths may have made a frame look poisonous. */
  #mayBePoisoned(): boolean {
    const frames = this.#diedOf.filter((frame) => frame !== null)
    return new Set(frames).size < frames.length
  }

  #write(index: number): void {
    if (!this.#inWorker) return
    this.#writes++
    // That decoding is over is itself a write.
    if (index !== FRAME_WATCH) this.#decoder.returned()
    if (this.#writes === this.#plan.deaths[this.#lives.length]) throw new Killed()
  }

  #machine(): Machine {
    const words = this.#words
    const update = (index: number, after: number): number => {
      this.#write(index)
      const before = words[index]!
      words[index] = after
      return before
    }
    return {
      load: (_, index) => words[index]!,
      store: (_, index, value) => void update(index, value),
      add: (_, index, value) => update(index, words[index]! + value),
      exchange: (_, index, value) => update(index, value),
      compareExchange: (_, index, expected, value) =>
        update(index, words[index] === expected ? value : words[index]!),
      wait: (_, index, expected) => {
        this.#inWorker = false
        this.#main.wasFull = true
        while (words[index] === expected) {
          assert.ok(this.#main.step(), 'the worker waits for ever')
        }
        this.#inWorker = true
        return 'ok'
      },
      notify: () => 0,
    }
  }

  /** The same view, on which every write is one that the worker may die at. */
  #guarded<T extends Int32Array | Uint8Array>(view: T): T {
    const write = this.#write.bind(this)
    return new Proxy(view, {
      get(target, key) {
        const value = Reflect.get(target, key, target) as unknown
        if (typeof value !== 'function') return value
        const method = value as (...args: unknown[]) => unknown
        const writes = key === 'copyWithin' || key === 'fill' || key === 'set'
        return (...args: unknown[]) => {
          if (writes) write(NO_WORD)
          return method.apply(target, args)
        }
      },
      set(target, key, value: number) {
        write(target instanceof Int32Array ? Number(key) : NO_WORD)
        target[Number(key)] = value
        return true
      },
    })
  }
}
