// timeline_test.mjs PROGRAM EVERYTHING: the timeline of a session, and a call whose network drops.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startNetwork } from '../web/network.mjs';
import { browser, servePage, server, startEverything, Visit } from './support.mjs';

const [program, everythingProgram] = process.argv.slice(2);

servePage(program);

let everything;
before(async () => {
  everything = await startEverything(everythingProgram);
});
after(() => everything?.stop());

const visit = (url = server.url) => Visit.start(browser.browser, url);

/** The table, which has all that the picture has: [kind, what, lasted]. */
async function table(at) {
  const details = at.page.locator('#timeline-table');
  if (!(await details.evaluate((one) => one.open))) await details.locator('summary').click();
  const rows = at.page.locator('#timeline-rows tr');
  await rows.first().waitFor();
  const marks = async () => at.page.locator('#timeline-frame [data-i]').count();
  const lines = await rows.evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.equal(await marks(), lines.length);
  for (const [time] of lines) assert.match(time, /^\d\d:\d\d:\d\d\.\d{3}$/);
  return lines.map(([, ...rest]) => rest);
}

/** The rows of some kinds, without how long they took. */
const only = (rows, ...kinds) => rows.filter(([kind]) => kinds.includes(kind)).map(([, what]) => what);

for (const { target, era, beginning } of [
  { target: 'server', era: 'handshake', beginning: 'initialize' },
  { target: 'server', era: 'stateless', beginning: 'server/discover' },
  { target: 'page', era: 'handshake', beginning: 'initialize' },
]) {
  test(`the timeline has what happened in order, ${target}, ${era}`, async () => {
    const at = await visit();
    assert.ok(await at.page.locator('#timeline').isHidden(), 'nothing has happened yet');
    await at.connect({ target, era });
    await at.call('create_basket');
    await at.call('slow_count', { to: 3, delay_ms: 20 });
    await at.call('get_basket', { basket: 'basket_that_is_gone' });
    await at.field('slow_count', 'to').fill('100');
    await at.field('slow_count', 'delay_ms').fill('100');
    await at.press('slow_count', 'Call');
    await at.card('slow_count').getByText('counted to 2').waitFor();
    await at.press('slow_count', 'Cancel');
    await at.settled('slow_count');
    await at.disconnect();
    const rows = await table(at);
    const session = era === 'stateless' ? 'connection' : 'session';
    assert.deepEqual(only(rows, 'Session'), [`${session} opened`, 'ended']);
    assert.deepEqual(rows[0].slice(0, 2), ['Request', beginning]);
    const requests = only(rows, 'Request').filter((what) => !/\//.test(what));
    const calls = ['create_basket', 'slow_count', 'get_basket', 'slow_count'];
    assert.deepEqual(requests, beginning === 'initialize' ? [beginning, ...calls] : calls);
    const lasted = (what) => rows.filter(([, one]) => one === what).map(([, , how]) => how);
    assert.match(lasted('create_basket')[0], /^[\d.]+ m?s$/);
    assert.match(lasted('get_basket')[0], /^[\d.]+ m?s, failed$/);
    assert.match(lasted('slow_count')[1], /^[\d.]+ m?s, cut off$/);
    for (const step of ['progress 1 / 3', 'progress 2 / 3', 'progress 3 / 3']) {
      assert.ok(only(rows, 'Notification').includes(step), step);
    }
    const streams = only(rows, 'Stream');
    if (target === 'page') assert.deepEqual(streams, []);
    else assert.ok(streams.includes('stream of slow_count'));
    assert.equal(streams.includes('stream of the session'), target === 'server' && era === 'handshake');
    assert.ok(!rows.some(([, , how]) => how === 'goes on'), 'all of it has ended');
    await at.shot(`timeline-${target}-${era}`);
    await at.end();
  });
}

test('a session that was lost and renewed is seen', async () => {
  const at = await visit();
  await at.connect();
  await at.call('count');
  const [id] = at.sessionIds;
  await fetch(server.endpoint, { method: 'DELETE', headers: { 'mcp-session-id': id } });
  await at.call('count');
  await at.state('Connected');
  const rows = await table(at);
  assert.deepEqual(only(rows, 'Session'), ['session opened', 'session lost', 'session renewed']);
  await at.shot('timeline-renewed');
  at.expectComplaint(/404/);
  await at.end();
});

test('what the server asks is in the timeline while it waits', async () => {
  const at = await visit();
  await at.connect({ target: 'other', url: everything.endpoint });
  const tool = 'test_input_required_result_elicitation';
  await at.press(tool, 'Call');
  const question = at.page.getByRole('dialog');
  await question.waitFor();
  assert.equal(await at.page.locator('.mark-question.goes-on').count(), 1);
  await question.getByLabel('name').fill('Ada');
  await question.getByRole('button', { name: 'Accept' }).click();
  await at.settled(tool);
  const rows = await table(at);
  const [, , lasted] = rows.find(([kind]) => kind === 'Question of the server');
  assert.match(lasted, /^[\d.]+ m?s$/);
  await at.end();
});

test('marks are chosen by the keyboard and the pointer, and said', async () => {
  const at = await visit();
  await at.connect();
  await at.call('create_basket');
  const frame = at.page.locator('#timeline-frame');
  const said = at.page.locator('#timeline-chosen');
  await frame.focus();
  await at.page.keyboard.press('Home');
  assert.match(await said.innerText(), /^\d\d:\d\d:\d\d\.\d{3} Request: initialize, [\d.]+ m?s$/);
  await at.page.waitForFunction(() => document.querySelector('.mark.chosen')?.dataset.i === '0');
  await at.page.keyboard.press('ArrowRight');
  const second = await said.innerText();
  assert.doesNotMatch(second, /initialize/);
  await at.page.keyboard.press('End');
  const last = await said.innerText();
  await at.page.keyboard.press('ArrowRight');
  assert.equal(await said.innerText(), last, 'there is nothing after the last');
  await at.page.keyboard.press('ArrowLeft');
  assert.notEqual(await said.innerText(), last);
  await frame.locator('.mark-request', { hasText: 'create_basket' }).locator('rect').click();
  assert.match(await said.innerText(), /Request: create_basket/);
  await at.page.getByRole('button', { name: 'Start over' }).click();
  assert.equal(await said.innerText(), '');
  await at.end();
});

test('long silences are short in the picture, and the order stays', async () => {
  const at = await visit();
  const { xs, breaks, alone } = await at.page.evaluate(async () => {
    const { timeScale } = await import('/time_scale.js');
    const spans = [[0, 100], [200, 300], [600_000, 600_050], [1_200_000, 1_200_010]];
    const scale = timeScale(spans.map(([start, end]) => ({ start, end })), 400);
    const times = [0, 100, 200, 300, 300_000, 600_000, 600_050, 900_000, 1_200_000, 1_200_010];
    return {
      xs: times.map(scale.x),
      breaks: scale.breaks.map(({ start, end, from, to }) => [end - start, Math.round(to - from)]),
      alone: timeScale([{ start: 5, end: 5 }], 400).x(5),
    };
  });
  assert.deepEqual(xs, [...xs].sort((a, b) => a - b));
  assert.ok(xs[0] > 0 && xs.at(-1) < 400);
  assert.ok(xs[1] - xs[0] > 20, 'a call of 100 ms can be seen');
  assert.deepEqual(breaks, [[599_400, 40], [599_650, 40]]);
  assert.equal(alone, 200);
  await at.end();
});

test('a call whose network drops says so, and goes on where it was', async (t) => {
  const network = await startNetwork(new URL(server.url).port);
  t.after(() => network.stop());
  const at = await visit(network.url);
  await at.connect();
  const card = at.card('slow_count');
  const said = await card.locator('.progress-text').evaluateHandle((text) => {
    const all = [];
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) all.push(addedNodes[0].textContent);
    }).observe(text, { childList: true });
    return all;
  });
  await at.field('slow_count', 'to').fill('40');
  await at.field('slow_count', 'delay_ms').fill('100');
  await at.press('slow_count', 'Call');
  await card.getByText('counted to 3').waitFor();
  await at.context.setOffline(true);
  network.cut();
  await card.getByText(/^Connection lost/).waitFor();
  await card.getByText(/^Connection lost, resuming from event \d+$/).waitFor();
  await at.shot('dropped');
  await at.context.setOffline(false);
  const { outcome, members } = await at.settled('slow_count');
  assert.deepEqual([outcome, members.counted_to], ['done', '40']);
  assert.match(await card.locator('.duration').innerText(), /s, resumed$/);
  const words = await said.jsonValue();
  const counted = words.filter((one) => /^counted/.test(one));
  assert.deepEqual(counted, Array.from({ length: 40 }, (_, i) => `counted to ${i + 1}`));
  const lost = words.findIndex((one) => /^Connection lost/.test(one));
  assert.ok(lost >= 3 && lost < words.length - 1);
  assert.ok(words.some((one) => /^Going on from event \d+$/.test(one)));
  const rows = await table(at);
  const losses = only(rows, 'Network');
  assert.ok(losses.includes('connection lost'));
  assert.ok(losses.some((what) => /^resuming from event \d+$/.test(what)));
  assert.equal(rows.filter(([, what]) => what === 'slow_count').length, 1, 'it was asked for once');
  await at.page.evaluate(() => scrollTo(0, 0));
  await at.shot('timeline-dropped');
  at.complaints = at.complaints.filter((complaint) => !/ERR_/.test(complaint));
  await at.end();
});
