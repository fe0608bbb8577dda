// What the tests of the page share: the server that serves it, a browser, and a hand for the page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
// A busy machine is no failure.
export const PATIENCE = 30_000;

/** Screenshots go here, if anybody wants them. */
const shots = process.env.TEST_UNDECLARED_OUTPUTS_DIR ?? process.env.SCREENSHOTS;

/** Of servePage(), while the tests of its file run. */
export let server;
export let browser;

/**
 * Begins a file of tests of the page: there are `PROGRAM serve`, and a browser, until its last test. Other
 * hooks of the file do not wait for them.
 */
export function servePage(program) {
  before(async () => {
    server = await startServer(program);
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.stop();
    await server?.stop();
  });
}

/** Starts `PROGRAM serve` on a port of its own; stop() ends it. */
export async function startServer(program, options = []) {
  const child = spawn(path.resolve(program), ['serve', '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout });
  const endpoint = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    lines.once('line', (line) => {
      const match = /^mcp-session listening on (http:\S+\/mcp)$/.exec(line);
      match ? resolve(match[1]) : reject(new Error(`the server's first line is "${line}"`));
    });
  });
  return {
    endpoint,
    url: new URL('/', endpoint).href,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Starts the server of the conformance suite. */
export async function startEverything(program) {
  const child = spawn(path.resolve(program), [], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const [endpoint] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    endpoint,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/**
 * A server with sessions that any page may use: `answer` makes the result of each request but
 * `initialize`; what it throws is an error. `ask` asks the client something before that, on the
 * stream of the answer.
 */
export async function startScripted(capabilities, answer, opened = () => {}) {
  const waiting = new Map();
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    response.setHeader('access-control-allow-methods', '*');
    if (request.method !== 'POST') return response.writeHead(request.method === 'GET' ? 405 : 204).end();
    const { id, method, params, ...reply } = JSON.parse(body);
    waiting.get(id)?.(reply);
    if (id === undefined || !method) return response.writeHead(202).end();
    const message = { jsonrpc: '2.0', id };
    const event = (one) => response.write(`data: ${JSON.stringify(one)}\n\n`);
    const ask = (question, params) => new Promise((resolve) => {
      const number = `q${waiting.size}`;
      waiting.set(number, resolve);
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      event({ jsonrpc: '2.0', id: number, method: question, params });
    });
    try {
      if (method === 'initialize') opened(params.capabilities);
      const about = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'scripted', version: '1' } };
      message.result = method === 'initialize' ? about : await answer(method, params, ask);
    } catch (error) {
      message.error = { code: -32603, message: error.message };
    }
    if (response.headersSent) return event(message), response.end();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(message));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${server.address().port}/mcp`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A browser with nothing in it. */
export async function startBrowser() {
  const home = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'page-'));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: FLAGS,
    env: { ...process.env, HOME: home },
  });
  return {
    browser,
    async stop() {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The page in a tab of its own, and what a person does with it. */
export class Visit {
  complaints = [];
  sessionIds = new Set();

  static async start(browser, url, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const visit = new Visit();
    visit.context = context;
    visit.page = await context.newPage();
    visit.page.setDefaultTimeout(PATIENCE);
    visit.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) visit.complaints.push(message.text());
    });
    visit.page.on('pageerror', (error) => visit.complaints.push(String(error)));
    visit.page.on('request', (request) => {
      const id = request.headers()['mcp-session-id'];
      if (id) visit.sessionIds.add(id);
    });
    await visit.page.goto(url);
    return visit;
  }

  /** Ends it; a console that was not silent is a failure. */
  async end() {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }

  async choose({ target = 'server', era = 'handshake', url, token = '' } = {}) {
    await this.page.locator(`input[name=target][value=${target}]`).check();
    if (target === 'other') {
      await this.page.getByLabel('URL', { exact: true }).fill(url);
      await this.page.getByLabel('Token').fill(token);
    }
    await this.page.locator(`input[name=era][value=${era}]`).check();
  }

  async connect(choices) {
    await this.tryToConnect(choices);
    await this.state('Connected');
    await this.page.locator('[data-tool]').first().waitFor();
  }

  async tryToConnect(choices) {
    await this.choose(choices);
    await this.page.getByRole('button', { name: 'Connect', exact: true }).click();
  }

  /** What the page says went wrong: its title, and all of it. */
  async trouble() {
    const notice = this.page.getByRole('alert');
    await notice.locator('.notice-title').waitFor();
    return { title: await notice.locator('.notice-title').innerText(), text: await notice.innerText() };
  }

  /** Complaints of the console that a test expects are taken away; it fails if there are none. */
  expectComplaint(pattern) {
    const left = this.complaints.filter((complaint) => !pattern.test(complaint));
    assert.ok(left.length < this.complaints.length, `no complaint matches ${pattern}`);
    this.complaints = left;
  }

  async disconnect() {
    await this.page.getByRole('button', { name: 'Disconnect' }).click();
    await this.state('Ended');
  }

  /** Waits for the page to say so. */
  state(text) {
    return this.page.locator('#state', { hasText: new RegExp(`^${text}$`) }).waitFor();
  }

  /** What the session card says of something. */
  async fact(name) {
    const label = this.page.locator('dt', { hasText: name });
    return this.page.locator('#session-facts > div', { has: label }).locator('dd').innerText();
  }

  card(tool) {
    return this.page.locator(`[data-tool="${tool}"]`);
  }

  field(tool, name) {
    return this.card(tool).locator(`[name="${name}"]`);
  }

  answer(tool) {
    return this.card(tool).locator('.answer');
  }

  async press(tool, button) {
    await this.card(tool).getByRole('button', { name: button, exact: true }).click();
  }

  /** Fills the form in, calls the tool, and reads what the page shows of the answer. */
  async call(tool, args = {}) {
    for (const [name, value] of Object.entries(args)) await this.field(tool, name).fill(String(value));
    await this.press(tool, 'Call');
    return this.settled(tool);
  }

  /** What is shown when the call is over. */
  async settled(tool) {
    await this.card(tool).locator('.duration', { hasText: /\d/ }).waitFor();
    const answer = this.answer(tool);
    const members = await answer.locator('.members > div:not(.wide)').allInnerTexts();
    return {
      outcome: await answer.getAttribute('data-outcome'),
      text: await answer.innerText(),
      members: Object.fromEntries(members.map((line) => line.split(/\s+/))),
      rows: await answer.locator('tbody tr').allInnerTexts(),
    };
  }

  /** The rows of the message log, as text: "14:03:59.120 sent: tools/call count". */
  async log() {
    const rows = await this.page.locator('#log-rows > li:not([hidden]) .line').allInnerTexts();
    return rows.map((row) => row.replace(/\s+/g, ' '));
  }

  /** Waits for a row of the log. */
  logged(pattern) {
    return this.page.waitForFunction(
      ([source, flags]) => {
        const rows = [...document.querySelectorAll('#log-rows .line')];
        return rows.some((row) => new RegExp(source, flags).test(row.innerText.replace(/\s+/g, ' ')));
      },
      [pattern.source, pattern.flags],
    );
  }

  /** Opens everything that can be opened, each message and each answer as JSON. */
  async openAll() {
    await this.page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
    await this.page.waitForFunction(() => !document.querySelector('details:not(.fold, .as-table, :has(.json))'));
  }

  async shot(name, options = {}) {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    await this.page.screenshot({ path: path.join(shots, `${name}.png`), ...options });
  }
}
