// page_test.mjs PROGRAM: the page in Chromium, as `PROGRAM serve` serves it, used as people do.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { browser, PATIENCE, servePage, server, startServer, Visit } from './support.mjs';

const [program] = process.argv.slice(2);
const TOOLS = [
  'create_basket',
  'add_item',
  'get_basket',
  'list_baskets',
  'end_basket',
  'count',
  'slow_count',
];
const PLACES = [
  { target: 'server', era: 'handshake' },
  { target: 'server', era: 'stateless' },
  { target: 'server', era: 'auto' },
  { target: 'page', era: 'handshake' },
  { target: 'page', era: 'stateless' },
  { target: 'page', era: 'auto' },
];

servePage(program);

const visit = (options) => Visit.start(browser.browser, server.url, options);

/** Keeps every value that the progress bar of a card takes. */
async function watchProgress(at, tool) {
  await at.card(tool).locator('progress').evaluate((bar) => {
    bar.seen = [];
    new MutationObserver(() => {
      if (bar.hasAttribute('value')) bar.seen.push(bar.value);
    }).observe(bar, { attributes: true, attributeFilter: ['value'] });
  });
  return () => at.card(tool).locator('progress').evaluate((bar) => bar.seen);
}

/** A request of the session from elsewhere. */
const fromElsewhere = (sessionId, method, body) =>
  fetch(server.endpoint, {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-session-id': sessionId,
      'mcp-protocol-version': '2025-11-25',
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

for (const { target, era } of PLACES) {
  describe(`${target === 'server' ? 'this server' : 'in this page'}, ${era}`, () => {
    // `auto` finds the newer era on our servers.
    const hasSession = era === 'handshake';
    let at;
    before(async () => {
      at = await visit();
      await at.connect({ target, era });
    });
    after(() => at?.end());

    test('lists the tools', async () => {
      const names = await at.page
        .locator('[data-tool]')
        .evaluateAll((cards) => cards.map((card) => card.dataset.tool));
      assert.deepEqual(names, target === 'server' ? [...TOOLS, 'set_price'] : TOOLS);
    });

    test('shows what it is connected to', async () => {
      assert.match(await at.fact('Server'), /mcp-session .*\d/);
      assert.equal(await at.fact('Era'), hasSession ? 'Sessions 2025-11-25' : 'Stateless 2026-07-28');
      const session = await at.fact('Session');
      if (!hasSession) assert.equal(session, 'None: state is in handles');
      else if (target === 'page') assert.equal(session, 'Lives as long as its port');
      else assert.match(session, /^[\w-]{6}…$/);
      // A port's session lives as long as the port.
      if (hasSession && target === 'server') {
        assert.match(await at.fact('Idle time left'), /^(30:00|29:5\d)$/);
        assert.match(await at.fact('Ends at the latest'), /\d/);
      }
    });

    test('keeps a basket over calls', async () => {
      const { members } = await at.call('create_basket');
      assert.match(members.basket, /^basket_[\w-]{22}$/);
      assert.equal(await at.field('add_item', 'basket').inputValue(), members.basket);
      await at.call('add_item', { item: 'Pears', quantity: 3 });
      const added = await at.call('add_item', { item: 'Coffee beans', quantity: 1 });
      assert.equal(added.members.total, '4');
      const { rows } = await at.call('get_basket');
      assert.deepEqual(rows, ['Pears\t3', 'Coffee beans\t1']);
    });

    test('lists baskets where somebody owns them', async () => {
      const { outcome, rows } = await at.call('list_baskets');
      assert.equal(outcome, hasSession ? 'done' : 'failed');
      assert.equal(rows.length, hasSession ? 1 : 0);
    });

    test('counts in the session', async () => {
      const first = await at.call('count');
      assert.equal(first.outcome, hasSession ? 'done' : 'failed');
      if (!hasSession) return assert.match(first.text, /^The tool failed\s+This tool keeps its state/);
      assert.equal(first.members.count, '1');
      assert.equal((await at.call('count', { by: 5 })).members.count, '6');
    });

    test('moves the progress bar', async () => {
      const seen = await watchProgress(at, 'slow_count');
      const { members } = await at.call('slow_count', { to: 5, delay_ms: 40 });
      assert.equal(members.counted_to, '5');
      const values = await seen();
      assert.ok(values.length >= 3, `values: ${values}`);
      assert.deepEqual(values, [...values].sort((a, b) => a - b));
    });

    test('cancels a call', async () => {
      await at.field('slow_count', 'to').fill('100');
      await at.field('slow_count', 'delay_ms').fill('100');
      await at.press('slow_count', 'Call');
      await at.card('slow_count').getByText('counted to 2').waitFor();
      await at.press('slow_count', 'Cancel');
      const { outcome, text } = await at.settled('slow_count');
      assert.equal(outcome, 'cancelled');
      assert.match(text, /^Cancelled/);
      // The connection is as good as before.
      assert.equal((await at.call('get_basket')).outcome, 'done');
    });

    test('ends a basket, and says so of one that is gone', async () => {
      const basket = await at.field('end_basket', 'basket').inputValue();
      // The native server asks before it throws things away.
      const question = at.page.getByRole('dialog', { name: 'Throw the basket away, with what is in it?' });
      if (target === 'server') {
        await at.press('end_basket', 'Call');
        await question.getByRole('button', { name: 'Decline' }).click();
        assert.equal((await at.settled('end_basket')).members.ended, 'false');
        await at.press('end_basket', 'Call');
        await question.waitFor();
        await at.shot(`question-${hasSession}`);
        await at.page.keyboard.press('Escape');
        assert.equal((await at.settled('end_basket')).members.ended, 'false');
        await at.press('end_basket', 'Call');
        await question.getByLabel('Throw it away').check();
        await question.getByRole('button', { name: 'Accept' }).click();
      } else {
        await at.press('end_basket', 'Call');
      }
      const { members } = await at.settled('end_basket');
      assert.deepEqual(members, { basket, ended: 'true' });
      assert.equal(await at.field('get_basket', 'basket').inputValue(), '');
      const { outcome, text } = await at.call('get_basket', { basket });
      assert.equal(outcome, 'failed');
      assert.match(text, /does not exist or has ended/);
    });

    test('logs both directions, without the session id', async () => {
      const log = (await at.log()).join('\n');
      assert.match(log, /sent: tools\/call slow_count/);
      assert.match(log, /received: notifications\/progress 3 \/ 5/);
      await at.openAll();
      const everything = await at.page.locator('body').innerText();
      assert.equal(at.sessionIds.size, hasSession && target === 'server' ? 1 : 0);
      for (const id of at.sessionIds) assert.ok(!everything.includes(id), 'the page shows the session id');
    });

    test('disconnects', async () => {
      await at.disconnect();
      const text = await at.page.locator('#session').innerText();
      assert.match(text, hasSession ? /The session has ended/ : /There was no session to end/);
      assert.ok(await at.card('count').getByRole('button', { name: 'Call' }).isDisabled());
      for (const id of at.sessionIds) {
        assert.match((await at.log()).join('\n'), /sent: DELETE \/mcp/);
        assert.equal((await fromElsewhere(id, 'POST', PING)).status, 404);
      }
    });
  });
}

test('the time left runs down, and starts again with each use', async () => {
  const at = await visit();
  await at.connect();
  const left = async () => {
    const [minutes, seconds] = (await at.fact('Idle time left')).split(':');
    return Number(minutes) * 60 + Number(seconds);
  };
  await at.page.waitForFunction(() => document.querySelector('.countdown')?.textContent === '29:57');
  await at.call('count');
  assert.ok((await left()) > 29 * 60 + 57);
  await at.end();
});

test('a session that was ended elsewhere is told, and the call goes on in a new one', async () => {
  const at = await visit();
  await at.connect();
  await at.call('count', { by: 3 });
  const [id] = at.sessionIds;
  await fromElsewhere(id, 'DELETE');
  assert.equal((await at.call('count', { by: 2 })).members.count, '2');
  await at.state('Connected');
  await at.page.getByText('The server no longer knew the session before this one.').waitFor();
  await at.shot('session-renewed');
  assert.equal(at.sessionIds.size, 2);
  // Chromium tells the console of every 404.
  at.complaints = at.complaints.filter((complaint) => !complaint.includes('404'));
  await at.end();
});

test('a server that is away is told in words', async () => {
  const other = await startServer(program);
  const at = await Visit.start(browser.browser, other.url);
  await at.connect();
  await other.stop();
  const { outcome, text } = await at.call('count');
  assert.equal(outcome, 'failed');
  assert.match(text, /^The server cannot be reached/);
  await at.disconnect();
  await at.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await at.page.getByRole('alert').getByText('The server cannot be reached').waitFor();
  await at.state('Not connected');
  await at.shot('unreachable');
  // The server in the page needs nobody else, once it is loaded.
  at.complaints = at.complaints.filter((complaint) => !complaint.includes('ERR_CONNECTION_REFUSED'));
  await at.end();
});

test('leaving the page ends the session', async () => {
  const at = await visit();
  await at.connect();
  await at.call('count');
  const [id] = at.sessionIds;
  await at.page.goto('about:blank');
  const deadline = Date.now() + PATIENCE;
  let status;
  do {
    ({ status } = await fromElsewhere(id, 'POST', PING));
  } while (status !== 404 && Date.now() < deadline);
  assert.equal(status, 404);
  await at.end();
});

test('one connection after the other', async () => {
  const at = await visit();
  await at.connect({ target: 'page', era: 'stateless' });
  const { members } = await at.call('create_basket');
  await at.disconnect();
  await at.connect({ target: 'server' });
  assert.equal((await at.call('count')).members.count, '1');
  await at.disconnect();
  // The server in the page was there all along, and this handle is its own key.
  await at.connect({ target: 'page', era: 'stateless' });
  assert.equal((await at.call('get_basket', { basket: members.basket })).outcome, 'done');
  await at.disconnect();
  await at.end();
});

test('what is wrong with an argument is said beside it', async () => {
  const at = await visit();
  await at.connect({ target: 'page' });
  await at.press('add_item', 'Call');
  const problem = (name) =>
    at.card('add_item').locator('.field', { has: at.page.locator(`[name=${name}]`) }).locator('.problem');
  assert.equal(await problem('item').innerText(), 'This is needed.');
  assert.equal(await at.field('add_item', 'basket').getAttribute('aria-invalid'), 'true');
  assert.ok(await at.field('add_item', 'basket').evaluate((input) => input === document.activeElement));
  await at.field('add_item', 'quantity').fill('0');
  await at.press('add_item', 'Call');
  assert.equal(await problem('quantity').innerText(), 'Enter 1 or more.');
  assert.ok(await at.answer('add_item').isHidden());
  await at.shot('wrong-arguments');
  await at.end();
});

test('the log filters, pauses and clears', async () => {
  const at = await visit();
  await at.connect({ target: 'page' });
  await at.page.getByLabel('Filter messages').fill('COUNT');
  assert.equal((await at.log()).length, 1); // its description in the list of tools
  await at.call('count');
  assert.equal((await at.log()).length, 3);
  await at.page.getByLabel('Filter messages').fill('');
  const before = (await at.log()).length;
  await at.page.getByRole('button', { name: 'Pause' }).click();
  await at.call('count');
  assert.equal((await at.log()).length, before);
  assert.equal(await at.page.locator('#log-count').innerText(), '2 new');
  await at.page.getByRole('button', { name: 'Resume' }).click();
  assert.equal((await at.log()).length, before + 2);
  await at.page.getByRole('button', { name: 'Clear' }).click();
  assert.deepEqual(await at.log(), []);
  await at.end();
});

test('the log keeps the newest 500', async () => {
  const at = await visit();
  await at.connect({ target: 'page' });
  for (let i = 0; i < 6; ++i) await at.call('slow_count', { to: 100, delay_ms: 0 });
  assert.equal((await at.log()).length, 500);
  await at.end();
});

test('everything can be done from the keyboard', async () => {
  const at = await visit();
  const { keyboard } = at.page;
  const focused = (selector) => at.page.evaluate((s) => document.activeElement?.matches(s), selector);
  const tabTo = async (selector) => {
    for (let i = 0; i < 60; ++i) {
      if (await focused(selector)) return;
      await keyboard.press('Tab');
    }
    assert.fail(`${selector} is not reached by Tab`);
  };
  await keyboard.press('Tab');
  assert.ok(await focused('.skip'));
  await tabTo('[name=target]');
  await keyboard.press('ArrowDown');
  assert.ok(await focused('[name=target][value=page]'));
  await tabTo('#connect');
  await keyboard.press('Enter');
  await at.state('Connected');
  assert.ok(await focused('#connect'), 'the focus stays on the button');
  await at.card('slow_count').waitFor();
  await tabTo('[data-tool=create_basket] button');
  await keyboard.press('Enter');
  await at.settled('create_basket');
  await tabTo('[data-tool=add_item] [name=item]');
  await keyboard.type('Pears');
  await keyboard.press('Tab');
  await keyboard.press('ArrowUp');
  await keyboard.press('Enter');
  const { rows } = await at.settled('add_item');
  assert.deepEqual(rows, ['Pears\t2']);
  await tabTo('[data-tool=slow_count] [name=to]');
  await keyboard.press('Control+A');
  await keyboard.type('100');
  await keyboard.press('Enter');
  await at.card('slow_count').getByText('counted to 1').waitFor();
  await tabTo('[data-tool=slow_count] button:not([type=submit])');
  await keyboard.press('Space');
  assert.equal((await at.settled('slow_count')).outcome, 'cancelled');
  assert.ok(await focused('[data-tool=slow_count] button[type=submit]'), 'the focus is not lost');
  await at.end();
});

test('every control has a name', async () => {
  const at = await visit();
  await at.connect({ target: 'page' });
  const controls = at.page.locator('button, input, select, textarea, progress, a');
  const nameless = await controls.evaluateAll((all) =>
    all
      .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
      .map((one) => one.outerHTML),
  );
  assert.deepEqual(nameless, []);
  await at.end();
});

for (const [width, ...schemes] of [
  [360, 'light', 'dark'],
  [375, 'light', 'dark'],
  [1280, 'light', 'dark'],
]) {
  for (const colorScheme of schemes) {
    test(`nothing sticks out at ${width} px, ${colorScheme}`, async () => {
      const phone = width < 500;
      const at = await visit({
        viewport: { width, height: phone ? 812 : 900 },
        colorScheme,
        deviceScaleFactor: phone ? 2 : 1,
        isMobile: phone,
        hasTouch: phone,
      });
      const fits = async (when) => {
        const over = await at.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${when}: ${over} px too wide`);
      };
      const name = `${width}-${colorScheme}`;
      await fits('at first');
      await at.shot(`${name}-1-start`);
      await at.connect();
      await at.call('create_basket');
      await at.call('add_item', { item: 'Pears', quantity: 3 });
      await at.call('add_item', { item: 'A'.repeat(100), quantity: 1000 });
      await at.call('list_baskets');
      await at.call('get_basket', { basket: 'basket_that_is_gone' });
      await at.page.evaluate(() => scrollTo(0, 0));
      await at.shot(`${name}-2-used`);
      await fits('in use');
      await at.field('slow_count', 'to').fill('50');
      await at.press('slow_count', 'Call');
      await at.card('slow_count').getByText('counted to 3').waitFor();
      await at.card('slow_count').scrollIntoViewIfNeeded();
      await at.shot(`${name}-3-progress`);
      await at.press('slow_count', 'Cancel');
      await at.settled('slow_count');
      await at.openAll();
      await at.page.getByRole('button', { name: 'Pause' }).click();
      await at.call('count');
      await fits('with everything open');
      await at.page.getByRole('button', { name: 'Resume' }).click();
      await at.page.locator('#messages').scrollIntoViewIfNeeded();
      await at.shot(`${name}-4-messages`);
      await at.shot(`${name}-5-whole`, { fullPage: true });
      await at.disconnect();
      await at.page.evaluate(() => scrollTo(0, 0));
      await at.shot(`${name}-6-ended`);
      await at.end();
    });
  }
}
