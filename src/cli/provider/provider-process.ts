import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startProvider, type LoopbackProvider } from './server.ts'

/**
 * The loopback provider in a process of its own, so that making and sending streams costs the
 * measured process nothing. It ends with its parent, however that one ends.
 */
export async function forkProvider(): Promise<LoopbackProvider> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [], serialization: 'json' })
  const exited = once(child, 'exit')
  const started: unknown = await Promise.race([once(child, 'message'), exited])
  const [origin] = started as [unknown]
  if (typeof origin !== 'string') throw new Error(`the provider exited with ${String(origin)}`)
  // Its pipe would otherwise keep this process alive after everything else is done.
  child.unref()
  child.channel?.unref()
  return {
    origin,
    async close() {
      child.ref()
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

async function main(): Promise<void> {
  // Ctrl-C reaches the whole terminal group; only the parent decides when this process ends.
  process.on('SIGINT', () => {})
  process.once('disconnect', () => process.exit())
  const { origin } = await startProvider()
  // The parent may have gone before anyone listened for it.
  if (!process.connected) process.exit()
  process.send?.(origin, undefined, undefined, () => {})
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) void main()
