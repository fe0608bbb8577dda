// A program for Node, with the types of Node alone; it is checked, not run.
import http from 'node:http';
import { MessageChannel } from 'node:worker_threads';
import { load, McpClient, SessionServer } from 'mcp-session';

const core = await load();
await using client = new McpClient(core, {
  url: 'https://shop.example/mcp',
  headers: { authorization: 'Bearer x' },
  name: 'program',
  version: '1.0',
});
client.addEventListener('message', ({ detail }) => console.log(detail.text), { once: true });
console.log((await client.callTool('count')).content);

using server = new SessionServer(core, { name: 'shop', version: '1.0', hosts: 'loopback' });
server.connect(new MessageChannel().port1);
http.createServer(async (incoming, outgoing) => {
  const response = await server.fetch(new Request(`http://${incoming.headers.host}/mcp`));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(await response.text());
});
