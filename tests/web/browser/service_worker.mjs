import { load, SessionServer } from './mcp-session/index.js';
import { addTools } from './tools.mjs';

const server = load()
  .then((core) => addTools(new SessionServer(core, { name: 'service worker', version: '1.0' })));
addEventListener('install', (event) => event.waitUntil(server.then(() => skipWaiting())));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (!new URL(event.request.url).pathname.endsWith('/in-service-worker')) return;
  event.respondWith(server.then((each) => each.fetch(event.request)));
});
