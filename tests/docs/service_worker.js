// docs/recipes.md: a server in a Service Worker.
import { load, SessionServer } from 'mcp-session';

const server = load().then((core) =>
  new SessionServer(core, { name: 'in the page', version: '1.0' })
    .tool({ name: 'clock' }, () => new Date().toISOString()),
);

addEventListener('fetch', (event) => {
  if (new URL(event.request.url).pathname !== '/mcp') return;
  event.respondWith(server.then((each) => each.fetch(event.request)));
});
