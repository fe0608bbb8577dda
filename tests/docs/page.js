// README.md, for authors of pages: a client of the server that the page came from.
import { load, McpClient } from 'mcp-session';

const core = await load();
const client = new McpClient(core, { url: '/mcp', name: 'my-page', version: '1.0' });

const made = await client.callTool('create_basket');
const { basket } = made.structuredContent;
const filled = await client.callTool('add_item', { basket, item: 'apple' });
console.log(filled.structuredContent);

await client.callTool('slow_count', { to: 3 }, {
  onProgress: ({ progress, total }) => console.log(`${progress} of ${total}`),
});
await client.close();
