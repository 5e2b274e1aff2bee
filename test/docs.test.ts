/** Every example of the documentation runs, against the built package and without a network. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startProvider, type LoopbackProvider } from '../src/cli/provider/server.ts'
import { docstringExamples, markdownExamples, programOf, type Example } from './docs/examples.ts'
import { compileExamples, type CompiledExamples } from './docs/run-examples.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const read = (path: string): string => readFileSync(root + path, 'utf8')

function filesOf(folder: string, extension: string): string[] {
  if (!existsSync(root + folder)) return []
  const names = readdirSync(root + folder).filter((name) => name.endsWith(extension))
  return names.map((name) => `${folder}/${name}`)
}

const pages = ['README.md', ...filesOf('docs', '.md')].filter((path) => existsSync(root + path))
const examples = [
  ...pages.flatMap((path) => markdownExamples(path, read(path))),
  ...filesOf('src/main', '.ts').flatMap((path) => docstringExamples(path, read(path))),
]

const works: Example = {
  where: 'plant:1',
  language: 'ts',
  code: 'for await (const text of stream.textStream) write(text)\nawait mill.close()',
}
const throws: Example = { where: 'plant:2', language: 'js', code: `throw new Error('planted')` }
const mistyped: Example = { where: 'plant:3', language: 'ts', code: 'const n: number = url' }

let provider: LoopbackProvider
let compiled: CompiledExamples
before(async () => {
  provider = await startProvider()
  compiled = await compileExamples([...examples, works, throws, mistyped])
})
after(() => provider.close())

async function failureOf(example: Example): Promise<string> {
  return compiled.typeErrors(example) || (await compiled.run(example, provider.origin)).failure
}

for (const example of examples) {
  test(`docs: the example at ${example.where} runs`, async () => {
    assert.equal(await failureOf(example), '')
  })
}

test('docs: there are examples to run', () => {
  assert.notEqual(examples.length, 0)
})

test('docs: a planted example that decodes from a provider prints its text', async () => {
  assert.equal(compiled.typeErrors(works), '')
  const { stdout, failure } = await compiled.run(works, provider.origin)
  assert.equal(failure, '')
  assert.notEqual(stdout, '')
})

test('docs: planted examples that throw or mistake a type are failures', async () => {
  assert.match(await failureOf(throws), /Error: planted/)
  assert.match(await failureOf(mistyped), /not assignable to type 'number'/)
})

test('markdownExamples: takes the js and ts fences that may run, with their lines', () => {
  const page = '# A\n```js\nlet a\n```\n```ts no-run\nb\n```\n```sh\nc\n```\n```ts\nd\ne\n```\n'
  assert.deepEqual(markdownExamples('A.md', page), [
    { where: 'A.md:2', language: 'js', code: 'let a\n' },
    { where: 'A.md:11', language: 'ts', code: 'd\ne\n' },
  ])
})

test('docstringExamples: takes each @example up to the next tag or the end', () => {
  const source = [
    '/**\n * Does.\n * @example\n * one()\n *   two()\n * @see there\n */\n',
    'class A {\n  /**\n   * @example\n   * three()\n   */\n  b() {}\n}\n',
  ].join('')
  assert.deepEqual(docstringExamples('a.ts', source), [
    { where: 'a.ts:3', language: 'ts', code: 'one()\n  two()\n' },
    { where: 'a.ts:10', language: 'ts', code: 'three()\n' },
  ])
})

test('programOf: puts before an example what it uses and does not declare, and no more', () => {
  const programOfCode = (code: string): string[] =>
    programOf({ where: '', language: 'ts', code }, ['createMillrace', 'createDecoder'])
      .split('\n')
      .map((line) => line.replace(/ =.*/, ''))
  assert.deepEqual(programOfCode('stream.final()').slice(0, -2), [
    `import { createMillrace } from 'millrace'`,
    'const response',
    'const mill',
    'const stream',
    'stream.final()',
  ])
  assert.deepEqual(programOfCode(`const mill = other.stream('stream') // stream`).slice(0, -2), [
    'const mill',
  ])
})
