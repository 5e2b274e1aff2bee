/** Dialects that no provider has: any rules over any paths. */
import * as fc from 'fast-check'
import type { Dialect } from '../src/shared/dialects/dialect.ts'
import { STRINGS } from './wasm-arbitraries.ts'

const path: fc.Arbitrary<string> = fc.constantFrom(
  ...'id|delta|delta.content|delta.text|message|message.content|type|error|choices'.split('|'),
  ...'|delta.content.text|reasoning_content|d\u00e9lta|a\\b'.split('|'),
)

const conditions: fc.Arbitrary<object> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ on: ['error', ''] }, { off: ['error', 'message_stop'] }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('when', 'unless'),
        path,
        fc.array(fc.oneof(fc.boolean(), fc.constantFrom(...STRINGS)), { maxLength: 3 }),
      )
      .map(([kind, at, values]) => ({ [kind]: { [at]: values } })),
  },
)

const flags: fc.Arbitrary<object> = fc.constantFrom({}, {}, { skipEmpty: true })

/** What only some values can be: a delta whole, a word one that the rule has. */
function modifierOf(emit: string): fc.Arbitrary<object> {
  if (['text', 'reasoning', 'refusal'].includes(emit)) return fc.constantFrom({}, { whole: true })
  const says = ['role', 'finish', 'hosted-block'].includes(emit)
  return says
    ? fc.constantFrom({}, { as: 'said' }, { as: '' }, { as: 'caf\u00e9' })
    : fc.constant({})
}

const { rules } = fc.letrec<{ rules: readonly object[]; rule: object }>((tie) => ({
  rules: fc.array(tie('rule'), { maxLength: 6 }),
  rule: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small' },
        {
          weight: 5,
          arbitrary: fc
            .record({
              emit: fc.constantFrom(
                ...'text reasoning refusal id model role finish signature'.split(' '),
                ...'hosted-block usage logprobs error annotation'.split(' '),
                ...'tool-plan safety finish-detail sources request-id'.split(' '),
              ),
              path: fc.oneof(path, fc.array(path, { minLength: 1, maxLength: 3 })),
            })
            .chain((rule) =>
              fc.tuple(flags, modifierOf(rule.emit)).map((extra) => Object.assign(rule, ...extra)),
            ),
        },
        {
          weight: 2,
          arbitrary: fc
            .record(
              { kind: path, id: path, name: path, arguments: path, input: path, parts: path },
              { requiredKeys: [] },
            )
            .chain((rule) => flags.map((extra) => ({ emit: 'tool', ...rule, ...extra }))),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            { emit: 'block-stop' },
            { emit: 'end' },
            { emit: 'end', name: 'fin' },
          ),
        },
        {
          weight: 2,
          arbitrary: fc
            .record({ choice: path, index: path, rules: tie('rules') }, { requiredKeys: ['rules'] })
            .chain((scope) =>
              fc.oneof(
                fc.constant(scope),
                path.map((each) => ({ ...scope, each })),
                path.map((each) => ({ ...scope, each, index: '#' })),
              ),
            ),
        },
      ),
      conditions,
    )
    .map(([rule, extra]) => ({ ...rule, ...extra })),
}))

/** Where events of a name hold another payload; in most dialects, none do. */
const wrapped: fc.Arbitrary<Dialect['wrapped']> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      on: fc.constantFrom('chunk', 'error', '', 'caf\u00e9'),
      path: fc.constantFrom('bytes', 'bytes', 'delta.text', ''),
    }),
  },
)

export const dialect: fc.Arbitrary<Dialect> = fc
  .record({
    sentinels: fc.constantFrom([], ['[DONE]'], ['{}', '[DONE]']),
    discriminator: fc.constantFrom('type', 'delta.type', undefined),
    oneValue: fc.boolean(),
    wrapped,
    rules,
  })
  .map(({ discriminator, oneValue, wrapped: held, ...rest }) => {
    const told = {
      ...(discriminator !== undefined && { discriminator }),
      ...(oneValue && { oneValue: true }),
      ...(held !== undefined && { wrapped: held }),
    }
    const made = { name: 'made-up', framing: 'sse', payload: 'json', end: 'none', ...rest, ...told }
    return made as unknown as Dialect
  })
