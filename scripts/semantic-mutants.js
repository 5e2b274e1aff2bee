// Faults to plant in what is TypeScript: in the meaning that main gives to rows, and in the framers
// of the plain decoder, one at a time. Each must be caught by the tests.

/** @type {readonly import('./framing-mutants.js').Mutant[]} */
export const semanticMutants = [
  // ---- Streams as a whole.
  {
    name: 'a stream without its terminator is whole if it said why it finished',
    file: 'src/main/assembler.ts',
    find: "(this.#dialect.end === 'finish' && isFinished)",
    replace: 'isFinished',
  },
  {
    name: 'any silence is the end of an answer',
    file: 'src/main/stream-state.ts',
    find: "this.#sourceError?.code === 'TIMEOUT' && this.#assembler.answered",
    replace: "this.#sourceError?.code === 'TIMEOUT'",
  },
  {
    name: 'a source that fails after a finish reason has ended',
    file: 'src/main/stream-state.ts',
    find: "this.#sourceError?.code === 'TIMEOUT' && this.#assembler.answered",
    replace: 'this.#assembler.answered',
  },
  {
    name: 'the second terminator counts, too',
    file: 'src/main/assembler.ts',
    find: '    if (this.#terminator !== null) return\n',
    replace: '',
  },
  {
    name: 'a finish reason is reported as often as it is sent',
    file: 'src/main/assembler.ts',
    find: '    if (this.#finish.get(choice) === reason) return\n',
    replace: '',
  },
  {
    name: 'what comes in parts loses all but the last',
    file: 'src/main/assembler.ts',
    find: 'this.#partial += rows.text(at)',
    replace: 'this.#partial = rows.text(at)',
  },
  {
    name: 'wide text is cut where the other text is',
    file: 'src/main/batch-rows.ts',
    find: 'words[to + 3] = isWide ? wideStart : start',
    replace: 'words[to + 3] = start',
  },
  {
    name: 'a stream is over at its end though facts may follow',
    file: 'src/main/assembler.ts',
    find: 'this.#terminator !== null && this.#dialect.trailer !== true',
    replace: 'this.#terminator !== null',
  },
  {
    name: 'a stream that failed ends its tool calls',
    file: 'src/main/assembler.ts',
    find: 'if (error === null && !isBroken) this.#tools.endAll()',
    replace: 'if (!isBroken) this.#tools.endAll()',
  },
  {
    name: 'the fields of a tool call leak into the next',
    file: 'src/main/assembler.ts',
    find: "      this.#tool = { kind: '', id: '', name: '' }\n",
    replace: '',
  },
  {
    name: 'what the provider said of a body that is no stream is forgotten',
    file: 'src/main/assembler.ts',
    find: "this.failure = (code === 'NOT_A_STREAM' && this.#providerError) || error",
    replace: 'this.failure = error',
  },
  // ---- Texts that come again.
  {
    name: 'a text is repeated whole after its deltas',
    file: 'src/main/assembler.ts',
    find: 'if (isWhole && this.#streamed?.has(kind, choice, index)) return',
    replace: 'if (isWhole && this.#streamed?.has(kind, choice, index) === null) return',
  },
  {
    name: 'deltas of a plain batch are not remembered',
    file: 'src/main/assembler.ts',
    find: '        this.#streamed?.add(head & 0xff, head >>> 16, packed.index(0))\n',
    replace: '        void head\n',
  },
  {
    name: 'a text of another choice counts as repeated',
    file: 'src/main/streamed-texts.ts',
    find: 'return (index + 1) * 2 ** 18 + choice * 4 + kind',
    replace: 'return (index + 1) * 2 ** 18 + choice * 0 + kind',
  },
  {
    name: 'a whole text without an index is never a repetition',
    file: 'src/main/streamed-texts.ts',
    find: '    this.#kinds.add(keyOf(kind, choice, UNKNOWN))\n',
    replace: '',
  },
  // ---- Tool calls.
  {
    name: 'another id at the same index goes on with the call',
    file: 'src/main/tool-calls.ts',
    find: "return id === '' || call?.id === null || call?.id === id ? call : undefined",
    replace: 'return call',
  },
  {
    name: "the id 'null' is one",
    file: 'src/main/tool-calls.ts',
    find: "const id = sent === 'null' ? '' : sent",
    replace: 'const id = sent',
  },
  {
    name: 'a name that is repeated is concatenated',
    file: 'src/main/tool-calls.ts',
    find: 'call.name ||= name',
    replace: 'call.name += name',
  },
  {
    name: 'whole arguments are added to the fragments before them',
    file: 'src/main/tool-calls.ts',
    find: "(isWhole ? call.source === 'none' : call.source !== 'whole')",
    replace: "(isWhole || call.source !== 'whole')",
  },
  {
    name: 'calls without an index all have the first',
    file: 'src/main/tool-calls.ts',
    find: '    this.#nextIndex.set(choice, Math.max(next, index + 1))\n',
    replace: '',
  },
  {
    name: 'a call that is over is found again at its index',
    file: 'src/main/tool-calls.ts',
    find: '    if (call.key !== null) this.#byIndex.delete(call.key)\n',
    replace: '',
  },
  {
    name: 'calls of all choices share their indices',
    file: 'src/main/tool-calls.ts',
    find: 'return choice * 2 ** 31 + index',
    replace: 'return choice * 0 + index',
  },
  {
    name: 'open calls are not bounded',
    file: 'src/main/tool-calls.ts',
    find: 'if (this.#open.size === OPEN_TOOL_CALLS_MAX && oldest',
    replace: 'if (this.#open.size === OPEN_TOOL_CALLS_MAX * 2 && oldest',
  },
  {
    name: 'arguments in parts are never sent',
    file: 'src/main/tool-calls.ts',
    find: 'call.parts.toJson())\n    this.#open.delete',
    replace: "'')\n    this.#open.delete",
  },
  // ---- Arguments in parts.
  {
    name: 'a string that goes on replaces its front',
    file: 'src/main/partial-arguments.ts',
    find: "typeof value === 'string' ? before + value : value",
    replace: "typeof value === 'string' ? value : value",
  },
  {
    name: 'a string that is over goes on',
    file: 'src/main/partial-arguments.ts',
    find: "this.#open = willContinue === true ? jsonPath : ''",
    replace: "this.#open = willContinue === null ? '' : jsonPath",
  },
  {
    name: 'an array may have gaps',
    file: 'src/main/partial-arguments.ts',
    find: 'key > container.length)) return false',
    replace: 'key > container.length + 9)) return false',
  },
  {
    name: 'parts are not bounded',
    file: 'src/main/partial-arguments.ts',
    find: 'this.#count === TOOL_PARTS_MAX) return',
    replace: 'this.#count === TOOL_PARTS_MAX * 2) return',
  },
  // ---- Usage.
  {
    name: 'a later usage object replaces fields where it is the whole',
    file: 'src/main/usage.ts',
    find: 'else this.#raw = sent\n',
    replace: 'else this.#merge(sent)\n',
  },
  {
    name: 'a null takes a count back',
    file: 'src/main/usage.ts',
    find: 'if (value !== null || !known.has(field)) known.set',
    replace: 'known.set',
  },
  {
    name: 'fields that are not about usage are kept',
    file: 'src/main/usage.ts',
    find: 'const sent = only === undefined ? whole : pick(whole, only)',
    replace: 'const sent = only === null ? pick(whole, []) : whole',
  },
  {
    name: 'usage fields are not bounded',
    file: 'src/main/usage.ts',
    find: 'known.size === USAGE_FIELDS_MAX) continue',
    replace: 'known.size === USAGE_FIELDS_MAX * 2) continue',
  },
  // ---- The message.
  {
    name: 'the last id counts, not the first',
    file: 'src/main/message.ts',
    find: 'facts.id ??= event.id',
    replace: 'facts.id = event.id',
  },
  {
    name: 'a name that came late is not in the message',
    file: 'src/main/message.ts',
    find: '      call.name = event.toolName\n',
    replace: '',
  },
  {
    name: 'arguments that are none are no input',
    file: 'src/main/message.ts',
    find: "JSON.parse(call.arguments || '{}')",
    replace: 'JSON.parse(call.arguments)',
  },
  {
    name: 'an error outside of the protocol is part of the message',
    file: 'src/main/message.ts',
    find: "    if (details['outsideProtocol'] === true) return\n",
    replace: '',
  },
  {
    name: 'arguments do not count against finalBytesMax',
    file: 'src/main/message.ts',
    find: '      this.#count(Buffer.byteLength(event.text))\n      call.arguments',
    replace: '      call.arguments',
  },
  // ---- Framers of the plain decoder.
  {
    name: 'plain: an LF after a CR of the chunk before is a blank line',
    file: 'src/shared/decoder/sse-framer.ts',
    find: 'const isSecondHalf = byte === LF && this.#afterCr &&',
    replace: 'const isSecondHalf = byte === LF && this.#afterCr && start > 0 &&',
  },
  {
    name: 'plain: an event without data is one',
    file: 'src/shared/decoder/sse-framer.ts',
    find: '    if (!hasData) return null\n',
    replace: '    if (!hasData && name === null) return null\n',
  },
  {
    name: 'plain: a name stays for the next event',
    file: 'src/shared/decoder/sse-framer.ts',
    find: "    this.#name = ''\n",
    replace: '',
  },
  {
    name: 'plain: an id with a NUL is one',
    file: 'src/shared/decoder/sse-framer.ts',
    find: '    if (value.includes(0)) return\n',
    replace: '',
  },
  {
    name: 'plain: a byte order mark is skipped before every NDJSON line',
    file: 'src/shared/decoder/line-framer.ts',
    find: '    this.#isFirst = false\n',
    replace: '',
  },
  {
    name: 'plain: the last NDJSON line is lost with the source',
    file: 'src/shared/decoder/line-framer.ts',
    find: 'if (frame !== null) yield frame\n  }',
    replace: "if (frame?.kind === 'failure') yield frame\n  }",
  },
  {
    name: 'plain: a bracket inside a string closes its element',
    file: 'src/shared/decoder/array-framer.ts',
    find: 'if (this.#isInString) return this.#followString(byte, at)',
    replace: 'if (this.#isInString && byte < ARRAY_END) return this.#followString(byte, at)',
  },
  {
    name: 'plain: what ends a number is lost',
    file: 'src/shared/decoder/array-framer.ts',
    find: '      if (end === at) at--\n',
    replace: '',
  },
  {
    name: 'plain: the CRC of a frame is not checked',
    file: 'src/shared/decoder/aws-framer.ts',
    find: "const failure = this.#checkCrc(frame, 'frame')",
    replace: "const failure = this.#checkCrc(frame.subarray(0, 12), 'frame')",
  },
  {
    name: 'plain: a frame is a payload though it is an exception',
    file: 'src/shared/decoder/aws-framer.ts',
    find: "      case 'exception':\n",
    replace: "      case 'exceptional':\n",
  },
  {
    name: 'plain: base64 may be anything',
    file: 'src/shared/decoder/wrapped.ts',
    find: "return BASE64.test(text) ? Buffer.from(text, 'base64') : 'malformed'",
    replace: "return BASE64.test('') ? Buffer.from(text, 'base64') : 'malformed'",
  },
  // ---- What main keeps.
  {
    name: 'the last delta before an event is counted twice',
    file: 'src/main/assembler.ts',
    find: 'if (at < leading || this.#stays(rows, at))',
    replace: 'if (at < leading - 1 || this.#stays(rows, at))',
  },
  {
    name: 'a row that says what others will is a token',
    file: 'src/main/assembler.ts',
    find: 'return this.#isValue[kind] === true',
    replace: 'return kind !== row.ROW_TOOL_ID',
  },
  {
    name: 'a silence is over before what came in it was read',
    file: 'src/main/silence-timer.ts',
    find: 'this.#reading = setImmediate(this.#callback)',
    replace: 'this.#callback()',
  },
  {
    name: 'a stream that is over is kept until the longest that it might have taken',
    file: 'src/main/stream-state.ts',
    find: 'clearTimeout(this.#deadline)',
    replace: 'clearTimeout(this.#closed ? undefined : this.#deadline)',
  },
]
