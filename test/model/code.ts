/** The modules under test: the compiled ones, or mutants of them. */
import * as slabs from '../../src/shared/carry-slabs.ts'
import * as ends from '../../src/shared/channel-ends.ts'
import * as ring from '../../src/shared/ring-buffer.ts'
import * as wait from '../../src/shared/wait-strategy.ts'
import * as server from '../../src/workers/channel-server.ts'
import { type EditedModules, ModuleLoader } from './load-module.ts'

export interface Code {
  readonly ring: typeof ring
  readonly wait: typeof wait
  readonly ends: typeof ends
  readonly slabs: typeof slabs
  readonly server: typeof server
}

/** On the model's atomics under `--conditions=model`, and only then. */
export const PRODUCTION: Code = { ring, wait, ends, slabs, server }

export async function mutantOf(edits: EditedModules): Promise<Code> {
  const loader = new ModuleLoader(edits)
  return {
    ring: (await loader.load('shared/ring-buffer')) as typeof ring,
    wait: (await loader.load('shared/wait-strategy')) as typeof wait,
    ends: (await loader.load('shared/channel-ends')) as typeof ends,
    slabs: (await loader.load('shared/carry-slabs')) as typeof slabs,
    server: (await loader.load('workers/channel-server')) as typeof server,
  }
}
