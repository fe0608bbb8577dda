import { SessionError } from './errors.js';

/** @import { Wait } from './types.js' */

/** @param {AbortSignal | undefined} signal */
export const aborted = (signal) =>
  new SessionError('CANCELLED', 'the request was aborted', { cause: signal?.reason });

/** @type {Wait} */
export const wait = (signal, begin, leave) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) throw aborted(signal);
    const onAbort = () => leave(waiter);
    /** @param {(value: any) => void} settle @returns {(value?: any) => void} */
    const last = (settle) => (value) => {
      signal?.removeEventListener('abort', onAbort);
      settle(value);
    };
    const waiter = { resolve: last(resolve), reject: last(reject) };
    signal?.addEventListener('abort', onAbort);
    begin(waiter);
  });
