import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { add, exchange, load, notify, store, wait } from './model/atomics.ts'
import { explore, Violation } from './model/checker.ts'
import type { Context, Scenario, Thread } from './model/scenario.ts'
import type { ModelReport } from './model/run.ts'

/** A small program on the model's own atomics, to test the checker with. */
function program(threads: Thread[], check: Scenario['check'] = () => {}): Scenario {
  return { name: 'program', wordCount: 8, initial: [], threads, check }
}

function violationOf(scenario: Scenario): string {
  try {
    explore(scenario)
  } catch (error) {
    if (error instanceof Violation) return error.message
    throw error
  }
  return 'none'
}

const repeatedly = (index: number) => (context: Context) => () => {
  for (let time = 0; time < 3; time++) add(context.words, index, 1)
}

test('explore: two threads of three independent steps have 20 interleavings, 16 states', () => {
  const { interleavings, states, steps } = explore(program([repeatedly(0), repeatedly(1)]))
  assert.deepEqual({ interleavings, states, steps }, { interleavings: 20, states: 16, steps: 24 })
})

test('explore: three threads of three steps on one word have 1,680 interleavings', () => {
  const threads = [repeatedly(0), repeatedly(0), repeatedly(0)]
  assert.equal(explore(program(threads)).interleavings, 1680)
})

test('explore: finds every outcome that two threads can have, and no other', () => {
  const outcomes = new Set<string>()
  const writeThenRead = (mine: number, yours: number): Thread => {
    return ({ words }) =>
      () => {
        store(words, mine, 1)
        return load(words, yours)
      }
  }
  const threads = [writeThenRead(0, 1), writeThenRead(1, 0)]
  explore(program(threads, (results) => void outcomes.add(results.join())))
  assert.deepEqual([...outcomes].toSorted(), ['0,1', '1,0', '1,1'])
})

const PLAIN = 0
const FLAG = 1

const sayAndSet: Thread =
  ({ words }) =>
  () => {
    words[PLAIN] = 7
    store(words, FLAG, 1)
  }

test('explore: a plain word handed over by an atomic one is no race', () => {
  const read: Thread =
    ({ words, until }) =>
    () => {
      until(FLAG, 0)
      return words[PLAIN]
    }
  explore(program([sayAndSet, read], (results) => assert.equal(results[1], 7)))
})

test('explore: a plain word read without looking at the flag is a race', () => {
  const read: Thread =
    ({ words }) =>
    () => {
      load(words, 2)
      return words[PLAIN]
    }
  assert.match(violationOf(program([sayAndSet, read])), /plain read .* unordered with plain write/)
})

test('explore: storing the flag that was to be read does not order anything', () => {
  const overwrite: Thread =
    ({ words }) =>
    () => {
      store(words, FLAG, 2)
      words[PLAIN] = 8
    }
  const message = violationOf(program([sayAndSet, overwrite]))
  assert.match(message, /plain write .* unordered with plain write/)
})

test('explore: a word that is written plainly and read atomically is a race', () => {
  const write: Thread =
    ({ words }) =>
    () => {
      words[FLAG] = 1
    }
  const read: Thread =
    ({ words }) =>
    () =>
      load(words, FLAG)
  assert.match(violationOf(program([write, read])), /unordered/)
})

test('explore: a read-modify-write hands on what its predecessor handed over', () => {
  const pass: Thread =
    ({ words, until }) =>
    () => {
      until(FLAG, 0)
      exchange(words, FLAG, 2)
    }
  const read: Thread =
    ({ words, until }) =>
    () => {
      until(FLAG, 0)
      until(FLAG, 1)
      return words[PLAIN]
    }
  explore(program([sayAndSet, pass, read], (results) => assert.equal(results[2], 7)))
})

const waitFor: Thread =
  ({ words }) =>
  () => {
    if (load(words, FLAG) === 0) wait(words, FLAG, 0, 100)
  }

test('explore: wait sees a store before it and is woken by a notify after it', () => {
  const wake: Thread =
    ({ words }) =>
    () => {
      store(words, FLAG, 1)
      notify(words, FLAG, 1)
    }
  assert.ok(explore(program([waitFor, wake])).interleavings > 1)
})

test('explore: a wait that no notify follows is a deadlock, its time limit notwithstanding', () => {
  const setOnly: Thread =
    ({ words }) =>
    () =>
      store(words, FLAG, 1)
  assert.match(violationOf(program([waitFor, setOnly])), /thread 0 waits for ever/)
})

test('explore: says in which interleaving an invariant breaks', () => {
  const unequal = () => assert.fail('as planned')
  const message = violationOf(program([repeatedly(0)], unequal))
  assert.deepEqual(message.split('\n  '), ['as planned', ...Array(3).fill('thread 0: add 0 1')])
})

test('model: no interleaving loses, doubles, tears, reorders or hangs', async (t) => {
  const script = fileURLToPath(new URL('./model/run.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=model', script])
  const { scenarios, mutants } = JSON.parse(stdout) as ModelReport
  assert.ok(scenarios.length > 20 && mutants.length > 12)
  for (const { name, states, interleavings, violation } of scenarios) {
    await t.test(`model: ${name}`, (each) => {
      assert.equal(violation, null)
      // One state would mean that nothing was explored.
      assert.ok(states > 50 && interleavings > 100)
      each.diagnostic(`${states} states, ${interleavings.toPrecision(3)} interleavings`)
    })
  }
  for (const { name, brokenScenario, violation, asExpected } of mutants) {
    await t.test(`mutant: ${name}, is caught`, (each) => {
      assert.ok(asExpected, violation ?? 'nothing broke')
      each.diagnostic(`by ${brokenScenario}: ${violation?.split('\n')[0]}`)
    })
  }
})
