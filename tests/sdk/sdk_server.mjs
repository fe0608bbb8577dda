// sdk_server.mjs session|stateless|stdio: a server made with the official TypeScript SDK. Prints its URL, but
// for stdio.
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import * as z from 'zod/v4';

const [kind] = process.argv.slice(2);
const about = { name: 'sdk', version: '1.0.0' };
const tool = { description: 'Echo the message', inputSchema: z.object({ message: z.string() }) };
const echo = ({ message }) => ({ content: [{ type: 'text', text: message }] });

function makeServer() {
  const server = new McpServer(about);
  server.registerTool('echo', tool, echo);
  return server;
}

const transports = new Map();

async function handleSession(request, response) {
  let transport = transports.get(request.headers['mcp-session-id']);
  if (!transport && request.headers['mcp-session-id']) return response.writeHead(404).end();
  if (!transport) {
    transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (made) => void transports.set(made, transport),
    });
    await makeServer().connect(transport);
  }
  return transport.handleRequest(request, response);
}

if (kind === 'stdio') {
  const server = new OldServer(about);
  server.registerTool('echo', { ...tool, inputSchema: { message: z.string() } }, echo);
  await server.connect(new StdioServerTransport());
} else {
  const handle = kind === 'stateless' ? toNodeHandler(createMcpHandler(makeServer)) : handleSession;
  const server = createServer(handle);
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}
