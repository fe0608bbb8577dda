// The server in the page: the core in a worker of its own, serving the demo tools on every
// port that the page sends. Says 'ready', or what went wrong, to each.
import { load, SessionServer } from './mcp-session/index.js';
import { addDemoTools } from './demo_tools.js';

async function start() {
  const core = await load();
  const server = new SessionServer(core, {
    name: 'mcp-session-page',
    title: 'mcp-session in this page',
    version: '0.1.0',
  });
  addDemoTools(server);
  return server;
}

const server = start();
server.catch(() => {}); // told below, to whoever asks

self.addEventListener('message', async ({ ports }) => {
  const [port] = ports;
  if (!port) return;
  try {
    (await server).connect(port);
    self.postMessage({ ready: true });
  } catch (error) {
    self.postMessage({ ready: false, why: String(error) });
  }
});
