// One tool: what it is, a form for its arguments, and what it answered.
import { announce, make } from './dom.js';
import { ArgumentForm } from './form.js';
import { resultView } from './result.js';
import { duration, explain } from './words.js';

/** @typedef {import('./mcp-session/index.js').ToolInfo} ToolInfo */
/** @typedef {import('./mcp-session/index.js').ToolResult} ToolResult */
/** @typedef {import('./mcp-session/index.js').RequestOptions} RequestOptions */
/** @typedef {import('./mcp-session/index.js').Progress} Progress */
/**
 * @callback CallTool
 * @param {ToolInfo} tool
 * @param {Record<string, unknown>} args
 * @param {RequestOptions} options
 * @returns {Promise<ToolResult>}
 */

const MAX_ANNOUNCED = 300;

export class ToolCard {
  #tool;
  #form;
  #callTool;
  #enabled = true;
  /** @type {AbortController | undefined} Of the call that runs. */
  #running;

  /** @param {ToolInfo} tool @param {string} id @param {CallTool} callTool */
  constructor(tool, id, callTool) {
    this.#tool = tool;
    this.#callTool = callTool;
    this.#form = new ArgumentForm(tool.inputSchema, id);
    const { annotations: hints = {} } = tool;
    const badges = [];
    if (hints.readOnlyHint) badges.push(make('span', { class: 'badge' }, 'read-only'));
    else if (hints.destructiveHint) {
      badges.push(make('span', { class: 'badge strong' }, 'destructive'));
    }
    const title = tool.title ?? hints.title ?? tool.name;
    this.callButton = make('button', { type: 'submit', class: 'button primary' }, 'Call');
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
      this.#form.element,
      make('div', { class: 'actions' }, this.callButton, this.cancelButton, this.time),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#call();
    });
    this.cancelButton.addEventListener('click', () => this.cancel());
    this.element = make(
      'article',
      { class: 'card', 'data-tool': tool.name, 'aria-labelledby': `${id}-title` },
      make(
        'header',
        {},
        make('h3', { id: `${id}-title` }, title),
        make('p', { class: 'name' }, make('code', {}, tool.name), ...badges),
      ),
      ...(tool.description ? [make('p', { class: 'description' }, tool.description)] : []),
      form,
      this.progressPart,
      this.answer,
    );
  }

  /** @param {(kind: string) => string[]} handlesOf */
  offer(handlesOf) {
    this.#form.offer(handlesOf);
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

  async #call() {
    if (this.#running || !this.#enabled) return;
    const args = this.#form.read();
    if (!args) return;
    const { signal } = (this.#running = new AbortController());
    const name = this.#tool.title ?? this.#tool.name;
    this.#update();
    this.time.textContent = '';
    this.progress.removeAttribute('value');
    const started = performance.now();
    // Quick calls do not flicker.
    const waiting = setTimeout(() => this.#show({}), 300);
    let outcome;
    try {
      const result = await this.#callTool(this.#tool, args, {
        signal,
        onProgress: (progress) => signal.aborted || this.#show(progress),
      });
      outcome = result.isError ? 'failed' : 'done';
      this.#answer(outcome, result.isError ? 'The tool failed' : '', resultView(result));
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
    this.time.textContent = duration(performance.now() - started);
    announce(`${name}: ${outcome}. ${this.answer.innerText.slice(0, MAX_ANNOUNCED)}`);
  }

  /** @param {Partial<Progress>} progress */
  #show({ progress, total, message }) {
    if (!this.#running) return;
    this.progressPart.hidden = false;
    if (progress === undefined) {
      if (this.progress.hasAttribute('value')) return;
      this.progressText.textContent = 'Waiting for the answer';
      return;
    }
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
