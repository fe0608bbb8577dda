import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deferred, handshake, mcp, newCore, stateless, wasmModule, wasmUrl } from './support.mjs';

const { Core, load, loadSync, McpClient, SessionServer } = mcp;
const about = { name: 'test', version: '1.0' };

test('loads from a module, a URL and at once', async () => {
  for (const core of [
    await load({ module: wasmModule }),
    await load({ url: wasmUrl }),
    await load({ url: String(wasmUrl) }),
    await load({ url: `data:application/wasm;base64,${readFileSync(wasmUrl).toString('base64')}` }),
    loadSync(wasmModule),
  ]) {
    assert.ok(core instanceof Core);
    assert.equal(core.dead, false);
    assert.equal(core.memoryBytes, 1 << 20);
    new SessionServer(core, about).close();
  }
});

test('refuses what is not the core', async () => {
  const empty = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  await assert.rejects(load({ module: empty }), TypeError);
  assert.throws(() => loadSync(empty), TypeError);
  assert.throws(() => loadSync(readFileSync(wasmUrl)), TypeError);
  assert.throws(() => new Core({}), TypeError);
  await assert.rejects(load({ url: new URL('none.wasm', wasmUrl) }), /ENOENT/);
});

test('cores share nothing', async () => {
  const [first, second] = [loadSync(wasmModule), loadSync(wasmModule)];
  const server = new SessionServer(first, about);
  const { request } = await handshake(server);
  const other = new SessionServer(second, about);
  assert.equal((await server.fetch(request('ping'))).status, 200);
  assert.equal((await other.fetch(request('ping'))).status, 404);
});

test('ids come from the entropy that is given', async () => {
  const ids = [];
  for (let run = 0; run < 2; ++run) {
    let next = 0;
    const core = loadSync(wasmModule, { entropy: (bytes) => bytes.forEach((_, i) => (bytes[i] = next++)) });
    const { headers } = await handshake(new SessionServer(core, about));
    ids.push(headers['mcp-session-id']);
  }
  assert.equal(ids[0], ids[1]);
  const { headers } = await handshake(new SessionServer(loadSync(wasmModule), about));
  assert.notEqual(headers['mcp-session-id'], ids[0]);
});

/** Makes the core trap: it is handed a pointer to nowhere. */
function breakCore(core) {
  assert.throws(() => core.call('mcps_server_deadline', -64), (error) => {
    assert.equal(error.code, 'CORE_DEAD');
    assert.ok(error.cause instanceof WebAssembly.RuntimeError);
    return true;
  });
}

test('after a trap everything on the core fails with CORE_DEAD', async () => {
  const core = loadSync(wasmModule);
  const server = new SessionServer(core, about);
  const running = deferred();
  const signals = [];
  server.tool({ name: 'wait' }, (_, call) => {
    signals.push(call.signal);
    call.progress(1);
    running.resolve();
    return new Promise(() => {});
  });
  const call = (meta) => server.fetch(stateless('tools/call', { name: 'wait' }, { meta }));
  const waiting = call();
  const streaming = await call({ progressToken: 1 });
  const client = new McpClient(core, {
    ...about,
    era: 'stateless',
    fetch: () => new Promise(() => {}),
  });
  const [connecting, listing] = [client.connect(), client.listTools()];
  await running.promise;

  breakCore(core);
  assert.equal(core.dead, true);
  const dead = { name: 'SessionError', code: 'CORE_DEAD' };
  await assert.rejects(waiting, dead);
  await assert.rejects(streaming.text(), dead);
  await assert.rejects(connecting, dead);
  await assert.rejects(listing, dead);
  assert.deepEqual(signals.map(({ reason }) => reason.code), ['CORE_DEAD', 'CORE_DEAD']);

  await assert.rejects(call(), dead);
  await assert.rejects(client.callTool('wait'), dead);
  assert.throws(() => server.tool({ name: 'x' }, () => {}), dead);
  assert.throws(() => new SessionServer(core, about), dead);
  assert.throws(() => new McpClient(core, { ...about, url: 'http://localhost/' }), dead);
  await client.close();
  server.close();
  new SessionServer(loadSync(wasmModule), about).close();
});

test('entropy that fails ends the core', async () => {
  const cause = new Error('no entropy');
  const core = loadSync(wasmModule, {
    entropy: () => {
      throw cause;
    },
  });
  assert.throws(() => new SessionServer(core, about), { code: 'CORE_DEAD', cause });
});

test('memory does not grow over ten thousand calls', async () => {
  const core = await newCore();
  const server = new SessionServer(core, about);
  server.tool({ name: 'count', state: { session: true } }, (_, { state }) => {
    state.count = (state.count ?? 0) + 1;
    return state;
  });
  const client = new McpClient(core, {
    ...about,
    era: 'handshake',
    fetch: (request) => server.fetch(request),
  });
  const calls = async (count) => {
    let last;
    for (let i = 0; i < count; ++i) last = await client.callTool('count');
    return last.structuredContent.count;
  };
  await calls(500);
  const before = core.memoryBytes;
  assert.equal(await calls(10_000), 10_500);
  assert.equal(core.memoryBytes, before);
  await client.close();
});

test('memory does not grow over a thousand sessions, servers and clients', async () => {
  const core = await newCore();
  const server = new SessionServer(core, about);
  const once = async () => {
    const client = new McpClient(core, {
      ...about,
      era: 'handshake',
      fetch: (request) => server.fetch(request),
    });
    await client.connect();
    await client.close();
    new SessionServer(core, about).close();
  };
  for (let i = 0; i < 50; ++i) await once();
  const before = core.memoryBytes;
  for (let i = 0; i < 1000; ++i) await once();
  assert.equal(core.memoryBytes, before);
});

test('a large message is given back', async () => {
  const core = await newCore();
  const server = new SessionServer(core, about);
  server.tool({ name: 'echo' }, ({ text }) => text);
  const client = new McpClient(core, { ...about, fetch: (request) => server.fetch(request) });
  const text = 'é'.repeat(100_000);
  const large = async () => (await client.callTool('echo', { text })).content[0].text;
  assert.equal(await large(), text);
  await large();
  const before = core.memoryBytes;
  for (let i = 0; i < 20; ++i) await large();
  assert.equal(core.memoryBytes, before);
  await client.close();
});

test('what is dropped without close is given back', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const core = await newCore();
  const collected = async () => {
    for (let tries = 0; tries < 50 && core.engines.size > 0; ++tries) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return core.engines.size === 0;
  };
  for (let round = 0; round < 3; ++round) {
    for (let i = 0; i < 20; ++i) {
      new SessionServer(core, about).tool({ name: 'x' }, () => {});
      new McpClient(core, { ...about, url: 'http://localhost/' });
    }
    assert.ok(await collected());
  }
  assert.equal(core.memoryBytes, 1 << 20);
});

test('an idle timer keeps no program running', async () => {
  // A session is open, and its end is due in 30 minutes: this test file ends all the same.
  const server = new SessionServer(await newCore(), about);
  await handshake(server);
  server.wake();
});
