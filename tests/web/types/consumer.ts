// A program in TypeScript that uses every part of the package; it is checked, not run.
import {
  Core,
  load,
  loadSync,
  McpClient,
  SessionError,
  SessionServer,
  ToolError,
  type ErrorCode,
  type LoggedMessage,
  type ToolInfo,
  type ToolResult,
} from 'mcp-session';

export async function serve(port: MessagePort, request: Request): Promise<Response> {
  const core: Core = await load({ url: new URL('core.wasm', 'https://cdn.example/') });
  const server = new SessionServer(core, {
    name: 'shop',
    version: '1.0',
    title: 'Shop',
    instructions: 'Ask for a basket first.',
    sessionTtl: 60_000,
    hosts: { hosts: ['shop.example'], origins: ['https://app.example'] },
    store: { maxRecords: 10 },
    clock: () => performance.now(),
  });
  server
    .tool({ name: 'make', state: { makes: 'basket', ttl: 1000 } }, (_, call) => ({
      basket: call.handle,
    }))
    .tool<{ basket: string; item: string }>(
      {
        name: 'add',
        inputSchema: { type: 'object', properties: { item: { type: 'string' } } },
        annotations: { idempotentHint: true },
        state: { takes: 'basket' },
      },
      async ({ item }, call) => {
        if (call.signal.aborted) throw new ToolError('too late');
        call.state.items = [...(call.state.items ?? []), item.trim()];
        call.progress(1, { total: 2, message: 'half' });
        return call.era === 'stateless' ? 'added' : { content: [], isError: false };
      },
    );
  server.addEventListener('error', (event) => {
    event.preventDefault();
    console.error(event.detail);
  });
  const connection = server.connect(port, { principal: 'alice' });
  connection.close();
  return server.fetch(request, { principal: 'alice' });
}

export async function use(module: WebAssembly.Module, worker: MessagePort): Promise<string[]> {
  const core = loadSync(module, { entropy: (bytes) => void crypto.getRandomValues(bytes) });
  const client = new McpClient(core, {
    url: 'https://shop.example/mcp',
    headers: () => ({ authorization: 'Bearer x' }),
    credentials: 'include',
    name: 'page',
    version: '1.0',
    era: 'auto',
  });
  const log: LoggedMessage[] = [];
  client.addEventListener('message', (event) => log.push(event.detail));
  client.addEventListener('notification', ({ detail }) => console.log(detail.method));
  client.addEventListener('sessionlost', () => console.log('lost'), { once: true });
  client.addEventListener('anything', null);
  try {
    await client.connect({ signal: AbortSignal.timeout(1000) });
    const tools: ToolInfo[] = await client.listTools();
    const result: ToolResult = await client.callTool('add', { item: 'x' }, {
      onProgress: ({ progress, total }) => console.log(progress / (total ?? 1)),
      timeout: 5000,
    });
    const left: number | undefined = client.sessionTtl && client.sessionTtl.expiresAt - Date.now();
    console.log(result.content[0]?.text, left, client.serverInfo?.name, client.sessionId);
    await client.request('resources/read', { uri: 'mem://x' });
    const names: string[] = [
      ...(await client.listResources({ cache: 'reload' })).map(({ uri }) => uri),
      ...(await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate),
      ...(await client.listPrompts()).map(({ name }) => name),
    ];
    console.log(names, (await client.readResource('mem://x')).contents);
    for await (const { method, params } of client.changes({ tools: true, uris: ['mem://x'] })) {
      console.log(method, params?.uri);
      break;
    }
    client.rootsChanged();
    return tools.map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    const code: ErrorCode = error.code;
    return [code, error.rpc?.message ?? ''];
  } finally {
    await client.close();
    await new McpClient(core, { port: worker, name: 'page', version: '1' }).close();
  }
}

// Every mistake here must be one.
export function mistakes(core: Core, server: SessionServer, client: McpClient) {
  // @ts-expect-error: the name is missing
  new SessionServer(core, { version: '1' });
  // @ts-expect-error: no such option
  new SessionServer(core, { name: 'x', version: '1', sesionTtl: 1 });
  // @ts-expect-error: no such use of state
  server.tool({ name: 'x', state: { makez: 'a' } }, () => 1);
  // @ts-expect-error: made by load()
  new Core();
  // @ts-expect-error: read only
  client.era = 'stateless';
  // @ts-expect-error: no such event detail
  client.addEventListener('message', (event) => event.detail.body);
}
