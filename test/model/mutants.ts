/**
 * Ways to break the handshakes, each one small edit of the compiled production code. The checker
 * must find a scenario that each breaks: this is the proof that the scenarios mean something.
 */
import { readFile } from 'node:fs/promises'
import * as ring from '../../src/shared/ring-buffer.ts'
import * as wait from '../../src/shared/wait-strategy.ts'
import type { Code } from './ends.ts'

export interface Mutant {
  readonly name: string
  readonly module: 'ring-buffer' | 'wait-strategy'
  /** Each text must occur in the module exactly once. */
  readonly edits: readonly (readonly [from: string, to: string])[]
  /** The scenarios that are tried, by the start of their names, */
  readonly within: string
  /** and what one of them must say. */
  readonly breaks: RegExp
}

const RACE = /unordered with/
const DEADLOCK = /waits for ever/

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'publish before copy',
    module: 'ring-buffer',
    edits: [
      [
        'this.#claimBytes = payloadBytes;',
        `this.#claimBytes = payloadBytes;
        store(this.#words, this.#layout.tail, (this.#position + padding + size) | 0);`,
      ],
    ],
    within: 'transfer',
    breaks: RACE,
  },
  {
    name: 'free before read',
    module: 'ring-buffer',
    edits: [
      [
        'this.payloadBytes = length - HEADER_BYTES;',
        'this.payloadBytes = length - HEADER_BYTES; this.release();',
      ],
    ],
    within: 'transfer',
    breaks: RACE,
  },
  {
    name: 'claim without room for the padding',
    module: 'ring-buffer',
    edits: [['this.#hasRoom(padding + size)', 'this.#hasRoom(size)']],
    within: 'transfer',
    breaks: /broken invariant: tail/,
  },
  {
    name: 'claim one record too many',
    module: 'ring-buffer',
    edits: [['this.freeBytes() >= bytes', 'this.freeBytes() >= bytes - 16']],
    within: 'transfer',
    breaks: /broken invariant: tail/,
  },
  {
    name: 'positions compared without wrapping',
    module: 'ring-buffer',
    edits: [
      [
        'const used = (this.#position - head) >>> 0;',
        'const used = Math.abs(this.#position - head);',
      ],
    ],
    within: 'transfer',
    breaks: /broken invariant: head/,
  },
  {
    name: 'abort keeps the place',
    module: 'ring-buffer',
    edits: [
      [
        "broken('abort: nothing is claimed');",
        "broken('abort: nothing is claimed'); this.#position = (this.#claimPosition + 16) | 0;",
      ],
    ],
    within: 'transfer: 3 messages',
    breaks: /broken invariant: record|lost, doubled|another/,
  },
  {
    name: 'closed before the last publication',
    module: 'ring-buffer',
    edits: [
      [
        `this.#claimBytes = -1;
        this.publish();`,
        `this.#claimBytes = -1;
        store(this.#words, this.#layout.producerClosed, 1);
        this.publish();`,
      ],
    ],
    within: 'close',
    breaks: /deep.equal/i,
  },
  {
    name: 'drained looks at the tail before the flag',
    module: 'ring-buffer',
    edits: [
      ['return closed && this.availableBytes() === 0;', 'return empty && closed;'],
      [
        'const closed = load(this.#words, this.#layout.producerClosed) !== 0;',
        `const empty = this.availableBytes() === 0;
        const closed = load(this.#words, this.#layout.producerClosed) !== 0;`,
      ],
    ],
    within: 'close',
    breaks: /deep.equal/i,
  },
  {
    name: 'a full ring hides that the consumer has closed',
    module: 'ring-buffer',
    edits: [['return this.closed ? CLOSED : BACKPRESSURED;', 'return BACKPRESSURED;']],
    within: 'close',
    breaks: DEADLOCK,
  },
  {
    name: 'notify before store',
    module: 'wait-strategy',
    edits: [
      [
        `add(words, BELL, 1);
    if (load(words, PARKED) !== 0)
        notify(words, BELL, 1);`,
        `if (load(words, PARKED) !== 0)
        notify(words, BELL, 1);
    add(words, BELL, 1);`,
      ],
    ],
    within: 'bell',
    breaks: DEADLOCK,
  },
  {
    name: 'parked flag read before the bell is rung',
    module: 'wait-strategy',
    edits: [
      [
        `add(words, BELL, 1);
    if (load(words, PARKED) !== 0)`,
        `const parked = load(words, PARKED);
    add(words, BELL, 1);
    if (parked !== 0)`,
      ],
    ],
    within: 'bell',
    breaks: DEADLOCK,
  },
  {
    name: 'bell loaded after looking for work',
    module: 'wait-strategy',
    edits: [
      ['const heard = load(words, BELL);', ''],
      ['return WORKED;', 'return WORKED;\n    const heard = load(words, BELL);'],
    ],
    within: 'bell',
    breaks: DEADLOCK,
  },
  {
    name: 'parked without saying so',
    module: 'wait-strategy',
    edits: [['store(words, PARKED, 1);', '']],
    within: 'bell',
    breaks: DEADLOCK,
  },
  {
    name: 'doorbell flag cleared after draining',
    module: 'wait-strategy',
    edits: [
      [
        `store(words, MAIN_NOTIFIED, 0);
    drain();`,
        `drain();
    store(words, MAIN_NOTIFIED, 0);`,
      ],
    ],
    within: 'doorbell',
    breaks: DEADLOCK,
  },
  {
    name: 'space wanted only after the last look',
    module: 'wait-strategy',
    edits: [
      [
        `store(words, wanted, 1);
    return producer.claim(type, payloadBytes);`,
        `const last = producer.claim(type, payloadBytes);
    if (last === BACKPRESSURED) store(words, wanted, 1);
    return last;`,
      ],
    ],
    within: 'space wanted',
    breaks: DEADLOCK,
  },
  {
    name: 'asked for room before releasing it',
    module: 'wait-strategy',
    edits: [
      [
        'return consumer.release() && roomAsked(words, wanted);',
        `const asked = roomAsked(words, wanted);
    return consumer.release() && asked;`,
      ],
    ],
    within: 'space wanted',
    breaks: DEADLOCK,
  },
]

/** The production code with one module mutated. */
export async function mutate({ module, edits }: Mutant): Promise<Code> {
  const mutant = await loadOnModel(module, edits)
  if (module === 'ring-buffer') return { ring: mutant as typeof ring, wait }
  return { ring, wait: mutant as typeof wait }
}

/**
 * A production module as it is compiled, after `edits`, on the model's atomics, whatever the
 * conditions of this process.
 */
export async function loadOnModel(
  module: Mutant['module'],
  edits: Mutant['edits'] = [],
): Promise<unknown> {
  const url = new URL(`../../src/shared/${module}.js`, import.meta.url)
  let source = await readFile(url, 'utf8')
  for (const [from, to] of edits) {
    const parts = source.split(from)
    if (parts.length !== 2) throw new Error(`${module}: ${parts.length - 1} places for: ${from}`)
    source = parts.join(to)
  }
  const atomics = new URL('./atomics.js', import.meta.url).href
  const absolute = source
    .replaceAll(`'#atomics'`, `'${atomics}'`)
    .replaceAll(/(?<= from ')\.[^']+/g, (relative) => new URL(relative, url).href)
  return import(`data:text/javascript,${encodeURIComponent(absolute)}`)
}
