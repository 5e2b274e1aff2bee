const BEYOND_ASCII = /[^\0-\x7f]/g

/** The value as JSON in ASCII alone, so that two decoders of different means write the same. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(BEYOND_ASCII, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
