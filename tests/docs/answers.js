// docs/javascript.md: a client that answers what servers ask.
import { load, McpClient } from 'mcp-session';

const client = new McpClient(await load(), {
  url: 'http://127.0.0.1:8808/mcp',
  name: 'my-page',
  version: '1.0',
  answers: {
    'elicitation/create': async ({ message, requestedSchema }, { signal }) => {
      const content = await showForm(message, requestedSchema, signal);
      return content ? { action: 'accept', content } : { action: 'cancel' };
    },
    'roots/list': () => ({ roots: [{ uri: 'file:///home/me/project', name: 'project' }] }),
  },
});

async function showForm(message, schema, signal) {
  console.log(message);
  return signal.aborted ? undefined : { username: 'ada', email: 'ada@example.com' };
}

const { content } = await client.callTool('test_elicitation', { message: 'Who are you?' });
console.log(content[0].text);
await client.close();
