import type { Bench } from './bench.ts'
import { collectionsBench } from './questions/collections.ts'
import { dialectsBench } from './questions/dialects.ts'
import { inlineBench } from './questions/inline.ts'
import { keptTokensBench } from './questions/kept-tokens.ts'
import { latencyBench } from './questions/latency.ts'
import { linearityBench } from './questions/linearity.ts'
import { mainCpuBench } from './questions/main-cpu.ts'
import { memoryBench } from './questions/memory.ts'
import { recordsOnlyBench } from './questions/records-only.ts'
import { smallLoopsBench } from './questions/small-loops.ts'
import { stagesBench } from './questions/stages.ts'
import { workerBench } from './questions/worker.ts'

/** Every question, in the order of the report. */
export const BENCHES: readonly Bench[] = [
  inlineBench,
  recordsOnlyBench,
  dialectsBench,
  stagesBench,
  workerBench,
  mainCpuBench,
  latencyBench,
  linearityBench,
  memoryBench,
  collectionsBench,
  keptTokensBench,
  smallLoopsBench,
]
