/** What is played: scripts for every turn that the protocol can take, and any others by seed. */
import type { Step } from './crash-main.ts'
import type { Play } from './crash-rig.ts'
import { randomFrom } from './random.ts'

export interface Script {
  readonly name: string
  readonly steps: readonly Step[]
}

const letters = (letter: string, count: number): string => letter.repeat(count)

export const SCRIPTS: readonly Script[] = [
  {
    name: 'one stream',
    steps: [
      ['open', 0],
      ['data', 0, 'a.b.'],
      ['data', 0, 'c.d'],
      ['data', 0, 'e.f.'],
      ['end', 0],
    ],
  },
  {
    name: 'two streams, each event in two frames',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 0, 'ab'],
      ['data', 1, 'cd'],
      ['data', 0, 'ef.g'],
      ['data', 1, 'h.ij'],
      ['data', 0, '.'],
      ['data', 1, '.k.'],
      ['end', 0],
      ['end', 1],
    ],
  },
  {
    name: 'a row reopened, with the slab of its last stream',
    steps: [
      ['open', 0],
      ['data', 0, 'a.b'],
      ['end', 0],
      ['open', 0],
      ['data', 0, 'c'],
      ['data', 0, 'd.'],
      ['end', 0],
    ],
  },
  {
    name: 'a row reopened while records of another stream wait for room',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 0, 'ABC.'],
      ['end', 0],
      ['data', 1, 'ABCDE.FGHIJ.KLMNO.P.'],
      ['open', 0],
      ['data', 0, 'B.'],
      ['end', 0],
      ['end', 1],
    ],
  },
  {
    name: 'an event larger than the record ring, between others',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 1, 'a'],
      ['data', 0, 'b.c'],
      ['data', 0, 'ABCDEFGHIJKLMNOPQRST.d'],
      ['data', 1, 'e.'],
      ['data', 0, 'f.g.h.i.j.k.'],
      ['end', 0],
      ['end', 1],
    ],
  },
  {
    name: 'an event larger than the record ring, with more of its stream behind it',
    steps: [
      ['open', 0],
      ['data', 0, 'ABCDEFGHIJKLMNO.'],
      ['data', 0, 'a.b.'],
      ['data', 0, 'c.'],
      ['end', 0],
    ],
  },
  {
    name: 'carry that outgrows its slab',
    steps: [
      ['open', 0],
      ['data', 0, letters('a', 100)],
      ['data', 0, letters('b', 100)],
      ['data', 0, letters('c', 100)],
      ['data', 0, `${letters('d', 100)}.e.`],
      ['end', 0],
    ],
  },
  {
    name: 'an abort that overtakes records which are shown',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 0, 'ABCDEF.g.'],
      ['data', 1, 'ABCDEFGH.'],
      ['unwanted', 0],
      ['data', 0, 'h.i.j.'],
      ['data', 1, 'K.L.'],
      ['abort', 0],
      ['data', 1, 'M.'],
      ['end', 1],
      ['open', 0],
      ['data', 0, 'n.'],
      ['end', 0],
    ],
  },
  {
    name: 'an abort of a stream whose records are shown, with those of another',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 0, 'ABC.'],
      ['data', 1, 'ABCDEFGHIJKLMNO.'],
      ['full', 0],
      ['unwanted', 0],
      ['data', 1, 'b.'],
      ['abort', 0],
      ['end', 1],
    ],
  },
  {
    name: 'a frame that kills, between others',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 0, 'a.b'],
      ['data', 1, 'c.d'],
      ['data', 0, 'e.!.f.'],
      ['data', 1, 'g.h.'],
      ['data', 0, 'i.'],
      ['data', 1, 'j.'],
      ['end', 0],
      ['end', 1],
    ],
  },
  {
    name: 'a frame that kills after it has filled the record ring',
    steps: [
      ['open', 0],
      ['open', 1],
      ['data', 1, 'a.'],
      ['data', 0, 'b.ABCD.EFGH.IJKL.M!.n.'],
      ['data', 1, 'o.'],
      ['end', 0],
      ['end', 1],
    ],
  },
]

/** Frames written and records read at a time: in step, main ahead, main behind. */
export const TEMPI: readonly (readonly [writes: number, reads: number])[] = [
  [1, 1],
  [3, 2],
  [9, 1],
]

const LETTERS = 'abcdefghij......'

/** Any script at any tempo, with up to four deaths. */
export function anyPlay(seed: number): Play {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1))
  // The first numbers of small seeds are alike.
  for (let skipped = 0; skipped < 8; skipped++) random()
  const below = (bound: number): number => (random() >>> 8) % bound
  const script: Step[] = []
  const isOpen = [false, false, false, false]
  const isUnwanted = [false, false, false, false]
  const text = (): string => {
    const length = below(8) === 0 ? 60 : below(12)
    const chosen = Array.from({ length }, () => LETTERS.charAt(below(LETTERS.length))).join('')
    if (below(40) === 0) return `${chosen}!`
    return below(6) === 0 ? chosen.toUpperCase().slice(0, 20) : chosen
  }
  const close = (stream: number): void => {
    script.push([isUnwanted[stream] ? 'abort' : 'end', stream])
    isOpen[stream] = isUnwanted[stream] = false
  }
  for (let steps = 6 + below(20); steps > 0; steps--) {
    const stream = below(4)
    if (!isOpen[stream]) {
      isOpen[stream] = true
      script.push(['open', stream])
    } else if (below(10) === 0) close(stream)
    else if (below(16) === 0 && !isUnwanted[stream]) {
      isUnwanted[stream] = true
      script.push(['unwanted', stream])
    } else script.push(['data', stream, text()])
  }
  for (const [stream, open] of isOpen.entries()) if (open) close(stream)
  const deaths = Array.from({ length: below(5) }, () => 1 + below(1 << (3 + below(8))))
  return { script, writes: 1 + below(9), reads: 1 + below(4), deaths, seed }
}
