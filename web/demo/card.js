// Something that a server does for its client: what it is, a form for its arguments, and what came
// of it.
import { announce, make } from './dom.js';
import { ArgumentForm } from './form.js';
import { duration, explain } from './words.js';

/** @typedef {import('./form.js').Schema} Schema */
/** @typedef {import('./mcp-session/index.js').RequestOptions} RequestOptions */
/** @typedef {import('./mcp-session/index.js').Progress} Progress */
/** @typedef {{ parts: Node[], failure?: string }} Outcome with `failure`, a title, it failed */
/**
 * @typedef {object} Subject
 * @property {string} kind 'tool': the card has `data-tool` with the name
 * @property {string} name as the server calls it
 * @property {string} [title]
 * @property {HTMLElement[]} [badges]
 * @property {string} [description]
 * @property {Schema} [schema] of the arguments
 * @property {string} verb on the button
 * @property {HTMLElement[]} [actions] beside the button
 * @property {(args: Record<string, any>, options: RequestOptions) => Promise<Outcome>} run
 */

const MAX_ANNOUNCED = 300;

export class Card {
  #subject;
  #title;
  #enabled = true;
  /** @type {AbortController | undefined} Of what runs. */
  #running;
  #resumed = false;

  /** @param {Subject} subject @param {string} id */
  constructor(subject, id) {
    const { kind, name, title = name, badges = [], description, schema = {}, verb, actions = [] } = subject;
    this.#subject = subject;
    this.#title = title;
    this.form = new ArgumentForm(schema, id);
    this.callButton = make('button', { type: 'submit', class: 'button primary' }, verb);
    this.cancelButton = make('button', { type: 'button', class: 'button', hidden: true }, 'Cancel');
    this.progress = make('progress', { 'aria-label': `Progress of ${title}` });
    this.progressText = make('p', { class: 'progress-text' });
    this.progressPart = make('div', { class: 'progress' }, this.progress, this.progressText);
    this.progressPart.hidden = true;
    this.answer = make('div', { class: 'answer', role: 'group', 'aria-label': `Answer of ${title}` });
    this.answer.hidden = true;
    this.time = make('p', { class: 'duration' });
    const form = make(
      'form',
      { novalidate: true, 'aria-labelledby': `${id}-title` },
      this.form.element,
      make('div', { class: 'actions' }, this.callButton, this.cancelButton, ...actions, this.time),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.run();
    });
    this.cancelButton.addEventListener('click', () => this.cancel());
    const code = title === name ? [] : [make('code', {}, name)];
    this.element = make(
      'article',
      { class: 'card', [`data-${kind}`]: name, 'aria-labelledby': `${id}-title` },
      make(
        'header',
        {},
        make('h3', { id: `${id}-title`, tabindex: -1 }, title),
        make('p', { class: 'name' }, ...code, ...badges),
      ),
      ...(description ? [make('p', { class: 'description' }, description)] : []),
      form,
      this.progressPart,
      this.answer,
    );
  }

  get name() {
    return this.#subject.name;
  }

  /** @param {boolean} enabled whether there is a server to call */
  enable(enabled) {
    this.#enabled = enabled;
    this.#update();
  }

  cancel() {
    this.#running?.abort();
  }

  #update() {
    const running = this.#running !== undefined;
    // Not `disabled` while it runs: it would lose the focus.
    this.callButton.setAttribute('aria-disabled', String(running));
    this.callButton.disabled = !this.#enabled && !running;
    if (!running && document.activeElement === this.cancelButton) this.callButton.focus();
    this.cancelButton.hidden = !running;
    this.element.toggleAttribute('data-running', running);
  }

  /** The connection broke under what runs. @param {string} words */
  interrupt(words) {
    if (!this.#running) return;
    this.progressPart.hidden = false;
    this.progressPart.dataset.interrupted = '';
    this.progressText.textContent = words;
  }

  /** It goes on. @param {string} words until there is progress */
  goOn(words) {
    if (!this.#running) return;
    this.#resumed = true;
    delete this.progressPart.dataset.interrupted;
    this.progressText.textContent = words;
  }

  /** What the button does. */
  async run() {
    if (this.#running || !this.#enabled) return;
    const args = this.form.read();
    if (!args) return;
    const { signal } = (this.#running = new AbortController());
    this.#resumed = false;
    this.#update();
    this.time.textContent = '';
    this.progress.removeAttribute('value');
    const started = performance.now();
    // Quick calls do not flicker.
    const waiting = setTimeout(() => this.#show({}), 300);
    let outcome;
    try {
      const { parts, failure = '' } = await this.#subject.run(args, {
        signal,
        onProgress: (progress) => signal.aborted || this.#show(progress),
      });
      outcome = failure ? 'failed' : 'done';
      this.#answer(outcome, failure, parts);
    } catch (error) {
      const { title, advice, detail } = explain(error);
      outcome = signal.aborted ? 'cancelled' : 'failed';
      const said = detail ? [make('p', { class: 'detail' }, detail)] : [];
      this.#answer(outcome, title, [make('p', { class: 'text' }, advice), ...said]);
    }
    clearTimeout(waiting);
    this.#running = undefined;
    this.#update();
    this.progressPart.hidden = true;
    delete this.progressPart.dataset.interrupted;
    this.time.textContent = duration(performance.now() - started) + (this.#resumed ? ', resumed' : '');
    announce(`${this.#title}: ${outcome}. ${this.answer.innerText.slice(0, MAX_ANNOUNCED)}`);
  }

  /** @param {Partial<Progress>} progress */
  #show({ progress, total, message }) {
    if (!this.#running) return;
    this.progressPart.hidden = false;
    if (progress === undefined) {
      if (this.progress.hasAttribute('value') || 'interrupted' in this.progressPart.dataset) return;
      this.progressText.textContent = 'Waiting for the answer';
      return;
    }
    delete this.progressPart.dataset.interrupted;
    if (total !== undefined) {
      this.progress.max = total;
      this.progress.value = Math.min(progress, total);
    }
    const share = total === undefined ? String(progress) : `${progress} / ${total}`;
    this.progressText.textContent = message ?? share;
  }

  /** @param {string} outcome @param {string} title @param {Node[]} parts */
  #answer(outcome, title, parts) {
    this.answer.hidden = false;
    this.answer.dataset.outcome = outcome;
    this.answer.replaceChildren(...(title ? [make('p', { class: 'outcome' }, title)] : []), ...parts);
  }
}
