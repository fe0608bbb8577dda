// docs/session-store.md: where a server in JavaScript keeps state.
import { load, McpClient, SessionServer } from 'mcp-session';

const core = await load();
const server = new SessionServer(core, {
  name: 'shop',
  version: '1.0',
  sessionTtl: 30 * 60_000,
  store: { maxRecords: 1_000, maxBytes: 16 << 20, maxRecordBytes: 64 << 10 },
});

// In the session: of this conversation, and gone with it.
server.tool({ name: 'count', state: { session: true } }, (args, call) => {
  call.state.count = (call.state.count ?? 0) + 1;
  return { count: call.state.count };
});

// Under a handle: of the caller, in whatever session, for an hour after it was last used.
server.tool({ name: 'open_cart', state: { makes: 'cart', ttl: 60 * 60_000 } }, (args, call) => {
  call.state.items = [];
  return { cart: call.handle };
});
const takesCart = { name: 'add', state: { takes: 'cart' }, inputSchema: {
  type: 'object', properties: { cart: { type: 'string' }, item: { type: 'string' } },
} };
server.tool(takesCart, ({ item }, call) => {
  call.state.items.push(item);
  return call.state;
});
server.tool({ ...takesCart, name: 'close_cart' }, (args, call) => call.endHandle());

// Somebody who was verified to be `principal` calls: over HTTP, or as here without any network.
const clientOf = (principal) => new McpClient(core, {
  name: 'page', version: '1.0', era: 'handshake',
  fetch: (request) => server.fetch(request, { principal }),
});

const alice = clientOf('alice');
await alice.callTool('count');
console.log((await alice.callTool('count')).structuredContent);
const { cart } = (await alice.callTool('open_cart')).structuredContent;
await Promise.all(['tea', 'milk'].map((item) => alice.callTool('add', { cart, item })));
console.log((await alice.callTool('add', { cart, item: 'honey' })).structuredContent);

const bob = clientOf('bob');
console.log((await bob.callTool('add', { cart, item: 'salt' })).isError);
await alice.callTool('close_cart', { cart });
console.log((await alice.callTool('add', { cart, item: 'bread' })).isError);
await Promise.all([alice.close(), bob.close()]);
