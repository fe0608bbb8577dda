// What happened, and what to do about it, in sentences.

/** @typedef {{ title: string, advice: string, detail?: string }} Trouble */

/** @type {Record<string, [title: string, advice: string]>} */
const SENTENCES = {
  SESSION_NOT_FOUND: [
    'The server no longer knows this session',
    'It ran out, was ended, or the server was restarted. Call again.',
  ],
  SESSION_REQUIRED: ['The server asks for a session', 'Connect with the era Sessions.'],
  CANCELLED: ['Cancelled', 'The server was told to stop.'],
  TIMEOUT: ['No answer in time', 'The server may be busy. Try again.'],
  TRANSPORT: ['The server cannot be reached', 'See that it is running, then try again.'],
  PEER: ['The server answered with an error', 'What it said is below.'],
  UNSUPPORTED_VERSION: [
    'The server does not speak this revision',
    'Connect with another era, or with Auto.',
  ],
  UNAVAILABLE: [
    'The server cannot reach its store',
    'Nothing is lost: sessions are there again when the store is. Try again shortly.',
  ],
  CAPACITY: ['The server has no room left', 'End what is no longer needed, or try again later.'],
  TOO_MANY_REQUESTS: ['Too many requests', 'Wait a moment, then try again.'],
  TOO_LARGE: ['The message is too large', 'Send less at once.'],
  FORBIDDEN: ['The server refuses this page', 'It does not answer pages of this origin.'],
  INVALID_PARAMS: ['The server does not accept the arguments', 'Correct them, then try again.'],
  METHOD_NOT_FOUND: ['The server does not offer this', 'It may be of another revision.'],
  CORE_DEAD: ['The core in this page has stopped', 'This is a bug of ours. Reload the page.'],
};

/** @param {unknown} error @returns {Trouble} */
export function explain(error) {
  if (!(error instanceof Error)) return { title: 'Something went wrong', advice: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const [title, advice] = SENTENCES[code] ?? ['Something went wrong', 'Try again, or reload the page.'];
  if (code === 'CANCELLED' || code === 'SESSION_NOT_FOUND') return { title, advice };
  /** @type {{ code: number, message: string } | undefined} */
  const rpc = 'rpc' in error ? /** @type {any} */ (error.rpc) : undefined;
  const detail = rpc ? `${rpc.message} (${rpc.code})` : error.message;
  return { title, advice, detail: detail || undefined };
}

/** "29:58", "1:02:03". @param {number} milliseconds */
export function clock(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const pad = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** "3.2 ms", "850 ms", "1.2 s". @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(1)} s`;
  const exact = milliseconds < 10 && !Number.isInteger(milliseconds);
  return `${milliseconds.toFixed(exact ? 1 : 0)} ms`;
}

/** "14:03", with the day if it is another. @param {number} at */
export function timeOfDay(at) {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.toLocaleDateString([], { weekday: 'short' })} ${time}`;
}

/** "14:" and "03:59.120". @param {number} at */
export function timeOfMessage(at) {
  const date = new Date(at);
  const pad = (/** @type {number} */ n, width = 2) => String(n).padStart(width, '0');
  const seconds = `${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  return [`${pad(date.getHours())}:`, `${pad(date.getMinutes())}:${seconds}`];
}

/** Enough of a secret to tell it from others. @param {string} id */
export const shortened = (id) => (id.length > 6 ? `${id.slice(0, 6)}…` : id);
