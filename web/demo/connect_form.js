// The panel that asks where to connect to, and says what became of it.
import { parseAddress } from './address.js';
import { byId, icon, make } from './dom.js';
import { explainRefusal } from './refusal.js';
import { explain } from './words.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./connection.js').EraChoice} EraChoice */
/** @typedef {import('./connection.js').Place} Place */

/** @type {Record<EraChoice, string>} */
const ERA_HELP = {
  handshake: 'Revision 2025-11-25: the server keeps a session, and ends it when you disconnect.',
  stateless: 'Revision 2026-07-28: every request stands alone, and state is named by handles.',
  auto: 'Asks the server: stateless if it speaks it, otherwise a session.',
};

const NAMES = { server: 'This server', page: 'In this page', other: 'Another server' };

export class ConnectForm {
  #connection;
  #endpoint;
  #form = byId('connect-form', HTMLFormElement);
  #choices = byId('choices', HTMLElement);
  #chosen = byId('chosen', HTMLElement);
  #other = byId('other', HTMLElement);
  #url = byId('other-url', HTMLInputElement);
  #token = byId('other-token', HTMLInputElement);
  #button = byId('connect', HTMLButtonElement);
  #trouble = byId('trouble', HTMLElement);

  /** @param {Connection} connection @param {URL} endpoint of the server that the page came from */
  constructor(connection, endpoint) {
    this.#connection = connection;
    this.#endpoint = endpoint;
    byId('endpoint', HTMLElement).textContent = endpoint.pathname;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (connection.isOpen) return void connection.close();
      const place = this.#read();
      if (place) connection.open(place, this.#era());
    });
    this.#form.addEventListener('change', () => this.#showChoices());
    for (const input of [this.#url, this.#token]) {
      input.addEventListener('input', () => complain(input, ''));
    }
    this.#showChoices();
  }

  /** After a change of the connection. */
  update() {
    const { state, error, place } = this.#connection;
    const open = this.#connection.isOpen;
    this.#choices.hidden = open;
    this.#chosen.hidden = !open;
    const where = 'url' in place ? place.url.host : 'a worker';
    this.#chosen.replaceChildren(
      make('b', {}, NAMES[place.target]),
      make('span', { class: 'quiet' }, ` ${where}`),
    );
    // One button, so that it keeps the focus.
    this.#button.textContent = state === 'connecting' ? 'Cancel' : open ? 'Disconnect' : 'Connect';
    this.#button.classList.toggle('primary', !open);
    if (state === 'failed') this.#showRefusal(error);
    else this.showTrouble();
  }

  /** @param {unknown} [error] undefined: all is well */
  showTrouble(error) {
    this.#show(error === undefined ? undefined : explain(error));
  }

  /** @param {unknown} error */
  async #showRefusal(error) {
    const { place, wire } = this.#connection;
    if (!('url' in place)) return this.showTrouble(error);
    const withToken = Boolean(place.token);
    const trouble = await explainRefusal(error, { url: place.url, withToken, last: wire?.last });
    if (error === this.#connection.error) this.#show(trouble);
  }

  /** @param {import('./words.js').Trouble} [trouble] */
  #show(trouble) {
    this.#trouble.hidden = !trouble;
    if (!trouble) return this.#trouble.replaceChildren();
    const { title, advice, detail } = trouble;
    this.#trouble.replaceChildren(
      icon('warning'),
      make(
        'div',
        {},
        make('p', { class: 'notice-title' }, title),
        make('p', {}, advice),
        ...(detail ? [make('p', { class: 'detail' }, detail)] : []),
      ),
    );
  }

  #target() {
    return /** @type {Place['target']} */ (new FormData(this.#form).get('target'));
  }

  #era() {
    return /** @type {EraChoice} */ (new FormData(this.#form).get('era'));
  }

  #showChoices() {
    this.#other.hidden = this.#target() !== 'other';
    byId('era-help', HTMLElement).textContent = ERA_HELP[this.#era()];
  }

  /** @returns {Place | undefined} undefined after showing what is wrong with it */
  #read() {
    const target = this.#target();
    if (target === 'page') return { target };
    if (target === 'server') return { target, url: this.#endpoint };
    const address = parseAddress(this.#url.value);
    const token = this.#token.value.trim();
    const odd = /^[\x21-\x7e]*$/.test(token) ? '' : 'A token has no spaces or letters beyond ASCII.';
    complain(this.#url, 'problem' in address ? address.problem : '');
    complain(this.#token, odd);
    if ('problem' in address || odd) {
      ('problem' in address ? this.#url : this.#token).focus();
      return undefined;
    }
    this.#url.value = address.url.href;
    return { target, url: address.url, token };
  }
}

/** @param {HTMLInputElement} input @param {string} problem nothing is wrong, if empty */
function complain(input, problem) {
  const place = byId(`${input.id}-problem`, HTMLElement);
  place.textContent = problem;
  place.hidden = !problem;
  if (problem) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}
