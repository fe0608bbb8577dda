// What happened in the connections of this page, in order of time: requests, streams, notifications,
// and what became of the session. Shows nothing; tells by `change` that there is more.

/** @typedef {import('./mcp-session/index.js').LoggedMessage} LoggedMessage */
/** @typedef {import('./wire.js').WireNews} WireNews */
/** @typedef {import('./connection.js').Connection} Connection */
/**
 * @typedef {object} Entry
 * @property {'request' | 'stream' | 'notification' | 'question' | 'broken' | 'resuming' | 'session'} kind
 * @property {string} label what it is, in short
 * @property {number} start `Date.now()`
 * @property {number} [end] of what lasts; without: it goes on
 * @property {'failed' | 'cut' | 'lost'} [outcome] cut: nobody waited for its end
 */

const MAX_ENTRIES = 300;
// What stays open to hear of changes is no call.
const LISTENS = 'subscriptions/listen';

/** "7", or the beginning of an id that has no number. @param {string} id of an event */
export function eventNumber(id) {
  return /^[\w-]+\.(\d+)(\.|$)/.exec(id)?.[1] ?? (id.length > 6 ? `${id.slice(0, 6)}…` : id);
}

export class Timeline extends EventTarget {
  /** From the oldest on. @type {Entry[]} */
  entries = [];
  /** Without an answer yet, by who asked and the id. @type {Map<string, Entry>} */
  #open = new Map();
  /** By whose it is: of a call, or the session's own. @type {Map<string, Entry>} */
  #streams = new Map();
  #hadSession = false;

  /** What goes on, or may: until `now` for a picture. @param {Entry} entry */
  static lasts({ kind }) {
    return kind === 'request' || kind === 'stream' || kind === 'question';
  }

  /** @param {LoggedMessage} message */
  message({ direction, text, at }) {
    const { id, method, params, result, error } = parse(text);
    if (typeof method === 'string' && id !== undefined) {
      const asks = direction === 'out' ? 'request' : 'question';
      const label = method === 'tools/call' ? String(params?.name) : method;
      const kind = method === LISTENS ? 'stream' : asks;
      this.#open.set(`${direction} ${id}`, this.#add({ kind, label, start: at }));
    } else if (typeof method === 'string') {
      if (direction === 'in') this.#add({ kind: 'notification', label: notificationLabel(method, params), start: at });
      else if (method === 'notifications/cancelled') this.#answer(`out ${params?.requestId}`, at, 'cut');
    } else if (id !== undefined) {
      const failed = error !== undefined || result?.isError === true;
      this.#answer(`${direction === 'in' ? 'out' : 'in'} ${id}`, at, failed ? 'failed' : undefined);
    }
  }

  /** @param {WireNews} news */
  wire({ what, at, of, from = '' }) {
    const stream = of ? `${of.id}` : '';
    switch (what) {
      case 'opened':
      case 'resumed': {
        this.#end(stream, at);
        const label = of ? `stream of ${of.name}` : 'stream of the session';
        this.#streams.set(stream, this.#add({ kind: 'stream', label, start: at }));
        break;
      }
      case 'ended':
        this.#end(stream, at);
        break;
      case 'broken':
        this.#end(stream, at, 'cut');
        this.#add({ kind: 'broken', label: 'connection lost', start: at });
        break;
      case 'resuming':
        this.#add({ kind: 'resuming', label: `resuming from event ${eventNumber(from)}`, start: at });
    }
  }

  /** After a change of the connection. @param {Connection} connection */
  state({ state, renewed, client }) {
    const at = Date.now();
    const session = client?.era === 'stateless' ? 'connection' : 'session';
    switch (state) {
      case 'connecting':
        if (renewed) this.#add({ kind: 'session', label: 'session lost', start: at, outcome: 'lost' });
        break;
      case 'connected':
        this.#add({ kind: 'session', label: renewed ? 'session renewed' : `${session} opened`, start: at });
        this.#hadSession = true;
        break;
      case 'idle':
      case 'ended':
      case 'failed': {
        this.#cutAll(at);
        const lost = state === 'failed';
        if (!this.#hadSession && !lost) break;
        const label = lost ? 'not connected' : 'ended';
        this.#add({ kind: 'session', label, start: at, outcome: lost ? 'lost' : undefined });
        this.#hadSession = false;
      }
    }
  }

  clear() {
    this.entries = this.entries.filter((entry) => Timeline.lasts(entry) && entry.end === undefined);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Entry} entry */
  #add(entry) {
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES) {
      const oldest = this.entries.findIndex((one) => !Timeline.lasts(one) || one.end !== undefined);
      this.entries.splice(Math.max(oldest, 0), 1);
    }
    this.dispatchEvent(new Event('change'));
    return entry;
  }

  /** @param {string} key @param {number} at @param {Entry['outcome']} outcome */
  #answer(key, at, outcome) {
    const entry = this.#open.get(key);
    this.#open.delete(key);
    if (!entry) return;
    entry.end = at;
    entry.outcome = outcome;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {string} stream @param {number} at @param {Entry['outcome']} [outcome] */
  #end(stream, at, outcome) {
    const entry = this.#streams.get(stream);
    this.#streams.delete(stream);
    if (!entry) return;
    entry.end = at;
    entry.outcome = outcome;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {number} at */
  #cutAll(at) {
    for (const key of [...this.#open.keys()]) this.#answer(key, at, 'cut');
    for (const stream of [...this.#streams.keys()]) this.#end(stream, at);
  }
}

/** @param {string} method @param {any} params */
function notificationLabel(method, params) {
  const name = method.replace(/^notifications\//, '');
  if (name === 'progress') {
    return params?.total === undefined ? `progress ${params?.progress}` : `progress ${params.progress} / ${params.total}`;
  }
  return params?.uri ? `${name} ${params.uri}` : name;
}

/** @param {string} text @returns {any} */
function parse(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
