/** Bytes that kill the worker of test/model/dying-worker.ts. */
export const POISON = 'hemlock'
