/** A state of the explored program: each thread's past, and what follows from it. */
import type { Machine } from './atomics.ts'
import type { ModelMemory } from './memory.ts'
import type { Mortal } from './scenario.ts'

export type Kind = keyof Machine | 'until' | 'take'

/** An atomic operation; `value` and `other` are its arguments in their order. */
export interface Op {
  readonly kind: Kind
  readonly index: number
  readonly value: number
  readonly other: number
}

export interface PlainAccess {
  readonly index: number
  readonly value: number
  /** Bits that are written; 0 where it reads. */
  readonly mask: number
}

/** A thread's past, and what follows from it. */
export interface Node {
  readonly id: number
  /** Answers for a replay, one per access; writes answer nothing. */
  readonly log: unknown[]
  /** Plain accesses since the last atomic operation. */
  readonly plain: PlainAccess[]
  /** By outcome of its next operation: by version, see {@link Outcome}. */
  readonly next: Map<string, Node>
  pending: Op | null
  result: unknown
  /** What it threw, as an Error, or `null`. */
  failure: Error | null
}

export const RUNNING = 0
export const WAITING = 1
export const NOTIFIED = 2
export const DEAD = 3

export interface State {
  readonly memory: ModelMemory
  readonly nodes: Node[]
  readonly status: number[]
}

export function isAlive(node: Node, status: number): boolean {
  return node.pending !== null && status !== DEAD
}

/** Not while it does what is none of the library's. */
export function canDie({ nodes, status }: State, { thread }: Mortal): boolean {
  const kind = nodes[thread]!.pending?.kind
  return isAlive(nodes[thread]!, status[thread]!) && kind !== 'until' && kind !== 'take'
}

export function canStep({ nodes, status, memory }: State, thread: number): boolean {
  const op = nodes[thread]!.pending
  if (op === null || status[thread] === WAITING || status[thread] === DEAD) return false
  if (op.kind === 'until') return memory.valueOf(op.index) !== op.value
  if (op.kind === 'take') return memory.valueOf(op.index) !== 0
  return true
}

/** What the word holds after the operation, or `null` where it is not written. */
export function afterwards(
  kind: Kind,
  before: number,
  value: number,
  other: number,
): number | null {
  switch (kind) {
    case 'exchange':
      return value
    case 'add':
      return (before + value) | 0
    case 'take':
      return before - 1
    case 'compareExchange':
      return before === value ? other : null
    default:
      return null
  }
}

export function wake(nodes: Node[], status: number[], index: number, count: number): number {
  let woken = 0
  for (const [thread, node] of nodes.entries()) {
    if (woken === count) break
    if (status[thread] !== WAITING || node.pending?.index !== index) continue
    status[thread] = NOTIFIED
    woken++
  }
  return woken
}

/** A known node's plain accesses on another memory; they must read what they read before. */
export function repeatPlain(memory: ModelMemory, thread: number, { plain }: Node): void {
  for (const { index, value, mask } of plain) {
    if (mask !== 0) memory.plainWrite(thread, index, value, mask)
    else if (memory.plainRead(thread, index) !== value) {
      throw new Error(`word ${index} depends on more than what happened before`)
    }
  }
}
