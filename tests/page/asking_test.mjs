// asking_test.mjs PROGRAM EVERYTHING: what servers ask in the middle of a call: of a model, in whose
// place the user answers; for roots; that the user visits a page. Forms are in page_test.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browser, servePage, server, startEverything, startScripted, Visit } from './support.mjs';

const [program, everythingProgram] = process.argv.slice(2);
const REFUSED = /the user does not answer for a model/;

servePage(program);

let everything;
let visiting;
let declared;
before(async () => {
  everything = await startEverything(everythingProgram);
  visiting = await startScripted({ tools: {} }, async (method, params, ask) => {
    if (method === 'tools/list') {
      const inputSchema = { type: 'object', properties: { url: { type: 'string' } } };
      return { tools: [{ name: 'visit', inputSchema }] };
    }
    const { url } = params.arguments;
    const answer = await ask('elicitation/create', { mode: 'url', message: 'Log in there', url, elicitationId: '1' });
    return { content: [{ type: 'text', text: JSON.stringify(answer.result) }] };
  }, (capabilities) => {
    declared = capabilities;
  });
});
after(async () => {
  await visiting?.stop();
  await everything?.stop();
});

const visit = () => Visit.start(browser.browser, server.url);

for (const era of ['handshake', 'stateless']) {
  test(`the user answers in the place of a model, or does not, ${era}`, async () => {
    const at = await visit();
    await at.connect({ target: 'other', url: everything.endpoint, era });
    const tool = 'test_input_required_result_sampling';
    const question = at.page.getByRole('dialog', { name: 'Answer in its place' });
    await at.press(tool, 'Call');
    await question.getByText('What is the capital of France?').waitFor();
    assert.match(await question.innerText(), /The server asks a model[^]*User\s+What is[^]*At most 100 tokens/);
    const box = question.getByLabel('Answer', { exact: true });
    assert.ok(await box.evaluate((area) => area === document.activeElement), 'it can be typed at once');
    await question.getByRole('button', { name: 'Answer' }).click();
    assert.equal(await question.locator('.problem').innerText(), 'This is needed.');
    await at.shot(`sampling-${era}`);
    await box.fill('Paris,\nI think');
    await question.getByRole('button', { name: 'Answer' }).click();
    const { outcome, text } = await at.settled(tool);
    assert.equal(outcome, 'done');
    assert.match(text, /"text":"Paris,\\nI think"/);
    assert.match(text, /"role":"assistant"/);
    assert.match(text, /"model":"a person"/);
    for (const give of [
      () => question.getByRole('button', { name: 'Decline' }).click(),
      () => at.page.keyboard.press('Escape'),
    ]) {
      await at.press(tool, 'Call');
      await question.waitFor();
      await give();
      assert.equal((await at.settled(tool)).outcome, 'failed');
      at.expectComplaint(REFUSED);
    }
    await at.end();
  });

  test(`servers are told of the roots that the user wrote down, ${era}`, async () => {
    const at = await visit();
    await at.connect({ target: 'other', url: everything.endpoint, era });
    const tool = 'test_input_required_result_list_roots';
    assert.match((await at.call(tool)).text, /"roots":\[\]/);
    await at.page.locator('#roots summary').click();
    const box = at.page.getByLabel('Folders');
    await box.fill('/home/me/my project\nhttps://example.com/\n\nfile:///srv/data/\n');
    assert.match(await at.page.locator('#roots-problem').innerText(), /“https:\/\/example\.com\/” is no folder/);
    assert.equal(await at.page.locator('#roots-count').innerText(), '2');
    const { text } = await at.call(tool);
    assert.match(text, /"uri":"file:\/\/\/home\/me\/my%20project"/);
    assert.match(text, /"name":"my project"/);
    assert.match(text, /"uri":"file:\/\/\/srv\/data\/","name":"data"/);
    assert.doesNotMatch(text, /example/);
    if (era === 'handshake') await at.logged(/sent: notifications\/roots\/list_changed/);
    await at.shot(`roots-${era}`);
    await at.end();
  });
}

test('questions that come together are answered one after the other', async () => {
  const at = await visit();
  await at.connect({ target: 'other', url: everything.endpoint, era: 'stateless' });
  const tool = 'test_input_required_result_multiple_inputs';
  await at.press(tool, 'Call');
  await at.page.getByRole('dialog').nth(1).waitFor();
  for (let left = 2; left > 0; --left) {
    const top = at.page.getByRole('dialog').last();
    await top.locator('.fields [name]').fill('Ada');
    await top.locator('button[type=submit]').click();
    await at.page.waitForFunction((n) => document.querySelectorAll('dialog').length === n, left - 1);
  }
  assert.match((await at.settled(tool)).text, /Hello, Ada!/);
  await at.end();
});

test('a page to visit is shown with its whole address, and opened by itself', async () => {
  const at = await visit();
  await at.connect({ target: 'other', url: visiting.endpoint });
  assert.deepEqual(declared.elicitation, { form: {}, url: {} });
  assert.deepEqual([declared.sampling, declared.roots], [{}, { listChanged: true }]);
  const question = at.page.getByRole('dialog', { name: 'Log in there' });
  const url = `${server.url}icon.svg?for=you#there`;
  await at.field('visit', 'url').fill(url);
  await at.press('visit', 'Call');
  await question.waitFor();
  assert.equal(await question.locator('.address').innerText(), url);
  await at.shot('visit');
  const opened = at.context.waitForEvent('page');
  await question.getByRole('link', { name: 'Open in a new tab' }).click();
  const tab = await opened;
  await tab.waitForLoadState();
  assert.equal(tab.url(), url);
  assert.equal(await tab.evaluate(() => window.opener), null);
  await tab.close();
  assert.match((await at.settled('visit')).text, /\{"action":"accept"\}/);
  await at.press('visit', 'Call');
  await question.getByRole('button', { name: 'Decline' }).click();
  assert.match((await at.settled('visit')).text, /\{"action":"decline"\}/);
  at.expectComplaint(/405/); // it has no stream
  await at.end();
});

for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'no address']) {
  test(`${url} is not opened`, async () => {
    const at = await visit();
    await at.connect({ target: 'other', url: visiting.endpoint });
    await at.field('visit', 'url').fill(url);
    await at.press('visit', 'Call');
    const question = at.page.getByRole('dialog', { name: 'Log in there' });
    assert.equal(await question.getByRole('link').count(), 0);
    assert.ok(await question.getByRole('button', { name: 'Open' }).isDisabled());
    await at.page.keyboard.press('Escape');
    assert.match((await at.settled('visit')).text, /\{"action":"cancel"\}/);
    at.expectComplaint(/405/);
    await at.end();
  });
}
