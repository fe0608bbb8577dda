// What a server asks a model: there is none here, so the person in front of the page answers in its
// place.
import { inDialog, newId } from './dialog.js';
import { make } from './dom.js';
import { ArgumentForm } from './form.js';
import { messagesView } from './prompts.js';
import { sourceOf } from './result.js';

/** @typedef {import('./mcp-session/index.js').JsonObject} JsonObject */

/** @param {JsonObject} request @param {{ signal: AbortSignal }} options */
export async function answerAsModel(request, { signal }) {
  const { messages, systemPrompt, maxTokens } = request;
  const schema = { properties: { answer: { type: 'string', title: 'Answer', maxLength: 1e6 } }, required: ['answer'] };
  const fields = new ArgumentForm(schema, newId());
  const system = systemPrompt
    ? [make('div', { class: 'message' }, make('p', { class: 'role' }, 'System'), make('p', { class: 'text' }, systemPrompt))]
    : [];
  const result = await inDialog(
    {
      asks: 'The server asks a model',
      title: 'Answer in its place',
      body: [
        make(
          'div',
          { class: 'conversation', role: 'group', 'aria-label': 'The conversation', tabindex: 0 },
          ...system,
          ...messagesView(messages),
          sourceOf(request),
        ),
        fields.element,
        ...(maxTokens ? [make('p', { class: 'help' }, `At most ${maxTokens} tokens are wanted.`)] : []),
      ],
      accept: make('button', { type: 'submit', class: 'button primary' }, 'Answer'),
      read: () => fields.read(),
    },
    signal,
  );
  if (result.action !== 'accept') throw new Error('the user does not answer for a model');
  return {
    role: 'assistant',
    content: { type: 'text', text: result.answer.answer },
    model: 'a person',
    stopReason: 'endTurn',
  };
}
