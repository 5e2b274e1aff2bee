/** Finds the examples in the documentation and makes programs of them. */
import { codeOf } from '../tidy/source-text.ts'

export interface Example {
  /** Where a reader finds it: `README.md:12`. */
  readonly where: string
  readonly language: 'js' | 'ts'
  readonly code: string
}

/** The `js` and `ts` fences of a Markdown page, but those whose info string says `no-run`. */
export function markdownExamples(path: string, text: string): Example[] {
  return [...text.matchAll(/^```(js|ts)\b(.*)\n([^]*?)^```/gm)].flatMap((match) => {
    const [, language, info = '', code = ''] = match
    if (/\bno-run\b/.test(info)) return []
    const where = `${path}:${lineOf(text, match.index)}`
    return [{ where, language: language as 'js' | 'ts', code }]
  })
}

/** The `@example` blocks of a source file's docstrings. */
export function docstringExamples(path: string, text: string): Example[] {
  return [...text.matchAll(/^ *\* @example\n((?: *\*(?! @)(?!\/).*\n)+)/gm)].map((match) => ({
    where: `${path}:${lineOf(text, match.index)}`,
    language: 'ts',
    code: match[1]!.replace(/^ *\* ?/gm, ''),
  }))
}

/** What a short example takes for granted, in an order in which each line may use those above. */
const GIVEN: readonly (readonly [name: string, declaration: string])[] = [
  ['url', `const url = 'https://api.openai.com/v1/chat/completions'`],
  ['request', `const request = { method: 'POST', body: '{"stream":true}' }`],
  ['response', `const response = await fetch('https://api.openai.com/v1/chat/completions')`],
  ['mill', `const mill = await createMillrace({ workers: 1 })`],
  ['stream', `const stream = mill.decode(response, { dialect: 'openai-chat' })`],
  ['write', `const write = (text: string) => process.stdout.write(text)`],
]

/**
 * The example as a whole program: what it uses and does not declare is put before it.
 *
 * @param exported - The names that the package exports.
 */
export function programOf({ code, language }: Example, exported: readonly string[]): string {
  const lines: string[] = []
  const wanted = (name: string): boolean =>
    uses([...lines, code].join('\n'), name) && !declares(code, name)
  // Backwards, since a line may need one above it.
  for (const [name, declaration] of GIVEN.toReversed()) {
    if (wanted(name)) lines.unshift(declaration)
  }
  const imports = exported.filter((name) => wanted(name))
  if (imports.length > 0) lines.unshift(`import { ${imports.join(', ')} } from 'millrace'`)
  const program = [...lines, code, 'export {}', ''].join('\n')
  return language === 'js' ? program.replaceAll('(text: string)', '(text)') : program
}

/** As a free name: neither a property nor a key nor in a string. */
const uses = (code: string, name: string): boolean =>
  new RegExp(`(?<![.\\w])${name}\\b(?!\\s*:)`).test(codeOf(code))

function declares(code: string, name: string): boolean {
  const declaration = `\\b(?:const|let|class|function)\\s+(?:\\{[^}]*)?${name}\\b`
  return new RegExp(`${declaration}|\\bimport\\s*\\{[^}]*\\b${name}\\b`).test(codeOf(code))
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length
