/** What a stress run drives: a way from bytes to tokens. The canary's is broken on purpose. */
import { createMillrace, type TokenBatch } from '../src/main/index.ts'
import { DIALECT } from './sequence-stream.ts'

export interface PipelineStream {
  write(bytes: Uint8Array): boolean
  drained(): Promise<void>
  end(): void
  batches(): AsyncIterable<TokenBatch>
}

export interface Pipeline {
  open(): PipelineStream
  /** Memory of channel and decoder, while a stream is open. Bytes. */
  bufferBytes(): Promise<number>
  close(): Promise<void>
}

/** Millrace itself: one worker, streams written by hand. */
export async function millracePipeline(): Promise<Pipeline> {
  const mill = await createMillrace({ workers: 1 })
  return {
    open: () => mill.open({ dialect: DIALECT, accumulate: false }),
    bufferBytes: async () => (await mill.stats()).memoryBytes,
    close: () => mill.close(),
  }
}

/** How long the broken pipeline keeps each batch back, ms. */
const DELAY_MS = 5

/**
 * Millrace behind a consumer with two faults: it keeps an object for every token it ever saw, and
 * it passes each batch on late.
 */
export async function brokenPipeline(): Promise<Pipeline> {
  const whole = await millracePipeline()
  const leak: object[] = []
  return {
    ...whole,
    open() {
      const stream = whole.open()
      return {
        write: (bytes) => stream.write(bytes),
        drained: () => stream.drained(),
        end: () => stream.end(),
        async *batches() {
          for await (const batch of stream.batches()) {
            for (let index = 0; index < batch.length; index++)
              leak.push({ kept: batch.text(index) })
            await delay(DELAY_MS)
            yield batch
          }
        },
      }
    },
  }
}

function delay(ms: number): Promise<void> {
  const { promise, resolve } = withResolvers()
  setTimeout(resolve, ms)
  return promise
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}
