// Faults to plant in template speculation, one at a time: an exact piece of its source and what
// takes its place. Each must be caught by the tests.

/** @type {readonly import('./framing-mutants.js').Mutant[]} */
export const templateMutants = [
  // ---- What is served.
  {
    name: 'a strict stream is served events',
    file: 'events.ts',
    find: 'const mayServe = !isStrict && !isPassedOn(ctx)',
    replace: 'const mayServe = !isPassedOn(ctx)',
  },
  {
    name: 'a strict stream is served payloads',
    file: 'payload.ts',
    find: '  if (!isStrict) {\n    const isServed',
    replace: '  {\n    const isServed',
  },
  {
    name: 'a stream that has ended is served events',
    file: 'index.ts',
    find: 'if (isFast && isReady && !hasFlags(state, FLAG_ENDED))',
    replace: 'if (isFast && isReady)',
  },
  {
    name: 'events that are served do not count',
    file: 'template.ts',
    find: 'load<u32>(state, STATE_EVENTS) + hits, STATE_EVENTS',
    replace: 'load<u32>(state, STATE_EVENTS), STATE_EVENTS',
  },
  {
    name: 'a byte order mark behind an event that was served is one',
    file: 'template.ts',
    find: '  setFlags(state, FLAG_MARK_DONE)\n',
    replace: '',
  },
  {
    name: 'an event reaches into what lies behind the chunk',
    file: 'template.ts',
    find: 'if (at + bytes > end || !isLiteral(literal, at, bytes)) return 0',
    replace: 'if (!isLiteral(literal, at, bytes)) return 0',
  },
  {
    name: 'a short literal is compared but for its last byte',
    file: 'template.ts',
    find: '(~equal & ((1 << (<i32>bytes)) - 1)) == 0',
    replace: '(~equal & (((1 << (<i32>bytes)) - 1) >> 1)) == 0',
  },
  {
    name: 'a number in a hole may be none',
    file: 'template.ts',
    find: '      at = numberEnd(at, end)\n      if (at == 0 ||',
    replace: '      at = max(numberEnd(at, end), at)\n      if (at == 0 ||',
  },
  // ---- What it says.
  {
    name: 'text of 33 bytes is copied as 32',
    file: 'template.ts',
    find: 'const isPlain = bytes < 32 &&',
    replace: 'const isPlain = bytes < 34 &&',
  },
  {
    name: 'of a long string the second 32 bytes are looked at from the 16th on',
    file: 'template.ts',
    find: 'if (stops == 0) at = hole + 32',
    replace: 'if (stops == 0) at = hole + 48',
  },
  {
    name: 'a gap is over after 16 blanks',
    file: 'scan.ts',
    find: 'if (blanks != 0xffff) return min(at + ctz(~blanks), end)',
    replace: 'return min(at + ctz(~blanks), end)',
  },
  {
    name: 'an escape in a hole is passed on as it was sent',
    file: 'template.ts',
    find: 'i8x16.bitmask(v128.or(text, i8x16.eq(text, i8x16.splat(0x5c))))',
    replace: 'i8x16.bitmask(text)',
  },
  {
    name: 'an empty string in a hole is a row',
    file: 'template.ts',
    find: '  if (bytes == 0) {\n',
    replace: '  if (<isize>bytes < 0) {\n',
  },
  {
    name: 'what a hit says is not remembered',
    file: 'template.ts',
    find: '  store<u16>(place, <u16>(said | <u32>load<u16>(step, STEP_SAYS)))\n',
    replace: '',
  },
  {
    name: 'an id is said with every hit',
    file: 'template.ts',
    find: '  if ((said & <u32>load<u16>(step, STEP_ONCE)) != 0) return\n',
    replace: '',
  },
  {
    name: 'malformed UTF-8 in a hole does not count',
    file: 'template.ts',
    find: 'countReplaced(ctx, writeText(ctx, <u32>row & 0xffff, choice, index, at, at + bytes,',
    replace: 'max(0, writeText(ctx, <u32>row & 0xffff, choice, index, at, at + bytes,',
  },
  // ---- What is learnt.
  {
    name: 'nesting of a template is counted one too low',
    file: 'build.ts',
    find: 'deepest = max(deepest, ++depth)',
    replace: 'deepest = max(deepest, depth++)',
  },
  {
    name: 'a type in a hole is taken for fixed',
    file: 'build.ts',
    find: 'return isFixed(template, program + PROGRAM_TYPE_REF, frame)',
    replace: 'return true',
  },
  {
    name: 'a container that ends at a hole ends a byte early',
    file: 'build.ts',
    find: 'store<usize>(patch, at - load<usize>(piece, PIECE_LITERAL), PATCH_DISTANCE)',
    replace: 'store<usize>(patch, at - before - load<usize>(piece, PIECE_LITERAL), PATCH_DISTANCE)',
  },
  {
    name: 'an escaped quote ends a string where a template is measured',
    file: 'learn.ts',
    find: '      at = stringEnd(at + 1, end)\n',
    replace: '      at++\n      while (<u32>load<u8>(at) != QUOTE) at++\n',
  },
  {
    name: 'a delta that was said by a hit is said for another choice',
    file: 'build.ts',
    find: '    said = STATE_SAID_TEXT + (kind - ROW_TEXT) * 2\n    says = bit\n',
    replace: '    said = STATE_SAID_TEXT + (kind - ROW_TEXT) * 2\n    says = 0xffff\n',
  },
  {
    name: 'a template serves a number of any length',
    file: 'template.ts',
    find: 'if (at == 0 || at - hole > <usize>NUMBER_BYTES_SAFE) return 0',
    replace: 'if (at == 0) return 0',
  },
  {
    name: 'a template is learnt of a number of any length',
    file: 'learn.ts',
    find: '      if (at - start >= <usize>NUMBER_BYTES_SAFE) return 0\n',
    replace: '',
  },
  {
    name: 'a template is learnt of a name of any length',
    file: 'learn.ts',
    find: '  if (load<u32>(ctx, CTX_NAME_BYTES) > <u32>NAME_BYTES_SAFE) return\n',
    replace: '',
  },
  {
    name: 'a number may be as long as it likes',
    file: 'json.ts',
    find: 'if (stop > start + bytesMax) {',
    replace: 'if (stop > start + bytesMax + 1) {',
  },
]
