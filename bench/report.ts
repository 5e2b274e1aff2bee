/** A run as its JSON file has it, and as text. */
import { holds, margin } from '../stress-tests/gate.ts'
import type { MeasuredBar } from './bars.ts'
import type { Row, Size } from './bench.ts'
import type { Machine } from './machine.ts'

export interface Report {
  readonly machine: Machine
  readonly size: Size
  readonly benches: readonly BenchReport[]
}

export interface BenchReport {
  readonly name: string
  readonly question: string
  readonly notMeasured: string
  readonly rows: readonly Row[]
  readonly bars: readonly MeasuredBar[]
}

/** What a commit published of an earlier run: the figures of its bars, by their names. */
export interface Publication {
  readonly published: string
  readonly machine: Pick<Machine, 'commit' | 'date' | 'loadBefore'>
  readonly measured: Readonly<Record<string, number>>
}

/** Reads a report from its file. What was not measured is `null` there, and NaN in the program. */
export function parseReport(json: string): Report {
  const report = JSON.parse(json) as Report
  const benches = report.benches.map((bench) => ({
    ...bench,
    bars: bench.bars.map((bar) => ({ ...bar, measured: (bar.measured as number | null) ?? NaN })),
  }))
  return { ...report, benches }
}

export function parsePublication(json: string): Publication {
  return JSON.parse(json) as Publication
}

export function formatRows(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {})
  return formatTable([columns, ...rows.map((row) => columns.map((name) => formatCell(row[name])))])
}

/** Each bar with its limit, and how many times better than it the figure is. */
export function formatBars(bars: readonly MeasuredBar[]): string {
  const rows = bars.map((bar) => [
    holds(bar) ? 'ok' : 'MISS',
    bar.name,
    `${bar.sense === 'min' ? '>=' : '<='} ${formatNumber(bar.limit)}`,
    bar.goal === null ? '' : formatNumber(bar.goal),
    formatNumber(bar.measured),
    bar.unit,
    Number.isFinite(margin(bar)) ? `${formatNumber(margin(bar))}x` : '',
    bar.about,
  ])
  const head = ['', 'bar', 'limit', 'goal', 'measured', '', 'margin', 'what it says']
  return formatTable([head, ...rows])
}

/** Columns of equal width; numbers stand right. */
function formatTable(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  )
  const isNumber = lines[0]!.map((_, column) =>
    lines.slice(1).every((line) => /^[\d<>=,.x\s-]*(?:e[+-]\d+)?$/.test(line[column]!)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function formatCell(value: string | number | null | undefined): string {
  if (typeof value === 'number') return formatNumber(value)
  return value ?? '-'
}

/** Three digits that count, or all of a whole number. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString('en-US')
  }
  return Math.abs(value) < 0.001 && value !== 0 ? value.toExponential(1) : value.toPrecision(3)
}
