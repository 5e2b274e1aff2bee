/** The value below which the share `p`, 0 to 1, of the sorted samples lies; NaN without samples. */
export function quantile(sorted: Float64Array, p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? NaN
}

/** How far runs lie apart: the widest distance between two, as a share of the median. */
export function spread(values: readonly number[], middle: number): number {
  return (Math.max(...values) - Math.min(...values)) / middle
}
