const encoder = new TextEncoder()

/** Bytes that will lie at a known address, written piece by piece. Words are little-endian. */
export class Image {
  readonly #base: number
  #view: DataView = new DataView(new ArrayBuffer(4096))
  #length = 0

  constructor(base: number) {
    this.#base = base
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.#length)
  }

  /** Address of the byte after the last, where the next piece will lie. */
  get end(): number {
    return this.#base + this.#length
  }

  /** Adds a piece of zeros and slack to a multiple of 8; returns its address. */
  allocate(bytes: number): number {
    const at = this.#length
    this.#length += (bytes + 7) & -8
    if (this.#length > this.#view.byteLength) {
      const grown = new Uint8Array(Math.max(this.#view.byteLength * 2, this.#length))
      grown.set(new Uint8Array(this.#view.buffer))
      this.#view = new DataView(grown.buffer)
    }
    return this.#base + at
  }

  byte(address: number, value: number): void {
    this.#view.setUint8(address - this.#base, value)
  }

  word(address: number, value: number): void {
    this.#view.setUint32(address - this.#base, value, true)
  }

  long(address: number, value: bigint): void {
    this.#view.setBigUint64(address - this.#base, value, true)
  }

  /** Adds bytes, and as many zeros as a 16-byte load may reach over; returns their address. */
  blob(bytes: Uint8Array): number {
    const at = this.allocate(bytes.length + 16)
    new Uint8Array(this.#view.buffer).set(bytes, at - this.#base)
    return at
  }

  text(text: string): number {
    return this.blob(wtf8(text))
  }

  /** Adds texts and a table of their addresses and lengths; returns the table's address. */
  texts(texts: readonly string[]): number {
    const table = this.allocate(texts.length * 8)
    for (const [index, text] of texts.entries()) {
      this.word(table + index * 8, this.text(text))
      this.word(table + index * 8 + 4, wtf8(text).length)
    }
    return table
  }
}

/** UTF-8, with lone surrogates in three bytes each: what the WASM decoder compares strings by. */
export function wtf8(text: string): Uint8Array {
  return Uint8Array.from(
    Array.from(text).flatMap((character) => {
      const code = character.codePointAt(0) as number
      const isLone = code >= 0xd800 && code <= 0xdfff
      if (!isLone) return [...encoder.encode(character)]
      return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
    }),
  )
}

/** Whether the text has a UTF-8 form: no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
