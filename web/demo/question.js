// What a server asks the user: a form to fill in, or a page to visit.
import { inDialog, newId } from './dialog.js';
import { make } from './dom.js';
import { ArgumentForm } from './form.js';

/** @typedef {import('./mcp-session/index.js').JsonObject} JsonObject */
/** @typedef {{ action: 'accept' | 'decline' | 'cancel', content?: JsonObject }} Answer */

/**
 * @param {{ message: string, mode?: string, requestedSchema?: JsonObject, url?: string }} question
 * @param {{ signal: AbortSignal }} options aborts when the server does not wait any more
 * @returns {Promise<Answer>}
 */
export function ask(question, { signal }) {
  return question.mode === 'url' ? askToVisit(question, signal) : askByForm(question, signal);
}

/** @param {{ message: string, requestedSchema?: JsonObject }} question @param {AbortSignal} signal */
async function askByForm({ message, requestedSchema = {} }, signal) {
  const fields = new ArgumentForm(requestedSchema, newId());
  const result = await inDialog(
    {
      asks: 'The server asks',
      title: message,
      body: [fields.element],
      accept: make('button', { type: 'submit', class: 'button primary' }, 'Accept'),
      read: () => fields.read(),
    },
    signal,
  );
  return result.action === 'accept' ? { action: result.action, content: result.answer } : result;
}

/**
 * The whole address is shown, and it is opened in a tab of its own that knows nothing of this one.
 * @param {{ message: string, url?: string }} question
 * @param {AbortSignal} signal
 */
async function askToVisit({ message, url = '' }, signal) {
  const address = webAddress(url);
  const { action } = await inDialog(
    {
      asks: 'The server asks you to visit a page',
      title: message,
      body: [
        make('p', { class: 'address' }, make('code', {}, address?.href ?? url)),
        make(
          'p',
          { class: 'help' },
          address
            ? `Only go on if you trust ${address.host}. What you enter there is between you and that page.`
            : 'This is no address of the web, and is not opened.',
        ),
      ],
      accept: address
        ? make(
            'a',
            { href: address.href, target: '_blank', rel: 'noopener noreferrer', class: 'button primary' },
            'Open in a new tab',
          )
        : make('button', { type: 'submit', class: 'button primary', disabled: true }, 'Open in a new tab'),
      read: () => address?.href,
    },
    signal,
  );
  return { action };
}

/** @param {string} text */
function webAddress(text) {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}
