import {
  createMillrace,
  type Millrace,
  MillraceError,
  type TokenBatch,
  type TokenStream,
} from '../main/index.ts'
import type { DecodeArguments } from './arguments.ts'
import { CommandError, commandError, EXIT } from './exit.ts'
import { formatter } from './formats.ts'
import { type Input, openInput } from './input.ts'
import type { Output } from './output.ts'
import { Progress } from './progress.ts'

/** Most text that `--format final` holds, bytes. The other formats hold none. */
const FINAL_BYTES_MAX = 2 ** 30

/**
 * Runs `millrace decode`. What was decoded is written before a failure is thrown.
 *
 * @param signal - Aborting it with a {@link CommandError} ends the command with that.
 * @throws {CommandError} Where the exit code is not 0.
 */
export async function decodeCommand(
  args: DecodeArguments,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const input = await openInput(args.input, args.chunkBytes, signal)
  try {
    const mill = await createMillrace({ workers: Math.max(1, args.workers) })
    try {
      const stream = openStream(mill, input, args, signal)
      const failure = await writeStream(stream, input, args, output)
      signal.throwIfAborted()
      if (failure !== null) throw failure
    } finally {
      await mill.close()
    }
  } finally {
    await input.close()
  }
}

function openStream(
  mill: Millrace,
  input: Input,
  args: DecodeArguments,
  signal: AbortSignal,
): TokenStream {
  return mill.decode(input.source, {
    dialect: args.dialect,
    placement: args.workers === 0 ? 'inline' : 'worker',
    timeout: input.timeoutMs,
    accumulate: args.format === 'final',
    finalBytesMax: FINAL_BYTES_MAX,
    signal,
  })
}

/** Returns how the command fails, if it does. */
async function writeStream(
  stream: TokenStream,
  input: Input,
  { format }: DecodeArguments,
  output: Output,
): Promise<CommandError | null> {
  const { batchText, endText } = formatter(format)
  const problems = new Problems()
  // Tokens that run over the screen are progress enough.
  const isOnScreen = process.stdout.isTTY && (format === 'text' || format === 'events')
  const progress = isOnScreen ? null : new Progress(stream, input.bytesTotal)
  let failure: unknown = null
  try {
    for await (const batch of stream.batches()) {
      problems.note(batch)
      await output.write(batchText(batch))
    }
  } catch (error) {
    failure = error
  } finally {
    progress?.end()
  }
  if (isEmpty(stream, failure)) return new CommandError(EXIT.noInput, `${input.name} is empty`)
  await output.write(await endText(stream))
  return (
    problems.providerError() ?? (failure === null ? problems.malformed() : commandError(failure))
  )
}

/** Whether there was nothing to decode; a source that failed at once is another matter. */
function isEmpty(stream: TokenStream, failure: unknown): boolean {
  if (stream.stats().bytes > 0) return false
  if (failure === null) return true
  const codes = ['STREAM_TRUNCATED', 'DIALECT_UNRECOGNIZED']
  return failure instanceof MillraceError && codes.includes(failure.code)
}

/** The error events of a stream that went on after them. */
class Problems {
  #provider: MillraceError | null = null
  #malformed: MillraceError | null = null
  #malformedCount = 0

  note(batch: TokenBatch): void {
    for (let i = 0; i < batch.length; i += 1) {
      if (batch.type(i) !== 'error') continue
      const event = batch.event(i)
      if (event.type !== 'error') continue
      if (event.error.code === 'PROVIDER_ERROR') {
        this.#provider ??= event.error
      } else {
        this.#malformed ??= event.error
        this.#malformedCount += 1
      }
    }
  }

  providerError(): CommandError | null {
    return this.#provider === null ? null : commandError(this.#provider)
  }

  malformed(): CommandError | null {
    if (this.#malformed === null) return null
    const count = this.#malformedCount
    const events = count === 1 ? '1 malformed event' : `${count} malformed events, the first`
    return new CommandError(EXIT.stream, `${events}: ${commandError(this.#malformed).message}`)
  }
}
