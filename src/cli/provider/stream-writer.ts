import type { ExpectedMessage, ExpectedUsage, ProviderFailure, TokenKind } from './expected.ts'
import type { Script } from './script.ts'
import type { Said, WireEvent } from './wire.ts'

/** Pieces of wire are encoded together: one by one, the calls would cost more than the copy. */
const PIECE_CHARS = 64 * 1024

/** Gathers events into bytes and, beside them, what they say. */
export class StreamWriter {
  readonly #script: Script
  readonly #eol: string
  readonly #pieces: Buffer[] = []
  #piece = ''
  #length = 0
  #events = 0
  #comments = 0

  #text = ''
  #reasoning = ''
  #signature = ''
  readonly #calls = new Map<number, { index: number; id: string; name: string; json: string }>()
  #finishReason: string | null = null
  #usage: ExpectedUsage | null = null
  #error: ProviderFailure | null = null
  #terminator: string | null = null
  readonly #tokens: string[] = []
  readonly #kinds: TokenKind[] = []
  readonly #ends: number[] = []

  constructor(script: Script, eol: string) {
    this.#script = script
    this.#eol = eol
  }

  event(event: WireEvent): void {
    this.#write(event.wire)
    if (event.wire.startsWith(':')) this.#comments += 1
    else this.#events += 1
    for (const said of event.said) this.#note(said)
  }

  /** The first half of an event, where a connection broke. */
  half(event: WireEvent): void {
    this.#write(event.wire.slice(0, event.wire.length / 2))
  }

  bytes(): Uint8Array<ArrayBuffer> {
    this.#encode()
    const bytes = new Uint8Array(this.#length)
    let offset = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, offset)
      offset += piece.length
    }
    return bytes
  }

  expected(): ExpectedMessage {
    return {
      id: this.#script.id,
      model: this.#script.model,
      role: 'assistant',
      text: this.#text,
      reasoning: this.#reasoning,
      signature: this.#signature,
      toolCalls: [...this.#calls.values()].map(({ json, ...call }) => ({
        ...call,
        arguments: json,
      })),
      finishReason: this.#finishReason,
      usage: this.#usage,
      error: this.#error,
      terminator: this.#terminator,
      tokens: this.#tokens,
      tokenKinds: this.#kinds,
      tokenEnds: Float64Array.from(this.#ends),
      events: this.#events,
      comments: this.#comments,
    }
  }

  #write(wire: string): void {
    const lines = this.#eol === '\n' ? wire : wire.replaceAll('\n', this.#eol)
    this.#piece += lines
    this.#length += Buffer.byteLength(lines)
    if (this.#piece.length >= PIECE_CHARS) this.#encode()
  }

  #encode(): void {
    this.#pieces.push(Buffer.from(this.#piece))
    this.#piece = ''
  }

  #note(said: Said): void {
    switch (said.kind) {
      case 'text':
        this.#text += said.text
        return this.#token(said.kind, said.text)
      case 'reasoning':
        this.#reasoning += said.text
        return this.#token(said.kind, said.text)
      case 'arguments': {
        const call = this.#calls.get(said.index)
        if (call === undefined) throw new Error(`call ${said.index} was never opened`)
        call.json += said.text
        return this.#token(said.kind, said.text)
      }
      case 'call': {
        const { index, id, name } = said
        this.#calls.set(index, { index, id, name, json: '' })
        return
      }
      case 'signature':
        this.#signature += said.text
        return
      case 'finish':
        this.#finishReason = said.reason
        return
      case 'usage':
        this.#usage = said.usage
        return
      case 'error':
        this.#error = said.error
        return
      case 'terminator':
        this.#terminator = said.name
    }
  }

  #token(kind: TokenKind, text: string): void {
    this.#tokens.push(text)
    this.#kinds.push(kind)
    // A blank line ends at its CR; the LF after it ends nothing more.
    this.#ends.push(this.#length - this.#eol.length + 1)
  }
}
