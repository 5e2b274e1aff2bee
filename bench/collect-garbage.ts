import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// By flag at run time, so that every benchmark runs in an ordinary process too.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A full collection of this thread's heap. */
export function collectGarbage(): void {
  collect()
}
