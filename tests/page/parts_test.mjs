// parts_test.mjs PROGRAM: the parts of the page by themselves, in Chromium, as `PROGRAM serve`
// serves them; and that both of its servers have the same tools, but for those of the shelf, which the
// server in the page has not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, startServer, Visit } from './support.mjs';

const [program] = process.argv.slice(2);

let server;
let browser;
let at;
before(async () => {
  server = await startServer(program);
  browser = await startBrowser();
  at = await Visit.start(browser.browser, server.url);
});
after(async () => {
  await at?.end();
  await browser?.stop();
  await server?.stop();
});

// What each server answers to a client that uses it well and badly; handles by their order.
const CALLS = [
  ['create_basket', {}],
  ['add_item', { basket: 'HANDLE', item: 'Pears', quantity: 3 }],
  ['add_item', { basket: 'HANDLE', item: 'Pears' }],
  ['add_item', { basket: 'HANDLE', item: 'Crème brûlée' }],
  ['add_item', { basket: 'HANDLE' }],
  ['add_item', { basket: 'HANDLE', item: 7 }],
  ['add_item', { basket: 'HANDLE', item: '' }],
  ['add_item', { basket: 'HANDLE', item: 'é'.repeat(50) }],
  ['add_item', { basket: 'HANDLE', item: 'é'.repeat(51) }],
  ['add_item', { basket: 'HANDLE', item: 'Figs', quantity: 0 }],
  ['add_item', { basket: 'HANDLE', item: 'Figs', quantity: 1001 }],
  ['add_item', { basket: 'HANDLE', item: 'Figs', quantity: 1.5 }],
  ['add_item', { basket: 'HANDLE', item: 'Figs', quantity: '1' }],
  ['add_item', { basket: 'HANDLE', item: 'Figs', quantity: null }],
  ['add_item', { item: 'Figs' }],
  ['add_item', { basket: 'basket_nobody_made_this_one', item: 'Figs' }],
  ['get_basket', { basket: 'HANDLE' }],
  ['list_baskets', {}],
  ['count', {}],
  ['count', { by: -5 }],
  ['count', { by: 1000001 }],
  ['count', { by: 'one' }],
  ['slow_count', { to: 3, delay_ms: 1 }],
  ['slow_count', { to: 0 }],
  ['slow_count', { to: 101 }],
  ['slow_count', { delay_ms: 2001 }],
  ['end_basket', { basket: 'HANDLE' }],
  ['get_basket', { basket: 'HANDLE' }],
  ['no_such_tool', {}],
];

for (const era of ['handshake', 'stateless']) {
  test(`both servers have the same tools, ${era}`, async () => {
    const [native, page] = await at.page.evaluate(useBoth, { era, calls: CALLS });
    assert.equal(native.tools.length, 7);
    assert.deepEqual(page.tools, native.tools);
    assert.equal(native.answers.length, CALLS.length);
    native.answers.forEach((answer, i) => {
      // The page has no validator of schemas: there the handler says in its own words what is wrong.
      const mismatch = answer.content?.[0].text.startsWith('The arguments do not match');
      const expected = mismatch ? { ...answer, content: page.answers[i].content } : answer;
      assert.deepEqual(page.answers[i], expected, JSON.stringify(CALLS[i]));
    });
    assert.equal(native.progress.length, 3);
    assert.deepEqual(page.progress, native.progress);
  });
}

/** Runs in the page. */
async function useBoth({ era, calls }) {
  const { load, McpClient } = await import('/mcp-session/index.js');
  const core = await load();
  const worker = new Worker('/worker.js', { type: 'module' });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage('serve', [new MessageChannel().port1, port2]);
  const about = { era, name: 'parts-test', version: '1' };
  const clients = [
    new McpClient(core, { ...about, url: '/mcp' }),
    new McpClient(core, { ...about, port: port1 }),
  ];
  const seen = [];
  for (const client of clients) {
    const tools = (await client.listTools()).filter(({ name }) => name !== 'set_price');
    const answers = [];
    const progress = [];
    let handle = '';
    for (const [name, args] of calls) {
      if (args.basket === 'HANDLE') args.basket = handle;
      const answer = await client
        .callTool(name, args, { onProgress: ({ progressToken, ...step }) => progress.push(step) })
        .then(({ _meta, ...answer }) => answer) // it names the server
        .catch(({ code, rpc }) => ({ code, rpc }));
      if (name === 'create_basket') handle = answer.structuredContent.basket;
      if (args.basket === handle) args.basket = 'HANDLE';
      const text = JSON.stringify(answer).replaceAll(handle || 'HANDLE', 'HANDLE');
      answers.push(JSON.parse(text.replace(/(expires_in_seconds\\?":)\d+/g, '$10')));
    }
    await client.close();
    seen.push({ tools, answers, progress });
  }
  worker.terminate();
  return seen;
}

const SCHEMA = {
  type: 'object',
  properties: {
    text: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
    preset: { type: 'string', default: 'as it is' },
    whole: { type: 'integer', minimum: -2, maximum: 10 },
    part: { type: 'number' },
    flag: { type: 'boolean' },
    preset_flag: { type: 'boolean', default: true },
    needed_flag: { type: 'boolean' },
    one_of: { type: 'string', enum: ['red', 'green'] },
    numbered: { enum: [1, 2] },
    titled: { oneOf: [{ const: 'a', title: 'The first' }, { const: 'b', title: 'The second' }] },
    nullable: { type: ['integer', 'null'] },
    list: { type: 'array', items: { type: 'string' } },
    anything: {},
    'odd name "><b>': { type: 'string', title: '<i>Title</i>', description: '<b>bold</b>' },
  },
  required: ['text', 'needed_flag', 'one_of'],
};

/** Fills a form in the page, and reads it. */
function fill(values) {
  return at.page.evaluate(
    async ({ schema, values }) => {
      const { ArgumentForm } = await import('/form.js');
      const form = new ArgumentForm(schema, 'test');
      document.querySelector('main').append(form.element);
      for (const { name, control } of form.fields) {
        if (!(name in values)) continue;
        if (control.type === 'checkbox') control.checked = values[name];
        else control.value = values[name];
      }
      const read = form.read();
      const problems = form.fields
        .map(({ name, element }) => [name, element.querySelector('.problem').textContent])
        .filter(([, problem]) => problem);
      const bold = form.element.querySelectorAll('b, i').length;
      form.element.remove();
      return { read, problems: Object.fromEntries(problems), bold };
    },
    { schema: SCHEMA, values },
  );
}

test('a form reads each kind of argument', async () => {
  const { read, problems, bold } = await fill({
    text: 'abc',
    whole: '-2',
    part: '1.5e3',
    flag: true,
    one_of: '1',
    numbered: '0',
    titled: '1',
    nullable: '4',
    list: '["x"]',
    anything: '{"a":null}',
    'odd name "><b>': 'v',
  });
  assert.deepEqual(problems, {});
  assert.equal(bold, 0, 'text of the schema became elements');
  assert.deepEqual(read, {
    text: 'abc',
    preset: 'as it is',
    whole: -2,
    part: 1500,
    flag: true,
    preset_flag: true,
    needed_flag: false,
    one_of: 'green',
    numbered: 1,
    titled: 'b',
    nullable: 4,
    list: ['x'],
    anything: { a: null },
    'odd name "><b>': 'v',
  });
});

test('a form leaves out what was left empty', async () => {
  const { read } = await fill({ text: 'abc', one_of: '0', preset: '' });
  assert.deepEqual(read, { text: 'abc', preset_flag: true, needed_flag: false, one_of: 'red' });
});

for (const [name, value, problem] of [
  ['text', '', 'This is needed.'],
  ['text', 'a', 'Enter 2 characters or more.'],
  ['text', 'abcdef', 'Enter 5 characters or fewer.'],
  ['text', 'ABC', 'This does not have the form that the tool expects.'],
  ['one_of', '', 'This is needed.'],
  ['whole', '-3', 'Enter -2 or more.'],
  ['whole', '11', 'Enter 10 or less.'],
  ['whole', '1.5', 'Enter a whole number.'],
  ['list', '[', 'This is not JSON.'],
]) {
  test(`a form refuses ${JSON.stringify(value)} as ${name}`, async () => {
    const { read, problems } = await fill({ text: 'abc', one_of: '0', [name]: value });
    assert.equal(read, undefined);
    assert.deepEqual(problems, { [name]: problem });
  });
}

/** How the page shows a result: its text, and which elements it is made of. */
function show(result) {
  return at.page.evaluate(async (result) => {
    const { resultView } = await import('/result.js');
    const box = document.createElement('div');
    box.append(...resultView(result));
    document.querySelector('main').append(box);
    box.querySelector('.source').remove();
    const text = box.innerText.replace(/\s+/g, ' ').trim();
    const count = (selector) => box.querySelectorAll(selector).length;
    const shown = {
      text, tables: count('table'), json: count('pre'), images: count('img'), sounds: count('audio'),
      foreign: count('script, b, iframe, embed, object'),
    };
    box.remove();
    return shown;
  }, result);
}

const TEXT = (text) => ({ type: 'text', text });
const ROWS = [{ x: 1, y: 'p' }, { x: 2, y: 'q' }];
const LINK = { type: 'resource_link', name: 'log', uri: 'file:///log' };
const IMAGE = { type: 'image', data: 'AAAA', mimeType: 'image/png' };
const SOUND = { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' };
const ODD_IMAGE = { type: 'image', data: 'AAA=', mimeType: 'text/html' };
const RESOURCE = { type: 'resource', resource: { uri: 'a://b', mimeType: 'application/json', text: '{"a":1}' } };
const NO_JSON = { type: 'resource', resource: { uri: 'a://b', mimeType: 'application/json', text: '{"a":' } };
const BINARY = { type: 'resource', resource: { uri: 'a://b', blob: 'AA==' } };

for (const [what, content, structuredContent, expected] of [
  ['text', [TEXT('<b>not bold</b>')], undefined, { text: '<b>not bold</b>' }],
  ['nothing', [], undefined, { text: 'An empty answer.' }],
  ['a structured value once', [TEXT('{"a":1}')], { a: 1 }, { text: 'a 1' }],
  ['text beside a structured value', [TEXT('Done')], { a: 1 }, { text: 'Done a 1' }],
  ['rows as a table', [], { rows: ROWS }, { text: 'rows x y 1 p 2 q', tables: 1 }],
  ['what is nested as JSON', [], { a: { b: [1] } }, { text: 'a { "b": [ 1 ] }', json: 1 }],
  ['an empty list', [], { rows: [] }, { text: 'rows none' }],
  ['an image', [IMAGE], undefined, { text: 'image, image/png, 3 bytes', images: 1 }],
  ['a sound', [SOUND], undefined, { text: 'audio, audio/wav, 3 bytes', sounds: 1 }],
  ['what is no image in words', [ODD_IMAGE], undefined, { text: 'image, text/html, 2 bytes' }],
  ['a resource', [RESOURCE], undefined, { text: 'a://b application/json, 7 bytes a 1' }],
  ['JSON that is none', [NO_JSON], undefined, { text: 'a://b application/json, 5 bytes {"a":' }],
  ['bytes', [BINARY], undefined, { text: 'a://b 1 byte Not shown.' }],
  ['a link as text', [LINK], undefined, { text: 'log: file:///log' }],
]) {
  test(`a result shows ${what}`, async () => {
    const shown = await show({ content, structuredContent });
    assert.deepEqual(shown, { tables: 0, json: 0, images: 0, sounds: 0, foreign: 0, ...expected });
  });
}

const CODES = [
  'SESSION_NOT_FOUND',
  'CANCELLED',
  'TIMEOUT',
  'TRANSPORT',
  'UNAVAILABLE',
  'CORE_DEAD',
  'CONFLICT',
];

test('errors are sentences', async () => {
  const [peer, ...sentences] = await at.page.evaluate(async (codes) => {
    const { explain } = await import('/words.js');
    const { SessionError } = await import('/mcp-session/index.js');
    const rpc = { code: -32000, message: 'its own words' };
    const errors = codes.map((code) => new SessionError(code, 'in short'));
    return [new SessionError('PEER', 'in short', { rpc }), ...errors].map(explain);
  }, CODES);
  assert.equal(sentences.length, CODES.length);
  for (const { title, advice } of sentences) {
    assert.match(title, /^[A-Z][^_]+$/);
    assert.match(advice, /^[A-Z].*\.$/);
  }
  assert.equal(peer.detail, 'its own words (-32000)');
});

test('times are told shortly', async () => {
  const times = await at.page.evaluate(async () => {
    const { clock, duration } = await import('/words.js');
    return [[0, 59_001, 3_600_000].map(clock), [3.21, 3, 999, 999.7, 12_345].map(duration)];
  });
  assert.deepEqual(times, [
    ['0:00', '1:00', '1:00:00'],
    ['3.2 ms', '3 ms', '999 ms', '1.0 s', '12.3 s'],
  ]);
});
