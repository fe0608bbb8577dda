// docs/recipes.md: a page in which a model calls tools.
import { load, McpClient } from 'mcp-session';

const client = new McpClient(await load(), {
  url: 'http://127.0.0.1:8808/mcp',
  name: 'my-chat',
  version: '1.0',
  answers: {
    'elicitation/create': async ({ message, requestedSchema }, { signal }) => {
      const content = await showForm(message, requestedSchema, signal);
      return content ? { action: 'accept', content } : { action: 'cancel' };
    },
  },
});

/** The model's turn, until it wants no more of the tools. Aborting `signal` stops it anywhere. */
async function reply(messages, signal) {
  for (;;) {
    const tools = await client.listTools({ signal });
    const { text, calls } = await askModel(messages, tools, signal);
    messages.push({ role: 'assistant', text, calls });
    if (!calls.length) return text;
    for (const { id, name, args } of calls) {
      const onProgress = ({ progress, total }) => showProgress(name, progress, total);
      try {
        const { content, isError } = await client.callTool(name, args, { signal, onProgress });
        messages.push({ role: 'tool', id, content, isError });
      } catch (error) {
        if (signal.aborted) throw error;
        messages.push({ role: 'tool', id, content: [{ type: 'text', text: error.message }], isError: true });
      }
    }
  }
}

const script = [
  { text: 'Let me see.', calls: [{ id: 1, name: 'test_tool_with_progress', args: {} }] },
  { text: '', calls: [
    { id: 2, name: 'test_elicitation', args: { message: 'Who are you?' } },
    { id: 3, name: 'no_such_tool', args: {} },
  ] },
  { text: 'Done.', calls: [] },
];
const progress = [];

async function askModel(_messages, tools) {
  if (!tools.some(({ name }) => name === 'test_elicitation')) throw new Error('no tools');
  return script.shift();
}

async function showForm(message) {
  console.log(message);
  return { username: 'ada', email: 'ada@example.com' };
}

function showProgress(name, done, total) {
  progress.push(`${name} ${done}/${total}`);
}

const messages = [{ role: 'user', text: 'Hello' }];
console.log(await reply(messages, new AbortController().signal));
console.log(messages);
console.log(progress);
await client.close();
