/** Names the quirks of real providers, and what comes of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDecoder,
  type DecodeOptions,
  type Dialect,
  type Message,
  type TokenEvent,
} from '../../src/main/index.ts'
import { MessageBuilder } from '../../src/main/message.ts'
import { findDialect } from '../../src/shared/dialects/dialects.ts'
import { byteWise } from '../chunking.ts'

export type Body = string | Uint8Array
type Options = Omit<DecodeOptions, 'dialect' | 'signal'>

/** The message, and what it leaves out: error events, and the failure, by their codes. */
export interface Outcome extends Message {
  readonly errors: readonly string[]
  readonly failure: string
  readonly signatures: readonly string[]
  /** Finish details. */
  readonly details: readonly unknown[]
}

/** Quirks that a test names: the numbers of the catalogue. */
export const named: Set<number> = new Set()

/** A test of one quirk. */
export function quirk(number: number, name: string, run: () => void | Promise<void>): void {
  named.add(number)
  test(`quirk ${number}: ${name}`, run)
}

/** Decodes a body, whole and byte by byte, to the same outcome. */
export function outcomeOf(dialect: string | Dialect, body: Body, options: Options = {}): Outcome {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const [whole, cut] = [[bytes], byteWise(bytes)].map((chunks): Outcome => {
    const decoder = createDecoder({ dialect, ...options })
    const message = new MessageBuilder(findDialect(dialect), 2 ** 24)
    const errors: string[] = []
    const signatures: string[] = []
    const details: unknown[] = []
    const take = (batch: Iterable<TokenEvent>): void => {
      for (const event of batch) {
        if (event.type === 'error') errors.push(event.error.code)
        else if (event.type === 'reasoning-signature') signatures.push(event.signature)
        else if (event.type === 'finish-detail') details.push(event.value)
      }
    }
    for (const chunk of chunks) {
      const batch = decoder.push(chunk)
      message.add(batch)
      take(batch)
    }
    const last = decoder.end()
    message.add(last)
    take(last)
    const failure = decoder.failure?.code ?? ''
    return { ...message.toFinal(), errors, failure, signatures, details }
  })
  assert.deepEqual(cut, whole)
  return whole as Outcome
}

/** Says what some of the outcome is to be. */
export function expect(
  dialect: string | Dialect,
  body: Body,
  wanted: Partial<Outcome>,
  options: Options = {},
): void {
  const outcome = outcomeOf(dialect, body, options) as unknown as Record<string, unknown>
  const seen = Object.fromEntries(Object.keys(wanted).map((key) => [key, outcome[key]]))
  assert.deepEqual(seen, wanted, String(body).slice(0, 300))
}

/** SSE events of these payloads. */
export function sseOf(...payloads: readonly (object | string)[]): string {
  return payloads
    .map((payload) => (typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .map((data) => `data: ${data}\n\n`)
    .join('')
}

/** Lines of these payloads. */
export function linesOf(...payloads: readonly object[]): string {
  return payloads.map((payload) => `${JSON.stringify(payload)}\n`).join('')
}

/** A chat chunk of one choice. */
export const delta = (fields: object, choice: object = {}): object => {
  return { choices: [{ index: 0, delta: fields, ...choice }] }
}

export const say = (content: string): object => delta({ content })

export const stop: object = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }

/** A chat chunk of tool call fragments. */
export const calls = (...fragments: object[]): object => delta({ tool_calls: fragments })

export type Call = Message['toolCalls'][number]

export const call = (index: number, id: string | null, name: string, text: string): Call => {
  return { choice: 0, index, id, name, arguments: text }
}
