// README.md, for users of other clients: the official TypeScript SDK, 1.x.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const transport = new StreamableHTTPClientTransport(new URL('http://127.0.0.1:8808/mcp'));
const client = new Client({ name: 'my-client', version: '1.0' });
await client.connect(transport);
console.log((await client.callTool({ name: 'count' })).structuredContent);
console.log((await client.callTool({ name: 'count' })).structuredContent);
await transport.terminateSession();
await client.close();
