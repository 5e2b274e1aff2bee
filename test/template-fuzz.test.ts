/**
 * Fuzz of template speculation: events that templates serve, among events that differ from them in
 * a byte, in what fills a hole, or in a line, on an engine that has learnt the family before.
 *
 * Case `n` of a run has seed `seed + n`, which alone makes it. `npm run test:fuzz -- --only
 * template` runs it for as long as one likes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { DIALECTS_KNOWN } from '../src/shared/dialects/dialects.ts'
import { type Chunks, randomCuts, seeded } from './chunking.ts'
import {
  type Bench,
  benchOf,
  Budget,
  failureOf,
  findDifference,
  replayable,
  type Push,
} from './fuzzing.ts'
import { differenceOf, outputOf, passingOutputOf } from './outputs.ts'
import { SHARED_DATA_MISSING, sharedData } from './shared-data.ts'
import {
  eventWith,
  type Family,
  familyOf,
  pick,
  type Random,
  type Recorded,
  recordedEvents,
  recordedFamily,
  startOf,
  valuesOf,
  wire,
} from './template-families.ts'
import { withBlanks, withByte, withOddHole, withOddLines } from './template-variants.ts'
import { dialect as madeUp } from './wasm-dialects.ts'
import { plainDecoder, type Setup } from './wasm-host.ts'

const budget = new Budget('template fuzz', 60_000)

const FRAMINGS = ['sse', 'ndjson', 'json-array', 'aws-eventstream'] as const

const known = DIALECTS_KNOWN.filter((dialect) => {
  const isFramed = FRAMINGS.some((framing) => framing === dialect.framing)
  return isFramed && dialect.payload === 'json' && benchOf(dialect) !== null
})
const recorded = new Map<Dialect, readonly Recorded[]>()
for (const dialect of known) recorded.set(dialect, await recordedEvents(dialect))

/** Templates of a program: so many other families drive one out. */
const TEMPLATES = 8
const PROBES = 3
/** From so many on, their share is no chance. */
const PROBES_MIN = 40

/** By dialect: events that a template should have served, and those that one has. */
const probes = new Map<string, { sent: number; served: number }>()

/** What a case has learnt, and what its streams are made of. */
interface Scene {
  readonly dialect: Dialect
  readonly bench: Bench
  readonly families: readonly Family[]
  readonly random: Random
  /** From an engine that has learnt nothing. */
  readonly learning: readonly Push[]
  readonly learnt: Uint8Array
}

function dialectOf(caseSeed: number, random: Random): Dialect {
  if (random() < 0.75) return pick(known, random)
  const [made] = fc.sample(madeUp, { seed: caseSeed, numRuns: 1 })
  return { ...made!, framing: pick(FRAMINGS, random) }
}

function newFamily(dialect: Dialect, random: Random): Family {
  const events = recorded.get(dialect) ?? []
  const isRecorded = events.length > 0 && random() < 0.4
  if (isRecorded) return recordedFamily(dialect, pick(events, random), random)
  return familyOf(dialect, random)
}

function good(family: Family, turn: number, random: Random): Buffer {
  return wire(family, eventWith(family, valuesOf(family, turn, random)))
}

/** `null` where the WASM decoder cannot take the dialect. */
function sceneOf(caseSeed: number): Scene | null {
  const random = seeded(caseSeed)
  const dialect = dialectOf(caseSeed, random)
  const bench = benchOf(dialect)
  if (bench === null) return null
  const families = Array.from({ length: pick([1, 1, 2, 3], random) }, () => {
    return newFamily(dialect, random)
  })
  // Some holes are found only later, by what widens the template.
  const isNarrow = random() < 0.25
  const first = families.map((family) => valuesOf(family, 0, random))
  const parts: Buffer[] = [Buffer.from(startOf(dialect))]
  for (let turn = 1; turn < 8; turn++) {
    for (const [at, family] of families.entries()) {
      const values = [...valuesOf(family, turn, random)]
      if (isNarrow) values.splice(1, Infinity, ...first[at]!.slice(1))
      parts.push(wire(family, eventWith(family, values)))
    }
  }
  const learning: Push[] = [{ stream: 0, setup: {}, chunk: Buffer.concat(parts) }]
  const rivals = random() < 0.1 ? TEMPLATES : 0
  const others = Array.from({ length: rivals }, (_, turn) => {
    return good(newFamily(dialect, random), turn, random)
  })
  const chunk = Buffer.concat([Buffer.from(startOf(dialect)), ...others])
  if (rivals > 0) learning.push({ stream: 1, setup: {}, chunk })
  bench.restore()
  for (const push of learning) decode(bench, push)
  if (!isNarrow && rivals === 0) probe(dialect, bench, families, random)
  const learnt = bench.learnt()
  return { dialect, bench, families, random, learning, learnt }
}

function decode(bench: Bench, { setup, chunk }: Push): void {
  passingOutputOf(bench.decoder(setup), [chunk])
}

/** Counts how many of some more events templates serve. */
function probe(dialect: Dialect, bench: Bench, families: readonly Family[], random: Random): void {
  const hits = bench.engine.templateHits
  const counts = probes.get(dialect.name) ?? { sent: 0, served: 0 }
  probes.set(dialect.name, counts)
  const parts: Buffer[] = [Buffer.from(startOf(dialect))]
  for (let turn = 0; turn < PROBES; turn++) {
    parts.push(...families.map((family) => good(family, 100 + turn, random)))
  }
  const learnt = bench.learnt()
  decode(bench, { stream: 0, setup: {}, chunk: Buffer.concat(parts) })
  bench.restore(learnt)
  counts.sent += PROBES * families.length
  counts.served += bench.engine.templateHits - hits
}

/** Every byte of an event changed, every hole filled with odd things, odd lines; in any order. */
function variantsOf({ families, random }: Scene): Buffer[] {
  const variants: Buffer[] = []
  for (const family of families) {
    const some = (turn: number) => eventWith(family, valuesOf(family, turn, random))
    const event = some(9)
    const own: Buffer[] = []
    for (let at = 0; at < event.length; at++) own.push(withByte(event, at, random))
    for (let turn = 0; turn < 10 * family.holes.length; turn++) {
      own.push(withOddHole(family, turn, random))
    }
    for (let turn = 0; turn < 20; turn++) {
      own.push(withBlanks(event, random), withOddLines(some(turn), random))
    }
    variants.push(...own.map((variant) => wire(family, variant)))
    if (family.frameType !== null) variants.push(wire({ ...family, frameType: 'other' }, event))
  }
  for (let at = variants.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[variants[at], variants[other]] = [variants[other]!, variants[at]!]
  }
  return variants
}

/** Mostly as usual; else strict, or with a limit that the event just keeps, or does not. */
function setupFor({ families, random }: Scene): Setup {
  const roll = random()
  if (roll < 0.65) return {}
  if (roll < 0.7) return { strict: true }
  if (roll < 0.75) return { limits: { jsonNumberBytesMax: 32, eventNameBytesMax: 64 } }
  const { event, lead } = pick(families, random)
  const some = Math.floor(random() * 5) - 2
  if (roll < 0.85) return { limits: { lineBytesMax: Math.max(1, event.length + some) } }
  if (roll < 0.95) return { limits: { eventBytesMax: Math.max(1, event.length - lead + some) } }
  return { limits: { jsonDepthMax: pick([1, 2, 3, 4, 5], random) } }
}

function bodyFrom({ dialect, families, random }: Scene, variants: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(startOf(dialect))]
  for (const [turn, variant] of variants.entries()) {
    for (const family of families) if (random() < 0.5) parts.push(good(family, turn, random))
    parts.push(variant)
  }
  return Buffer.concat([...parts, good(pick(families, random), 20, random)])
}

function cut(body: Buffer, random: Random): Chunks {
  // A view by itself is made faster than a Buffer.
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.length)
  return randomCuts(bytes, 1 + 2 ** (random() * 9), random)
}

/** Runs one case; returns how many chunkings it took. */
function runCase(caseSeed: number): number {
  const scene = sceneOf(caseSeed)
  if (scene === null) return 0
  const { dialect, bench, random, learning, learnt } = scene
  // Each stream meets what was learnt at first; or also what it learnt from those before.
  const isIsolated = random() < 0.6
  const log: Push[] = [...learning]
  let chunkings = 0
  const fail = (difference: string, pushes: readonly Push[]): never => {
    throw failureOf(difference, dialect, pushes)
  }
  const variants = variantsOf(scene)
  for (let at = 0, stream = 2; at < variants.length; stream += 3) {
    const next = at + 1 + Math.floor(random() * 6)
    const body = bodyFrom(scene, variants.slice(at, next))
    const setup = setupFor(scene)
    const expected = outputOf(plainDecoder(dialect, setup), [body])
    for (const [turn, chunks] of [[body], cut(body, random), cut(body, random)].entries()) {
      if (isIsolated) bench.restore(learnt)
      const found = passingOutputOf(bench.decoder(setup), chunks)
      const difference = differenceOf(found, expected)
      if (isIsolated) log.length = learning.length
      log.push(...chunks.map((chunk) => ({ stream: stream + turn, setup, chunk })))
      if (difference !== null) fail(difference, log)
      chunkings++
    }
    at = next
  }
  for (let turn = 0; turn < 3; turn++) {
    const pushes = [...learning, ...interleaved(scene, variants)]
    const difference = findDifference(dialect, pushes)
    if (difference !== null) fail(difference, pushes)
    chunkings += 3
  }
  return chunkings
}

/** Three streams, a chunk of each in turn, or in no order. */
function interleaved(scene: Scene, variants: readonly Buffer[]): readonly Push[] {
  const { random } = scene
  const queues = Array.from({ length: 3 }, (_, stream) => {
    const own = variants.filter(() => random() < 2 / variants.length)
    const body = bodyFrom(scene, own)
    const setup = setupFor(scene)
    const chunks = random() < 0.3 ? [body] : cut(body, random)
    return chunks.map((chunk) => ({ stream: stream + 2, setup, chunk }))
  })
  const pushes: Push[] = []
  for (let left = queues; left.length > 0; left = left.filter(({ length }) => length > 0)) {
    const push = pick(left, random).shift()
    if (push !== undefined) pushes.push(push)
  }
  return pushes
}

const { seed } = budget

test(`fuzz: templates serve only what they should (MILLRACE_SEED=${seed})`, async (t) => {
  let run = 0
  for (; run === 0 || !budget.isOver; run++) {
    await budget.add(replayable('template', seed + run, () => runCase(seed + run)))
  }
  t.diagnostic(`${run} families, ${budget.toString()}`)
  for (const [name, { sent, served }] of probes) {
    t.diagnostic(`${name}: ${served} of ${sent} served`)
    // Some are too long for a template, or have a second element. Those made up may say nothing.
    const least = name === 'made-up' ? 0 : 0.5
    if (sent >= PROBES_MIN) assert.ok(served > sent * least, `${name}: ${served} of ${sent} served`)
  }
})

test(
  'fuzz: there are recordings to learn templates from',
  { skip: sharedData() === null && SHARED_DATA_MISSING },
  () => assert.ok([...recorded.values()].flat().length > 100),
)
