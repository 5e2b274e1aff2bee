/**
 * A report's figures in Markdown, put between the markers of a document:
 *
 *     <!-- figures: NAME -->     `machine`, `bars`, `misses`, or a benchmark, for its table
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
