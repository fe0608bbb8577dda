// docs/javascript.md: the official SDK's client over the core.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ClientTransport, load } from 'mcp-session';

const transport = new ClientTransport(await load(), { url: 'http://127.0.0.1:8808/mcp' });
const client = new Client({ name: 'my-client', version: '1.0' });
await client.connect(transport);
const { tools } = await client.listTools();
console.log(tools.length > 0);
await client.close();
