// All mutants, and where each is planted.

import { join } from 'node:path'
import { framingMutants } from './framing-mutants.js'
import { payloadMutants } from './payload-mutants.js'
import { semanticMutants } from './semantic-mutants.js'
import { templateMutants } from './template-mutants.js'

export const mutants = [
  ...semanticMutants,
  ...framingMutants,
  ...payloadMutants,
  ...templateMutants,
]

/** Those of the WASM decoder name their file, the others its path. */
export function isOfWasm({ file }) {
  return !file.includes('/')
}

/** From the root of a repository. */
export function pathOf(mutant) {
  const { file } = mutant
  return isOfWasm(mutant) ? join('src', 'shared', 'decoder', 'wasm', file) : file
}

/** Whether the source has the place of a mutant, and only once. */
export function isPlaceable({ find }, source) {
  return source.split(find).length === 2
}
