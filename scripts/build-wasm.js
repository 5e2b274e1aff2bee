// Compiles the WASM decoder from AssemblyScript: `node scripts/build-wasm.js [--sources FOLDER]
// [--out FILE]`. What was compiled before from the same sources is taken from a cache.

import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bin, root, run } from './run.js'

const { values } = parseArgs({
  options: {
    // The folder of `decoder`: its wasm*-layout.ts and wasm/*.ts are the sources.
    sources: { type: 'string', default: join(root, 'src', 'shared', 'decoder') },
    out: {
      type: 'string',
      default: join(root, 'dist', 'src', 'shared', 'decoder', 'decoder.wasm'),
    },
  },
})
// An instance's memory may have any maximum up to 65,536 pages. Warning 112 is about vectors in
// signatures: they stay inside the module.
const flags = (
  '--runtime stub --importMemory --sharedMemory --noExportMemory --initialMemory 1 ' +
  '--maximumMemory 65536 --enable simd,threads,bulk-memory -O3 --noAssert --disableWarning 112'
).split(' ')

const folder = join(values.sources, 'wasm')
const files = [
  join(values.sources, 'wasm-layout.ts'),
  join(values.sources, 'wasm-template-layout.ts'),
  ...readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name)),
]
const compiler = readFileSync(join(root, 'node_modules', 'assemblyscript', 'package.json'))
const hash = createHash('sha256').update(flags.join()).update(compiler)
for (const file of files) hash.update(basename(file)).update(readFileSync(file))

const cache = join(root, 'node_modules', '.cache', 'millrace')
const cached = join(cache, `${hash.digest('hex').slice(0, 32)}.wasm`)
if (!existsSync(cached)) compile()
mkdirSync(dirname(values.out), { recursive: true })
copyFileSync(cached, values.out)

function compile() {
  mkdirSync(cache, { recursive: true })
  // Under a name of its own first: builds may run side by side.
  const made = `${cached}.${process.pid}`
  const source = join(folder, 'index.ts')
  const { ok, output } = run([bin('asc'), source, '--outFile', made, ...flags])
  if (output !== '') console.error(output)
  if (!ok) process.exit(1)
  renameSync(made, cached)
}
