// offers_test.mjs PROGRAM EVERYTHING: resources and prompts in the page, of `PROGRAM serve`, of the
// server of the conformance suite, and of one that gives its lists in pages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browser, servePage, server, startEverything, startScripted, Visit } from './support.mjs';

const [program, everythingProgram] = process.argv.slice(2);
const ERAS = ['handshake', 'stateless'];

servePage(program);

let everything;
let paged;
before(async () => {
  everything = await startEverything(everythingProgram);
  paged = await startScripted({ resources: {} }, (method, params = {}) => {
    const list = (names) => names.map((name) => ({ name, uri: `test://${name}` }));
    if (method === 'resources/templates/list') return { resourceTemplates: [] };
    if (method === 'resources/read') return { contents: [{ uri: params.uri, text: '<b>plain</b>' }] };
    if (method !== 'resources/list') throw new Error(method);
    if (!params.cursor) return { resources: list(['one', 'two']), nextCursor: 'third' };
    assert.equal(params.cursor, 'third');
    return { resources: list(['<i>three</i>']) };
  });
});
after(async () => {
  await paged?.stop();
  await everything?.stop();
});

const visit = (options) => Visit.start(browser.browser, server.url, options);
const tab = (at, name) => at.page.getByRole('tab', { name });
const resource = (at, uri) => at.page.locator(`[data-resource="${uri}"]`);
const read = async (card, verb = 'Read') => {
  await card.locator('.duration').evaluate((time) => (time.textContent = ''));
  await card.getByRole('button', { name: verb }).click();
  await card.locator('.duration', { hasText: /\d/ }).waitFor();
  return card.locator('.answer');
};

for (const era of ERAS) {
  test(`only what a server offers is there, ${era}`, async () => {
    const at = await visit();
    await at.connect({ era });
    const tabs = () => at.page.getByRole('tab').allInnerTexts();
    await at.page.locator('[data-prompt]').waitFor({ state: 'attached' });
    const all = (await tabs()).map((text) => text.replace(/\s+/g, ' ').trim());
    assert.deepEqual(all, ['Tools 8', 'Resources 2', 'Prompts 1']);
    await at.disconnect();
    await at.connect({ era, target: 'page' });
    assert.deepEqual((await tabs()).map((text) => text.replace(/\s+/g, ' ').trim()), ['Tools 7']);
    await at.end();
  });

  test(`resources and templates are read, ${era}`, async () => {
    const at = await visit();
    await at.connect({ era });
    await tab(at, 'Resources').click();
    const shelf = await read(resource(at, 'demo://shelf'));
    assert.match(await shelf.innerText(), /^demo:\/\/shelf\s*application\/json, \d+ bytes/);
    const rows = await shelf.locator('tbody tr').allInnerTexts();
    assert.equal(rows.length, 8);
    assert.equal(rows[0], 'apple\t40\tA red one, from the valley.');
    const template = at.page.locator('[data-template="demo://shelf/{item}"]');
    await template.getByLabel('item').fill('bre');
    await template.locator('datalist option').waitFor({ state: 'attached' });
    assert.deepEqual(
      await template.locator('datalist option').evaluateAll((all) => all.map(({ value }) => value)),
      ['bread'],
    );
    await template.getByLabel('item').fill('bread');
    assert.match(await (await read(template)).innerText(), /demo:\/\/shelf\/bread[^]*cents\s+320/);
    await template.getByLabel('item').fill('a/b c');
    const missing = await read(template);
    assert.equal(await missing.getAttribute('data-outcome'), 'failed');
    assert.match((await at.log()).join('\n'), /received: resources\/read .*error -32/);
    await at.shot(`resources-${era}`);
    // Chromium tells the console of refusals by status.
    at.complaints = at.complaints.filter((complaint) => !/status of 4/.test(complaint));
    await at.end();
  });

  test(`a prompt is got by a form, ${era}`, async () => {
    const at = await visit();
    await at.connect({ era });
    await tab(at, 'Prompts').click();
    const card = at.page.locator('[data-prompt=plan_shopping]');
    await card.getByRole('button', { name: 'Get' }).click();
    assert.equal(await card.locator('.problem').innerText(), 'This is needed.');
    await card.getByLabel('meal').fill('a <b>cake</b>');
    const answer = await read(card, 'Get');
    assert.match(await answer.innerText(), /^User\s+Read demo:\/\/shelf, .* what a <b>cake<\/b> needs/);
    await at.shot(`prompt-${era}`);
    await at.end();
  });

  test(`arguments are completed while they are typed, ${era}`, async () => {
    const at = await visit();
    await at.connect({ target: 'other', url: everything.endpoint, era });
    await tab(at, 'Prompts').click();
    const card = at.page.locator('[data-prompt=test_prompt_with_arguments]');
    const offers = () => card.locator('datalist option').evaluateAll((all) => all.map(({ value }) => value));
    await card.getByLabel('arg1').fill('par');
    await card.locator('option[value=party]').waitFor({ state: 'attached' });
    assert.deepEqual(await offers(), ['paris', 'park', 'party']);
    await card.getByLabel('arg1').fill('pari');
    await card.locator('option[value=party]').waitFor({ state: 'detached' });
    assert.deepEqual(await offers(), ['paris']);
    assert.equal(await card.getByLabel('arg1').inputValue(), 'pari');
    await at.end();
  });

  test(`a watched resource is read again when it changed, ${era}`, async () => {
    const at = await visit();
    await at.connect({ target: 'other', url: everything.endpoint, era });
    await tab(at, 'Resources').click();
    const card = resource(at, 'test://watched-resource');
    const button = card.getByRole('button', { name: 'Watch' });
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    const asked = era === 'handshake' ? /received: resources\/subscribe/ : /subscriptions\/acknowledged/;
    await at.logged(asked);
    await tab(at, 'Tools').click();
    await at.call('touch_watched_resource');
    await tab(at, 'Resources').click();
    await card.getByText(/^Changed at \d\d:\d\d:\d\d$/).waitFor();
    await card.locator('.answer', { hasText: 'A watched text.' }).waitFor();
    const reads = async () => (await at.log()).filter((row) => /sent: resources\/read/.test(row)).length;
    assert.equal(await reads(), 1);
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    if (era === 'handshake') await at.logged(/received: resources\/unsubscribe/);
    await tab(at, 'Tools').click();
    await at.call('touch_watched_resource');
    await at.call('greet', { });
    assert.equal(await reads(), 1);
    await at.disconnect();
    await at.end();
  });
}

test('images are shown, from memory', async () => {
  const at = await visit();
  await at.connect({ target: 'other', url: everything.endpoint });
  await tab(at, 'Resources').click();
  const answer = await read(resource(at, 'test://static-binary'));
  const image = answer.locator('img');
  assert.match(await image.getAttribute('src'), /^data:image\/png;base64,/);
  assert.equal(await image.evaluate((element) => element.decode().then(() => element.naturalWidth)), 1);
  assert.match(await answer.innerText(), /image\/png, 67 bytes/);
  await at.shot('image');
  await tab(at, 'Prompts').click();
  const prompt = await read(at.page.locator('[data-prompt=test_prompt_with_image]'), 'Get');
  assert.equal(await prompt.locator('img').count(), 1);
  await at.end();
});

test('a long list comes page by page', async () => {
  const at = await visit();
  await at.tryToConnect({ target: 'other', url: paged.endpoint });
  await at.state('Connected');
  const cards = at.page.locator('[data-resource]');
  await cards.nth(1).waitFor();
  assert.equal(await at.page.getByRole('tab').count(), 1, 'there are only resources');
  assert.match(await tab(at, 'Resources').innerText(), /2\+/);
  assert.equal(await cards.count(), 2);
  await at.page.getByRole('button', { name: 'More' }).click();
  await cards.nth(2).waitFor();
  assert.match(await tab(at, 'Resources').innerText(), /3$/);
  assert.equal(await at.page.getByRole('button', { name: 'More' }).count(), 0);
  // Whoever pressed it by the keyboard goes on at what is new.
  assert.equal(await at.page.evaluate(() => document.activeElement.textContent), '<i>three</i>');
  const answer = await read(cards.nth(2));
  assert.match(await answer.innerText(), /<b>plain<\/b>/);
  assert.equal(await at.page.locator('[data-resource] :is(b, i)').count(), 0, 'text became elements');
  at.expectComplaint(/405/); // it has no stream
  await at.end();
});

test('tabs are walked by arrow keys', async () => {
  const at = await visit();
  await at.connect();
  await at.page.locator('[data-prompt]').waitFor({ state: 'attached' });
  await tab(at, 'Tools').focus();
  const shown = () => at.page.locator('[role=tabpanel]:visible').getAttribute('id');
  for (const [key, panel] of [
    ['ArrowRight', 'panel-resources'],
    ['ArrowRight', 'panel-prompts'],
    ['ArrowRight', 'panel-tools'],
    ['ArrowLeft', 'panel-prompts'],
    ['Home', 'panel-tools'],
    ['End', 'panel-prompts'],
  ]) {
    await at.page.keyboard.press(key);
    assert.equal(await shown(), panel, key);
    const focused = await at.page.evaluate(() => document.activeElement.getAttribute('aria-controls'));
    assert.equal(focused, panel);
  }
  await at.end();
});

test('URI templates', async () => {
  const at = await visit();
  const made = await at.page.evaluate(async () => {
    const { expand, variablesOf } = await import('/uri_template.js');
    const values = { var: 'value', hello: 'Hello World!', path: '/foo/bar', empty: '', x: '1024', y: '768' };
    const templates = [
      '{var}', '{hello}', '{path}', '{+path}/here', '{+hello}', '{#path,x}', 'map?{x,y}', '{.x,y}',
      '{/var,x}/here', '{;x,y,empty}', '{?x,y,empty}', '?fixed{&x}', '{var:3}', '{var*}', '{none}', 'a{?none}', '{?none,x}',
    ];
    return [templates.map((one) => expand(one, values)), variablesOf('{a}/{+b,c:3}{?a,d*}')];
  });
  assert.deepEqual(made, [
    [
      'value', 'Hello%20World%21', '%2Ffoo%2Fbar', '/foo/bar/here', 'Hello%20World!', '#/foo/bar,1024',
      'map?1024,768', '.1024.768', '/value/1024/here', ';x=1024;y=768;empty', '?x=1024&y=768&empty=',
      '?fixed&x=1024', 'val', 'value', '', 'a', '?x=1024',
    ],
    [
      { name: 'a', optional: false }, { name: 'b', optional: false }, { name: 'c', optional: false },
      { name: 'd', optional: true },
    ],
  ]);
  await at.end();
});
