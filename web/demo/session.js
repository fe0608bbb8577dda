// The card that shows the session: what it is, and how long it has left.
import { byId, make } from './dom.js';
import { clock, shortened, timeOfDay } from './words.js';

/** @typedef {import('./connection.js').Connection} Connection */

const ERAS = { handshake: 'Sessions', stateless: 'Stateless' };

/** @type {Record<import('./connection.js').State, string>} */
export const STATES = {
  idle: 'Not connected',
  connecting: 'Connecting',
  connected: 'Connected',
  ended: 'Ended',
  failed: 'Not connected',
};

const EMPTY = {
  idle: 'None yet.',
  connecting: 'Being opened.',
  connected: '',
  renewed: 'The server no longer knew the session before this one.',
  ended: 'The session has ended. Connect to begin another.',
  endedStateless: 'Disconnected. There was no session to end.',
  failed: 'None yet.',
};

export class SessionPanel {
  #connection;
  #empty = byId('session-empty', HTMLElement);
  #facts = byId('session-facts', HTMLElement);
  #left = make('span', { class: 'countdown' });
  #bar = make('span', { class: 'lifetime', 'aria-hidden': 'true' });
  #wasStateless = false;

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    setInterval(() => this.tick(), 500);
  }

  /** After a change of the connection. */
  update() {
    const { state, client, renewed } = this.#connection;
    const connected = state === 'connected';
    if (connected) this.#wasStateless = client?.era === 'stateless';
    const ended = state === 'ended' && this.#wasStateless ? 'endedStateless' : state;
    this.#empty.textContent = EMPTY[connected && renewed ? 'renewed' : ended];
    this.#empty.hidden = connected && !renewed;
    this.#facts.hidden = !connected;
    this.#facts.replaceChildren(...(connected ? this.#rows() : []));
    this.tick();
  }

  /** Time has passed, or the session was used. */
  tick() {
    const ttl = this.#connection.client?.sessionTtl;
    if (this.#connection.state !== 'connected' || !ttl) return;
    const left = Math.max(0, ttl.expiresAt - Date.now());
    const text = left ? clock(left) : 'over';
    if (this.#left.textContent !== text) this.#left.textContent = text;
    this.#bar.style.setProperty('--left', String(Math.min(1, left / ttl.idle)));
  }

  #rows() {
    const { client, place, openedAt } = this.#connection;
    if (!client) return [];
    const { serverInfo, era, protocolVersion, sessionId, sessionTtl } = client;
    /** @type {HTMLElement[]} */
    const rows = [];
    /** @param {string} name @param {...(Node | string)} value */
    const row = (name, ...value) => {
      // What it is can be seen, unlike what the others are.
      const hidden = name === 'Server' ? 'hidden' : undefined;
      rows.push(make('div', {}, make('dt', { class: hidden }, name), make('dd', {}, ...value)));
    };
    row(
      'Server',
      make('b', {}, serverInfo?.title ?? serverInfo?.name ?? 'Unnamed'),
      make('span', { class: 'quiet' }, ` ${serverInfo?.version ?? ''}`),
    );
    row('Era', era ? ERAS[era] : 'Unknown', make('span', { class: 'quiet' }, ` ${protocolVersion ?? ''}`));
    if (sessionId) {
      row('Session id', make('code', { id: 'session-id' }, shortened(sessionId)));
    } else if (era === 'stateless') {
      row('Session', 'None: state is in handles');
    } else {
      row('Session', place.target === 'page' ? 'Lives as long as its port' : 'Without an id');
    }
    if (sessionTtl) {
      row('Idle time left', this.#left, this.#bar);
      row('Ends at the latest', timeOfDay(openedAt + sessionTtl.maxLife));
    }
    return rows;
  }
}
