// Faults to plant in how the WASM decoder cuts bodies into payloads, and searches bytes, one at a
// time: an exact piece of its source and what takes its place. Each must be caught by the tests.

/** @typedef {{name: string, file: string, find: string, replace: string}} Mutant */

/** @type {readonly Mutant[]} */
export const framingMutants = [
  // ---- Edges of 16 bytes.
  {
    name: 'a line end in the second block is found one byte early',
    file: 'scan.ts',
    find: '(i8x16.bitmask(highEnds) << 16)',
    replace: '(i8x16.bitmask(highEnds) << 15)',
  },
  {
    name: 'a long string is searched with a gap at each 16 bytes',
    file: 'scan.ts',
    find: '    if (stops == 0) {\n      at += 16',
    replace: '    if (stops == 0) {\n      at += 17',
  },
  {
    name: 'two texts are the same where their last byte differs',
    file: 'scan.ts',
    find: '((1 << (<i32>(end - one))) - 1)) == 0',
    replace: '((1 << (<i32>(end - one))) - 1) >> 1) == 0',
  },
  {
    name: 'the last block of a literal is not compared',
    file: 'template.ts',
    find: 'let differs = v128.xor(v128.load(last), v128.load(last + distance))',
    replace: 'let differs = i8x16.splat(0)',
  },
  {
    name: 'the 16th byte of a text is copied as if it were plain',
    file: 'template.ts',
    find: 'bytes < 32 && (stops & ((1 << (<i32>bytes)) - 1)) == 0',
    replace: 'bytes < 32 && (stops & ((1 << (<i32>bytes)) - 1) & ~0x8000) == 0',
  },
  // ---- Ends of chunks.
  {
    name: 'a CR at the end of a chunk is forgotten',
    file: 'sse.ts',
    find: 'if (<u32>load<u8>(stop) == CR) setFlags(state, FLAG_AFTER_CR)',
    replace: 'if (<u32>load<u8>(stop) == CR && stop + 1 < end) setFlags(state, FLAG_AFTER_CR)',
  },
  {
    name: 'a lone number goes on behind the payload',
    file: 'scan.ts',
    find: 'return whole < end ? fractionEnd(whole, end) : whole',
    replace: 'return fractionEnd(whole, end)',
  },
  {
    name: 'the data of an open event is not carried over',
    file: 'carry.ts',
    find: 'return append(state, STATE_DATA_SLAB, 0, load<usize>(ctx, CTX_DATA), bytes)',
    replace: 'return append(state, STATE_DATA_SLAB, 0, load<usize>(ctx, CTX_DATA), 0)',
  },
  {
    name: 'the name of an open event is not carried over',
    file: 'carry.ts',
    find: '  memory.copy(placeOf(slab), name, nameBytes)\n',
    replace: '',
  },
  {
    name: 'a slab that grows loses its last byte',
    file: 'carry.ts',
    find: '  memory.copy(placeOf(larger), placeOf(slab), used)\n',
    replace: '  if (used > 0) memory.copy(placeOf(larger), placeOf(slab), used - 1)\n',
  },
  {
    name: 'a name that was tried in vain stays',
    file: 'events.ts',
    find: '    store<u32>(ctx, 0, CTX_NAME_BYTES)\n    if (next == 0) break\n',
    replace: '    if (next == 0) break\n',
  },
  {
    name: 'a blank line may lie behind the end of the chunk',
    file: 'events.ts',
    find: 'return stop + 2 <= end ? stop + 2 : 0',
    replace: 'return stop + 1 <= end ? min(stop + 2, end) : 0',
  },
  // ---- Framing.
  {
    name: 'data lines are joined without an LF',
    file: 'sse.ts',
    find: '  store<u8>(room, 0x0a)\n',
    replace: '  store<u8>(room, 0x20)\n',
  },
  {
    name: 'a line may be one byte longer',
    file: 'sse.ts',
    find: 'if (bytes > bytesMax) {',
    replace: 'if (bytes > bytesMax + 1) {',
  },
  {
    name: 'a line of the usual shape may be one byte longer',
    file: 'events.ts',
    find: 'line - data > load<u32>(profile, PROFILE_LINE_BYTES_MAX)',
    replace: 'line - data > load<u32>(profile, PROFILE_LINE_BYTES_MAX) + 1',
  },
  {
    name: 'an LF is a blank inside a line',
    file: 'scan.ts',
    find: 'if (isLine || (byte != LF && byte != CR)) break',
    replace: 'if (byte != LF && byte != CR) break',
  },
  {
    name: 'an NDJSON line ends with any CR',
    file: 'ndjson.ts',
    find: 'i8x16.eq(v128.load(at), i8x16.splat(<i8>LF))',
    replace: 'i8x16.le_u(i8x16.sub(v128.load(at), i8x16.splat(10)), i8x16.splat(3))',
  },
  {
    name: 'an NDJSON line keeps its CR',
    file: 'ndjson.ts',
    find: '<u32>load<u8>(end - 1) == CR ? end - 1 : end',
    replace: 'end',
  },
  {
    name: 'a byte order mark is skipped before every NDJSON line',
    file: 'ndjson.ts',
    find: '    setFlags(state, FLAG_MARK_DONE)\n',
    replace: '',
  },
  {
    name: 'the last NDJSON line is lost with the source',
    file: 'index.ts',
    find: 'if (framing == FRAMING_NDJSON) endRecord(ctx, state)\n',
    replace: 'if (framing == FRAMING_NDJSON) return\n',
  },
  {
    name: 'an NDJSON line in two chunks may be one byte longer',
    file: 'ndjson.ts',
    find: 'if (bytes > bytesMax) {',
    replace: 'if (bytes > bytesMax + <u32>(begun > 0)) {',
  },
  {
    name: 'the CR of an NDJSON line does not count',
    file: 'events.ts',
    find: 'framing == FRAMING_NDJSON ? next - 1 : stop',
    replace: 'stop',
  },
  {
    name: 'an NDJSON line is over where its object is',
    file: 'events.ts',
    find: 'return framing == FRAMING_NDJSON ? recordEnd(stop, end) : stop',
    replace:
      'return framing == FRAMING_NDJSON && recordEnd(stop, end) ? recordEnd(stop, end) : stop',
  },
  {
    name: 'an escape at the end of a chunk is forgotten in an element',
    file: 'array.ts',
    find: '    if (at + 1 == end) setFlags(state, FLAG_ESCAPED)\n',
    replace: '',
  },
  {
    name: 'an element that is open has lost its depth in the next chunk',
    file: 'array.ts',
    find: '  store<u32>(state, depth, STATE_DEPTH)\n  return end + 1\n',
    replace: '  return end + 1\n',
  },
  {
    name: 'a bracket inside a string closes its element',
    file: 'array.ts',
    find: 'if (byte == QUOTE) setFlags(state, FLAG_IN_STRING)\n    else if',
    replace: 'if',
  },
  {
    name: 'an element begins outside of the array with a comma skipped',
    file: 'array.ts',
    find: 'if (byte != ARRAY_START) break\n      setFlags(state, FLAG_IN_ARRAY)',
    replace:
      'if (byte != ARRAY_START && byte != COMMA) break\n      setFlags(state, FLAG_IN_ARRAY)',
  },
  {
    name: 'an element is fast outside of its array, too',
    file: 'index.ts',
    find: 'framing != FRAMING_ARRAY || hasFlags(state, FLAG_IN_ARRAY)',
    replace: 'true',
  },
  {
    name: 'an element may be one byte longer',
    file: 'array.ts',
    find: 'if (bytes > bytesMax) {',
    replace: 'if (bytes > bytesMax + 1) {',
  },
  {
    name: 'an element takes the blanks behind it',
    file: 'events.ts',
    find: 'framing == FRAMING_ARRAY ? load<usize>(ctx, CTX_AT) : blanks',
    replace: 'blanks',
  },
  {
    name: 'a number at the end of the source is dropped',
    file: 'array.ts',
    find: 'if (load<u32>(state, STATE_DEPTH) == 0) takeKept(ctx, state)',
    replace: 'if (load<u32>(state, STATE_DEPTH) != 0) takeKept(ctx, state)',
  },
  {
    name: 'a key before a line end and a colon is taken for a value',
    file: 'learn.ts',
    find: 'blanksEnd(at + 1, end, false)) == COLON',
    replace: 'blanksEnd(at + 1, end, true)) == COLON',
  },
  {
    name: 'bytes as of gzip are those of gzip behind a mark, too',
    file: 'body.ts',
    find: 'if (inMark && markBytes == 0 && byte == GZIP_FIRST) {',
    replace: 'if (inMark && byte == GZIP_FIRST) {',
  },
  // ---- What is asked for beside the tokens.
  {
    name: 'a line that the source cuts is lost when it is flushed',
    file: 'sse.ts',
    find: '  if (begun > 0) takeKept(ctx, state, begun, 0, 0, offset)\n',
    replace: '',
  },
  {
    name: 'an event is flushed that nobody asked for',
    file: 'index.ts',
    find: 'framing == FRAMING_SSE && load<u8>(profile, PROFILE_FLUSH) != 0',
    replace: 'framing == FRAMING_SSE',
  },
  {
    name: 'an event is flushed without what came of it in earlier chunks',
    file: 'index.ts',
    find: '    resume(ctx)\n    endLines(ctx, state)',
    replace: '    endLines(ctx, state)',
  },
  {
    name: 'an event that a template serves is not passed on as it was',
    file: 'events.ts',
    find: 'const mayServe = !isStrict && !isPassedOn(ctx)',
    replace: 'const mayServe = !isStrict',
  },
  {
    name: 'an id is passed on with every event after it',
    file: 'events.ts',
    find: '    clearFlags(state, FLAG_HAS_ID)\n',
    replace: '',
  },
  {
    name: 'an event is passed on, and read on after it has failed the stream',
    file: 'payload.ts',
    find: 'if (hasFlags(state, FLAG_ENDED | FLAG_FAILED) ||',
    replace: 'if (hasFlags(state, FLAG_ENDED) ||',
  },
  // ---- AWS frames.
  {
    name: 'the CRC of a prelude is not checked',
    file: 'aws.ts',
    find: '  if (!checkCrc(ctx, state, FAULT_PRELUDE_CRC, prelude, PRELUDE_BYTES)) return 0\n',
    replace: '',
  },
  {
    name: 'the CRC of a frame is not checked',
    file: 'aws.ts',
    find: '  if (!checkCrc(ctx, state, FAULT_FRAME_CRC, frame, total)) return\n',
    replace: '',
  },
  {
    name: 'the CRC of a frame is checked but for its last bytes',
    file: 'crc.ts',
    find: '  for (; at < end; at++) {',
    replace: '  for (; at + 4 < end; at++) {',
  },
  {
    name: 'a prelude in two chunks is not checked',
    file: 'aws.ts',
    find: 'if (isPrelude) return takePrelude(ctx, state, frame) == 0 ? end : stop',
    replace: 'if (isPrelude) return stop',
  },
  {
    name: 'headers may be one byte longer than their frame',
    file: 'aws.ts',
    find: 'wordAt(prelude + 4) > total - FRAME_BYTES_MIN',
    replace: 'wordAt(prelude + 4) > total - FRAME_BYTES_MIN + 1',
  },
  {
    name: 'a header may be one byte longer than its headers',
    file: 'aws.ts',
    find: 'return value + bytes <= end ? value + bytes : 0',
    replace: 'return value + bytes <= end + 1 ? value + bytes : 0',
  },
  {
    name: 'a header of no known type is stepped over',
    file: 'aws.ts',
    find: '  if (type > TYPE_UUID) return 0\n',
    replace: '',
  },
  {
    name: 'a header that is no string is one all the same',
    file: 'aws.ts',
    find: 'load<u64>(end - 8) == last && <u32>load<u8>(end) == TYPE_STRING',
    replace: 'load<u64>(end - 8) == last',
  },
  {
    name: 'a frame without a payload says nothing',
    file: 'aws.ts',
    find: '    takePayload(ctx, state, payload, end)\n',
    replace: '    if (payload < end) takePayload(ctx, state, payload, end)\n',
  },
  {
    name: 'a frame may be one byte larger',
    file: 'aws.ts',
    find: 'if (total <= bytesMax) return total',
    replace: 'if (total <= bytesMax + 1) return total',
  },
  {
    name: 'an exception is one after the end, too',
    file: 'aws.ts',
    find: '    if (hasFlags(state, FLAG_ENDED)) return\n',
    replace: '',
  },
  {
    name: 'a document is looked for beyond the first prelude',
    file: 'body.ts',
    find: 'const left = framing == FRAMING_AWS ? PRELUDE_BYTES',
    replace: 'const left = framing == FRAMING_AWS ? PRELUDE_BYTES + 4',
  },
  {
    name: 'an AWS payload is one line where a template is made of it',
    file: 'json.ts',
    find: 'framing == FRAMING_ARRAY || framing == FRAMING_AWS ? 0',
    replace: 'framing == FRAMING_ARRAY ? 0',
  },
  // ---- Payloads in a wrapping.
  {
    name: 'base64 with two letters of padding has one',
    file: 'base64.ts',
    find: 'return <u32>load<u8>(end - 2) == PAD ? 2 : 1',
    replace: 'return 1',
  },
  {
    name: 'base64 may end in mid-group',
    file: 'base64.ts',
    find: '  if (((end - at) & 3) != 0) return -1\n',
    replace: '',
  },
  {
    name: 'anything is a letter of base64 where 16 are read at once',
    file: 'base64.ts',
    find: '    wrong |= <i32>v128.any_true(v128.and(classesOf(letters), kindsOf(high)))\n',
    replace: '',
  },
  {
    name: 'an escape in base64 is none',
    file: 'wrapped.ts',
    find: 'if (length < 0 && slab != 0 && hasBackslash(start, stop)) {',
    replace: 'if (length < 0 && slab == 0) {',
  },
  {
    name: 'what was wrapped has the type of its wrapping',
    file: 'wrapped.ts',
    find: '  store<u32>(ctx, 0, CTX_NAME_BYTES)\n',
    replace: '',
  },
  {
    name: 'what follows a wrapping is ignored',
    file: 'wrapped.ts',
    find: 'if (after != end) return 0',
    replace: 'if (after == 0) return 0',
  },
  {
    name: 'AWS: headers as long as those of an earlier event are the same',
    file: 'aws.ts',
    find: ' && same(at, known, bytes)',
    replace: '',
  },
]
