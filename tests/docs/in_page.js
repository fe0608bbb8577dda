// README.md, for authors of pages: a client of the server in worker.js.
import { load, McpClient } from 'mcp-session';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const { port1, port2 } = new MessageChannel();
worker.postMessage('connect', [port2]);

const client = new McpClient(await load(), { port: port1, name: 'my-page', version: '1.0' });
const { structuredContent } = await client.callTool('create_basket');
console.log(structuredContent.basket);
await client.close();
