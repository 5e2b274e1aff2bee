/** The house rules over the whole repository, and for each rule a breach that it must see. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { rules, type Tree } from './tidy/rules.ts'
import { codeOf, commentsOf } from './tidy/source-text.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const NOT_OURS = new Set(['.git', 'coverage', 'dist', 'node_modules'])
const IS_TEXT = /\.(?:[jt]s|json|md|svg|ya?ml|sh)$|^\.ci\/|(?:^|\/)\.\w+$/

function readTree(folder = '', tree = new Map<string, string>()): Tree {
  for (const entry of readdirSync(root + folder, { withFileTypes: true })) {
    const path = folder + entry.name
    if (NOT_OURS.has(entry.name)) continue
    if (entry.isDirectory()) readTree(`${path}/`, tree)
    else if (entry.isFile() && IS_TEXT.test(path)) tree.set(path, readFileSync(root + path, 'utf8'))
  }
  return tree
}

interface Plant {
  readonly rule: string
  readonly path: string
  /** Each alone must be flagged. */
  readonly bad: readonly string[]
  /** Each alone must pass: what the rule could be mistaken about. */
  readonly good: readonly string[]
  /** Other files that links may lead to. */
  readonly others?: Readonly<Record<string, string>>
}

// Joined here, so that the rules over the whole tree do not find the plants.
const folder = (name: string, rest: string): string => `${['', name].join('/')}/${rest}`
const leftover = ['TO', 'DO'].join('')
const resolved = ['"resolved"', ' '].join(':')
const host = ['registry', 'example.com'].join('.')

/** A lockfile of these packages, where `a` may use a binary for either of two platforms. */
function locking(...names: string[]): string {
  const a = { optionalDependencies: { 'b-linux': '1.0.0', 'b-darwin': '1.0.0' } }
  const packages = names.map((name) => [`node_modules/${name}`, name === 'a' ? a : {}])
  return JSON.stringify({ packages: Object.fromEntries(packages) })
}

const plants: readonly Plant[] = [
  {
    rule: 'import-direction',
    path: 'src/shared/credit.ts',
    bad: [
      `import { stats } from '../main/stats.ts'`,
      `import type { Stats } from '../main/stats.ts'`,
      `import { readFileSync } from 'node:fs'`,
      `import type { A } from './a.ts'\nimport { readFileSync } from 'node:fs'`,
      `import { wrap } from 'comlink'`,
      `const main = await import('../main/stats.ts')`,
      `let stats: import('../main/stats.ts').Stats`,
      `import '../main/stats.ts'`,
    ],
    good: [
      `import { load } from '#atomics'`,
      `import { rows } from './rows.ts'`,
      `import { pack } from 'msgpackr'`,
      `import type { MessagePort } from 'node:worker_threads'`,
      `// import { stats } from '../main/stats.ts'`,
      `const text = "import { stats } from '../main/stats.ts'"`,
    ],
  },
  {
    rule: 'import-direction',
    path: 'src/main/channel.ts',
    bad: [
      `import type { Api } from '../workers/decode-worker.ts'`,
      `import { help } from '../cli/help.ts'`,
      `import { text } from '../../test/text.ts'`,
    ],
    good: [`import { Piscina } from 'piscina'\nimport { rows } from '../shared/rows.ts'`],
  },
  {
    rule: 'import-direction',
    path: 'src/workers/decode-worker.ts',
    bad: [`import { channel } from '../main/channel.ts'`],
    good: [`import { parentPort } from 'node:worker_threads'`, `import { x } from './duty.ts'`],
  },
  {
    rule: 'import-direction',
    path: 'src/cli/provider/server.ts',
    bad: [
      `import { channel } from '../../main/channel.ts'`,
      `import { rows } from '../../shared/rows.ts'`,
    ],
    good: [
      `import { createMillrace } from '../../main/index.ts'`,
      `import { MillraceError } from '../../shared/errors.ts'`,
      `import { streams } from './streams.ts'`,
    ],
  },
  {
    rule: 'import-direction',
    path: 'test/worker.test.ts',
    bad: [`import { duty } from '../src/workers/decode-worker.ts'`],
    good: [`import { channel } from '../src/main/channel.ts'`],
  },
  {
    rule: 'worker-urls',
    path: 'src/main/channel.ts',
    bad: [`const url = new URL('../workers/decode-worker.js', import.meta.url)`],
    good: [`// see ../workers/decode-worker.ts`, `const workers = 'workers'`],
  },
  {
    rule: 'atomics-in-one-file',
    path: 'src/shared/credit.ts',
    bad: ['Atomics.load(words, 0)', 'const { load } = Atomics'],
    good: ['// Atomics.load would do', `const name = 'Atomics.load'`, 'load(words, 0)'],
  },
  {
    rule: 'no-wait-on-main',
    path: 'src/main/channel.ts',
    bad: [
      `import { load, wait } from '#atomics'`,
      `import {\n  load,\n  wait,\n} from '../shared/atomics.ts'`,
    ],
    good: [`import { load, notify } from '#atomics'`, `import { wait } from './timeout.ts'`],
  },
  {
    rule: 'columns',
    path: 'src/main/stats.ts',
    bad: [`// ${'x'.repeat(98)}`, `// https://example.com/${'x'.repeat(80)}`],
    good: [`// ${'x'.repeat(97)}`, `// ${'\u{1f30a}'.repeat(97)}`],
  },
  {
    rule: 'columns',
    path: 'README.md',
    bad: ['x'.repeat(101)],
    good: [`| ${'x'.repeat(120)} |`, `<https://example.com/${'x'.repeat(90)}>`],
  },
  {
    rule: 'file-length',
    path: 'src/main/stats.ts',
    bad: ['x\n'.repeat(451)],
    good: ['x\n'.repeat(450)],
  },
  {
    rule: 'no-enum',
    path: 'src/main/stats.ts',
    bad: ['export enum Kind { Text }', 'const enum Kind {\n  Text,\n}'],
    good: ['// an enum Kind { }', 'const enumerated = {}'],
  },
  {
    rule: 'no-default-export',
    path: 'src/main/stats.ts',
    bad: ['export default class Stats {}', 'export { stats as default }'],
    good: ['switch (kind) {\n  default:\n}', `// export default`],
  },
  {
    rule: 'no-barrel',
    path: 'src/main/stats.ts',
    bad: [
      `export * from './rows.ts'`,
      `export * as rows from './rows.ts'`,
      `export { rows } from './rows.ts'`,
      `export type {\n  Rows,\n} from './rows.ts'`,
    ],
    good: ['export { rows }', 'export const rows = {}'],
  },
  {
    rule: 'index-only-exports',
    path: 'src/main/index.ts',
    bad: [`export { rows } from './rows.ts'\nconst version = 1`, `import './rows.ts'`],
    good: [`/** Why. */\nexport { rows } from './rows.ts'\nexport type * from './events.ts'\n`],
  },
  {
    rule: 'no-any',
    path: 'src/main/stats.ts',
    bad: [
      'let x: any',
      'let x: any[]',
      'x as any',
      'Map<string, any>',
      'Array<any>',
      '(x: unknown | any) => x',
    ],
    good: ['AbortSignal.any([a, b])', '// of any kind', `const any = 'any'`, 'return any(x)'],
  },
  {
    rule: 'no-leftovers',
    path: 'src/main/stats.ts',
    bad: [`// ${leftover}: later`, `/**\n * ${leftover} later\n */`],
    good: ['// to do it later', `const kind = '${leftover}'`, `const ${leftover}S = 1`],
  },
  {
    rule: 'no-sleep-in-tests',
    path: 'test/channel.test.ts',
    bad: [
      'await sleep(50)',
      'await new Promise((resolve) => setTimeout(resolve, 50))',
      'await new Promise<void>((done) => {\n  setTimeout(done, 50)\n})',
      'await new Promise((done) => setTimeout(() => done(null), 50))',
      `import { setTimeout } from 'node:timers/promises'`,
      'await setTimeout(50)',
    ],
    good: [
      'const guard = setTimeout(() => fail(), 60_000)',
      'await new Promise((resolve) => setImmediate(resolve))',
      '// no sleep(50)',
      `test('park: a sleep (50 ms) is not a state', run)`,
    ],
  },
  {
    rule: 'no-focus',
    path: 'test/channel.test.ts',
    bad: [
      `test.only('a: b', run)`,
      `test.skip('a: b', run)`,
      `describe.skip('a', run)`,
      `test('a: b', { only: true }, run)`,
    ],
    good: [`test('a: b', { skip: missing() }, run)`, '// test.only'],
  },
  {
    rule: 'test-names',
    path: 'test/channel.test.ts',
    bad: [
      `test('works', run)`,
      `test("a name that goes on and on, with no subject, before its colon comes: late", run)`,
      `test('claim: fits', run)\ntest('claim: fits', run)`,
      'test(\n  `${0}`.length, `x`)\ntest(`no subject ${row.name}`, run)',
    ],
    good: [
      `test('claim: fits', run)\ntest('claim: does not fit', run)`,
      `test(row.name, run)`,
      'test(`decode: ${row.name}`, run)',
      'test(`${row.subject}: fits`, run)',
      `pattern.test('works')`,
      `t.test('works', run)`,
    ],
  },
  {
    rule: 'no-machine-paths',
    path: 'docs/ARCHITECTURE.md',
    bad: [
      `see ${folder('home', 'me/notes')}`,
      `'${folder('tmp', 'x')}'`,
      `(${folder('root', '')})`,
      folder('work', 'main'),
    ],
    good: [
      `https://example.com${folder('home', 'x')}`,
      `..${folder('work', 'x')}`,
      `\${base}${folder('home', 'x')}`,
      'src/workers/decode-worker.ts',
      '/workers/',
    ],
  },
  {
    rule: 'no-registries',
    path: 'package-lock.json',
    bad: [`${resolved} "x"`, `https://${host}/x.tgz`],
    good: ['"integrity": "sha512-x"', 'a registry of streams'],
  },
  {
    rule: 'links',
    path: 'docs/MEMORY.md',
    bad: ['[x](NONE.md)', '[x](../README.md#none)', '[x](#none)', '![x](./none.png)'],
    good: [
      '[x](../README.md)',
      '[x](../README.md#how-it-works-1)',
      '# Here & now\n[x](#here--now)',
      '[x](https://example.com/none)',
      '[x](../src)',
      '```md\n[x](NONE.md)\n```',
    ],
    others: {
      'README.md': '# How it works\n## `How` it works?\n',
      'src/main/index.ts': '',
    },
  },
  {
    rule: 'lockfile-complete',
    path: 'package-lock.json',
    bad: [locking('a', 'b-linux')],
    good: [locking('a', 'b-linux', 'b-darwin')],
  },
]

const ruleNamed = new Map(rules.map((rule) => [rule.name, rule]))

function breaches(rule: string, path: string, text: string, others: Plant['others'] = {}) {
  const { applies, find } = ruleNamed.get(rule)!
  if (!applies(path)) return []
  return find(path, text, new Map([...Object.entries(others), [path, text]]))
}

test('tidy: the whole repository keeps every house rule', () => {
  const tree = readTree()
  assert.ok(tree.has('test/tidy.test.ts'), 'this file is part of the tree')
  const offences = [...tree].flatMap(([path, text]) =>
    rules
      .filter((rule) => rule.applies(path))
      .flatMap((rule) =>
        rule
          .find(path, text, tree)
          .map(({ line, what }) => `${path}:${line}  ${rule.name}: ${what}`),
      ),
  )
  assert.equal(offences.length, 0, `${offences.length} offences\n${offences.join('\n')}`)
})

test('rules: each has a planted offence', () => {
  const planted = new Set(plants.map(({ rule }) => rule))
  assert.deepEqual(planted, new Set(ruleNamed.keys()))
})

for (const { rule, path, bad, good, others } of plants) {
  test(`${rule}: flags every plant in ${path}, and nothing else there`, () => {
    for (const text of bad) {
      assert.notEqual(breaches(rule, path, text, others).length, 0, `not flagged: ${text}`)
    }
    for (const text of good) {
      assert.deepEqual(breaches(rule, path, text, others), [], `flagged: ${text}`)
    }
  })
}

test('rules: an offence names the line that it is on', () => {
  const [offence] = breaches('no-enum', 'src/main/stats.ts', '\n\n/* 3\n4 */ enum A { B }\n')
  assert.equal(offence?.line, 4)
})

test('codeOf: blanks comments, and literals but for their quotes', () => {
  assert.equal(codeOf(`a('b\\'c') // d`), `a('    ')     `)
  assert.equal(codeOf('a(`b\n${c}`)'), 'a(` \n    `)')
  assert.equal(codeOf(`a = /['"]/.test(b) / c / d`), `a = /    /.test(b) / c / d`)
  assert.equal(codeOf(`a /* 'b' */ = "/* c */"`), `a           = "       "`)
})

test('commentsOf: blanks all but the comments', () => {
  assert.equal(commentsOf(`a('// b') // c\n/* d */ e`), `${' '.repeat(10)}// c\n/* d */  `)
})
