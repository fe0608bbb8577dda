// docs/javascript.md: a client that hears of changes.
import { load, McpClient } from 'mcp-session';

const client = new McpClient(await load(), {
  url: 'http://127.0.0.1:8808/mcp',
  name: 'my-page',
  version: '1.0',
});

const controller = new AbortController();
const { signal } = controller;
let shown = 0;
for await (const { method } of client.changes({ tools: true }, { signal })) {
  console.log(method);
  showTools(await client.listTools());
  if (method.endsWith('list_changed')) break;
}

function showTools(tools) {
  console.log(tools.length > 0);
  if (!shown++) client.callTool('test_trigger_tool_change');
}
await client.close();
