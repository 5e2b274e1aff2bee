/**
 * Just enough of a scanner to tell code from comments and literals.
 *
 * Every view has the length and the line ends of the text, so an index into one is an index into
 * all. A nested template (one inside another's `${}`) is taken for two: its quotes pair up, so the
 * scan is right again after it.
 */

const COMMENT = String.raw`\/\/[^\n]*|\/\*[^]*?\*\/`
const QUOTED = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`
const TEMPLATE = '`(?:\\\\[^]|[^`\\\\])*`'
// After an operator, a bracket or `return` a slash opens a regular expression, else it divides.
const REGEX =
  String.raw`(?<=(?:^|=>|[=(,:;!&|?{}[\n]|\breturn)\s*)` +
  String.raw`\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`

const PIECE = new RegExp([COMMENT, QUOTED, TEMPLATE, REGEX].join('|'), 'g')

/** The code alone: comments are blank, literals keep only their delimiters. */
export function codeOf(text: string): string {
  return text.replace(PIECE, (piece) =>
    isComment(piece) ? blank(piece) : piece[0] + blank(piece.slice(1, -1)) + piece.at(-1),
  )
}

/** The comments alone; all else is blank. */
export function commentsOf(text: string): string {
  let comments = ''
  let end = 0
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    comments += blank(text.slice(end, index)) + (isComment(piece) ? piece : blank(piece))
    end = index + piece.length
  }
  return comments + blank(text.slice(end))
}

/** The raw contents of the literal whose opening quote is at `index`. */
export function literalAt(text: string, index: number): string {
  const piece = new RegExp(PIECE.source, 'y')
  piece.lastIndex = index
  return piece.exec(text)?.[0].slice(1, -1) ?? ''
}

const isComment = (piece: string): boolean => piece.startsWith('//') || piece.startsWith('/*')

const blank = (piece: string): string => piece.replace(/[^\n]/g, ' ')
