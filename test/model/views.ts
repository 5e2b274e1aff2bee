/** Words and bytes of a model's memory, as the typed arrays that the production code takes. */

export interface WordAccess {
  readonly length: number
  read(index: number): number
  /** Writes the bits of `mask`. */
  write(index: number, value: number, mask: number): void
}

export interface Views {
  readonly words: Int32Array
  readonly bytes: Uint8Array
}

export function viewsOf({ length, read, write }: WordAccess): Views {
  const words = view(new Int32Array(0), {
    length,
    get: read,
    set: (index, value) => write(index, value, -1),
  })
  const bytes = view(new Uint8Array(0), {
    length: length * 4,
    get: (index) => (read(index >> 2) >>> (8 * (index & 3))) & 0xff,
    set: (index, value) => write(index >> 2, value << (8 * (index & 3)), 0xff << (8 * (index & 3))),
  })
  return { words, bytes }
}

interface Elements {
  readonly length: number
  get(index: number): number
  set(index: number, value: number): void
}

/** An array with these elements, and with the methods that somebody uses. */
function view<T extends Int32Array | Uint8Array>(like: T, elements: Elements): T {
  const methods = methodsOf(elements)
  return new Proxy(like, {
    get(_, key) {
      if (key === 'length') return elements.length
      const index = Number(key)
      if (!Number.isNaN(index)) return elements.get(index)
      const method = methods[String(key)]
      if (method === undefined) throw new Error(`the model's memory has no ${String(key)}`)
      return method
    },
    set(_, key, value: number) {
      elements.set(Number(key), value)
      return true
    },
  })
}

function methodsOf({ get, set }: Elements): Record<string, (...args: never[]) => unknown> {
  return {
    copyWithin(to: number, from: number, end: number): void {
      // All are read before any is written, as places may overlap.
      const values = Array.from({ length: end - from }, (_, at) => get(from + at))
      for (const [at, value] of values.entries()) set(to + at, value)
    },
    fill(value: number, from: number, to: number): void {
      for (let at = from; at < to; at++) set(at, value)
    },
    set(values: ArrayLike<number>, to: number): void {
      for (let at = 0; at < values.length; at++) set(to + at, values[at]!)
    },
    slice(from: number, to: number): Uint8Array {
      return Uint8Array.from({ length: to - from }, (_, at) => get(from + at))
    },
  }
}
