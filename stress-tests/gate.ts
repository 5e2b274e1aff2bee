/** A gate: one measured figure against one limit. */
export interface Gate {
  readonly name: string
  readonly unit: string
  /** `min`: measured must be at least the limit. `max`: at most. */
  readonly sense: 'min' | 'max'
  readonly limit: number
  readonly measured: number
}

export function holds({ sense, limit, measured }: Gate): boolean {
  // Written so that NaN, a figure that was not measured, never holds.
  return sense === 'min' ? measured >= limit : measured <= limit
}

/** How many times better than its limit a figure is; below 1 it fails. */
export function margin({ sense, limit, measured }: Gate): number {
  if (limit === 0) return measured === 0 ? Infinity : 0
  return sense === 'min' ? measured / limit : limit / Math.max(measured, Number.MIN_VALUE)
}

export function formatGates(gates: readonly Gate[]): string {
  const rows = gates.map((gate) => [
    holds(gate) ? 'ok' : 'FAIL',
    gate.name,
    `${gate.sense === 'min' ? '>=' : '<='} ${formatNumber(gate.limit)}`,
    formatNumber(gate.measured),
    gate.unit,
    Number.isFinite(margin(gate)) ? `${formatNumber(margin(gate))}x` : '-',
  ])
  const table = [['', 'gate', 'limit', 'measured', 'unit', 'margin'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column]!, column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function pad(cell: string, width: number, column: number): string {
  const isNumber = column === 2 || column === 3 || column === 5
  return isNumber ? cell.padStart(width) : cell.padEnd(width)
}

function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}
