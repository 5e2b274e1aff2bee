import { type ErrorCode, MillraceError } from '../shared/errors.ts'
import { escapeControls } from './terminal-text.ts'

/** How the command ends; `--help` lists them. */
export const EXIT = {
  ok: 0,
  /** The stream failed, broke off, held malformed events or the provider's own error. */
  stream: 1,
  usage: 2,
  /** There is nothing to read: no such file, a directory, no bytes. */
  noInput: 66,
  interrupted: 130,
} as const

/** An end of the command with its exit code. An empty message: there is nothing to say. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'OPTION_INVALID',
  'DIALECT_UNKNOWN',
  'DIALECT_INVALID',
])

/** What to say about a failure, and how to exit with it. */
export function commandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  if (error instanceof MillraceError) {
    const exitCode = USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.stream
    return new CommandError(exitCode, `${error.message} (${error.code})`, error)
  }
  throw error
}

/** Longest message shown, characters: it may quote the provider. */
const MESSAGE_CHARS_MAX = 500

/** Writes one line to stderr, whatever the message holds. */
export function complain(message: string): void {
  if (message === '') return
  const line = escapeControls(message.replaceAll(/\s+/g, ' ').trim())
  const shown = line.length > MESSAGE_CHARS_MAX ? `${line.slice(0, MESSAGE_CHARS_MAX)}...` : line
  process.stderr.write(`millrace: ${shown}\n`)
}
