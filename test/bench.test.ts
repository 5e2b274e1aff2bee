/** Every benchmark runs, small, so that none rots; and what they rest on does what it should. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BARS } from '../bench/bars.ts'
import { makeContext } from '../bench/bench.ts'
import { BENCHES } from '../bench/benches.ts'
import { makeFixture } from '../bench/fixtures.ts'
import { latenciesUs } from '../bench/open-loop.ts'
import { Traffic, type Pipe } from '../bench/pipes.ts'
import { withPlanted } from '../bench/planted.ts'
import { race, speedRatio, verify, type Contender, type Timing } from '../bench/race.ts'
import { byHand } from '../bench/rivals.ts'
import { retainedBytes } from '../bench/retained-bytes.ts'
import { quantile, spread } from '../bench/statistics.ts'
import { ThreadClock } from '../bench/thread-clock.ts'

const root = new URL('../../', import.meta.url)
const tiny = makeContext('tiny')

test('benchmarks: every bar is measured by exactly one, small', async (t) => {
  const measured: string[] = []
  for (const { name, run } of BENCHES) {
    await t.test(`${name}: answers, in rows of one shape`, async () => {
      const { rows, bars } = await run(tiny)
      assert.ok(rows.length > 0)
      const shapes = new Set(rows.map((row) => Object.keys(row).join()))
      assert.equal(shapes.size, 1)
      for (const [bar, value] of Object.entries(bars)) {
        assert.ok(!Number.isNaN(value), `${bar} was not measured`)
        measured.push(bar)
      }
    })
  }
  assert.deepEqual(measured.sort(), Object.keys(BARS).sort())
})

const fixture = makeFixture('chat', { events: 100 })

/** Right for its first `right` runs; after that it loses a token. */
function forgetful(right: number): Contender {
  const { decode } = byHand(fixture.dialect)
  let runs = 0
  return {
    name: 'forgetful',
    decode: (chunks, sink) =>
      decode(runs++ < right ? chunks : [...chunks.slice(0, 1), ...chunks.slice(2)], sink),
  }
}

test('verify: refuses a contender whose tokens are not those of the fixture', async () => {
  await verify(forgetful(1), fixture)
  await assert.rejects(async () => verify(forgetful(0), fixture), /forgetful on chat/)
})

test('verify: refuses a token of the right length and first character', async () => {
  const upper: Contender = {
    name: 'upper',
    decode(_, sink) {
      for (const token of fixture.tokens)
        sink.take(token.slice(0, 1) + token.slice(1).toUpperCase())
    },
  }
  await assert.rejects(async () => verify(upper, fixture), /upper on chat/)
})

test('race: refuses a contender that errs only while it is timed', async () => {
  const context = { ...tiny, runs: 3 }
  await assert.rejects(async () => race(fixture, [forgetful(3)], context), /forgetful on chat/)
  const [timing] = await race(fixture, [forgetful(5)], context)
  assert.equal(timing!.seconds.length, 3)
  assert.equal(timing!.tokens, 100)
})

test('race: makes a stream longer until a run of it is long enough to time', async () => {
  const [timing] = await race(fixture, [byHand('openai-chat')], {
    ...tiny,
    runSecondsMin: 0.01,
  })
  assert.ok(timing!.tokens > 100 && timing!.tokens % 100 === 0)
  assert.equal(timing!.bytes, fixture.bodyBytes * (timing!.tokens / 100) + fixture.frameBytes)
})

const timing = (tokens: number, seconds: number[]): Timing => ({
  name: '',
  fixture: '',
  bytes: 0,
  tokens,
  seconds,
  cpuPerToken: null,
  meanBatchTokens: null,
  templateHits: null,
})

test('speedRatio: is the median of the ratios of runs that were made together', () => {
  // Both were slowed down tenfold in the second run; of medians taken apart the ratio would be 20.
  const ours = timing(100, [1, 10, 1])
  const theirs = timing(10, [1, 10, 2])
  assert.equal(speedRatio(ours, theirs), 10)
})

test('quantile: is the value below which so much lies', () => {
  const sorted = Float64Array.from({ length: 1000 }, (_, i) => i)
  assert.equal(quantile(sorted, 0.5), 500)
  assert.equal(quantile(sorted, 0.999), 999)
  assert.equal(quantile(sorted, 1), 999)
  assert.ok(Number.isNaN(quantile(new Float64Array(0), 0.5)))
})

test('spread: is the widest distance between two runs, as a share', () => {
  assert.equal(spread([9, 10, 12], 10), 0.3)
})

/** Delivers at once, on a clock that stands still but for what it is told here. */
function stallingPipe(stallAt: number, stallMs: number): { pipe: Pipe; nowMs: () => number } {
  let ms = 0
  const traffic = new Traffic()
  const pipe: Pipe = {
    traffic,
    send() {
      const token = traffic.sent++
      if (token === stallAt) ms += stallMs
      traffic.deliver(token)
    },
    close: async () => {},
  }
  // Time goes on with every look, and so slowly that it takes no part in what is asserted.
  return { pipe, nowMs: () => (ms += 2 ** -8) }
}

/** To whole milliseconds. */
function waitsMs(latencies: Float64Array): number[] {
  return Array.from(latencies, (us) => Math.round(us / 1000))
}

test('latenciesUs: a token that came due while the pipe stalled has waited since', async () => {
  const { pipe, nowMs } = stallingPipe(50, 30)
  const latencies = await latenciesUs(pipe, { tokens: 100, tokensPerSecond: 1000 }, nowMs)
  // The one that stalled waited 30 ms, those that came due meanwhile 29, 28, ... ms.
  const expected = Array.from({ length: 100 }, (_, i) => Math.max(0, i - 69))
  assert.deepEqual(waitsMs(latencies), expected)
})

test('latenciesUs: measures a pipe again from where it left off', async () => {
  const { pipe, nowMs } = stallingPipe(150, 2)
  const plan = { tokens: 100, tokensPerSecond: 1000 }
  assert.equal(waitsMs(await latenciesUs(pipe, plan, nowMs)).at(-1), 0)
  assert.equal(waitsMs(await latenciesUs(pipe, plan, nowMs)).at(-1), 2)
  assert.equal(pipe.traffic.delivered, 200)
})

test('retainedBytes: counts what is kept, whatever was kept before', async () => {
  const megabytes = async (count: number): Promise<number> => {
    const keep = async (): Promise<unknown[]> =>
      Array.from({ length: count }, () => new Array<number>(2 ** 17).fill(0.5))
    return (await retainedBytes(keep)) / 2 ** 20
  }
  for (const count of [16, 16, 0]) {
    // What earlier tests left behind may go meanwhile.
    const measured = await megabytes(count)
    assert.ok(Math.abs(measured - count) < 2, `${measured} of ${count} MiB`)
  }
})

test('withPlanted: refuses a fault that finds no place, and leaves no copy behind', async () => {
  const before = readdirSync(new URL('dist', root))
  const plant = { path: 'main/index.js', from: 'no such text', to: '' }
  await assert.rejects(
    async () => withPlanted([plant], async () => {}),
    /main\/index\.js has 0 times: no such text/,
  )
  assert.deepEqual(readdirSync(new URL('dist', root)), before)
})

test('ThreadClock: what this thread computes is time of main', { skip: noThreads() }, () => {
  const clock = new ThreadClock()
  const before = process.cpuUsage()
  let sum = 0
  while (process.cpuUsage(before).user < 200_000) for (let i = 0; i < 1e5; i++) sum ^= i
  const cpu = clock.lap()!
  assert.ok(cpu.mainNs > 100e6, `${cpu.mainNs} ns, ${sum}`)
  assert.equal(cpu.workersNs, 0)
})

function noThreads(): string | false {
  return existsSync('/proc/self/task') ? false : 'the kernel does not say'
}

function runTiny(...args: string[]): { status: number | null; stdout: string } {
  const script = fileURLToPath(new URL('dist/bench/run.js', root))
  return spawnSync(process.execPath, [script, '--tiny', ...args], { encoding: 'utf8' })
}

test('run: --gates fails where a bar is missed, and only then', () => {
  // Three hundred tokens are over before anything is compiled.
  const missed = runTiny('--only', 'inline', '--gates')
  assert.equal(missed.status, 1)
  assert.match(missed.stdout, /^MISS {2}inline /m)
  assert.equal(runTiny('--only', 'small-loops', '--gates').status, 0)
})

test('run: refuses a name that it does not know', () => {
  assert.equal(runTiny('--only', 'outline').status, 2)
})
