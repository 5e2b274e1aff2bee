/** Row kinds and flags that this module writes of its own: those of shared/rows.ts. */

export const FLAG_WIDE: u32 = 1

export const ROW_TEXT: u32 = 1
export const ROW_REFUSAL: u32 = 3
export const ROW_TOOL_ID: u32 = 4
export const ROW_TOOL_NAME: u32 = 5
export const ROW_TOOL_ARGUMENTS: u32 = 6
export const ROW_TOOL_INPUT: u32 = 7
export const ROW_BLOCK_STOP: u32 = 8
export const ROW_ID: u32 = 9
export const ROW_MODEL: u32 = 10
export const ROW_ROLE: u32 = 11
export const ROW_PROVIDER_ERROR: u32 = 14
export const ROW_TERMINATOR: u32 = 19
export const ROW_EVENT_NAME: u32 = 20
export const ROW_EVENT_ID: u32 = 21
export const ROW_EVENT_DATA: u32 = 22
export const ROW_ERROR: u32 = 23
export const ROW_FATAL: u32 = 24
export const ROW_TOOL_KIND: u32 = 25
export const ROW_TOOL_PARTS: u32 = 26
