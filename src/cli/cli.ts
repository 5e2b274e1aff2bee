#!/usr/bin/env node
/** The `millrace` command: arguments in, exit code out; the work is decode-command's. */
import { readFileSync } from 'node:fs'
import { HELP, parseCommand } from './arguments.ts'
import { CommandError, commandError, complain, EXIT } from './exit.ts'
import { Output } from './output.ts'

async function main(args: string[], output: Output, signal: AbortSignal): Promise<void> {
  const command = parseCommand(args)
  switch (command.name) {
    case 'help':
      return output.write(HELP)
    case 'version':
      return output.write(`${packageVersion()}\n`)
    case 'decode': {
      // The library comes with threads and their tools: not for a help text.
      const { decodeCommand } = await import('./decode-command.ts')
      return decodeCommand(command.options, output, signal)
    }
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

const output = new Output(process.stdout)
const interrupt = new AbortController()
// Once: a second Ctrl-C ends the process the hard way.
process.once('SIGINT', () => interrupt.abort(new CommandError(EXIT.interrupted, '')))
// Complaints that nobody can read are no reason to fail.
process.stderr.on('error', () => {})

try {
  await main(process.argv.slice(2), output, AbortSignal.any([interrupt.signal, output.closed]))
} catch (error) {
  const { exitCode, message } = commandError(error)
  complain(message)
  process.exitCode = exitCode
}
await output.end()
