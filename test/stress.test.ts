import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatGates, holds, margin, type Gate } from '../stress-tests/gate.ts'
import { heapSlope, rssGrowth } from '../stress-tests/memory.ts'

const RUN = fileURLToPath(new URL('../stress-tests/run.js', import.meta.url))

const gate = (sense: 'min' | 'max', limit: number, measured: number): Gate => ({
  name: 'gate',
  unit: 's',
  sense,
  limit,
  measured,
})

test('holds: a figure on its limit holds, one that was not measured does not', () => {
  assert.ok(holds(gate('min', 10, 10)))
  assert.ok(!holds(gate('min', 10, 9.9)))
  assert.ok(holds(gate('max', 0, 0)))
  assert.ok(!holds(gate('max', 10, 10.1)))
  assert.ok(!holds(gate('min', 0, NaN)))
  assert.ok(!holds(gate('max', 0, NaN)))
})

test('margin: says how many times better than the limit', () => {
  assert.equal(margin(gate('min', 10, 25)), 2.5)
  assert.equal(margin(gate('max', 10, 4)), 2.5)
  assert.equal(margin(gate('max', 0, 3)), 0)
})

test('formatGates: lines up limit, measured and margin', () => {
  const [header, row] = formatGates([gate('min', 1000, 2500)]).split('\n')
  assert.deepEqual(header?.split(/ {2,}/), ['', 'gate', 'limit', 'measured', 'unit', 'margin'])
  assert.deepEqual(row?.split(/ {2,}/), ['ok', 'gate', '>= 1,000', '2,500', 's', '2.50x'])
  assert.equal(header?.indexOf('limit'), Number(row?.indexOf('1,000')))
})

const sample = (tokens: number, heapBytes: number, rssBytes: number) => ({
  tokens,
  heapBytes,
  rssBytes,
})

test('heapSlope: finds a leak of 8 bytes a token under noise, and none in noise alone', () => {
  const noise = (index: number): number => ((index * 7919) % 100) * 10
  const at = (slope: number) =>
    Array.from({ length: 30 }, (_, index) =>
      sample(index * 1000, 1e6 + index * 1000 * slope + noise(index), 0),
    )
  assert.ok(Math.abs(heapSlope(at(8)) - 8) < 0.1)
  assert.ok(Math.abs(heapSlope(at(0))) < 0.05)
})

test('rssGrowth: compares the last third with the middle one', () => {
  const samples = [1, 1, 1, 5, 5, 5, 9, 9, 9].map((rss, index) => sample(index, 0, rss))
  assert.equal(rssGrowth(samples), 4)
})

test('stress: every scenario runs, tiny, and reports its gates', async () => {
  const { stdout, code } = await run(['--tiny'])
  // Gates of a tiny run on a busy machine may fail; that they are all there may not.
  assert.ok(code === 0 || code === 1)
  for (const name of ['million-tokens', 'canary', 'added latency p99', 'heap growth', 'buffers']) {
    assert.ok(stdout.includes(name), `${name} in\n${stdout}`)
  }
  assert.match(stdout, /ok +lost, doubled, reordered/)
  assert.match(stdout, /ok +buffers/)
  assert.match(stdout, /ok +added latency p99 .* caught/)
  assert.match(stdout, /ok +heap growth .* caught/)
})

test('stress: an unknown scenario is refused with exit code 2', async () => {
  const { code, stderr } = await run(['nonsense'])
  assert.equal(code, 2)
  assert.match(stderr, /there is no scenario nonsense/)
})

function run(args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--expose-gc', RUN, ...args], (_, stdout, stderr) =>
      resolve({ stdout, stderr, code: child.exitCode ?? -1 }),
    )
  })
}
