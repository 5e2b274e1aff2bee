import type { Random } from './random.ts'

/**
 * What a bundled stream will say, before any envelope: tokens, tool calls, names.
 *
 * The expected values of a stream come from here and never from decoding it.
 */
export interface Script {
  readonly id: string
  readonly model: string
  readonly createdSeconds: number
  readonly reasoning: readonly string[]
  readonly signature: string
  readonly text: readonly string[]
  readonly toolCalls: readonly ScriptedCall[]
  readonly inputTokens: number
  readonly cachedInputTokens: number
}

export interface ScriptedCall {
  readonly id: string
  readonly name: string
  /** The arguments' JSON, cut anywhere, as a model streams it: inside escapes too. */
  readonly fragments: readonly string[]
}

export type TextStyle = 'plain' | 'rich'

export interface ScriptOptions {
  readonly textTokens: number
  readonly reasoningTokens: number
  readonly toolCalls: number
  readonly style: TextStyle
  /** Words a token: 1 for providers that send each token, more for those that gather them. */
  readonly wordsPerToken: number
  readonly idPrefix: string
  readonly callIdPrefix: string
}

export function writeScript(random: Random, options: ScriptOptions): Script {
  const { style, wordsPerToken } = options
  return {
    id: options.idPrefix + random.letters(29),
    model: `loopback-${1 + random.below(4)}-mini-2026-01-01`,
    createdSeconds: 1_767_225_600 + random.below(1_000_000),
    reasoning: tokenTexts(random, options.reasoningTokens, style, wordsPerToken),
    signature: `${random.letters(180)}==`,
    text: tokenTexts(random, options.textTokens, style, wordsPerToken),
    toolCalls: Array.from({ length: options.toolCalls }, () =>
      scriptCall(random, style, options.callIdPrefix),
    ),
    inputTokens: 16 + random.below(4096),
    cachedInputTokens: random.below(16),
  }
}

/** Tokens of all kinds, as the provider's usage counts them. */
export function outputTokens({ reasoning, text, toolCalls }: Script): number {
  const fragments = toolCalls.reduce((sum, call) => sum + call.fragments.length, 0)
  return reasoning.length + text.length + fragments
}

function tokenTexts(random: Random, count: number, style: TextStyle, words: number): string[] {
  const tokens: string[] = []
  while (tokens.length < count) {
    let token = ''
    for (let i = 0; i < words; i += 1) token += word(random, style)
    const isLast = tokens.length === count - 1
    if (style === 'rich' && !isLast && random.oneIn(150)) tokens.push(...splitPair(random, token))
    else tokens.push(token)
  }
  return tokens
}

/** A character beyond U+FFFF cut between two tokens, as byte-level tokenizers do. */
function splitPair(random: Random, token: string): [string, string] {
  const emoji = random.pick(EMOJI)
  return [token + emoji.charAt(0), emoji.slice(1)]
}

function word(random: Random, style: TextStyle): string {
  if (style === 'rich' && random.oneIn(12)) return random.pick(RICH)
  return random.pick(PLAIN)
}

function scriptCall(random: Random, style: TextStyle, idPrefix: string): ScriptedCall {
  const note = Array.from({ length: 6 }, () => word(random, style)).join('')
  const json = JSON.stringify({
    gate: random.below(12),
    open: random.oneIn(2),
    path: `wheel\\${random.letters(4)}/"log".txt`,
    note: style === 'rich' ? `${note} \u2014 data: [DONE]\n` : note,
  })
  const fragments: string[] = []
  for (let begin = 0; begin < json.length;) {
    const end = begin + 1 + random.below(9)
    fragments.push(json.slice(begin, end))
    begin = end
  }
  return { id: idPrefix + random.letters(24), name: random.pick(TOOLS), fragments }
}

const TOOLS = ['set_gate', 'read_gauge', 'log_flow', 'turn_wheel']

// oxfmt-ignore
const PLAIN = [
  ' the', ' mill', ' race', ' carries', ' water', ' to', ' a', ' wheel', ' and', ' back', ' in',
  ' time', '.', ',', ' When', ' it', ' rises', ' we', ' open', ' gate', ' two', 's', 'ing', 'ed',
  ' stone', ' grinds', ' slow', 'ly', ' but', ' fine', ':', ' 12', '7', ' m', '/', 's', ' (', ')',
  '\n', '\n\n', ' "', '"', ' flow', ' is', ' steady',
]

const EMOJI = ['\u{1F30A}', '\u{1F3DE}', '\u{1F527}', '\u{1F600}', '\u{20BB7}']

/** What decoders get wrong: controls, quotes, every UTF-8 length, and text that looks like wire. */
// oxfmt-ignore
const RICH = [
  ...EMOJI,
  ' caf\u00e9', ' na\u00efve', ' \u2014', '\u2026', ' \u6c34\u8eca', '\u306e', ' \ubb3c',
  ' \u05de\u05d9\u05dd', '\u{1F469}\u200d\u{1F527}', ' \u{1F1EF}\u{1F1F5}', '\u2028', '\ufeff',
  '\u0000', '\u001b[1m', '\t', '\r\n', '\u007f', '\ufffd', '\\', '\\n', '\\u0041', '"}',
  '{"content":"', '</b>', ' a&b', ' [DONE]', 'data: ', '\n\ndata: [DONE]\n\n', 'event: error\n',
  '__proto__',
]
