/**
 * Runs threads in every interleaving of their atomic operations.
 *
 * JavaScript cannot stop a function in the middle, so a thread is replayed: its function runs from
 * the start, every access it made before answers from a log, and the first atomic operation that is
 * not in the log is thrown out of it as the one it wants to do next. Carrying that out on the
 * memory, adding the result to the log and replaying again is one step. Plain accesses run on
 * with the step before them: where none race (memory.ts), no other place would make a difference.
 *
 *     explore(state):  if no thread can step: all done -> check the results, else deadlock
 *                      for each thread that can step: explore(state after its step)
 *
 * What a thread did so far (its results, each with the write that it read from) is a node of a
 * tree. Threads are deterministic, so a node knows for good what its thread wants next; and a
 * state is known by the nodes of its threads and the last writer of each atomic word. States met
 * before are not explored again.
 */
import { type Machine, play } from './atomics.ts'
import { ModelMemory } from './memory.ts'
import type { Context, Mortal, Scenario } from './scenario.ts'
import {
  afterwards,
  canDie,
  canStep,
  DEAD,
  isAlive,
  type Kind,
  type Node,
  NOTIFIED,
  type Op,
  repeatPlain,
  RUNNING,
  type State,
  WAITING,
  wake,
} from './state.ts'
import { viewsOf } from './views.ts'

export interface Explored {
  readonly states: number
  readonly steps: number
  /** Different orders of all atomic operations, from start to end. */
  readonly interleavings: number
}

/** A broken invariant; its cause says which, its message also in which interleaving. */
export class Violation extends Error {}

/** All threads wait, for ever. */
export class Deadlock extends Error {}

/** Thrown out of a thread that wants to do what its log does not hold. */
class Suspended {
  readonly op: Op
  constructor(op: Op) {
    this.op = op
  }
}

/** What an atomic operation answered, and the version of the word that the answer came from. */
interface Outcome {
  readonly result: unknown
  readonly edge: string
}

/** The access log of the thread that is being replayed. */
interface Session {
  readonly memory: ModelMemory
  readonly thread: number
  readonly node: Node
  cursor: number
  /** While its objects are made: accesses go straight to the memory. */
  preparing: boolean
}

/** Explores all of a scenario. Throws a {@link Violation} at the first broken invariant. */
export function explore(scenario: Scenario): Explored {
  return new Checker(scenario).run()
}

class Checker {
  readonly #scenario: Scenario
  readonly #initial: Int32Array
  /** By state: the number of interleavings from there on. */
  readonly #known = new Map<string, number>()
  readonly #trace: string[] = []
  readonly #context: Context
  /** Words that some thread touches atomically. */
  readonly #atomicWords = new Set<number>()
  /** By writer's past: the number that stands for it. */
  readonly #versions = new Map<string, number>()
  /** By what is left: the end of the thread that left it. */
  readonly #ends = new Map<string, Node>()
  #nodes = 0
  #steps = 0
  #session: Session | null = null

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#initial = new Int32Array(scenario.wordCount)
    for (const [index, value] of scenario.initial) this.#initial[index] = value
    const views = viewsOf({
      length: scenario.wordCount,
      read: (index) => this.#plain(index, 0, 0),
      write: (index, value, mask) => void this.#plain(index, value, mask),
    })
    this.#context = {
      ...views,
      until: (index, value) => void this.#atomic('until', index, value, 0),
      take: (index) => void this.#atomic('take', index, 0, 0),
    }
  }

  run(): Explored {
    play(this.#machine())
    const { threads } = this.#scenario
    const memory = new ModelMemory(this.#initial, threads.length)
    const nodes = threads.map((_, thread) => this.#replay(memory, thread, []))
    for (const { failure } of nodes) if (failure !== null) throw failure
    const interleavings = this.#explore({ memory, nodes, status: threads.map(() => RUNNING) })
    return { states: this.#known.size, steps: this.#steps, interleavings }
  }

  #explore(state: State): number {
    const key = this.#keyOf(state)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    let interleavings = 0
    let stuck = true
    for (let thread = 0; thread < state.nodes.length; thread++) {
      if (!canStep(state, thread)) continue
      stuck = false
      interleavings += this.#explore(this.#step(state, thread))
      this.#trace.pop()
    }
    if (stuck) {
      this.#checkEnd(state)
      interleavings = 1
    }
    for (const mortal of this.#scenario.mortals ?? []) {
      if (!canDie(state, mortal)) continue
      interleavings += this.#explore(this.#die(state, mortal))
      this.#trace.pop()
    }
    this.#known.set(key, interleavings)
    return interleavings
  }

  /** Everything that decides how it goes on: see the top of this file. */
  #keyOf({ nodes, status, memory }: State): string {
    let key = ''
    for (const [thread, node] of nodes.entries()) key += `${node.id}:${status[thread]},`
    for (const index of this.#atomicWords) key += `${index}=${memory.versionOf(index)},`
    return key
  }

  #checkEnd({ nodes, status }: State): void {
    this.#guard(() => {
      const waiting = nodes.findIndex((node, thread) => isAlive(node, status[thread]!))
      if (waiting >= 0) throw new Deadlock(`thread ${waiting} waits for ever`)
      this.#scenario.check(nodes.map((node) => node.result))
    })
  }

  /** Runs what must not throw; if it does, says in which interleaving. */
  #guard<T>(action: () => T): T {
    try {
      return action()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Violation(`${reason}\n  ${this.#trace.join('\n  ')}`, { cause })
    }
  }

  #step(from: State, thread: number): State {
    this.#steps++
    const memory = from.memory.clone()
    const nodes = from.nodes.slice()
    const status = from.status.slice()
    const state = { memory, nodes, status }
    const node = nodes[thread]!
    const { kind, index, value } = node.pending!
    this.#trace.push(`thread ${thread}: ${kind} ${index} ${value}`)
    this.#guard(() => {
      const outcome = this.#carryOut(state, thread, node)
      if (outcome !== null) nodes[thread] = this.#goOn(memory, thread, node, outcome)
    })
    return state
  }

  /**
   * The thread dies before its next operation. What it leaves to the others is known by the memory
   * and by what they have done so far: however it came about, it goes on in the same way.
   */
  #die(from: State, { thread, leave, exit }: Mortal): State {
    this.#steps++
    const memory = from.memory.clone()
    const nodes = from.nodes.slice()
    const status = from.status.slice()
    this.#trace.push(`thread ${thread} dies`)
    const values = memory.values()
    const before = values.slice()
    leave(values)
    for (const [index, value] of exit) values[index] = value
    const others = nodes.map((node, other) =>
      other === thread ? '' : `${node.id}:${status[other]}`,
    )
    const left = `${thread} ${others.join()} ${Buffer.from(values.buffer).toString('latin1')}`
    let end = this.#ends.get(left)
    if (end === undefined) this.#ends.set(left, (end = this.#newNode([])))
    nodes[thread] = end
    status[thread] = DEAD
    this.#guard(() => {
      for (const [index] of exit) this.#atomicWords.add(index)
      // Its end comes after all that others have done so far.
      for (const index of this.#atomicWords) memory.atomicRead(thread, index)
      for (const [index, value] of values.entries()) {
        if (value === before[index] || this.#atomicWords.has(index)) continue
        memory.plainWrite(thread, index, value)
      }
      for (const index of this.#atomicWords) {
        this.#write(memory, thread, index, values[index]!, `left ${end.id}`)
      }
    })
    return { memory, nodes, status }
  }

  /** Does what the thread wants next, or returns `null`: it blocks, and wants the same still. */
  #carryOut({ memory, nodes, status }: State, thread: number, node: Node): Outcome | null {
    const { kind, index, value, other } = node.pending!
    if (kind === 'notify') {
      const woken = wake(nodes, status, index, value)
      return { result: woken, edge: `${woken}` }
    }
    if (kind === 'wait' && status[thread] === NOTIFIED) {
      status[thread] = RUNNING
      return { result: 'ok', edge: 'ok' }
    }
    if (kind === 'store') {
      this.#write(memory, thread, index, value, `${node.id}`)
      return { result: undefined, edge: '' }
    }
    this.#atomicWords.add(index)
    const edge = `${memory.versionOf(index)}`
    const before = memory.atomicRead(thread, index)
    if (kind === 'wait') {
      if (before !== value) return { result: 'not-equal', edge }
      status[thread] = WAITING
      return null
    }
    const after = afterwards(kind, before, value, other)
    if (after !== null) this.#write(memory, thread, index, after, `${node.id} ${edge}`)
    return { result: before, edge }
  }

  /** `past` names the writer's node and, if it read the word too, the version that it read. */
  #write(memory: ModelMemory, thread: number, index: number, value: number, past: string): void {
    this.#atomicWords.add(index)
    let version = this.#versions.get(past)
    if (version === undefined) this.#versions.set(past, (version = this.#versions.size + 1))
    memory.atomicWrite(thread, index, value, version)
  }

  /** The node behind `outcome`, its plain accesses carried out. */
  #goOn(memory: ModelMemory, thread: number, node: Node, { result, edge }: Outcome): Node {
    let next = node.next.get(edge)
    if (next === undefined) {
      next = this.#replay(memory, thread, [...node.log, result])
      node.next.set(edge, next)
    } else {
      repeatPlain(memory, thread, next)
    }
    if (next.failure !== null) throw next.failure
    return next
  }

  #replay(memory: ModelMemory, thread: number, log: unknown[]): Node {
    const node = this.#newNode(log)
    const session = { memory, thread, node, cursor: 0, preparing: true }
    this.#session = session
    try {
      const body = this.#scenario.threads[thread]!(this.#context)
      session.preparing = false
      node.result = body()
    } catch (thrown) {
      if (thrown instanceof Suspended) node.pending = thrown.op
      else node.failure = thrown instanceof Error ? thrown : new Error(String(thrown))
    }
    return node
  }

  #newNode(log: unknown[]): Node {
    const nothing = { pending: null, result: undefined, failure: null }
    return { id: this.#nodes++, log, plain: [], next: new Map(), ...nothing }
  }

  #machine(): Machine {
    const atomic = this.#atomic.bind(this)
    return {
      load: (_, index) => atomic('load', index, 0, 0) as number,
      store: (_, index, value) => void atomic('store', index, value, 0),
      add: (_, index, value) => atomic('add', index, value, 0) as number,
      exchange: (_, index, value) => atomic('exchange', index, value, 0) as number,
      compareExchange: (_, index, expected, value) =>
        atomic('compareExchange', index, expected, value) as number,
      wait: (_, index, expected) =>
        atomic('wait', index, expected, 0) as 'ok' | 'not-equal' | 'timed-out',
      notify: (_, index, count) => atomic('notify', index, count, 0) as number,
    }
  }

  #atomic(kind: Kind, index: number, value: number, other: number): unknown {
    const session = this.#session!
    if (session.preparing && kind === 'load') return this.#initial[index]
    if (session.preparing) throw new Error(`${kind} before the threads run`)
    if (session.cursor === session.node.log.length) {
      throw new Suspended({ kind, index, value, other })
    }
    return session.node.log[session.cursor++]
  }

  /** Reads, or writes the bits of `mask`. Returns what was read. */
  #plain(index: number, value: number, mask: number): number {
    const session = this.#session!
    if (session.preparing) throw new Error('plain access before the threads run')
    const { memory, thread, node } = session
    if (session.cursor === node.log.length) {
      if (mask !== 0) memory.plainWrite(thread, index, value, mask)
      const answer = mask === 0 ? memory.plainRead(thread, index) : value
      node.plain.push({ index, value: answer, mask })
      node.log.push(answer)
    }
    return node.log[session.cursor++] as number
  }
}
