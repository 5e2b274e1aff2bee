import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Assembler } from '../src/main/assembler.ts'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { openaiChat } from '../src/shared/dialects/openai-chat.ts'
import { TOOL_PARTS_MAX } from '../src/shared/limits.ts'
import * as row from '../src/shared/rows.ts'
import { endless, eventsOf, fragment, type Row, write } from './assembling.ts'

const whole = (text: string, name: string): Row[] => [
  [row.ROW_TOOL_NAME, name],
  [row.ROW_TOOL_INPUT, text],
]

/** Tool events in few words: `0+a:f` begins, `0=a:text` is a delta, `0-a:f` ends. */
function toolStory(rows: readonly Row[], dialect: Dialect = endless): string[] {
  const batches = [[rows], rows.map((one) => [one])]
  const stories = batches
    .map((list) => eventsOf(list, dialect))
    .map((events) =>
      events.flatMap((event) => {
        switch (event.type) {
          case 'tool-input-start':
            return [`${event.index}+${event.id}:${event.toolName}`]
          case 'tool-input-delta':
            return [`${event.index}=${event.id}:${event.text}`]
          case 'tool-input-end':
            return [`${event.index}-${event.id}:${event.toolName}`]
          case 'end':
            return ['end']
          default:
            return []
        }
      }),
    )
  assert.deepEqual(stories[1], stories[0])
  return stories[0] ?? []
}

/** A call whose arguments come as values with their places; without a name, more of the last. */
const parts = (name: string, ...values: readonly (readonly [string, object])[]): Row[] => {
  const sent = values.map(([jsonPath, value]) => ({ jsonPath, ...value }))
  const text = sent.length === 0 ? '' : JSON.stringify(sent)
  const rows: Row[] = name === '' ? [] : [[row.ROW_TOOL_NAME, name]]
  return [...rows, [row.ROW_TOOL_PARTS, text]]
}

const toolCases: readonly { name: string; rows: readonly Row[]; story: readonly string[] }[] = [
  {
    name: 'a call starts with its name, and ends with the stream',
    rows: [...fragment(0, { id: 'a', name: 'f' }), ...fragment(0, { text: '{' })],
    story: ['0+a:f', '0=a:{', '0-a:f'],
  },
  {
    name: 'a call ends once, where its block stops',
    rows: [
      ...fragment(1, { id: 'a', name: 'f', text: '1' }),
      [row.ROW_BLOCK_STOP, '', 0, 0],
      [row.ROW_BLOCK_STOP, '', 0, 1],
      [row.ROW_BLOCK_STOP, '', 0, 1],
      [row.ROW_TERMINATOR, 'x'],
    ],
    story: ['1+a:f', '1=a:1', '1-a:f', 'end'],
  },
  {
    name: 'calls of different indexes interleave',
    rows: [
      ...fragment(0, { id: 'a', name: 'f' }),
      ...fragment(1, { id: 'b', name: 'g' }),
      ...fragment(0, { text: '1' }),
      ...fragment(1, { text: '2' }),
      ...fragment(0, { text: '3' }),
    ],
    story: ['0+a:f', '1+b:g', '0=a:1', '1=b:2', '0=a:3', '0-a:f', '1-b:g'],
  },
  {
    name: 'arguments after the finish reason still count',
    rows: [
      ...fragment(0, { id: 'a', name: 'f' }),
      [row.ROW_FINISH, 'tool_calls'],
      ...fragment(0, { text: '1' }),
      [row.ROW_TERMINATOR, 'x'],
    ],
    story: ['0+a:f', '0=a:1', '0-a:f', 'end'],
  },
  {
    name: 'what has no index and no id goes on with the call that began last, indexed or not',
    rows: [
      ...fragment(0, { id: 'a', name: 'f' }),
      ...fragment(4, { id: 'b', name: 'g' }),
      ...fragment(-1, { text: '1' }),
      ...fragment(0, { text: '2' }),
    ],
    story: ['0+a:f', '4+b:g', '4=b:1', '0=a:2', '0-a:f', '4-b:g'],
  },
  {
    name: 'values with places become the arguments when the call ends; each name is a call',
    rows: [
      ...parts('f', ['$.city', { stringValue: 'Bos', willContinue: true }]),
      ...parts('', ['$.city', { stringValue: 'ton' }], ['$.days[0].n', { numberValue: 1 }]),
      ...parts('', ["$.days[0]['a b']", { boolValue: true }], ['$.days[1]', { nullValue: null }]),
      ...parts('g'),
    ],
    story: [
      '0+null:f',
      '0=null:{"city":"Boston","days":[{"n":1,"a b":true},null]}',
      '0-null:f',
      '1+null:g',
      '1=null:{}',
      '1-null:g',
    ],
  },
  {
    name: 'a value replaces the one at its place, unless that was to go on',
    rows: parts(
      'f',
      ['$.a', { stringValue: 'x' }],
      ['$.a', { stringValue: 'y', willContinue: true }],
      ['$.a', { stringValue: 'z' }],
      ['$["b"]', { stringValue: '1', willContinue: true }],
      ['$.c', { stringValue: '2' }],
      ['$["b"]', { stringValue: '3' }],
    ),
    story: ['0+null:f', '0=null:{"a":"yz","b":"3","c":"2"}', '0-null:f'],
  },
  {
    name: 'a value without a place, or with one that leaves a gap, is ignored',
    rows: parts(
      'f',
      ['$', { stringValue: 'x' }],
      ['$.a..b', { stringValue: 'x' }],
      ['$.list[0]', { stringValue: 'kept' }],
      ['$.list[2]', { stringValue: 'x' }],
      ['$.list[1000000000]', { stringValue: 'x' }],
      ['$.list.name', { stringValue: 'x' }],
      [`$${'.a'.repeat(100)}`, { stringValue: 'x' }],
      ['$.none', {}],
      ['$.__proto__.polluted', { stringValue: 'own' }],
    ),
    story: ['0+null:f', '0=null:{"list":["kept"],"__proto__":{"polluted":"own"}}', '0-null:f'],
  },
  {
    name: 'a different id at the same index is a new call, the same id is not',
    rows: [
      ...fragment(0, { id: 'a', name: 'f', text: '1' }),
      ...fragment(0, { id: 'a', name: 'f', text: '2' }),
      ...fragment(0, { id: 'b', name: 'g', text: '3' }),
    ],
    story: ['0+a:f', '0=a:1', '0=a:2', '0-a:f', '0+b:g', '0=b:3', '0-b:g'],
  },
  {
    name: "the id 'null' is none, and goes on with the call",
    rows: [
      ...fragment(0, { id: 'a', name: 'f', text: '1' }),
      ...fragment(0, { id: 'null', text: '2' }),
    ],
    story: ['0+a:f', '0=a:1', '0=a:2', '0-a:f'],
  },
  {
    name: 'an id that comes late is taken over',
    rows: [...fragment(0, { name: 'f', text: '1' }), ...fragment(0, { id: 'a', text: '2' })],
    story: ['0+null:f', '0=null:1', '0=a:2', '0-a:f'],
  },
  {
    name: 'a name that is repeated or changed is not concatenated',
    rows: [
      ...fragment(0, { name: 'f' }),
      ...fragment(0, { name: 'f' }),
      ...fragment(0, { name: 'g' }),
    ],
    story: ['0+null:f', '0-null:f'],
  },
  {
    name: 'the start waits for a name, unless arguments come first',
    rows: [
      ...fragment(0, { id: 'a' }),
      ...fragment(1, { id: 'b' }),
      ...fragment(1, { name: 'g' }),
      ...fragment(0, { text: '1' }),
      ...fragment(0, { name: 'f' }),
    ],
    story: ['1+b:g', '0+a:', '0=a:1', '0-a:f', '1-b:g'],
  },
  {
    name: 'a call of which nothing but an id came is told at the end',
    rows: fragment(0, { id: 'a' }),
    story: ['0+a:', '0-a:'],
  },
  {
    name: 'without an index an id begins a call, and no id continues the last of its choice',
    rows: [
      ...fragment(-1, { id: 'a', name: 'f', text: '1' }),
      ...fragment(-1, { text: '2' }),
      ...fragment(-1, { id: 'a', text: '3' }),
      ...fragment(-1, { id: 'x', name: 'h', text: '4' }, 1),
      ...fragment(-1, { id: 'b', name: 'g', text: '5' }),
      ...fragment(-1, { text: '6' }),
      ...fragment(-1, { text: '7' }, 1),
    ],
    story: [
      '0+a:f 0=a:1 0=a:2 0=a:3 0+x:h 0=x:4 0-a:f 1+b:g 1=b:5 1=b:6 0=x:7 0-x:h 1-b:g',
    ].flatMap((words) => words.split(' ')),
  },
  {
    name: 'without an index calls are numbered after those that have one',
    rows: [...fragment(4, { id: 'a', name: 'f' }), ...fragment(-1, { id: 'b', name: 'g' })],
    story: ['4+a:f', '5+b:g', '4-a:f', '5-b:g'],
  },
  {
    name: 'whole arguments without index and id are a call of their own, written compactly',
    rows: [...whole('{ "x": 1 }', 'f'), ...whole('{}', 'f')],
    story: ['0+null:f', '0=null:{"x":1}', '0-null:f', '1+null:f', '1=null:{}', '1-null:f'],
  },
  {
    name: 'whole arguments that came as a string are what it holds',
    rows: [
      [row.ROW_TOOL_ID, 'a', 0, 0],
      [row.ROW_TOOL_INPUT, JSON.stringify('{ "x": 1 }'), 0, 0],
    ],
    story: ['0+a:', '0=a:{ "x": 1 }', '0-a:'],
  },
  {
    name: 'of whole arguments and fragments the first that comes counts',
    rows: [
      ...fragment(0, { id: 'a', name: 'f', text: '{}' }),
      [row.ROW_TOOL_INPUT, '{"no":1}', 0, 0],
      [row.ROW_TOOL_INPUT, '{"x":1}', 0, 1],
      ...fragment(1, { text: 'no' }),
      [row.ROW_TOOL_INPUT, '{"no":2}', 0, 1],
    ],
    story: ['0+a:f', '0=a:{}', '1+null:', '1=null:{"x":1}', '0-a:f', '1-null:'],
  },
  {
    name: 'what comes after the end is a call of its own',
    rows: [
      ...fragment(-1, { name: 'f' }),
      [row.ROW_TERMINATOR, 'x'],
      ...fragment(-1, { text: '1' }),
    ],
    story: ['0+null:f', '0-null:f', 'end', '1+null:', '1=null:1', '1-null:'],
  },
  {
    name: 'equal indexes of different choices are different calls',
    rows: [...fragment(0, { id: 'a', name: 'f' }), ...fragment(0, { id: 'b', name: 'g' }, 1)],
    story: ['0+a:f', '0+b:g', '0-a:f', '0-b:g'],
  },
]

for (const { name, rows, story } of toolCases) {
  test(`tool calls: ${name}`, () => assert.deepEqual(toolStory(rows), story))
}

test('tool calls: of a stream that is cut, what is open is told as it came, and has no end', () => {
  const rows = [
    ...fragment(0, { id: 'a', name: 'f', text: '{' }),
    ...fragment(1, { id: 'b' }),
    ...parts('g', ['$.a', { stringValue: 'x' }]),
  ]
  const story = ['0+a:f', '0=a:{', '2+null:g', '1+b:', '2=null:{"a":"x"}']
  assert.deepEqual(toolStory(rows, openaiChat), story)
  const fatal: Row = [row.ROW_FATAL, JSON.stringify({ offset: 0, message: 'm', excerpt: '' }), 2]
  assert.deepEqual(toolStory([...rows, fatal]), story)
  // Nobody asks for the end of a stream that has failed.
  const batch = new Assembler(openaiChat).read(write([...rows, fatal]).toBatch())
  assert.equal(batch.length, story.length)
  const ended = ['0+a:f', '0=a:{', '2+null:g', '0-a:f', '1+b:', '1-b:']
  const stop: Row = [row.ROW_FINISH, 'tool_calls']
  const told = toolStory([...rows, stop], openaiChat)
  assert.deepEqual(told, [...ended, '2=null:{"a":"x"}', '2-null:g'])
})

test('tool calls: the provider’s word for the call comes with its start', () => {
  const events = eventsOf([fragment(0, { kind: 'mcp_tool_use', id: 'a', name: 'f' })])
  assert.deepEqual(events[0], {
    type: 'tool-input-start',
    choice: 0,
    index: 0,
    id: 'a',
    toolName: 'f',
    kind: 'mcp_tool_use',
  })
})

test('tool calls: one more than may be open ends the oldest', () => {
  const rows = Array.from({ length: 1025 }, (_, index) => fragment(index, { name: 'f' })).flat()
  const assembler = new Assembler(endless)
  const ended = [...assembler.read(write(rows).toBatch())].filter(
    ({ type }) => type === 'tool-input-end',
  )
  assert.deepEqual(ended, [
    { type: 'tool-input-end', choice: 0, index: 0, id: null, toolName: 'f' },
  ])
  assert.equal(assembler.end().batch.length, 1024)
})

test('tool calls: values beyond those that one call may have are ignored', () => {
  const values = Array.from({ length: TOOL_PARTS_MAX + 1 }, (_, at) => {
    return ['$.a', { numberValue: at }] as const
  })
  const events = eventsOf([parts('f', ...values)])
  assert.deepEqual(events[1], {
    type: 'tool-input-delta',
    choice: 0,
    index: 0,
    id: null,
    text: JSON.stringify({ a: TOOL_PARTS_MAX - 1 }),
  })
})
