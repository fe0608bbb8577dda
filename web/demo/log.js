// The live log: what went over the wire, in both directions. Session ids are not in it: they
// travel in headers.
import { byId, icon, make } from './dom.js';
import { jsonView } from './json.js';
import { duration, timeOfMessage } from './words.js';

/** @typedef {import('./mcp-session/index.js').LoggedMessage} LoggedMessage */
/** @typedef {{ method: string, detail: string, at: number }} Asked */
/**
 * @typedef {object} Reading
 * @property {string} summary
 * @property {string} detail
 * @property {string} status
 * @property {boolean} bad
 * @property {any} [value] the JSON, or else the text
 */

const MAX_ROWS = 500;
const MAX_ASKED = 1000;
const NEAR_THE_END = 32;

export class MessageLog {
  #count = byId('log-count', HTMLElement);
  #empty = byId('log-empty', HTMLElement);
  #filter = byId('log-filter', HTMLInputElement);
  #pause = byId('log-pause', HTMLButtonElement);
  #rows = byId('log-rows', HTMLElement);
  #scroller = byId('log', HTMLElement);
  /** What each row is found by. @type {Map<Element, string>} */
  #texts = new Map();
  /** While paused. @type {LoggedMessage[] | undefined} */
  #held;
  #missed = 0;
  /** Requests without an answer yet, by direction and id. @type {Map<string, Asked>} */
  #asked = new Map();

  constructor() {
    this.#filter.addEventListener('input', () => this.#applyFilter());
    this.#pause.addEventListener('click', () => this.#togglePause());
    byId('log-clear', HTMLButtonElement).addEventListener('click', () => this.#clear());
    this.#update();
  }

  /** @param {LoggedMessage} message */
  add(message) {
    if (this.#held) {
      this.#held.push(message);
      if (this.#held.length > MAX_ROWS) ++this.#missed, this.#held.shift();
    } else {
      this.#append([message]);
    }
    this.#update();
  }

  /** Requests of another connection are not answered any more. */
  forgetAsked() {
    this.#asked.clear();
  }

  /** @param {LoggedMessage[]} messages */
  #append(messages) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const follow = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    for (const message of messages) {
      const reading = this.#read(message);
      const row = rowOf(message, reading);
      const words = [reading.summary, reading.status, message.via, message.text];
      this.#texts.set(row, words.join(' ').toLowerCase());
      row.hidden = !this.#matches(row);
      this.#rows.append(row);
    }
    while (this.#rows.childElementCount > MAX_ROWS) {
      const first = /** @type {Element} */ (this.#rows.firstElementChild);
      this.#texts.delete(first);
      first.remove();
    }
    if (follow) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {LoggedMessage} message @returns {Reading} */
  #read({ direction, text, at, via = '', status: code }) {
    const http = code === undefined ? '' : String(code);
    const badHttp = code !== undefined && code >= 400;
    if (!text) {
      const ends = via.startsWith('DELETE');
      const [summary, detail] = direction === 'out'
        ? [via || 'Nothing', ends ? 'ends the session' : via.startsWith('GET') ? 'for a stream' : 'without a message']
        : [ends && !badHttp ? 'Session ended' : code === 202 ? 'Accepted' : via || 'Nothing', ''];
      return { summary, detail, status: http, bad: badHttp };
    }
    const value = parse(text);
    if (value === undefined) {
      return { summary: 'Not JSON', detail: '', status: http, bad: true, value: text };
    }
    const { id, method, params, result, error } = Object(value);
    if (typeof method === 'string') {
      const detail = detailOf(method, params);
      if (id !== undefined) this.#ask(`${direction} ${id}`, { method, detail, at });
      return { summary: method, detail, status: http, bad: badHttp, value };
    }
    const asked = this.#answer(`${direction === 'in' ? 'out' : 'in'} ${id}`);
    const bad = error !== undefined || badHttp || result?.isError === true;
    const how = error ? `error ${error.code}` : result?.isError ? 'tool error' : '';
    const status = how || http || 'result';
    if (!asked) return { summary: 'Answer', detail: '', status, bad, value };
    const detail = [asked.detail, duration(at - asked.at)].filter(Boolean).join(' · ');
    return { summary: asked.method, detail, status, bad, value };
  }

  /** @param {string} key @param {Asked} asked */
  #ask(key, asked) {
    this.#asked.set(key, asked);
    if (this.#asked.size > MAX_ASKED) this.#asked.delete(this.#asked.keys().next().value ?? '');
  }

  /** @param {string} key */
  #answer(key) {
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    return asked;
  }

  /** @param {Element} row */
  #matches(row) {
    return (this.#texts.get(row) ?? '').includes(this.#filter.value.trim().toLowerCase());
  }

  #applyFilter() {
    for (const row of this.#rows.children) {
      if (row instanceof HTMLElement) row.hidden = !this.#matches(row);
    }
    this.#update();
  }

  #togglePause() {
    const held = this.#held;
    this.#held = held ? undefined : [];
    if (held) this.#append(held);
    this.#missed = 0;
    const [symbol, label] = held ? ['pause', 'Pause'] : ['play', 'Resume'];
    this.#pause.replaceChildren(icon(symbol), make('span', {}, label));
    this.#update();
  }

  #clear() {
    this.#rows.replaceChildren();
    this.#texts.clear();
    if (this.#held) this.#held = [];
    this.#missed = 0;
    this.#update();
  }

  #update() {
    const all = this.#rows.childElementCount;
    const filtered = this.#filter.value.trim() !== '';
    const shown = filtered
      ? [...this.#rows.children].filter((row) => this.#matches(row)).length
      : all;
    const waiting = this.#held ? this.#held.length + this.#missed : 0;
    this.#count.textContent = this.#held
      ? `${waiting} new`
      : filtered ? `${shown} of ${all}` : all ? String(all) : '';
    this.#empty.hidden = shown > 0;
    this.#empty.textContent = all
      ? 'No message matches the filter.'
      : 'What the page and the server say to each other appears here.';
  }
}

/** @param {LoggedMessage} message @param {Reading} reading */
function rowOf({ direction, text, at, via }, { summary, detail, status, bad, value }) {
  const [hours, rest] = timeOfMessage(at);
  const way = direction === 'out' ? 'sent' : 'received';
  const line = [
    make('time', {}, make('span', { class: 'hours' }, hours), rest),
    make('span', { class: `arrow arrow-${direction}`, title: way }, icon(direction)),
    make('span', { class: 'hidden' }, `${way}: `),
    make('span', { class: 'summary' }, make('b', {}, summary), detail && ` ${detail}`),
    ...(status ? [make('span', { class: bad ? 'status bad' : 'status' }, status)] : []),
  ];
  if (!text) return make('li', { class: 'row' }, make('div', { class: 'line' }, ...line));
  const details = make('details', {}, make('summary', { class: 'line' }, ...line));
  // Made when it is opened: most never are.
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return;
    const about = via ? [make('p', { class: 'via' }, `${via}, ${text.length} characters`)] : [];
    details.append(make('div', { class: 'body' }, ...about, jsonView(value)));
  });
  return make('li', { class: 'row' }, details);
}

/** @param {string} method @param {any} params */
function detailOf(method, params) {
  switch (method) {
    case 'tools/call': return String(params?.name ?? '');
    case 'prompts/get': return String(params?.name ?? '');
    case 'completion/complete': return String(params?.argument?.name ?? '');
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
    case 'notifications/resources/updated': return String(params?.uri ?? '');
    case 'initialize': return String(params?.protocolVersion ?? '');
    case 'notifications/progress':
      return params?.total === undefined ? String(params?.progress) : `${params.progress} / ${params.total}`;
    case 'notifications/cancelled': return String(params?.reason ?? '');
    default: return '';
  }
}

/** @param {string} text @returns {any} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
