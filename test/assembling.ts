/** Makes rows by hand, and has them assembled. */
import { Assembler } from '../src/main/assembler.ts'
import type { TokenEvent } from '../src/main/events.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { RowWriter } from '../src/shared/row-writer.ts'
import * as row from '../src/shared/rows.ts'

export type Row = readonly [kind: row.RowKind, text?: string, choice?: number, index?: number]

export function write(rows: readonly Row[]): RowWriter {
  const writer = new RowWriter()
  for (const [kind, text = '', choice = 0, index = -1] of rows) {
    writer.write(kind, choice, index, text)
  }
  return writer
}

/** A dialect whose streams may end anywhere. */
export const endless: Dialect = { ...openaiChat, end: 'none' }

/** The events of the batches, and of the end. */
export function eventsOf(
  batches: readonly (readonly Row[])[],
  dialect: Dialect = endless,
): TokenEvent[] {
  const assembler = new Assembler(dialect)
  const events = batches.flatMap((rows) => [...assembler.read(write(rows).toBatch())])
  return [...events, ...assembler.end().batch]
}

/** The rows of one fragment of a tool call. */
export function fragment(
  index: number,
  { id, name, text = '', kind }: { id?: string; name?: string; text?: string; kind?: string },
  choice = 0,
): Row[] {
  const rows: Row[] = []
  if (kind !== undefined) rows.push([row.ROW_TOOL_KIND, kind, choice, index])
  if (id !== undefined) rows.push([row.ROW_TOOL_ID, id, choice, index])
  if (name !== undefined) rows.push([row.ROW_TOOL_NAME, name, choice, index])
  return [...rows, [row.ROW_TOOL_ARGUMENTS, text, choice, index]]
}
