/**
 * The house rules that no ready-made linter knows, as pure functions over a file's text.
 *
 * A rule sees one file at a time and reports every breach; `tree` answers what else there is.
 */
import { posix } from 'node:path'
import { codeOf, commentsOf, literalAt } from './source-text.ts'

export interface Offence {
  /** Counted from 1. */
  readonly line: number
  readonly what: string
}

/** The repository's files by path: relative, with `/`. */
export type Tree = ReadonlyMap<string, string>

export interface Rule {
  readonly name: string
  readonly applies: (path: string) => boolean
  readonly find: (path: string, text: string, tree: Tree) => Offence[]
}

const COLUMNS_MAX = 100
const LINES_MAX = 450

/** Where atomics come from; and where a worker dies of them in the code as it ships. */
const DOORS = ['src/shared/atomics.ts', 'test/model/dying-worker.ts']

const isCode = (path: string): boolean => /\.[jt]s$/.test(path)
const isSource = (path: string): boolean => path.startsWith('src/') && isCode(path)
const isTest = (path: string): boolean => path.startsWith('test/') && isCode(path)
const isMarkdown = (path: string): boolean => path.endsWith('.md')
const isAny = (): boolean => true

/**
 * Who may import what. `npm:` stands for packages; relative imports are paths from the root.
 * Shared code does no I/O and knows no threads; of packages it may have what only computes.
 */
const IMPORTS: readonly (readonly [from: string, allowed: RegExp])[] = [
  ['src/shared/', /^(?:src\/shared\/|#|npm:msgpackr$)/],
  ['src/main/', /^(?:src\/(?:main|shared)\/|#|npm:|node:)/],
  ['src/workers/', /^(?:src\/(?:workers|shared)\/|#|npm:|node:)/],
  ['src/cli/', /^(?:src\/cli\/|src\/main\/index\.ts$|src\/shared\/errors\.ts$|npm:|node:)/],
  // The model runs the worker's code on its own memory, in its own thread.
  ['test/model/', /^/],
  ['', /^(?!src\/workers\/)/],
]

export const rules: readonly Rule[] = [
  { name: 'import-direction', applies: isCode, find: importDirection },
  {
    // A worker is reached by its URL, and one file knows it, or bundlers could not move it.
    name: 'worker-urls',
    applies: (path) => isIn(path, 'src/main/', 'src/shared/', 'src/cli/'),
    find: (path, text) =>
      path === 'src/main/worker-url.ts' ? [] : literals(text, /workers\//, 'names a worker'),
  },
  {
    name: 'atomics-in-one-file',
    applies: (path) => isCode(path) && !DOORS.includes(path),
    find: (_, text) => search(codeOf(text), /\bAtomics\b/g, 'Atomics: import from #atomics'),
  },
  {
    // Node lets the main thread block, and then nothing else runs there.
    name: 'no-wait-on-main',
    applies: (path) => isIn(path, 'src/main/', 'src/cli/'),
    find: (_, text) =>
      search(
        codeOf(text),
        /\bimport\s*\{[^}]*\bwait\b[^}]*\}\s*from\s*(?=['"])/g,
        'wait on main',
      ).filter(({ end }) => /^#atomics$|\/atomics\.ts$/.test(literalAt(text, end))),
  },
  { name: 'columns', applies: (path) => isCode(path) || isMarkdown(path), find: columns },
  {
    name: 'file-length',
    applies: isCode,
    find: (_, text) => {
      const lines = text.split('\n').length - 1
      return lines > LINES_MAX ? [{ line: lines, what: `${lines} lines, over ${LINES_MAX}` }] : []
    },
  },
  {
    name: 'no-enum',
    applies: isCode,
    find: (_, text) => search(codeOf(text), /\benum\s+\w+\s*\{/g, 'enum'),
  },
  {
    name: 'no-default-export',
    applies: isCode,
    find: (_, text) => search(codeOf(text), /\bexport\s+default\b|\bas\s+default\b/g, 'default'),
  },
  {
    name: 'no-barrel',
    applies: (path) => isSource(path) && path !== 'src/main/index.ts',
    find: (_, text) => search(codeOf(text), RE_EXPORT, 're-exports: import from the source'),
  },
  {
    name: 'index-only-exports',
    applies: (path) => path === 'src/main/index.ts',
    find: (_, text) =>
      search(codeOf(text).replace(RE_EXPORT, blankLines), /\S.*/g, 'not an export'),
  },
  {
    name: 'no-any',
    applies: isCode,
    find: (_, text) => search(codeOf(text), /(?:[:<|&,(=]|=>|\bas)\s*any\b(?!\s*[(.:])/g, 'any'),
  },
  {
    name: 'no-leftovers',
    applies: (path) => isCode(path) || isMarkdown(path),
    find: (path, text) =>
      search(isCode(path) ? commentsOf(text) : text, /\b(?:TODO|FIXME|XXX|HACK)\b/g, 'left over'),
  },
  {
    // Wait for a state: a time is too short on a slow machine and too long on a fast one.
    name: 'no-sleep-in-tests',
    applies: isTest,
    find: (_, text) => [
      ...search(codeOf(text), SLEEP, 'sleeps'),
      ...literals(text, /^(?:node:)?timers\/promises$/, 'sleeps'),
    ],
  },
  {
    name: 'no-focus',
    applies: isTest,
    find: (_, text) =>
      search(
        codeOf(text),
        /\b(?:test|it|describe|suite)\.(?:skip|only|todo)\b|\bonly: true/g,
        'focus',
      ),
  },
  { name: 'test-names', applies: isTest, find: testNames },
  {
    name: 'no-machine-paths',
    applies: isAny,
    find: (_, text) =>
      search(text, /(?<![\w.~:/$}*-])\/(?:home|root|work|tmp|Users)(?![\w-])/g, 'absolute path'),
  },
  {
    name: 'no-registries',
    applies: isAny,
    find: (_, text) =>
      search(
        text,
        /\bregistry\.\w+|\bnpmjs\.\w+|\byarnpkg\b|\bartifactory\b|"resolved"\s*:/gi,
        'registry',
      ),
  },
  { name: 'links', applies: isMarkdown, find: links },
  { name: 'lockfile-complete', applies: (path) => path === 'package-lock.json', find: lockfile },
]

const RE_EXPORT = /\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*'\s*'/g

const IMPORT = /\b(?:(import\s+type\b)[^'"`]*?\bfrom|from|import)\s*\(?\s*(?=['"`])/g

// By name, or by a promise that a timer resolves, whatever its executor calls `resolve`.
const SLEEP = new RegExp(
  [
    String.raw`\bsleep\s*\(`,
    String.raw`\bawait\s+setTimeout\b`,
    String.raw`\(?\b(\w+)(?:[,:][^)]*)?\)?\s*=>\s*\{?\s*setTimeout\(\s*(?:\1\b|\(\)\s*=>\s*\1\()`,
  ].join('|'),
  'g',
)

function importDirection(path: string, text: string): Offence[] {
  const [, allowed] = IMPORTS.find(([from]) => path.startsWith(from))!
  return search(codeOf(text), IMPORT, '').flatMap(({ line, end, match }) => {
    const target = resolve(path, literalAt(text, end))
    // A type of Node's is erased and brings nothing along.
    const isErased = match[1] !== undefined && target.startsWith('node:')
    return allowed.test(target) || isErased ? [] : [{ line, what: `may not import ${target}` }]
  })
}

function resolve(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier)
  return /^(?:#|node:)/.test(specifier) ? specifier : `npm:${specifier}`
}

function columns(path: string, text: string): Offence[] {
  return text.split('\n').flatMap((content, index) => {
    const width = Array.from(content).length
    // A table's row and an address cannot be broken.
    const unbreakable = isMarkdown(path) && /^\s*\||https?:\/\//.test(content)
    if (width <= COLUMNS_MAX || unbreakable) return []
    return [{ line: index + 1, what: `${width} columns, over ${COLUMNS_MAX}` }]
  })
}

function testNames(_: string, text: string): Offence[] {
  const seen = new Set<string>()
  return search(codeOf(text), /(?<![.\w])(?:test|it)\(\s*(?=['"`])/g, '').flatMap(
    ({ line, end }) => {
      const name = literalAt(text, end)
      const offences: Offence[] = []
      if (seen.has(name)) offences.push({ line, what: `again: ${name}` })
      // A name that begins with a table's value has its subject there.
      if (!/^[^\s:][^:]{0,60}: \S|^\$\{/.test(name)) {
        offences.push({ line, what: `no "subject: behaviour": ${name}` })
      }
      seen.add(name)
      return offences
    },
  )
}

function links(path: string, text: string, tree: Tree): Offence[] {
  const found = search(withoutFences(text), /\]\(\s*(?!\w+:)([^)\s]+)/g, '')
  return found.flatMap(({ line, match }) => {
    const [file = '', anchor] = match[1]!.split('#')
    const target = file === '' ? path : posix.join(posix.dirname(path), file)
    const folder = `${target.replace(/\/$/, '')}/`
    const isFolder = [...tree.keys()].some((other) => other.startsWith(folder))
    const content = tree.get(target)
    if (content === undefined && !isFolder) return [{ line, what: `no such file: ${match[1]}` }]
    if (anchor === undefined || anchorsOf(content ?? '').has(anchor)) return []
    return [{ line, what: `no such heading: ${match[1]}` }]
  })
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { optionalDependencies?: Record<string, string> }>>
}

/**
 * The binaries of every platform are listed, not only of the one that wrote the lockfile: with one
 * missing `npm ci` refuses the whole file, on all platforms.
 */
function lockfile(_: string, text: string): Offence[] {
  const { packages } = JSON.parse(text) as Lockfile
  const locked = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)))
  return Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies)
      .filter((name) => !locked.has(name))
      .map((name) => ({ line: lineOf(text, text.indexOf(name)), what: `does not lock ${name}` })),
  )
}

/** Headings as the usual renderers name them; repeated ones get `-1`, `-2`. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutFences(markdown).matchAll(/^#{1,6}\s+(.*)$/gm)) {
    const words = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '')
    const name = words.trim().replace(/\s/g, '-')
    let anchor = name
    for (let again = 1; anchors.has(anchor); again++) anchor = `${name}-${again}`
    anchors.add(anchor)
  }
  return anchors
}

const withoutFences = (markdown: string): string => markdown.replace(/^```[^]*?^```/gm, blankLines)

const blankLines = (piece: string): string => piece.replace(/[^\n]/g, ' ')

const isIn = (path: string, ...folders: string[]): boolean =>
  folders.some((folder) => path.startsWith(folder))

interface Found extends Offence {
  /** Index of the first character after the match. */
  readonly end: number
  readonly match: RegExpExecArray
}

function search(text: string, pattern: RegExp, what: string): Found[] {
  return [...text.matchAll(pattern)].map((match) => ({
    line: lineOf(text, match.index),
    what,
    end: match.index + match[0].length,
    match,
  }))
}

/** The string literals whose contents match. */
function literals(text: string, pattern: RegExp, what: string): Offence[] {
  return search(codeOf(text), /(['"`])\s*\1/g, what).filter(({ match }) =>
    pattern.test(literalAt(text, match.index)),
  )
}

function lineOf(text: string, index: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line++
  return line
}
