import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openInput } from '../src/cli/input.ts'
import { requestUrl } from '../src/cli/provider/request.ts'
import { startProvider } from '../src/cli/provider/server.ts'
import { bundledStream } from '../src/cli/provider/streams.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('openInput: a garbage collection before the first read costs a response nothing', async () => {
  const provider = await startProvider()
  try {
    const url = requestUrl(provider.origin, 'anthropic', { seed: 6 })
    const { bytes } = bundledStream('anthropic', { seed: 6 })
    for (const chunkBytes of [null, 3]) {
      const { source } = await openInput(url, chunkBytes, new AbortController().signal)
      // What finalizers do, they do in later turns.
      for (let turn = 0; turn < 20; turn++) {
        collectGarbage()
        await new Promise((resolve) => setImmediate(resolve))
      }
      const read = new Uint8Array(await (source as Response).arrayBuffer())
      assert.equal(Buffer.compare(read, bytes), 0, `${read.length} of ${bytes.length} bytes`)
    }
  } finally {
    await provider.close()
  }
})
