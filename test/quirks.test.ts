/** The catalogue of what real providers do: each of its 64 entries has a test that names it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { named } from './quirks/harness.ts'
import { PROVIDER_QUIRKS } from './quirks/providers.ts'
import { WIRE_QUIRKS } from './quirks/wire.ts'

test('quirks: each of the 64 is named', () => {
  assert.equal(WIRE_QUIRKS + PROVIDER_QUIRKS, 64)
  assert.deepEqual(
    [...named].toSorted((a, b) => a - b),
    Array.from({ length: 64 }, (_, at) => at + 1),
  )
})
