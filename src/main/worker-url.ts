/** The one place that knows where the worker's module lies, seen from the main module. */
export const decodeWorkerUrl: URL = new URL('../workers/decode-worker.js', import.meta.url)
