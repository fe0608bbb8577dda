// What a server asks in the middle of a call: a form, in a dialog above the page.
import { make } from './dom.js';
import { ArgumentForm } from './form.js';

/** @typedef {import('./mcp-session/index.js').JsonObject} JsonObject */
/** @typedef {{ action: 'accept' | 'decline' | 'cancel', content?: JsonObject }} Answer */

let asked = 0;

/**
 * Asks the person in front of the page. Escape is no answer: 'cancel'.
 * @param {{ message: string, requestedSchema?: JsonObject }} question
 * @param {{ signal: AbortSignal }} options aborts when the server does not wait any more
 * @returns {Promise<Answer>}
 */
export function ask({ message, requestedSchema = {} }, { signal }) {
  const id = `question-${++asked}`;
  const fields = new ArgumentForm(requestedSchema, id);
  const decline = make('button', { type: 'button', class: 'button' }, 'Decline');
  const form = make(
    'form',
    { novalidate: true },
    make('p', { class: 'quiet' }, 'The server asks'),
    make('h2', { id: `${id}-title` }, message),
    fields.element,
    make(
      'div',
      { class: 'actions' },
      make('button', { type: 'submit', class: 'button primary' }, 'Accept'),
      decline,
    ),
  );
  const dialog = make('dialog', { class: 'question', 'aria-labelledby': `${id}-title` }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    /** @param {Answer} answer */
    const finish = (answer) => {
      signal.removeEventListener('abort', giveUp);
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const giveUp = () => finish({ action: 'cancel' });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const content = fields.read();
      if (content) finish({ action: 'accept', content });
    });
    decline.addEventListener('click', () => finish({ action: 'decline' }));
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      giveUp();
    });
    signal.addEventListener('abort', giveUp);
    dialog.showModal();
  });
}
