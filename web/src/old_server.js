// Servers of 2024-11-05 (spec H-57): a stream by GET, whose first event says where messages are
// posted, and which brings all that the server says. To a client it is a port.
import { SessionError } from './errors.js';

const PATIENCE = 10_000;
const MAX_EVENT = 4 << 20;

/** @param {string} what */
const broken = (what) => new SessionError('TRANSPORT', what);

/** The events of a stream. @param {ReadableStream<Uint8Array>} body */
async function* eventsOf(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let rest = '';
  let ended = ''; // how the last piece did: a \n that follows \r ends no other line
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const piece = ended === '\r' ? value.replace(/^\n/, '') : value;
    ended = value.slice(-1);
    const events = (rest + piece.replace(/\r\n?/g, '\n')).split('\n\n');
    rest = events.pop() ?? '';
    if (rest.length > MAX_EVENT) throw broken('an event of the stream is too large');
    for (const event of events) {
      const [type, data] = ['event', 'data'].map((name) =>
        event.split('\n').flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).replace(/^ /, '')] : [])),
      );
      yield { type: type.at(-1) ?? 'message', data: data.join('\n') };
    }
  }
}

/**
 * @param {URL} url
 * @param {(url: URL, init: RequestInit) => Promise<Response>} ask
 * @returns {Promise<any>} a Port
 */
export async function openOldServer(url, ask) {
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(), PATIENCE);
  try {
    const { body, ok, headers } = await ask(url, { headers: { accept: 'text/event-stream' }, signal });
    const streams = /^text\/event-stream/i.test(headers.get('content-type') ?? '');
    if (!ok || !body || !streams) throw broken('no stream of events');
    const events = eventsOf(body);
    const { value } = await events.next();
    const endpoint = new URL(value?.data ?? '', url);
    if (value?.type !== 'endpoint' || endpoint.origin !== url.origin) {
      throw broken('the stream names no endpoint of its origin');
    }
    return portOf(endpoint, events, ask, controller);
  } catch (error) {
    controller.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {URL} endpoint @param {AsyncIterable<{ type: string, data: string }>} events
 * @param {(url: URL, init: RequestInit) => Promise<Response>} ask @param {AbortController} controller
 */
function portOf(endpoint, events, ask, controller) {
  const { signal } = controller;
  const port = new EventTarget();
  const close = () => {
    controller.abort();
    port.dispatchEvent(new Event('close'));
  };
  let sent = Promise.resolve();
  /** One after the other, so that they arrive in order. @param {string} text */
  const postMessage = (text) => {
    sent = sent.then(async () => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: text, signal };
      if (!(await ask(endpoint, init)).ok) throw broken('the message was refused');
    });
    sent.catch(close);
  };
  const start = async () => {
    for await (const { type, data } of events) {
      if (type === 'message') port.dispatchEvent(new MessageEvent('message', { data }));
    }
  };
  return Object.assign(port, { postMessage, start: () => start().catch(() => {}).finally(close), close });
}
