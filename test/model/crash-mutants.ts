/**
 * Ways to break the commit and its recovery, each a small edit of the compiled production code. The
 * plays must notice each: this is the proof that they mean something.
 */
import type { EditedModules, Edits } from './load-module.ts'

export interface CrashMutant {
  readonly name: string
  readonly edits: EditedModules
}

const commit = (...edits: Edits): EditedModules => ({ 'shared/commit': edits })
const server = (...edits: Edits): EditedModules => ({ 'workers/channel-server': edits })
const slabs = (...edits: Edits): EditedModules => ({ 'shared/carry-slabs': edits })
const watch = (...edits: Edits): EditedModules => ({ 'shared/frame-watch': edits })
const wait = (...edits: Edits): EditedModules => ({ 'shared/wait-strategy': edits })

export const CRASH_MUTANTS: readonly CrashMutant[] = [
  {
    name: 'rows come into force before they are published',
    edits: commit([
      'this.#publish(head, tail, 0, head, this.rowCount);',
      `for (let at = 0; at < this.rowCount; at++) {
            const row = this.#rows[at];
            this.#words[streamWord(row >> 1, STREAM_LIVE, this.#layout.streams)] = row & 1;
        }
        this.#publish(head, tail, 0, head, this.rowCount);`,
    ]),
  },
  {
    name: 'a successor does not bring published rows into force',
    edits: commit([
      `words[this.#slot(SLOT_REACH)];
        this.#bringIntoForce();`,
      'words[this.#slot(SLOT_REACH)];',
    ]),
  },
  {
    name: 'rows are changed in the copy in force',
    edits: commit(
      ['const to = this.#copyAt(row, live ^ 1);', 'const to = this.#copyAt(row, live);'],
      ['(row << 1) | (live ^ 1)', '(row << 1) | live'],
      ['this.#live(row) ^ Number(this.isChanged(row))', 'this.#live(row)'],
    ),
  },
  {
    name: 'the slot in force is written',
    edits: commit(['const batch = (this.#batch + 1) | 0;', 'const batch = (this.#batch + 2) | 0;']),
  },
  {
    name: 'the batch number is stored before its slot is filled',
    edits: commit(
      ['store(words, BATCH, batch);', ''],
      [
        'const slot = slotWord(this.#layout.commits, batch, 0);',
        `const slot = slotWord(this.#layout.commits, batch, 0);
        store(words, BATCH, batch);`,
      ],
    ),
  },
  {
    name: 'the head is published without the tail',
    edits: commit(
      ['store(words, slot + (SLOT_TAIL >> 2), tail);', ''],
      [
        'store(words, BATCH, batch);',
        `store(words, slot + (SLOT_TAIL >> 2), this.tail);
        store(words, BATCH, batch);
        store(words, slot + (SLOT_TAIL >> 2), tail);`,
      ],
    ),
  },
  {
    name: 'the tail is published without the head',
    edits: commit(
      ['store(words, slot + (SLOT_HEAD >> 2), head);', ''],
      [
        'store(words, BATCH, batch);',
        `store(words, slot + (SLOT_HEAD >> 2), this.head);
        store(words, BATCH, batch);
        store(words, slot + (SLOT_HEAD >> 2), head);`,
      ],
    ),
  },
  {
    name: 'the last row is not listed',
    edits: commit([
      'words[slot + (SLOT_ROW_COUNT >> 2)] = rowCount;',
      'rowCount -= rowCount > 1;\n words[slot + (SLOT_ROW_COUNT >> 2)] = rowCount;',
    ]),
  },
  {
    name: 'records are shown and not counted',
    edits: commit([
      'this.#publish(this.head, tail, sent, reach, 0);',
      'this.#publish(this.head, tail, 0, reach, 0);',
    ]),
  },
  {
    name: 'records that were shown count beyond their commit',
    edits: commit([
      'this.#publish(head, tail, 0, head, this.rowCount);',
      'this.#publish(head, tail, this.sent, head, this.rowCount);',
    ]),
  },
  {
    name: 'nobody knows how far shown records reach',
    edits: commit([
      'this.#publish(this.head, tail, sent, reach, 0);',
      'this.#publish(this.head, tail, sent, this.head, 0);',
    ]),
  },
  {
    name: 'a successor makes shown records again',
    edits: server(['if (++this.#made <= this.#publishedBefore)', 'if (++this.#made <= 0)']),
  },
  {
    name: 'a closing record is not counted as shown',
    edits: server([
      'const at = this.#claim(RECORD_CLOSED,',
      'this.#publishedBefore = 0;\n        const at = this.#claim(RECORD_CLOSED,',
    ]),
  },
  {
    name: 'careful before it has made again what was shown',
    edits: server([
      'this.#watch.isCareful && this.#made >= this.#publishedBefore',
      'this.#watch.isCareful',
    ]),
  },
  {
    name: 'an abort is learnt of while records are made again',
    edits: server(['if (this.#made < this.#publishedBefore)\n            return false;', '']),
  },
  {
    name: 'an abort counts before it is published',
    edits: server([
      `this.#flush();
        this.#takeNoMore(id);
        return true;`,
      'return true;',
    ]),
  },
  {
    name: 'what is left of a poisoned frame is taken for other records',
    edits: server(['this.#made = Math.max(this.#made, this.#publishedBefore);', '']),
  },
  {
    name: 'a failure is published after the frame that it is about',
    edits: server([
      `this.#records.write(id, 0, fault);
        this.#takeNoMore(id);`,
      `this.#records.write(id, 0, fault);
        this.#end.words[(commits.change(rowOf(id)) + COPY_DONE) >> 2] = 1;`,
    ]),
  },
  {
    name: 'a row is opened before it is published that it was closed',
    edits: server(['if (commits.isChanged(row))', 'if (false)']),
  },
  {
    name: 'slabs settle with every frame',
    edits: server([
      'this.#watch.done(chunks.position);',
      'this.#watch.done(chunks.position);\n        this.#decoder.settle();',
    ]),
  },
  {
    name: 'slabs settle when records are shown',
    edits: server([
      'commits.show(records.position,',
      'this.#decoder.settle();\n        commits.show(records.position,',
    ]),
  },
  {
    name: 'a successor does not know which slabs are in use',
    edits: server(['this.#decoder.adopt(row, commits.copyOf(row) + COPY_STATE);', '']),
  },
  {
    name: 'the frame is noted after it was decoded',
    edits: server([
      `if (!this.#mayDecode())
                return this.#poison(id);
            at += this.#decoder.decode(row, state, at, end - at);`,
      `at += this.#decoder.decode(row, state, at, end - at);
            if (!this.#mayDecode())
                return this.#poison(id);`,
    ]),
  },
  {
    name: 'a frame that another got past is suspected',
    edits: server(['((chunks.position - commits.reach) | 0) < 0', 'false']),
  },
  {
    name: 'the credit goes with the first record',
    edits: {
      'workers/row-records': [
        [
          'this.#record(streamId, piece.next < area.rowCount ? 0 : consumedBytes, piece);',
          'this.#record(streamId, consumedBytes, piece); consumedBytes = 0;',
        ],
      ],
    },
  },
  {
    name: 'a slab is handed out again at once',
    edits: slabs(['if (this.#takenIn[leaf] === this.#batch)', 'if (leaf >= 0)']),
  },
  {
    name: 'a slab of an earlier batch passes for one of this batch',
    edits: slabs(['this.#batch++;', '']),
  },
  {
    name: 'a second death at the same frame is like the first',
    edits: watch(['(word & SUSPECTED) === 0 ? SUSPECTED : POISONED', 'SUSPECTED']),
  },
  {
    name: 'a death while records are written is laid to the frame',
    edits: watch(['if ((word & ~STATES) !== end)\n            return;', 'return;']),
  },
  {
    name: 'a frame stays suspected after it was decoded',
    edits: watch(['if ((this.#words[FRAME_WATCH] & ~STATES) === end)', 'if (false)']),
  },
  {
    name: 'the doorbell of the dead is waited for',
    edits: wait([
      `// A doorbell that was on its way may be lost with the port: as if it had come.
    answerDoorbell(words, drain);`,
      'drain();',
    ]),
  },
  {
    name: 'what the dead published is not read',
    edits: wait([
      `// A doorbell that was on its way may be lost with the port: as if it had come.
    answerDoorbell(words, drain);`,
      'store(words, MAIN_NOTIFIED, 0);',
    ]),
  },
]
