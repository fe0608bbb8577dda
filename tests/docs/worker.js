// README.md, for authors of pages: a server in a worker of the page.
import { load, SessionServer, ToolError } from 'mcp-session';

const ready = load().then((core) => {
  const server = new SessionServer(core, { name: 'baskets', version: '1.0' });
  server.tool({ name: 'create_basket', state: { makes: 'basket' } }, (args, call) => {
    call.state.items = [];
    return { basket: call.handle };
  });
  server.tool({ name: 'add_item', state: { takes: 'basket' }, inputSchema: {
    type: 'object',
    properties: { basket: { type: 'string' }, item: { type: 'string' } },
    required: ['basket', 'item'],
  } }, ({ item }, call) => {
    if (typeof item !== 'string') throw new ToolError('the argument item must be a string');
    call.state.items.push(item);
    return call.state;
  });
  return server;
});
self.onmessage = async ({ ports }) => (await ready).connect(ports[0]);
