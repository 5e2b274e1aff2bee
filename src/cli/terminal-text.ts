/**
 * Text that a model or provider wrote, made safe to show on a terminal.
 *
 * Control characters (but line feed and tab) move cursors, set titles and worse; bidirectional
 * overrides and tag characters show one thing and mean another. Each becomes its `\uXXXX` escape,
 * which inside a JSON string still means the same character.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => {
    let escaped = ''
    for (let i = 0; i < char.length; i += 1) {
      escaped += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
    }
    return escaped
  })
}

const UNSAFE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u{e0000}-\u{e007f}]/gu
