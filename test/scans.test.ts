/** Work is counted, not timed: how often the WASM decoder looks at a byte that comes alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findDialect } from '../src/shared/dialects/dialects.ts'
import { bytes } from './chat-bytes.ts'
import { byteWise } from './chunking.ts'
import { engine, traceOf, wasmDecoder } from './wasm-host.ts'

const LENGTHS = [66_000, 2 ** 20] as const

const longText = (length: number): string => 'abcdefg\u00e9'.repeat(Math.ceil(length / 9))

/** Bytes looked at for each byte of an event that comes byte by byte. */
function scansOf(dialect: string, start: string, text: string, end: string): number {
  const chunks = byteWise(bytes(start + text + end))
  const earlier = engine.scannedBytes
  assert.equal(traceOf(wasmDecoder(findDialect(dialect)), chunks).text, text)
  return (engine.scannedBytes - earlier) / chunks.length
}

const AROUND: Readonly<Record<string, readonly [start: string, end: string]>> = {
  'openai-chat': ['data: {"choices":[{"delta":{"content":"', '"}}]}\n\n'],
  'ollama-chat': ['{"message":{"content":"', '"}}\n'],
  'gemini-array': ['[{"candidates":[{"content":{"parts":[{"text":"', '"}]}}]}]'],
}

for (const [dialect, [start, end]] of Object.entries(AROUND)) {
  test(`scans: a byte of ${dialect} is scanned twice at most, byte by byte`, () => {
    // Once for its line end or its place in the nesting, and once where the event is walked.
    for (const length of LENGTHS) {
      const scans = scansOf(dialect, start, longText(length), end)
      assert.ok(scans > 1 && scans <= 2, `${scans} times, of ${length} bytes`)
    }
  })
}
