import { parseArgs, type ParseArgsConfig } from 'node:util'
import { dialects } from '../main/index.ts'
import { CommandError, EXIT } from './exit.ts'

export const FORMATS = ['text', 'events', 'final', 'stats'] as const

export type Format = (typeof FORMATS)[number]

/** `millrace decode`, checked. */
export interface DecodeArguments {
  /** A path, a URL, or `-` for standard input. */
  readonly input: string
  readonly dialect: string
  readonly format: Format
  /** Worker threads; 0 decodes on the main thread. */
  readonly workers: number
  /** Most bytes that the decoder is given at a time; null leaves chunks as they come. */
  readonly chunkBytes: number | null
}

export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  | { readonly name: 'decode'; readonly options: DecodeArguments }

/** Four to a line, under the others. */
const NAMES: string = Object.keys(dialects)
  .map(
    (name, at) => `${at % 4 === 0 ? `${at === 0 ? '' : ',\n'}                     ` : ', '}${name}`,
  )
  .join('')

export const HELP: string = `millrace: tokens from the streams of language models

Usage
  millrace decode [FILE | - | URL] [options]

Decodes one recorded or live response (Server-Sent Events, NDJSON, a JSON array, or an AWS event
stream) to standard output. Reads standard input where no file is named or it is "-". A URL is
fetched with GET; redirects are refused.
On a terminal, control characters in the stream are shown as escapes.

Options
  --dialect NAME     whose stream it is; recognised where none is named. One of:
${NAMES}
  --format FORMAT    text    the answer's text as it comes (default);
                             of raw events, the data of each on a line
                     events  every event, one JSON object a line
                     final   the whole message, one JSON object
                     stats   counts and sizes of the stream, one JSON object
  --workers N        worker threads, 0 to 64; 0 decodes on the main thread (default 1)
  --chunk-bytes N    give the decoder at most N bytes at a time, 1 to 16777216
  --help, --version

Exit codes
  0    decoded to its end (or the reader of the output closed the pipe)
  1    the stream failed or broke off, held malformed events or the provider's own error, or
       the output could not be written; what came before is written
  2    wrong usage
  66   no input: no such file, a directory, not a byte in it
  130  interrupted with Ctrl-C
`

const CONFIG = {
  allowPositionals: true,
  options: {
    dialect: { type: 'string' },
    format: { type: 'string' },
    workers: { type: 'string' },
    'chunk-bytes': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  },
} as const satisfies ParseArgsConfig

/** Reads the command line. Throws {@link CommandError} with the code for wrong usage. */
export function parseCommand(args: string[]): Command {
  const { values, positionals } = parseOptions({ ...CONFIG, args })
  if (values.help === true) return { name: 'help' }
  if (values.version === true) return { name: 'version' }
  const [name, input, ...rest] = positionals
  if (name === undefined) throw usage('there is no command to run, such as decode')
  if (name !== 'decode') throw usage(`there is no command ${name}, only decode`)
  if (rest.length > 0) throw usage(`decode reads one input, not ${positionals.length - 1}`)
  if (input === undefined && process.stdin.isTTY) {
    throw usage('decode needs a file, a URL or something piped into it')
  }
  const { dialect = 'auto', format = 'text', workers = '1', 'chunk-bytes': chunkBytes } = values
  const options = {
    input: input ?? '-',
    dialect,
    format: oneOf('--format', format, FORMATS),
    workers: integer('--workers', workers, 0, 64),
    chunkBytes:
      chunkBytes === undefined ? null : integer('--chunk-bytes', chunkBytes, 1, 16 * 1024 * 1024),
  }
  return { name, options }
}

/** `parseArgs`, with its complaint as wrong usage. */
export function parseOptions<T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    // The first sentence names the option; the next explain how to pass such a thing as a file.
    const [sentence = ''] = (error as Error).message.split(/[.\n]/)
    throw usage(sentence)
  }
}

function oneOf<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text)
  if (choice === undefined) throw usage(`${option} is one of ${choices.join(', ')}, not ${text}`)
  return choice
}

/** A non-negative integer option within its bounds. */
export function integer(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw usage(`${option} is an integer from ${min} to ${max}, not ${text}`)
}

function usage(message: string): CommandError {
  return new CommandError(EXIT.usage, `${message}; see --help`)
}
