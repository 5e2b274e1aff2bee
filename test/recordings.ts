/** The recordings of the shared data folder; none where it is absent. */
import { createGunzip } from 'node:zlib'
import { sharedBytes, sharedData, sharedJson } from './shared-data.ts'

export interface Recording {
  readonly file: string
  /** Whose it is, as far as the manifest tells providers apart. */
  readonly provider: string
  readonly dialect: string
  /** Where it was asked for; `null` where that is not known. */
  readonly endpoint: string | null
  /** How it came to be: off the wire, from payloads, made from a recording. */
  readonly recorded: string
  /** What was changed in it on purpose. */
  readonly mutation?: string
  readonly source: { readonly repo: string; readonly path: string }
  readonly expected: string
}

export const recordings: readonly Recording[] =
  sharedData() === null ? [] : sharedJson<{ files: Recording[] }>('corpus/manifest.json').files

/** A recording as the network gave it; what is left of a compressed one that was cut. */
export async function bodyOf(file: string): Promise<Uint8Array> {
  const stored = sharedBytes(`corpus/${file}`)
  if (!file.endsWith('.gz')) return stored
  const inflated: Buffer[] = []
  const gunzip = createGunzip()
  gunzip.on('data', (chunk: Buffer) => inflated.push(chunk))
  gunzip.end(stored)
  await new Promise((settle) => gunzip.on('error', settle).on('end', settle))
  return new Uint8Array(Buffer.concat(inflated))
}
