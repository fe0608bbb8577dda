import { load, loadSync, McpClient, SessionServer } from './mcp-session/index.js';
import { addTools } from './tools.mjs';

const failures = [];
const passed = [];
async function check(name, body) {
  try {
    await body();
    passed.push(name);
  } catch (error) {
    failures.push(`${name}: ${error?.stack ?? error} ${error?.cause ?? ''}`);
  }
}
function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, not ${b}`);
}
async function fails(promise, code) {
  const error = await promise.then(() => undefined, (error) => error);
  equal(error?.code, code);
  return error;
}
addEventListener('securitypolicyviolation', (event) =>
  failures.push(`CSP: ${event.violatedDirective} ${event.blockedURI}`));

const about = { name: 'page', version: '1.0' };
const core = await load();

/** Does with a server what everybody does. */
async function exercise(options, { name, where, eras = ['stateless', 'handshake'] }) {
  for (const era of eras) {
    const client = new McpClient(core, { ...about, ...options, era });
    await client.connect({ signal: AbortSignal.timeout(10_000) });
    equal([client.era, client.serverInfo.name], [era, name]);
    equal((await client.listTools()).length, 5);
    equal((await client.callTool('where')).content[0].text, where);
    const progress = [];
    const onProgress = (each) => progress.push(each.progress);
    equal((await client.callTool('steps', {}, { onProgress })).content[0].text, 'done');
    equal(progress, [1, 2, 3]);
    if (era === 'handshake') {
      await client.callTool('count');
      equal((await client.callTool('count')).structuredContent, { count: 2 });
    }
    await fails(client.callTool('none'), 'INVALID_PARAMS');
    await client.close();
  }
}

await check('a server in the page', async () => {
  const server = addTools(new SessionServer(core, { name: 'page', version: '1.0' }));
  await exercise({ fetch: (request) => server.fetch(request) }, { name: 'page', where: 'Window' });
  server.close();
});

/** A worker that serves, and is asked by nobody else. */
async function startWorker() {
  const worker = new Worker('./worker.mjs', { type: 'module' });
  await new Promise((resolve, reject) => {
    worker.addEventListener('message', resolve, { once: true });
    worker.addEventListener('error', (event) => reject(new Error(event.message)), { once: true });
  });
  return worker;
}

await check('a server in a worker', async () => {
  for (const era of ['stateless', 'handshake']) {
    const port = await startWorker();
    await exercise({ port }, { name: 'worker', where: 'DedicatedWorkerGlobalScope', eras: [era] });
    port.terminate();
  }
});

await check('aborting a request cancels it in the worker', async () => {
  const port = await startWorker();
  const client = new McpClient(core, { ...about, port });
  const controller = new AbortController();
  const waiting = client.callTool('wait', {}, { signal: controller.signal });
  await client.listTools();
  controller.abort();
  await fails(waiting, 'CANCELLED');
  equal((await client.callTool('aborted')).content[0].text, '1');
  await client.close();
  port.terminate();
});

await check('a worker that does not start', async () => {
  const worker = new Worker('./none.mjs', { type: 'module' });
  const client = new McpClient(core, { ...about, port: worker });
  await fails(client.connect(), 'TRANSPORT');
});

await check('a server in a service worker', async () => {
  await navigator.serviceWorker.register('./service_worker.mjs', { type: 'module' });
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) {
    await new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
  }
  await exercise({ url: './in-service-worker' }, { name: 'service worker', where: 'ServiceWorkerGlobalScope' });
});

await check('a server elsewhere', () =>
  exercise({ url: '/mcp' }, { name: 'node', where: 'Object' }));

await check('a response that is let go cancels the call elsewhere', async () => {
  const client = new McpClient(core, { ...about, url: '/mcp' });
  const controller = new AbortController();
  const before = (await client.callTool('aborted')).content[0].text;
  const waiting = client.callTool('wait', {}, { signal: controller.signal, onProgress() {} });
  await client.listTools();
  controller.abort();
  await fails(waiting, 'CANCELLED');
  for (let tries = 0; tries < 100; ++tries) {
    if ((await client.callTool('aborted')).content[0].text === String(Number(before) + 1)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the call was not cancelled');
});

// The answer to the preflight of the probe does not know the headers of the stateless era.
await check('an old server of another origin', async () => {
  const { url } = await (await fetch('/old-server')).json();
  const client = new McpClient(core, { ...about, url });
  equal((await client.callTool('where')).content[0].text, 'Object');
  equal(client.era, 'handshake');
  await client.close();
});

await check('a server that is not there', async () => {
  const client = new McpClient(core, { ...about, url: 'http://127.0.0.1:1/mcp' });
  const { cause } = await fails(client.connect(), 'TRANSPORT');
  equal(cause instanceof TypeError, true);
  await client.close();
});

await check('a module shared with a worker', async () => {
  const bytes = await (await fetch('./mcp-session/core.wasm')).arrayBuffer();
  const module = await WebAssembly.compile(bytes);
  const other = await load({ module });
  const server = new SessionServer(other, { ...about, hosts: 'loopback' });
  const { status } = await server.fetch(new Request('/mcp', { method: 'POST', body: '{' }));
  equal(status >= 400 && status < 500, true);
  equal(typeof loadSync, 'function');
});

await fetch('/result', {
  method: 'POST',
  body: JSON.stringify({ agent: navigator.userAgent, failures, passed }),
});
