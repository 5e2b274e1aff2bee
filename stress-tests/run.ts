/** `npm run stress [-- SCENARIO ...] [--json FILE]`: runs scenarios, exits 1 if a gate fails. */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { formatGates, holds, type Gate } from './gate.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, tiny: { type: 'boolean', default: false } },
})
const unknown = positionals.find((name) => !SCENARIOS.some((scenario) => scenario.name === name))
if (unknown !== undefined) {
  const names = SCENARIOS.map((scenario) => scenario.name).join(', ')
  console.error(`there is no scenario ${unknown}; there are ${names}`)
  process.exit(2)
}

const results: { scenario: string; gates: readonly Gate[] }[] = []
console.log(`node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`)
for (const scenario of SCENARIOS) {
  if (positionals.length > 0 && !positionals.includes(scenario.name)) continue
  results.push(await runScenario(scenario))
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, results }, null, 2)}\n`)
}
const failed = results.flatMap(({ gates }) => gates).filter((gate) => !holds(gate)).length
console.log(failed === 0 ? '\nall gates hold' : `\n${failed} gate(s) failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runScenario(
  scenario: Scenario,
): Promise<{ scenario: string; gates: readonly Gate[] }> {
  console.log(`\n${scenario.name}: ${scenario.about}`)
  const gates = await scenario.run(values.tiny ? 'tiny' : 'full', showProgress)
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  console.log(formatGates(gates))
  return { scenario: scenario.name, gates }
}

// On stderr, in place on a terminal: the report on stdout stays a report.
function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K  ${line}`)
  else process.stderr.write(`  ${line}\n`)
}
