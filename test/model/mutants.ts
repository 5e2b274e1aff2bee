/**
 * Ways to break the handshakes, each one small edit of the compiled production code. The checker
 * must find a scenario that each breaks: this is the proof that the scenarios mean something.
 */
import type { Edits } from './load-module.ts'

export interface Mutant {
  readonly name: string
  /** By its path under src. */
  readonly module: string
  readonly edits: Edits
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
    module: 'shared/ring-buffer',
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
    module: 'shared/ring-buffer',
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
    module: 'shared/ring-buffer',
    edits: [['this.#hasRoom(padding + size)', 'this.#hasRoom(size)']],
    within: 'transfer',
    breaks: /broken invariant: tail/,
  },
  {
    name: 'claim one record too many',
    module: 'shared/ring-buffer',
    edits: [['this.freeBytes() >= bytes', 'this.freeBytes() >= bytes - 16']],
    within: 'transfer',
    breaks: /broken invariant: tail/,
  },
  {
    name: 'positions compared without wrapping',
    module: 'shared/ring-buffer',
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
    module: 'shared/ring-buffer',
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
    module: 'shared/ring-buffer',
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
    module: 'shared/ring-buffer',
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
    module: 'shared/ring-buffer',
    edits: [['return this.closed ? CLOSED : BACKPRESSURED;', 'return BACKPRESSURED;']],
    within: 'close',
    breaks: DEADLOCK,
  },
  {
    name: 'notify before store',
    module: 'shared/wait-strategy',
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
    module: 'shared/wait-strategy',
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
    module: 'shared/wait-strategy',
    edits: [
      ['const heard = load(words, BELL);', ''],
      ['return WORKED;', 'return WORKED;\n    const heard = load(words, BELL);'],
    ],
    within: 'bell',
    breaks: DEADLOCK,
  },
  {
    name: 'parked without saying so',
    module: 'shared/wait-strategy',
    edits: [['store(words, PARKED, 1);', '']],
    within: 'bell',
    breaks: DEADLOCK,
  },
  {
    name: 'doorbell flag cleared after draining',
    module: 'shared/wait-strategy',
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
    module: 'shared/wait-strategy',
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
    module: 'shared/wait-strategy',
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
  {
    name: 'commit: the batch number is not read again',
    module: 'shared/commit',
    edits: [['if (load(this.#words, BATCH) === batch)', 'if (batch === batch)']],
    within: 'commit',
    breaks: /broken invariant: (?:head|tail)|unordered/,
  },
  {
    name: 'commit: the slot is written plainly',
    module: 'shared/commit',
    edits: [
      ['store(words, slot + (SLOT_HEAD >> 2), head);', 'words[slot + (SLOT_HEAD >> 2)] = head;'],
    ],
    within: 'commit',
    breaks: RACE,
  },
  {
    name: 'commit: the batch number is stored before its slot is filled',
    module: 'shared/commit',
    edits: [
      ['store(words, BATCH, batch);', ''],
      [
        'const slot = slotWord(this.#layout.commits, batch, 0);',
        `const slot = slotWord(this.#layout.commits, batch, 0);
        store(words, BATCH, batch);`,
      ],
    ],
    within: 'commit',
    breaks: /broken invariant|unordered/,
  },
  {
    name: 'commit: main is told before it is published',
    module: 'workers/channel-server',
    edits: [
      ['if ((hasRecords || isAsked) && doorbellNeeded(words))\n            this.#ringMain();', ''],
      [
        'commits.commit(this.#head, records.position);',
        `if (hasRecords && doorbellNeeded(words))
            this.#ringMain();
        commits.commit(this.#head, records.position);`,
      ],
    ],
    within: 'commit',
    breaks: DEADLOCK,
  },
  {
    name: 'commit: asked whether room is wanted before there is',
    module: 'workers/channel-server',
    edits: [
      ['const isAsked = hasTaken && roomAsked(words, CHUNK_SPACE_WANTED);', ''],
      [
        'commits.commit(this.#head, records.position);',
        `const isAsked = hasTaken && roomAsked(words, CHUNK_SPACE_WANTED);
        commits.commit(this.#head, records.position);`,
      ],
    ],
    within: 'commit: no room',
    breaks: DEADLOCK,
  },
  {
    name: 'commit: records are shown and nobody is told',
    module: 'workers/channel-server',
    edits: [
      [
        `commits.show(records.position, this.#made - 1, chunks.position);
        if (doorbellNeeded(words))
            this.#ringMain();`,
        'commits.show(records.position, this.#made - 1, chunks.position);',
      ],
    ],
    within: 'commit: no room',
    breaks: DEADLOCK,
  },
  {
    name: 'commit: main starts a successor and does not answer for the dead',
    module: 'shared/wait-strategy',
    edits: [
      [
        `// A doorbell that was on its way may be lost with the port: as if it had come.
    answerDoorbell(words, drain);`,
        'drain();',
      ],
    ],
    within: 'commit',
    breaks: DEADLOCK,
  },
]
