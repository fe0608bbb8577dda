// sdk_server.mjs session|stateless|sse|stdio: a server made with the official TypeScript SDK; sse is the
// transport of 2024-11-05. Prints its URL, but for stdio.
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
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

function makeOldServer() {
  const server = new OldServer(about);
  server.registerTool('echo', { ...tool, inputSchema: { message: z.string() } }, echo);
  return server;
}

async function handleSse(request, response) {
  const url = new URL(request.url, 'http://localhost');
  if (request.method === 'GET' && url.pathname === '/mcp') {
    const transport = new SSEServerTransport('/messages', response);
    transports.set(transport.sessionId, transport);
    return makeOldServer().connect(transport);
  }
  const transport = transports.get(url.searchParams.get('sessionId'));
  if (request.method === 'POST' && transport) return transport.handlePostMessage(request, response);
  return response.writeHead(404).end();
}

const handlers = {
  session: handleSession,
  stateless: toNodeHandler(createMcpHandler(makeServer)),
  sse: handleSse,
};

if (kind === 'stdio') {
  await makeOldServer().connect(new StdioServerTransport());
} else {
  const handle = handlers[kind];
  const server = createServer(handle);
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}
