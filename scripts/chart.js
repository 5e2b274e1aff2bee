// Draws the README's chart of one bench report: `node scripts/chart.js REPORT.json OUT.svg`; part
// of `npm run bench:docs`.
import { readFileSync, writeFileSync } from 'node:fs'

const [reportPath, svgPath] = process.argv.slice(2)
if (reportPath === undefined || svgPath === undefined) {
  console.error('usage: node scripts/chart.js REPORT.json OUT.svg')
  process.exit(2)
}

const LABEL_WIDTH = 320
const PLOT_WIDTH = 400
const VALUE_WIDTH = 90
const BAR_HEIGHT = 20
const ROW_HEIGHT = 30
const TOP = 44
const BOTTOM = 30

// Both of a page's colour schemes.
const STYLE = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .name { text-anchor: end }
  .axis { text-anchor: middle; fill: #656d76 }
  .tick { stroke: #8b949e; stroke-opacity: 0.3 }
  .ours { fill: #0969da }
  .theirs { fill: #8b949e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .axis { fill: #9198a1 }
    .ours { fill: #4493f8 }
  }
</style>`

const { machine, benches } = JSON.parse(readFileSync(reportPath, 'utf8'))
const contenders = ['worker', 'inline']
  .flatMap((name) => benches.find((bench) => bench.name === name)?.rows ?? [])
  .filter((row) => row.fixture === 'chat')
  .map((row) => ({ name: row.what, tokensPerSecond: row['tokens/s'] }))
  // The baseline stands in both tables.
  .filter(({ name }, index, all) => all.findIndex((other) => other.name === name) === index)
  .sort((a, b) => a.tokensPerSecond - b.tokensPerSecond)
if (contenders.length === 0) throw new Error(`${reportPath} answers neither worker nor inline`)
writeFileSync(svgPath, chart(contenders))

/** Horizontal bars over a logarithmic axis, from the power of ten below the slowest. */
function chart(bars) {
  const lowest = Math.floor(Math.log10(bars[0].tokensPerSecond))
  const highest = Math.ceil(Math.log10(bars.at(-1).tokensPerSecond))
  const x = (value) =>
    LABEL_WIDTH + (PLOT_WIDTH * (Math.log10(value) - lowest)) / (highest - lowest)
  const bottom = TOP + bars.length * ROW_HEIGHT
  const ticks = Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i))
  const width = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + BOTTOM}" ` +
      `width="${width}" role="img" aria-labelledby="title">`,
    '<title id="title">Tokens a second, OpenAI chat in 64 KiB chunks to strings</title>',
    STYLE,
    `<text class="head" x="12" y="24">Tokens a second (log scale): OpenAI chat, 64 KiB chunks, ` +
      `to strings; ${escape(machine.cpu)}, Node ${machine.node.slice(1)}</text>`,
    ...ticks.map((value) => tick(x(value), bottom, value)),
    ...bars.map((bar, index) => drawn(bar, TOP + index * ROW_HEIGHT, x)),
    '</svg>\n',
  ].join('\n')
}

function tick(x, bottom, value) {
  return (
    `<line class="tick" x1="${x}" x2="${x}" y1="${TOP - 8}" y2="${bottom}"/>` +
    `<text class="axis" x="${x}" y="${bottom + 18}">${short(value)}</text>`
  )
}

function drawn({ name, tokensPerSecond }, y, x) {
  const end = x(tokensPerSecond).toFixed(1)
  const width = (end - LABEL_WIDTH).toFixed(1)
  const middle = y + BAR_HEIGHT / 2 + 4
  const kind = name.startsWith('millrace') ? 'ours' : 'theirs'
  return (
    `<text class="name" x="${LABEL_WIDTH - 10}" y="${middle}">${escape(name)}</text>` +
    `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" ` +
    `rx="2"/><text class="value" x="${Number(end) + 8}" y="${middle}">` +
    `${short(tokensPerSecond)}</text>`
  )
}

/** 58 k, 3.4 M: as many digits as a picture can show. */
function short(value) {
  const [unit, name] = value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, '']
  const scaled = value / unit
  return `${scaled >= 10 ? Math.round(scaled) : Number(scaled.toFixed(1))}${name}`
}

function escape(text) {
  return text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)
}
