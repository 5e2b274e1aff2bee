/** Production modules as they are compiled, after edits, on the model's atomics. */
import { readFile } from 'node:fs/promises'

const SOURCES = new URL('../../src/', import.meta.url)
const ATOMICS = new URL('./atomics.js', import.meta.url).href

/** Each text must occur in the module exactly once. */
export type Edits = readonly (readonly [from: string, to: string])[]

/** Modules by their path under src, without its ending, with what is to be edited in each. */
export type EditedModules = Readonly<Record<string, Edits>>

/**
 * Imports a module, and what it imports, with the edits. Others are imported as they are, whatever
 * the conditions of this process: so where nothing edited is imported on the way, it is `null`.
 */
export class ModuleLoader {
  readonly #edited: EditedModules
  /** By path: the address to import it from. */
  readonly #addresses = new Map<string, Promise<string>>()

  constructor(edited: EditedModules) {
    this.#edited = edited
  }

  async load(path: string): Promise<unknown> {
    return import(await this.#addressOf(path))
  }

  #addressOf(path: string): Promise<string> {
    let address = this.#addresses.get(path)
    if (address === undefined) this.#addresses.set(path, (address = this.#findAddress(path)))
    return address
  }

  async #findAddress(path: string): Promise<string> {
    const url = new URL(`${path}.js`, SOURCES)
    const edits = this.#edited[path]
    let source = edit(path, await readFile(url, 'utf8'), edits ?? [])
    let isEdited = edits !== undefined
    const imports = [...source.matchAll(/ from '(\.[^']+)\.js'/g)].map((match) => match[1]!)
    for (const specifier of new Set(imports)) {
      const target = new URL(`${specifier}.js`, url).href
      const address = await this.#addressOf(target.slice(SOURCES.href.length, -'.js'.length))
      if (address !== target) isEdited = true
      source = source.replaceAll(`'${specifier}.js'`, `'${address}'`)
    }
    if (!isEdited) return url.href
    const atomic = source.replaceAll(`'#atomics'`, `'${ATOMICS}'`)
    // A stack trace shall name the module, not hold all of it.
    const text = `${atomic}\n//# sourceURL=edited/${path}.js`
    return `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  }
}

function edit(path: string, source: string, edits: Edits): string {
  let text = source
  for (const [from, to] of edits) {
    const parts = text.split(from)
    if (parts.length !== 2) throw new Error(`${path}: ${parts.length - 1} places for: ${from}`)
    text = parts.join(to)
  }
  return text
}
