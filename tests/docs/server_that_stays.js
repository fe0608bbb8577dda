// docs/javascript.md: a server in the page that keeps its state over a reload.
import { createSessionStore, load, SessionServer } from 'mcp-session';

const core = await load();
const store = await createSessionStore(core, { prefix: 'notes', persist: true, encrypt: true });
const server = new SessionServer(core, { name: 'notes', version: '1.0', store });
server.tool({ name: 'open_notebook', state: { makes: 'notebook' } }, (args, call) => {
  call.state.notes = [];
  return { notebook: call.handle };
});
