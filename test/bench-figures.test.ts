/** Figures reach the documents by script, and say what the report says. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BARS, measuredBar, type BarName } from '../bench/bars.ts'
import type { Row } from '../bench/bench.ts'
import { fillFigures } from '../bench/figures.ts'
import { parsePublication, parseReport, type Publication, type Report } from '../bench/report.ts'
import { holds } from '../stress-tests/gate.ts'

const root = new URL('../../', import.meta.url)

const smallReport: Report = {
  machine: {
    cpu: 'Wheel 3',
    cores: 2,
    memoryBytes: 4 * 2 ** 30,
    os: 'linux 6 x64',
    node: 'v20.19.0',
    v8: '11.3',
    commit: 'abc',
    date: '2026-01-02T03:04:05.000Z',
    loadBefore: 0.25,
  },
  size: 'full',
  benches: [
    {
      name: 'inline',
      question: 'How fast?',
      notMeasured: 'threads',
      rows: [{ what: 'millrace', 'MB/s': 1234.5, batch: null }],
      bars: [measuredBar('inline', 14.5), measuredBar('inline-no-hit', 6)],
    },
  ],
}

const earlier: Publication = {
  published: 'def',
  machine: { commit: 'fed', date: '2025-12-31T00:00:00.000Z', loadBefore: 3 },
  measured: { inline: 29, buffers: 1 },
}

test('fillFigures: puts tables between the markers, and nothing else changes', () => {
  const document = (table: string): string =>
    `# A\n\n<!-- figures: inline -->\n${table}<!-- /figures -->\n\nB\n`
  const filled = fillFigures(document('old\n'), smallReport, earlier)
  const table = '| what | MB/s | batch |\n|---|---|---|\n| millrace | 1,235 |  |'
  assert.equal(filled, document(`\nHow fast?\nNot measured: threads.\n\n${table}\n\n`))
  assert.equal(fillFigures(filled, smallReport, earlier), filled)
})

test('fillFigures: lists the bars that were missed, and refuses an unknown name', () => {
  const fill = (name: string): string =>
    fillFigures(`<!-- figures: ${name} -->\n<!-- /figures -->`, smallReport, earlier)
  assert.match(fill('misses'), /\| &ge; 15 x \| 25 x \| 14\.5 x \|/)
  assert.doesNotMatch(fill('misses'), /&ge; 6 x/)
  assert.match(
    fill('machine'),
    /2 x Wheel 3, 4 GiB[^]*Node 20\.19\.0[^]*commit abc, 2026-01-02, load [^\d]* 0\.250/,
  )
  assert.throws(() => fill('outline'), /outline/)
})

test('fillFigures: sets every bar beside what was published of it before, better or worse', () => {
  const bars = [
    measuredBar('inline', 14.5),
    measuredBar('buffers', 0.5),
    measuredBar('latency-10k-p999', -20),
    measuredBar('collections', 0),
  ]
  const [inline] = smallReport.benches
  const filled = fillFigures(
    '<!-- figures: before -->\n<!-- /figures -->',
    { ...smallReport, benches: [{ ...inline!, bars }] },
    { ...earlier, measured: { inline: 29, buffers: 1, 'latency-10k-p999': 20 } },
  )
  assert.match(
    filled,
    /Part 2: published by commit def;\nrun of commit fed, 2025-12-31, [^\d]+ 3\./,
  )
  assert.match(filled, /Now: run of commit abc, 2026-01-02/)
  const cells = [...filled.matchAll(/^\| [^|]+ \| (.*) \|$/gm)].map(([, row]) => row)
  assert.deepEqual(cells, [
    'part 2 | now | ratio | ',
    '29 x | 14.5 x | 0.500x | worse',
    '1 MB | 0.500 MB | 0.500x | better',
    '20 us | -20 us |  | better',
    ' | 0 |  | ',
  ])
})

test('fillFigures: the short table has every contender once, the fastest first', () => {
  const rows = (...speeds: [string, number][]): Row[] =>
    speeds.map(([what, speed]) => ({ what, fixture: 'chat', 'tokens/s': speed }))
  const other = { what: 'millrace', fixture: 'anthropic', 'tokens/s': 9 }
  const [inline] = smallReport.benches
  const benches = [
    { ...inline!, rows: [...rows(['millrace', 5], ['baseline', 2]), other] },
    { ...inline!, name: 'worker', rows: rows(['baseline', 3], ['worker', 7]) },
  ]
  const report = { ...smallReport, benches }
  const filled = fillFigures('<!-- figures: speed -->\n<!-- /figures -->', report, earlier)
  const whats = [...filled.matchAll(/^\| (\w+) \| (\d)/gm)].map(([, what]) => what)
  assert.deepEqual(whats, ['worker', 'millrace', 'baseline'])
})

test('parseReport: a figure that was not measured holds no bar', () => {
  const [bench] = smallReport.benches
  const bars = [measuredBar('linear-scans', NaN)]
  const report = { ...smallReport, benches: [{ ...bench!, bars }] }
  const [read] = parseReport(JSON.stringify(report)).benches
  assert.equal(holds(read!.bars[0]!), false)
})

test('docs: the figures in them are those of the report beside the benchmarks', () => {
  const report = parseReport(readFileSync(new URL('bench/results.json', root), 'utf8'))
  const before = parsePublication(readFileSync(new URL('bench/part-2.json', root), 'utf8'))
  assert.deepEqual(Object.keys(before.measured).sort(), Object.keys(BARS).sort())
  for (const path of ['docs/PERFORMANCE.md', 'README.md']) {
    const document = readFileSync(new URL(path, root), 'utf8')
    assert.match(document, /<!-- figures: /)
    assert.equal(fillFigures(document, report, before), document, `${path}: npm run bench:docs`)
  }
  const told = report.benches.flatMap(({ bars }) => bars.map(({ name }) => name as BarName))
  assert.deepEqual(told.sort(), Object.keys(BARS).sort())
})

test('docs: the chart in the README is that of the report, and has every contender', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chart-'))
  const path = join(folder, 'chart.svg')
  execFileSync(process.execPath, ['scripts/chart.js', 'bench/results.json', path], { cwd: root })
  const drawn = readFileSync(path, 'utf8')
  rmSync(folder, { recursive: true })
  assert.equal(readFileSync(new URL('docs/throughput.svg', root), 'utf8'), drawn)
  const names = [...drawn.matchAll(/class="name"[^>]*>([^<]+)</g)].map(([, name]) => name!)
  const readme = readFileSync(new URL('README.md', root), 'utf8')
  assert.match(readme, /!\[[^\]]+\]\(docs\/throughput\.svg\)/)
  for (const name of names) assert.ok(readme.includes(`| ${name} |`), name)
  assert.ok(names.length >= 6)
})
