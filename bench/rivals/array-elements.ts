/** What one writes by hand for an array that is sent piece by piece: braces are counted. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d

/**
 * Cuts the text of an array of objects into its elements. No character is looked at twice, and none
 * is copied but in the element that a chunk leaves unfinished.
 */
export function elementFeed(take: (element: string) => void): (text: string) => void {
  let rest = ''
  let depth = 0
  let isInString = false
  let isEscaped = false
  return (fresh) => {
    const text = rest + fresh
    let start = 0
    for (let at = rest.length; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (isInString) {
        if (isEscaped) isEscaped = false
        else if (unit === BACKSLASH) isEscaped = true
        else if (unit === QUOTE) isInString = false
      } else if (unit === QUOTE) {
        isInString = true
      } else if (unit === OPEN) {
        if (depth++ === 0) start = at
      } else if (unit === CLOSE && --depth === 0) {
        take(text.slice(start, at + 1))
      }
    }
    rest = depth === 0 ? '' : text.slice(start)
  }
}
