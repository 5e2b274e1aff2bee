/**
 * Preloaded before an example: whatever provider it asks, the one on this machine answers.
 *
 * So an example keeps the address that its reader needs, and the tests need no network.
 */
const origin = process.env['MILLRACE_EXAMPLE_ORIGIN']!
const fetchOnline = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const { pathname, search } = new URL(input instanceof Request ? input.url : input)
  return fetchOnline(new URL(pathname + search, origin), init)
}
