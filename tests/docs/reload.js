// docs/javascript.md: a page whose session goes on after a reload.
import { load, openClient } from 'mcp-session';

const client = await openClient(await load(), {
  url: '/mcp',
  name: 'my-page',
  version: '1.0',
  era: 'handshake',
  persist: 'my-server',
});
const { structuredContent } = await client.callTool('count');
document.title = `${structuredContent.count} calls in this session`;
