/** What the recordings' expected files say of the message, and where ours is to say more. */
import type { Recording } from './recordings.ts'
import { sharedJson } from './shared-data.ts'

/** What the official client did when it was fed the same bytes: a note, nothing to be like. */
interface ClientNotes {
  readonly lib: string
  readonly accumulator?: {
    readonly threw?: { readonly name: string }
    readonly textAgrees?: boolean
  }
}

export type Expected = Record<string, unknown> & {
  readonly oracle: string
  readonly text: Record<string, string>
  readonly toolCalls: readonly Record<string, unknown>[]
  readonly error: Record<string, unknown> | null
  readonly usage: Record<string, unknown> | null
  readonly usageRaw: Record<string, unknown> | null
  readonly sse?: { readonly events: number; readonly comments: number; readonly sha256: string }
  /** There where the client's reading is not what is expected. */
  readonly mismatch?: readonly object[]
  readonly sdk?: ClientNotes
}

/** The keys of the message's schema; the others of an expected file are about its making. */
const MESSAGE_KEYS = (
  'id model role text textDeltas textDeltaChoices reasoning reasoningDeltas refusal toolCalls ' +
  'toolPlan hostedToolCalls finishReason usage usageRaw logprobs annotations error terminator ' +
  'badJson'
).split(' ')

export function expectedOf({ expected }: Recording): Expected {
  return sharedJson<Expected>(`corpus/${expected}`)
}

/** What the expected file says about the keys of the message. */
export function expectedFinal(expected: Expected): Record<string, unknown> {
  const known = MESSAGE_KEYS.filter((key) => key in expected)
  const final = Object.fromEntries(known.map((key) => [key, expected[key]]))
  const cachedInput = droppedCount(expected)
  return cachedInput === null ? final : { ...final, usage: { ...expected.usage, cachedInput } }
}

/**
 * Mistral's client knows three counts and drops the others, which `usageRaw` of the same file has.
 * Ours reads the one that Mistral has in common with the rest of the family.
 */
function droppedCount({ oracle, usageRaw }: Expected): number | null {
  const details = usageRaw?.['prompt_tokens_details']
  if (!oracle.startsWith('sdk:@mistralai/') || details === undefined) return null
  return (details as { cached_tokens: number }).cached_tokens
}

/** Ours, without the `input` of a call where the script that made the expected file had none. */
export function comparable(final: object, expected: Expected): Record<string, unknown> {
  const { toolCalls: calls, ...rest } = final as { toolCalls: readonly { input?: unknown }[] }
  const toolCalls = calls.map(({ input, ...call }, at) => {
    return expected.toolCalls[at] !== undefined && 'input' in expected.toolCalls[at]
      ? { ...call, input }
      : call
  })
  return { ...rest, toolCalls }
}

/** Whether the official client, iterated, gives other tokens than ours. */
export function clientDiffers(expected: Expected): boolean {
  return expected.mismatch !== undefined || droppedCount(expected) !== null
}

/**
 * Whether the official client agrees as long as it is iterated, and its own builder of a message
 * throws, other than with the provider's error, or has another text.
 */
export function onlyBuilderDiffers(expected: Expected): boolean {
  const { threw, textAgrees } = expected.sdk?.accumulator ?? {}
  if (clientDiffers(expected)) return false
  return textAgrees === false || (threw !== undefined && threw.name !== 'APIError')
}
