// The page: puts the parts together.
import { ConnectForm } from './connect_form.js';
import { Connection } from './connection.js';
import { byId } from './dom.js';
import { HandleBook } from './handles.js';
import { MessageLog } from './log.js';
import { PromptsSection } from './prompts.js';
import { ask } from './question.js';
import { ResourcesSection } from './resources.js';
import { RootsPanel } from './roots.js';
import { answerAsModel } from './sampling.js';
import { SessionPanel, STATES } from './session.js';
import { StoreView } from './store_view.js';
import { Tabs } from './tabs.js';
import { Timeline } from './timeline.js';
import { TimelinePanel } from './timeline_panel.js';
import { ToolsSection } from './tools.js';

/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */

const roots = new RootsPanel();
const connection = new Connection({
  'elicitation/create': ask,
  'sampling/createMessage': answerAsModel,
  'roots/list': () => ({ roots: roots.list() }),
});
roots.onchange = () => {
  if (connection.state === 'connected') connection.client?.rootsChanged();
};
const handles = new HandleBook();
const log = new MessageLog();
const session = new SessionPanel(connection);
const form = new ConnectForm(connection, new URL('/mcp', location.href));
const store = new StoreView(connection.inPage);
const tabs = new Tabs('tabs');
const tools = new ToolsSection(connection, handles);
const resources = new ResourcesSection(connection);
const prompts = new PromptsSection(connection);
const timeline = new Timeline();
new TimelinePanel(timeline);
const pill = byId('state', HTMLElement);
/** Whose offers are shown. @type {McpClient | undefined} */
let shown;

async function showOffers() {
  const { client } = connection;
  if (!client) return;
  const { capabilities } = client;
  // A new session at the same server leaves what was typed where it is.
  if (client !== shown) {
    resources.clear();
    prompts.clear();
  }
  shown = client;
  tabs.offer([
    ...(capabilities?.tools || !(capabilities?.resources || capabilities?.prompts) ? ['panel-tools'] : []),
    ...(capabilities?.resources ? ['panel-resources'] : []),
    ...(capabilities?.prompts ? ['panel-prompts'] : []),
  ]);
  resources.load(client);
  prompts.load(client);
  showTools();
}

async function showTools() {
  const { client } = connection;
  if (!client) return;
  try {
    await tools.load(client);
  } catch (error) {
    if (client === connection.client && connection.state === 'connected') form.showTrouble(error);
  }
}

function showState() {
  const { state } = connection;
  pill.dataset.state = state;
  pill.textContent = STATES[state];
  form.update();
  session.update();
  store.update(state === 'connected' && connection.place.target === 'page');
  for (const section of [tools, resources, prompts]) section.enable(state === 'connected');
  byId('tools-note', HTMLElement).hidden = connection.isOpen || !shown;
}

connection.addEventListener('change', () => {
  showState();
  timeline.state(connection);
  if (connection.state === 'connecting') {
    log.forgetAsked();
  } else if (connection.state === 'connected') {
    handles.clear();
    showOffers();
  }
});
connection.addEventListener('notification', (event) => {
  const { method } = /** @type {CustomEvent} */ (event).detail;
  if (method === 'notifications/tools/list_changed') showTools();
});
connection.addEventListener('message', (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  log.add(detail);
  timeline.message(detail);
  session.tick();
});
connection.addEventListener('wire', (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  timeline.wire(detail);
  tools.wire(detail);
});

// Nobody comes back for the session.
addEventListener('pagehide', () => {
  if (connection.isOpen) connection.close();
});

showState();
