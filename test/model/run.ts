/**
 * Explores every scenario, then every mutant, and prints what it found as JSON. Run it as
 *
 *     node --conditions=model dist/test/model/run.js
 *
 * under which the production modules import test/model/atomics.ts as their `#atomics`.
 */
import { explore, type Explored, Violation } from './checker.ts'
import type { Scenario } from './scenario.ts'
import { type Code, mutantOf, PRODUCTION } from './code.ts'
import { commitScenariosOf } from './commit-scenarios.ts'
import { type Mutant, MUTANTS } from './mutants.ts'
import { scenariosOf } from './scenarios.ts'

export interface ScenarioReport extends Explored {
  readonly name: string
  /** `null`, or the broken invariant and the interleaving that breaks it. */
  readonly violation: string | null
}

export interface MutantReport {
  readonly name: string
  /** The scenario that it breaks, and how; `null` where nothing broke. */
  readonly brokenScenario: string | null
  readonly violation: string | null
  readonly asExpected: boolean
}

export interface ModelReport {
  readonly scenarios: ScenarioReport[]
  readonly mutants: MutantReport[]
}

const NOTHING: Explored = { states: 0, steps: 0, interleavings: 0 }

function violationOf(error: unknown): string {
  if (error instanceof Violation) return error.message
  throw error
}

function allScenariosOf(code: Code): Scenario[] {
  return [...scenariosOf(code), ...commitScenariosOf(code)]
}

function exploreAll(): ScenarioReport[] {
  return allScenariosOf(PRODUCTION).map((scenario) => {
    try {
      return { name: scenario.name, ...explore(scenario), violation: null }
    } catch (error) {
      return { name: scenario.name, ...NOTHING, violation: violationOf(error) }
    }
  })
}

/** Stops at the first scenario that breaks. */
async function exploreMutant(mutant: Mutant): Promise<MutantReport> {
  const { name, module, edits, within, breaks } = mutant
  const code = await mutantOf({ [module]: edits })
  for (const scenario of allScenariosOf(code)) {
    if (!scenario.name.startsWith(within)) continue
    try {
      explore(scenario)
    } catch (error) {
      const violation = violationOf(error)
      const asExpected = breaks.test(violation.split('\n  ')[0]!)
      return { name, brokenScenario: scenario.name, violation, asExpected }
    }
  }
  return { name, brokenScenario: null, violation: null, asExpected: false }
}

const scenarios = exploreAll()
const mutants: MutantReport[] = []
for (const mutant of MUTANTS) mutants.push(await exploreMutant(mutant))
console.log(JSON.stringify({ scenarios, mutants } satisfies ModelReport, null, 1))
