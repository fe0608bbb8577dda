// sdk_server.mjs stateful|stateless [REDIS_PORT]: the same server with the official TypeScript SDK, as its
// documentation does it: a transport and a server object for each session, or createMcpHandler. With a port
// the handler of `remember` loads and saves its state in Redis. Prints its port.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler, isInitializeRequest } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';

const [kind, redisPort] = process.argv.slice(2);
let redis;
if (redisPort) {
  const { default: Redis } = await import('ioredis');
  redis = new Redis(Number(redisPort), '127.0.0.1');
}

const text = (message) => ({ content: [{ type: 'text', text: message }] });

function makeServer() {
  const server = new McpServer({ name: 'sdk', version: '1.0.0' });
  const description = 'Echo the message';
  const inputSchema = z.object({ message: z.string() });
  server.registerTool('echo', { description, inputSchema }, ({ message }) => text(message));
  server.registerTool('remember', { description, inputSchema }, async ({ message }, context) => {
    const key = `session:${context.sessionId}`;
    const kept = await redis.get(key);
    const state = kept ? JSON.parse(kept) : { calls: 0 };
    state.calls += 1;
    state.last = message;
    await redis.set(key, JSON.stringify(state), 'EX', 1800);
    return text(message);
  });
  return server;
}

const transports = new Map();

async function transportOf(request, body) {
  const id = request.headers['mcp-session-id'];
  if (id) return transports.get(id);
  if (!isInitializeRequest(body)) return undefined;
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    enableJsonResponse: true,
    onsessioninitialized: (made) => void transports.set(made, transport),
  });
  transport.onclose = () => transports.delete(transport.sessionId);
  await makeServer().connect(transport);
  return transport;
}

async function handleStateful(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = request.method === 'POST' ? JSON.parse(Buffer.concat(parts)) : undefined;
  const transport = await transportOf(request, body);
  if (transport) return transport.handleRequest(request, response, body);
  response.writeHead(404).end();
}

const handle = kind === 'stateless' ? toNodeHandler(createMcpHandler(makeServer, { responseMode: 'auto' })) : handleStateful;
const server = createServer(handle);
server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port));
process.on('SIGTERM', () => process.exit(0));
process.on('SIGUSR2', () => globalThis.gc?.());
