// store_test.mjs PROGRAM: the page's view of the store beneath the server in the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, servePage, server, Visit } from './support.mjs';

const [program] = process.argv.slice(2);

servePage(program);

const visit = () => Visit.start(browser.browser, server.url);
const record = (at, text) => at.page.locator('.record', { hasText: text });

test('the view is there for the server in the page only', async () => {
  const at = await visit();
  const view = at.page.locator('#store');
  await at.connect({ target: 'server' });
  assert.ok(await view.isHidden());
  await at.disconnect();
  await at.connect({ target: 'page' });
  await view.waitFor();
  await at.disconnect();
  assert.ok(await view.isHidden());
  await at.end();
});

for (const era of ['handshake', 'stateless']) {
  test(`records are shown as they are, and ended, ${era}`, async () => {
    const at = await visit();
    await at.connect({ target: 'page', era });
    const view = at.page.locator('#store');
    await view.locator('summary').click();
    await view.getByText('Nothing. Create a basket, say.').waitFor();
    const { members: first } = await at.call('create_basket');
    const { members: second } = await at.call('create_basket');
    const beginning = ({ basket }) => `basket ${basket.slice(7, 13)}…`;
    await record(at, beginning(second)).waitFor();
    assert.equal(await at.page.locator('.record').count(), 2);
    assert.equal(await at.page.locator('#store-count').innerText(), '2');
    const left = era === 'handshake' ? /14 bytes\s*23:59:5\d left/ : /14 bytes\s*59:5\d left/;
    await record(at, left).first().waitFor();
    // A longer state, and less time left, as time goes.
    await at.call('add_item', { basket: first.basket, item: 'Pears', quantity: 2 });
    await record(at, beginning(first)).filter({ hasText: '43 bytes' }).waitFor();
    if (era === 'handshake') await record(at, /unused 0:0[1-9]/).first().waitFor();
    const html = await view.innerHTML();
    for (const { basket } of [first, second]) assert.ok(!html.includes(basket.slice(7, 14)), 'more of an id than is shown');
    await at.shot(`store-${era}`);
    const end = record(at, beginning(first)).getByRole('button', { name: `End ${beginning(first)}` });
    await end.focus();
    await at.page.keyboard.press('Enter');
    await record(at, beginning(first)).waitFor({ state: 'detached' });
    assert.ok(await view.locator('summary').evaluate((one) => one === document.activeElement), 'the focus is not lost');
    assert.match((await at.call('get_basket', { basket: first.basket })).text, /does not exist or has ended/);
    assert.equal((await at.call('get_basket', { basket: second.basket })).outcome, 'done');
    assert.equal(await at.page.locator('.record').count(), 1);
    await at.end();
  });
}

test('what is no snapshot is not read', async () => {
  const at = await visit();
  const told = await at.page.evaluate(async () => {
    const { recordsOf } = await import('/snapshot.js');
    const { createSessionStore, load } = await import('/mcp-session/index.js');
    const store = await createSessionStore(await load());
    await store.create({ owner: 'é', kind: 'k', id: 'one' }, 'ü', { ttl: 1000 });
    await store.create({ kind: 'k', id: 'two' }, '', { maxLife: 5000 });
    const bytes = store.snapshot();
    const read = recordsOf(bytes).map(({ left, unused, ...rest }) => ({ ...rest, left: Math.ceil(left / 1000), unused: unused !== undefined }));
    const attempts = [new Uint8Array(), bytes.slice(1)];
    const problems = attempts.map((attempt) => {
      try {
        return recordsOf(attempt).length;
      } catch (error) {
        return error.name;
      }
    });
    return { read, problems };
  });
  assert.deepEqual(told.read.sort((a, b) => (a.id < b.id ? -1 : 1)), [
    { owner: 'é', kind: 'k', id: 'one', size: 2, left: 1, unused: true },
    { owner: '', kind: 'k', id: 'two', size: 0, left: 5, unused: false },
  ]);
  assert.deepEqual(told.problems, ['Error', 'Error']);
  await at.end();
});
