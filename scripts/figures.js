// Writes the figures of a bench report into the documents, between their markers:
// `node scripts/figures.js REPORT.json FILE.md...`, after a build. No figure is typed by hand.
//
//     <!-- figures: inline -->          the table of that benchmark
//     <!-- /figures -->
//
// `before` compares the report's bars with those in bench/part-2.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { fillFigures } from '../dist/bench/figures.js'
import { parsePublication, parseReport } from '../dist/bench/report.js'

const [reportPath, ...documents] = process.argv.slice(2)
if (reportPath === undefined || documents.length === 0) {
  console.error('usage: node scripts/figures.js REPORT.json FILE.md...')
  process.exit(2)
}
const report = parseReport(readFileSync(reportPath, 'utf8'))
const before = parsePublication(
  readFileSync(new URL('../bench/part-2.json', import.meta.url), 'utf8'),
)
for (const path of documents) {
  writeFileSync(path, fillFigures(readFileSync(path, 'utf8'), report, before))
}
