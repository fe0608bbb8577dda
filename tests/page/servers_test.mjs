// servers_test.mjs PROGRAM: the page as a client of other servers than the one it came from. The page
// is at a name of its own, so that its origin is one that servers have to admit.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startBrowser, startServer, Visit } from './support.mjs';

const [program] = process.argv.slice(2);
const NAME = 'page.localhost';
const TOKEN = 'a-token-of-alice-0123456789';

let home;
let origin;
let admitting;
let closed;
let guarded;
let site;
let browser;
before(async () => {
  home = await startServer(program, ['--allow-host', NAME]);
  origin = `http://${NAME}:${new URL(home.url).port}`;
  const tokens = path.join(process.env.TEST_TMPDIR ?? tmpdir(), `tokens-${process.pid}`);
  writeFileSync(tokens, `alice ${TOKEN}\n`, { mode: 0o600 });
  admitting = await startServer(program, ['--allow-origin', origin]);
  closed = await startServer(program);
  guarded = await startServer(program, ['--allow-origin', origin, '--tokens', tokens]);
  // What answers, but is no MCP server.
  site = http.createServer((request, response) => {
    const status = { '/missing': 404, '/forbidden': 403 }[request.url] ?? 200;
    response.writeHead(request.method === 'OPTIONS' ? 204 : status, {
      'content-type': 'text/html',
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*, authorization',
    });
    response.end(request.method === 'OPTIONS' ? undefined : '<p>Hello</p>');
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  site?.close();
  site?.closeAllConnections();
  for (const server of [home, admitting, closed, guarded]) await server?.stop();
});

const visit = () => Visit.start(browser.browser, `${origin}/`);
const at = (path) => `http://127.0.0.1:${site.address().port}${path}`;

for (const era of ['handshake', 'stateless', 'auto']) {
  test(`another server that admits the page, ${era}`, async () => {
    const visitor = await visit();
    await visitor.connect({ target: 'other', url: admitting.endpoint, era });
    assert.match(await visitor.page.locator('#chosen').innerText(), /^Another server 127\.0\.0\.1:\d+$/);
    const { members } = await visitor.call('create_basket');
    const added = await visitor.call('add_item', { item: 'Pears', quantity: 3 });
    assert.equal(added.members.basket, members.basket);
    await visitor.disconnect();
    await visitor.end();
  });
}

test('an address without a scheme is completed', async () => {
  const visitor = await visit();
  const { host } = new URL(admitting.endpoint);
  await visitor.connect({ target: 'other', url: ` ${host}/mcp ` });
  await visitor.disconnect();
  assert.equal(await visitor.page.getByLabel('URL', { exact: true }).inputValue(), admitting.endpoint);
  await visitor.end();
});

test('a token goes with each request, and is shown and kept nowhere', async () => {
  const visitor = await visit();
  const sent = new Set();
  visitor.page.on('request', (request) => {
    if (request.url() === guarded.endpoint && request.method() !== 'OPTIONS') {
      sent.add(request.headers().authorization);
    }
  });
  await visitor.connect({ target: 'other', url: guarded.endpoint, token: TOKEN, era: 'stateless' });
  await visitor.call('create_basket');
  // By the token the server knows whose they are.
  assert.equal((await visitor.call('list_baskets')).rows.length, 1);
  assert.deepEqual([...sent], [`Bearer ${TOKEN}`]);
  await visitor.openAll();
  const shown = await visitor.page.evaluate(() => document.documentElement.outerHTML);
  assert.ok(!shown.includes(TOKEN), 'the page shows the token');
  const kept = await visitor.page.evaluate(async () => {
    const databases = await indexedDB.databases();
    return [localStorage.length, sessionStorage.length, databases.length, document.cookie, location.href];
  });
  assert.deepEqual(kept, [0, 0, 0, '', `${origin}/`]);
  await visitor.disconnect();
  await visitor.end();
});

for (const [what, choose, title, text, complaint] of [
  ['does not admit the page', () => ({ url: closed.endpoint }),
    'The server does not let this page in', /--allow-origin/, /CORS|ERR_FAILED|405/],
  ['is not there', () => ({ url: 'http://127.0.0.1:9/mcp' }),
    'The server cannot be reached', /Nothing answers at 127\.0\.0\.1:9/, /ERR_|Failed to load/],
  ['wants a token', () => ({ url: guarded.endpoint }),
    'The server asks for a token', /connect again/, /401/],
  ['does not know the token', () => ({ url: guarded.endpoint, token: 'somebody-elses' }),
    'The server does not take this token', /expired/, /401/],
  ['forbids it', () => ({ url: at('/forbidden'), token: TOKEN }),
    'The server refuses access', /token is not enough/, /403/],
  ['is a web page', () => ({ url: at('/') }),
    'There is no MCP server at this address', /200, text\/html/],
  ['has nothing at that path', () => ({ url: at('/missing') }),
    'There is no MCP server at this address', /404/, /404/],
]) {
  for (const era of ['handshake', 'auto']) {
    test(`another server that ${what} is told in words, ${era}`, async () => {
      const visitor = await visit();
      await visitor.tryToConnect({ target: 'other', era, ...choose() });
      const trouble = await visitor.trouble();
      assert.equal(trouble.title, title);
      assert.match(trouble.text, text);
      await visitor.state('Not connected');
      if (era === 'auto') await visitor.shot(`other-${what.replaceAll(' ', '-')}`);
      if (complaint) visitor.expectComplaint(complaint);
      await visitor.end();
    });
  }
}

for (const [url, problem] of [
  ['', 'Enter the URL of a server.'],
  ['http://', 'This is not a URL.'],
  ['https://:80/mcp', 'This is not a URL.'],
  ['ftp://example.com/mcp', 'Only http and https work in a page.'],
  ['https://me:secret@example.com/mcp', 'Leave name and password out; a token has a field of its own.'],
]) {
  test(`${JSON.stringify(url)} is no address, and the page says why`, async () => {
    const visitor = await visit();
    await visitor.tryToConnect({ target: 'other', url });
    assert.equal(await visitor.page.locator('#other-url-problem').innerText(), problem);
    const field = visitor.page.getByLabel('URL', { exact: true });
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.ok(await field.evaluate((input) => input === document.activeElement));
    await visitor.state('Not connected');
    await visitor.end();
  });
}
