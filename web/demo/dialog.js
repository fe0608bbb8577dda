// A dialog above the page, for what a server asks in the middle of a call.
import { make } from './dom.js';

/**
 * @typedef {object} Question
 * @property {string} asks who asks what: the line above the title
 * @property {string} title
 * @property {Node[]} body
 * @property {HTMLElement} accept the button, or a link
 * @property {() => any} read the answer; undefined after showing what is wrong with it
 */

let asked = 0;

/** A name for the elements of a dialog to come. */
export const newId = () => `question-${++asked}`;

/**
 * Asks the person in front of the page. Escape is no answer: 'cancel'.
 * @param {Question} question
 * @param {AbortSignal} signal aborts when the server does not wait any more
 * @returns {Promise<{ action: 'accept', answer: any } | { action: 'decline' | 'cancel' }>}
 */
export function inDialog({ asks, title, body, accept, read }, signal) {
  const id = newId();
  const decline = make('button', { type: 'button', class: 'button' }, 'Decline');
  const form = make(
    'form',
    { novalidate: true },
    make('p', { class: 'quiet' }, asks),
    make('h2', { id: `${id}-title` }, title),
    ...body,
    make('div', { class: 'actions' }, accept, decline),
  );
  const dialog = make('dialog', { class: 'question', 'aria-labelledby': `${id}-title` }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    /** @param {{ action: 'accept', answer: any } | { action: 'decline' | 'cancel' }} result */
    const finish = (result) => {
      signal.removeEventListener('abort', giveUp);
      dialog.close();
      dialog.remove();
      resolve(result);
    };
    const giveUp = () => finish({ action: 'cancel' });
    const take = () => {
      const answer = read();
      if (answer !== undefined) finish({ action: 'accept', answer });
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      take();
    });
    if (accept instanceof HTMLAnchorElement) accept.addEventListener('click', take);
    decline.addEventListener('click', () => finish({ action: 'decline' }));
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      giveUp();
    });
    signal.addEventListener('abort', giveUp);
    dialog.showModal();
    /** @type {HTMLElement | null} */ (dialog.querySelector('.fields [name]'))?.focus();
  });
}
