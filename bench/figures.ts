/**
 * A report's figures in Markdown, put between the markers of a document:
 *
 *     <!-- figures: NAME -->     `machine`, `bars`, `misses`, `speed`, `before`, or a benchmark
 *     <!-- /figures -->
 */
import { holds, margin } from '../stress-tests/gate.ts'
import type { MeasuredBar } from './bars.ts'
import type { Row } from './bench.ts'
import { formatNumber, type Publication, type Report } from './report.ts'

const MARKED = /(<!-- figures: ([\w-]+) -->\n)[^]*?(<!-- \/figures -->)/g

/**
 * @param before - What `before` compares the report with.
 * @throws {Error} where a marker names what the report does not hold.
 */
export function fillFigures(document: string, report: Report, before: Publication): string {
  return document.replace(MARKED, (_, open: string, name: string, close: string) => {
    return `${open}\n${figures(name, report, before)}\n\n${close}`
  })
}

function figures(name: string, report: Report, before: Publication): string {
  const bars = report.benches.flatMap((bench) => bench.bars)
  if (name === 'machine') return machine(report)
  if (name === 'bars') return barTable(bars)
  if (name === 'misses') return misses(bars)
  if (name === 'speed') return speed(report)
  if (name === 'before') return comparison(bars, report.machine, before)
  const bench = report.benches.find((candidate) => candidate.name === name)
  if (bench === undefined) throw new Error(`the report holds no ${name}`)
  return `${bench.question}\nNot measured: ${bench.notMeasured}.\n\n${rowTable(bench.rows)}`
}

function machine({ machine: described }: Report): string {
  const { cpu, cores, memoryBytes, os, node, v8 } = described
  const memory = `${formatNumber(Math.round(memoryBytes / 2 ** 30))} GiB`
  return (
    `${cores} x ${cpu}, ${memory}, ${os};\n` +
    `Node ${node.slice(1)} (V8 ${v8});\n${runOf(described)}.`
  )
}

/** When a run was made, of what, and what else the machine did: a figure is no better than that. */
function runOf({ commit, date, loadBefore }: Publication['machine']): string {
  const load = formatNumber(loadBefore)
  return `commit ${commit}, ${date.slice(0, 10)}, load of the minute before the run ${load}`
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

/** Every bar of the report beside what was published of it before. */
function comparison(
  bars: readonly MeasuredBar[],
  now: Report['machine'],
  { published, machine: then, measured }: Publication,
): string {
  const rows = bars.map(({ name, about, sense, unit, measured: figure }) => {
    const old = measured[name]
    const withUnit = (value: number): string => `${formatNumber(value)} ${unit}`.trimEnd()
    if (old === undefined) return [about, '', withUnit(figure), '', '']
    const ratio = old > 0 && figure > 0 ? `${formatNumber(figure / old)}x` : ''
    const isBetter = sense === 'min' ? figure > old : figure < old
    const verdict = figure === old ? '' : isBetter ? 'better' : 'worse'
    return [about, withUnit(old), withUnit(figure), ratio, verdict]
  })
  return [
    `Part 2: published by commit ${published};`,
    `run of ${runOf(then)}.`,
    `Now: run of ${runOf(now)}.\n`,
    table(['bar', 'part 2', 'now', 'ratio', ''], rows),
  ].join('\n')
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
