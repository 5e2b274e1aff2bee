/**
 * A report's figures in Markdown, put between the markers of a document:
 *
 *     <!-- figures: NAME -->     `machine`, `bars`, `misses`, `speed`, or a benchmark
 *     <!-- /figures -->
 */
import { holds, margin } from '../stress-tests/gate.ts'
import type { MeasuredBar } from './bars.ts'
import type { Row } from './bench.ts'
import { formatNumber, type Report } from './report.ts'

const MARKED = /(<!-- figures: ([\w-]+) -->\n)[^]*?(<!-- \/figures -->)/g

/** @throws {Error} where a marker names what the report does not hold. */
export function fillFigures(document: string, report: Report): string {
  return document.replace(MARKED, (_, open: string, name: string, close: string) => {
    return `${open}\n${figures(name, report)}\n\n${close}`
  })
}

function figures(name: string, report: Report): string {
  const bars = report.benches.flatMap((bench) => bench.bars)
  if (name === 'machine') return machine(report)
  if (name === 'bars') return barTable(bars)
  if (name === 'misses') return misses(bars)
  if (name === 'speed') return speed(report)
  const bench = report.benches.find((candidate) => candidate.name === name)
  if (bench === undefined) throw new Error(`the report holds no ${name}`)
  return `${bench.question}\nNot measured: ${bench.notMeasured}.\n\n${rowTable(bench.rows)}`
}

function machine({ machine: { cpu, cores, memoryBytes, os, node, v8, commit, date } }: Report) {
  const memory = `${formatNumber(Math.round(memoryBytes / 2 ** 30))} GiB`
  return (
    `${cores} x ${cpu}, ${memory}, ${os};\n` +
    `Node ${node.slice(1)} (V8 ${v8}), commit ${commit}, ${date.slice(0, 10)}.`
  )
}

function barTable(bars: readonly MeasuredBar[]): string {
  return table(
    ['bar', 'limit', 'goal', 'measured', 'margin', ''],
    bars.map((bar) => {
      const sign = bar.sense === 'min' ? '&ge;' : '&le;'
      const unit = bar.unit === '' ? '' : ` ${bar.unit}`
      const times = margin(bar)
      return [
        bar.about,
        `${sign} ${formatNumber(bar.limit)}${unit}`,
        bar.goal === null ? '' : `${formatNumber(bar.goal)}${unit}`,
        `${formatNumber(bar.measured)}${unit}`,
        Number.isFinite(times) ? `${formatNumber(times)}x` : '',
        holds(bar) ? 'holds' : '**missed**',
      ]
    }),
  )
}

function misses(bars: readonly MeasuredBar[]): string {
  const missed = bars.filter((bar) => !holds(bar))
  return missed.length === 0 ? 'None in this run.' : barTable(missed)
}

/** The short table: every way to make strings of OpenAI chat, the fastest first. */
function speed({ benches }: Report): string {
  const rows = new Map<string, Row>()
  for (const { name, rows: all } of benches) {
    if (name !== 'inline' && name !== 'worker') continue
    for (const row of all) if (row['fixture'] === 'chat') rows.set(String(row['what']), row)
  }
  const fastestFirst = [...rows.values()].sort((a, b) => {
    return Number(b['tokens/s']) - Number(a['tokens/s'])
  })
  const columns = ['what', 'tokens/s', 'MB/s', 'x baseline']
  return rowTable(
    fastestFirst.map((row) =>
      Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
    ),
  )
}

function rowTable(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const cells = rows.map((row) =>
    columns.map((column) => {
      const value = row[column] ?? ''
      return typeof value === 'number' ? formatNumber(value) : value
    }),
  )
  return table(columns, cells)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableLine(head), `|${'---|'.repeat(head.length)}`, ...rows.map(tableLine)].join('\n')
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
