/** Small hand-written provider bytes for tests of everything but the decoder. */

const encoder = new TextEncoder()

export function bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** One OpenAI chat event with a text delta. */
export function delta(text: string): string {
  return `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}}}]}\n\n`
}

export const FINISH: string =
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
export const DONE: string = 'data: [DONE]\n\n'

/** A whole chat stream of these deltas. */
export function chat(...texts: string[]): string {
  return texts.map(delta).join('') + FINISH + DONE
}

/** Splits into chunks of `size` bytes. */
export function* chunksOf(text: string, size: number): Generator<Uint8Array> {
  const all = bytes(text)
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size)
}

/** An async iterable that yields the chunks and then never ends, until it is cancelled. */
export function hanging(...chunks: string[]): {
  source: AsyncIterable<Uint8Array>
  cancelled: Promise<void>
} {
  let cancel!: () => void
  const cancelled = new Promise<void>((resolve) => (cancel = resolve))
  let next = 0
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        next < chunks.length
          ? Promise.resolve({ done: false, value: bytes(chunks[next++]!) })
          : new Promise(() => {}),
      return: () => {
        cancel()
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
  return { source, cancelled }
}
