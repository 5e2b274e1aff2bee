// Faults to plant in what the WASM decoder makes of payloads, one at a time: an exact piece of its
// source and what takes its place. Each must be caught by the tests.

/** @type {readonly import('./framing-mutants.js').Mutant[]} */
export const payloadMutants = [
  // ---- JSON.
  {
    name: 'of equal keys the first one wins below the last',
    file: 'notes.ts',
    find: `export function note(node: usize, frames: usize, start: usize, end: usize): void {
  const frame = frames + load<u32>(node, NODE_FRAME)
  const kept = load<u64>(frame, FRAME_PRESENT) & load<u64>(node, NODE_KEEP)`,
    replace: `export function note(node: usize, frames: usize, start: usize, end: usize): void {
  const frame = frames + load<u32>(node, NODE_FRAME)
  const kept = load<u64>(frame, FRAME_PRESENT)`,
  },
  {
    name: 'a null leaves the value of an equal key before it',
    file: 'notes.ts',
    find: '  store<u64>(frame, kept, FRAME_PRESENT)\n',
    replace: '',
  },
  {
    name: 'nesting may be one level deeper',
    file: 'json.ts',
    find: 'stack + (depthMax << 2)',
    replace: 'stack + (depthMax << 2) + 4',
  },
  {
    name: 'a number may begin with a zero and go on',
    file: 'json.ts',
    find: 'const isPadded = <u32>(byte == ZERO) & <u32>(digits > 1)',
    replace: 'const isPadded: u32 = 0',
  },
  {
    name: 'the last digit of an escape may be anything',
    file: 'scan.ts',
    find: 'for (let digit = at + 2; digit < at + 6; digit++) {\n    if (hexValue',
    replace: 'for (let digit = at + 2; digit < at + 5; digit++) {\n    if (hexValue',
  },
  {
    name: 'a control character is let through',
    file: 'scan.ts',
    find: '      i8x16.le_u(bytes, i8x16.splat(0x1f)),\n',
    replace: '      i8x16.le_u(bytes, i8x16.splat(0x1e)),\n',
  },
  {
    name: 'a control character is let through between escapes',
    file: 'scan.ts',
    find: 'i8x16.splat(0x22)), i8x16.le_u(bytes, i8x16.splat(0x1f))',
    replace: 'i8x16.splat(0x22)), i8x16.le_u(bytes, i8x16.splat(0x1e))',
  },
  {
    name: 'backslashes from an odd place on are paired the wrong way round',
    file: 'scan.ts',
    find: '(backslashes & ~evenRuns & ~even)',
    replace: '(backslashes & ~evenRuns & even)',
  },
  {
    name: 'an escape across 64 bytes is cut',
    file: 'scan.ts',
    find: 'return at + 64 - <usize>(escapes >> 63)',
    replace: 'return at + 64',
  },
  {
    name: 'an escape of a letter that means nothing is let through',
    file: 'scan.ts',
    find: 'i8x16(0, 0, 13, 0, 8,',
    replace: 'i8x16(0, 0, 13, 0, 9,',
  },
  {
    name: 'a noted key is compared but for its last byte',
    file: 'keys.ts',
    find: 'const bits = <u32>-1 >>> (MEMO_TEXT_BYTES - bytes)',
    replace: 'const bits = (<u32>-1 >>> (MEMO_TEXT_BYTES - bytes)) >> 1',
  },
  {
    name: 'a noted key is the same in every object',
    file: 'json.ts',
    find: '        differs |= <u32>(memoOpen ^ open)\n',
    replace: '        differs |= <u32>(memoOpen <= 4)\n',
  },
  {
    name: 'a key is noted with an LF around it',
    file: 'keys.ts',
    find: 'if (framing != FRAMING_ARRAY && lineEnd(key, end) != end) return\n',
    replace: '',
  },
  {
    name: 'what follows a key that is looked up is taken for its colon',
    file: 'json.ts',
    find: '<u32>load<u16>(key + bytes) == QUOTE_COLON',
    replace: '<u32>load<u8>(key + bytes) == QUOTE',
  },
  {
    name: 'a key that is looked up is one byte longer from 8 on',
    file: 'keys.ts',
    find: 'load<u64>(key + max<usize>(bytes, 8) - 8)',
    replace: 'load<u64>(key + max<usize>(bytes, 8) - 7)',
  },
  {
    name: 'a key with an escape is looked up as it was sent',
    file: 'keys.ts',
    find: 'return key + ctz(backslashes) < end',
    replace: 'return false',
  },
  // ---- Text.
  {
    name: 'the last block of a text is taken as if it were whole',
    file: 'text.ts',
    find: 'if (stops == 0 && at + 16 <= end) {\n      // Not',
    replace: 'if (stops == 0) {\n      // Not',
  },
  {
    name: 'of a block of wide text the last character is overwritten',
    file: 'text.ts',
    find: '      out += 32\n',
    replace: '      out += 30\n',
  },
  {
    name: 'an escape of U+0100 is Latin-1',
    file: 'text.ts',
    find: 'if (code > 0xff) return 0',
    replace: 'if (code > 0x100) return 0',
  },
  {
    name: 'a form feed is a tab',
    file: 'text.ts',
    find: '0x0000_09d0_a000_c080',
    replace: '0x0000_09d0_a000_9080',
  },
  {
    name: 'a character of four bytes counts as one unit',
    file: 'text.ts',
    find: '(code & 0x3ff)), 2)\n        out += 4',
    replace: '(code & 0x3ff)), 2)\n        out += 2',
  },
  {
    name: 'a surrogate in UTF-8 is let through',
    file: 'text.ts',
    find: '(first != 0xed || second < 0x2000) ? 3 : 0',
    replace: 'true ? 3 : 0',
  },
  {
    name: 'a malformed sequence is replaced byte by byte',
    file: 'text.ts',
    find: 'while (taken < length && at + taken < end) {',
    replace: 'while (taken < 1) {',
  },
  {
    name: 'wide text counts bytes for units',
    file: 'output.ts',
    find: 'index, bytes >> 1)',
    replace: 'index, bytes)',
  },
  // ---- Rules.
  {
    name: 'a whole text is no different from a delta',
    file: 'rules.ts',
    find: 'const row = load<u32>(rule, VALUE_ROW)',
    replace: 'const row = kind',
  },
  {
    name: 'a whole text is a delta where a template serves it',
    file: 'template.ts',
    find: 'writeText(ctx, <u32>row & 0xffff,',
    replace: 'writeText(ctx, <u32>row & 0xff,',
  },
  {
    name: 'a fixed word is said, and not remembered',
    file: 'rules.ts',
    find: '  say(ctx, kind, choice)\n  writeText(',
    replace: '  writeText(',
  },
  {
    name: 'empty parts of arguments are some',
    file: 'tools.ts',
    find: 'load<usize>(slot, 4), SHAPE_LIST) ? slot : 0',
    replace: 'load<usize>(slot, 4), SHAPE_LIST + 9) ? slot : 0',
  },
  {
    name: 'a call without parts is one with string fragments',
    file: 'tools.ts',
    find: 'hasParts ? ROW_TOOL_PARTS : ROW_TOOL_ARGUMENTS',
    replace: 'ROW_TOOL_ARGUMENTS',
  },
  {
    name: 'several values in one payload are taken where one is allowed',
    file: 'payload.ts',
    find: 'isOne && second != 0',
    replace: 'isOne && second == 0 && second != 0',
  },
  {
    name: 'an index of 2^31 is one',
    file: 'values.ts',
    find: 'if (index > <u64>max) return -1',
    replace: 'if (index > <u64>max + 1) return -1',
  },
  {
    name: 'elements from the second on are those of the first',
    file: 'rules.ts',
    find: 'at = walk(ctx, at, end, element, frames, DEPTH_CAP, WALK_AGAIN)',
    replace: 'at = walk(ctx, at, end, 0, frames, DEPTH_CAP, WALK_AGAIN)',
  },
  // ---- Templates.
  {
    name: 'a template is accepted on a prefix',
    file: 'template.ts',
    find: 'if (at + bytes > end || !isLiteral(literal, at, bytes)) return 0',
    replace: 'if (at + bytes > end || (piece != last && !isLiteral(literal, at, bytes))) return 0',
  },
  {
    name: 'a hole reaches past its string',
    file: 'template.ts',
    find: '      store<usize>(slot, at + 1, 4)\n',
    replace: '      store<usize>(slot, at + 2, 4)\n',
  },
  {
    name: 'a hole ends at an escape',
    file: 'template.ts',
    find: 'if (stops == 0 || <u32>load<u8>(at) != QUOTE) {',
    replace: 'if (stops == 0) {',
  },
  {
    name: 'a hole for blanks takes a line end',
    file: 'scan.ts',
    find: 'const tab = i8x16.splat(0x09)',
    replace: 'const tab = i8x16.splat(0x0a)',
  },
  {
    name: 'a template serves payloads that are nested too deep',
    file: 'template.ts',
    find: '  if (load<u32>(template, TEMPLATE_DEPTH) > depthMax) return 0\n',
    replace: '',
  },
  {
    name: 'a template serves events of another name',
    file: 'template.ts',
    find: '!same(load<usize>(template, TEMPLATE_NAME), load<usize>(ctx, CTX_NAME), nameBytes)',
    replace: 'false',
  },
  {
    name: 'a template serves an empty payload at address 0',
    file: 'template.ts',
    find: 'if (at == end || match(template',
    replace: 'if (match(template',
  },
  {
    name: 'a template serves events that exceed a limit',
    file: 'template.ts',
    find: 'if (stop - at > bytesMax || !hasRoom',
    replace: 'if (!hasRoom',
  },
  {
    name: 'a container with holes keeps the bytes of the event before',
    file: 'template.ts',
    find: 'found + load<usize>(patch, PATCH_DISTANCE))',
    replace: 'load<usize>(load<usize>(patch, PATCH_PIECE)) + load<usize>(patch, PATCH_DISTANCE))',
  },
  {
    name: 'a scalar that changed is no hole if it kept its length',
    file: 'learn.ts',
    find: ' == bytes && same(load<u32>(own), load<u32>(span), bytes)',
    replace: ' == bytes',
  },
  {
    name: 'an index that is a hole is taken for fixed',
    file: 'build.ts',
    find: '!isFixed(template, choiceRef, frame) || !isFixed(template, indexRef, frame)',
    replace: 'false',
  },
  {
    name: 'a condition on a hole is taken for fixed',
    file: 'build.ts',
    find: '    if (!hasFixedConditions(template, rule, frame)) return false\n',
    replace: '',
  },
  {
    name: 'a role is sent each time',
    file: 'build.ts',
    find: '    said = STATE_SAID_ROLE\n    once = bit\n',
    replace: '    said = STATE_SAID_ROLE\n',
  },
  {
    name: 'an array with a second element makes a template',
    file: 'build.ts',
    find: 'if (!isSingle(program, frames) || !cut',
    replace: 'if (!cut',
  },
  {
    name: 'a number in a hole may be any, an index or not',
    file: 'template.ts',
    find: '(kind != HOLE_NUMBER && indexOfDigits(hole, at, kind) < 0)',
    replace: '(kind != HOLE_NUMBER && hole > at)',
  },
  {
    name: 'an event whose index cannot be one makes a template',
    file: 'build.ts',
    find: 'if (indexOfDigits(load<usize>(slot), load<usize>(slot, 4), indexMax) < 0) return false',
    replace: 'if (indexMax == 1) return false',
  },
  {
    name: 'replacements of an event that is given up count',
    file: 'payload.ts',
    find: '  store<u32>(state, replacements, STATE_REPLACEMENTS)\n',
    replace: '',
  },
  {
    name: 'what an event has said that is given up counts as said',
    file: 'payload.ts',
    find: '  store<u64>(state, said, STATE_SAID_TEXT)\n',
    replace: '',
  },
  {
    name: 'a malformed name is counted where its event was learnt, and no more',
    file: 'events.ts',
    find: ' && isPlainName && ',
    replace: ' && ',
  },
]
