// The page: puts the parts together.
import { ToolCard } from './card.js';
import { Connection } from './connection.js';
import { byId, icon, make } from './dom.js';
import { HandleBook } from './handles.js';
import { MessageLog } from './log.js';
import { ask } from './question.js';
import { SessionPanel, STATES } from './session.js';
import { explain } from './words.js';

/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */
/** @typedef {import('./mcp-session/index.js').ToolInfo} ToolInfo */
/** @typedef {import('./connection.js').EraChoice} EraChoice */

const ENDPOINT = new URL('/mcp', location.href);

/** @type {Record<EraChoice, string>} */
const ERA_HELP = {
  handshake: 'Revision 2025-11-25: the server keeps a session, and ends it when you disconnect.',
  stateless: 'Revision 2026-07-28: every request stands alone, and state is named by handles.',
  auto: 'Asks the server: stateless if it speaks it, otherwise a session.',
};

const connection = new Connection(ENDPOINT, { 'elicitation/create': ask });
const handles = new HandleBook();
const log = new MessageLog();
const session = new SessionPanel(connection);
/** @type {ToolCard[]} */
let cards = [];
/** What the cards were made from. @type {{ client?: McpClient, tools: string }} */
let shown = { tools: '' };

const form = byId('connect-form', HTMLFormElement);
const choices = byId('choices', HTMLElement);
const chosen = byId('chosen', HTMLElement);
const button = byId('connect', HTMLButtonElement);
const trouble = byId('trouble', HTMLElement);
const pill = byId('state', HTMLElement);
const toolCards = byId('tool-cards', HTMLElement);
const toolsCount = byId('tools-count', HTMLElement);
const toolsEmpty = byId('tools-empty', HTMLElement);

const chosenTarget = () => (new FormData(form).get('target') === 'page' ? 'page' : 'server');
const chosenEra = () => /** @type {EraChoice} */ (String(new FormData(form).get('era')));

const isOpen = () => ['connecting', 'connected'].includes(connection.state);

/** @type {import('./card.js').CallTool} */
async function callTool({ name, annotations }, args, options) {
  const { client } = connection;
  if (!client) throw new Error('there is no connection');
  const result = await client.callTool(name, args, options);
  if (result.isError) return result;
  const ended = annotations?.destructiveHint && result.structuredContent?.ended !== false;
  if (ended) Object.values(args).forEach((value) => handles.forget(value));
  else handles.learn(result.structuredContent);
  return result;
}

async function showTools() {
  const { client } = connection;
  if (!client) return;
  /** @type {ToolInfo[]} */
  let tools;
  try {
    tools = await client.listTools();
  } catch (error) {
    if (client === connection.client && connection.state === 'connected') showTrouble(error);
    return;
  }
  if (client !== connection.client) return;
  // A new session at the same server leaves what was typed where it is.
  const made = { client, tools: JSON.stringify(tools) };
  if (made.client === shown.client && made.tools === shown.tools) return;
  shown = made;
  cards = tools.map((tool, i) => new ToolCard(tool, `tool-${i}`, callTool));
  for (const card of cards) card.enable(connection.state === 'connected');
  toolCards.replaceChildren(...cards.map(({ element }) => element));
  toolsCount.textContent = String(tools.length);
  toolsEmpty.hidden = tools.length > 0;
  toolsEmpty.textContent = 'This server offers no tools.';
  offerHandles();
}

function offerHandles() {
  for (const card of cards) card.offer((kind) => handles.of(kind));
}

/** @param {unknown} [error] undefined: all is well */
function showTrouble(error) {
  trouble.hidden = error === undefined;
  if (error === undefined) return trouble.replaceChildren();
  const { title, advice, detail } = explain(error);
  trouble.replaceChildren(
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

function showState() {
  const { state, error, target } = connection;
  pill.dataset.state = state;
  pill.textContent = STATES[state];
  const open = isOpen();
  choices.hidden = open;
  chosen.hidden = !open;
  const [title, place] =
    target === 'server' ? ['This server', ENDPOINT.host] : ['In this page', 'a worker'];
  chosen.replaceChildren(make('b', {}, title), make('span', { class: 'quiet' }, ` ${place}`));
  // One button, so that it keeps the focus.
  button.textContent = state === 'connecting' ? 'Cancel' : open ? 'Disconnect' : 'Connect';
  button.classList.toggle('primary', !open);
  showTrouble(error);
  session.update();
  for (const card of cards) card.enable(state === 'connected');
  byId('tools-note', HTMLElement).hidden = open || !cards.length;
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (isOpen()) connection.close();
  else connection.open(chosenTarget(), chosenEra());
});

function showEraHelp() {
  byId('era-help', HTMLElement).textContent = ERA_HELP[chosenEra()];
}
form.addEventListener('change', showEraHelp);

connection.addEventListener('change', () => {
  showState();
  if (connection.state === 'connecting') {
    log.forgetAsked();
  } else if (connection.state === 'connected') {
    handles.clear();
    showTools();
  }
});
connection.addEventListener('toolschange', showTools);
connection.addEventListener('message', (event) => {
  log.add(/** @type {CustomEvent} */ (event).detail);
  session.tick();
});
handles.addEventListener('change', offerHandles);

// Nobody comes back for the session.
addEventListener('pagehide', () => {
  if (isOpen()) connection.close();
});

byId('endpoint', HTMLElement).textContent = ENDPOINT.pathname;
showEraHelp();
showState();
