import type { Writable } from 'node:stream'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan'

const CODES: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  green: '32',
  red: '31',
  cyan: '36',
}

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const ERASE_DOWN = '\u001b[J'

export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/**
 * A few lines that are redrawn in place, in plain ANSI, where the output is a terminal.
 *
 * @see https://no-color.org for NO_COLOR, which takes away colours and leaves the redrawing.
 */
export class Terminal {
  readonly #stream: TerminalStream
  readonly #colours: boolean
  /** Whether lines can be redrawn. */
  readonly isLive: boolean
  #linesDrawn = 0

  constructor(stream: TerminalStream, env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream
    this.isLive = stream.isTTY === true && env['TERM'] !== 'dumb'
    this.#colours = this.isLive && !env['NO_COLOR']
  }

  get columns(): number {
    return this.#stream.columns ?? 80
  }

  style(style: Style, text: string): string {
    return this.#colours ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
  }

  /** Puts `lines` in place of the ones drawn before. They must fit the columns. */
  draw(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join('')
    this.#stream.write(HIDE_CURSOR + this.#home() + ERASE_DOWN + text)
    this.#linesDrawn = lines.length
  }

  /** Takes away what was drawn, and shows the cursor again. Safe at any time. */
  clear(): void {
    if (!this.isLive) return
    this.#stream.write(this.#home() + ERASE_DOWN + SHOW_CURSOR)
    this.#linesDrawn = 0
  }

  /** Writes lines that stay. */
  print(lines: readonly string[]): void {
    this.#stream.write(lines.map((line) => `${line}\n`).join(''))
  }

  #home(): string {
    return this.#linesDrawn === 0 ? '' : `\u001b[${this.#linesDrawn}A\r`
  }
}
