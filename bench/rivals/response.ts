import type { Chunk } from '../fixtures.ts'

/** A `fetch` that answers any request with these chunks, handed over one a pull. */
export function answering(chunks: readonly Chunk[]): () => Promise<Response> {
  return async () => {
    let next = 0
    const body = new ReadableStream<Chunk>({
      pull(controller) {
        const chunk = chunks[next++]
        if (chunk === undefined) controller.close()
        else controller.enqueue(chunk)
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
}
