// The page: puts the parts together.
import { ToolCard } from './card.js';
import { ConnectForm } from './connect_form.js';
import { Connection } from './connection.js';
import { byId } from './dom.js';
import { HandleBook } from './handles.js';
import { MessageLog } from './log.js';
import { ask } from './question.js';
import { SessionPanel, STATES } from './session.js';

/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */
/** @typedef {import('./mcp-session/index.js').ToolInfo} ToolInfo */

const connection = new Connection({ 'elicitation/create': ask });
const handles = new HandleBook();
const log = new MessageLog();
const session = new SessionPanel(connection);
const form = new ConnectForm(connection, new URL('/mcp', location.href));
/** @type {ToolCard[]} */
let cards = [];
/** What the cards were made from. @type {{ client?: McpClient, tools: string }} */
let shown = { tools: '' };

const pill = byId('state', HTMLElement);
const toolCards = byId('tool-cards', HTMLElement);
const toolsCount = byId('tools-count', HTMLElement);
const toolsEmpty = byId('tools-empty', HTMLElement);

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
    if (client === connection.client && connection.state === 'connected') form.showTrouble(error);
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

function showState() {
  const { state } = connection;
  pill.dataset.state = state;
  pill.textContent = STATES[state];
  form.update();
  session.update();
  for (const card of cards) card.enable(state === 'connected');
  byId('tools-note', HTMLElement).hidden = connection.isOpen || !cards.length;
}

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
  if (connection.isOpen) connection.close();
});

showState();
