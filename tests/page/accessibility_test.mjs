// accessibility_test.mjs PROGRAM: the page for people who use a keyboard, a screen reader, a small
// screen, or need contrast and no motion.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, servePage, server, Visit } from './support.mjs';

const [program] = process.argv.slice(2);

servePage(program);

/** The page in use, with everything open that can be opened. */
async function inUse(options) {
  const at = await Visit.start(browser.browser, server.url, options);
  await at.connect();
  await at.call('create_basket');
  await at.call('add_item', { item: 'Pears', quantity: 3 });
  await at.call('get_basket', { basket: 'basket_that_is_gone' });
  await at.page.evaluate(() => document.querySelectorAll('details.fold').forEach((one) => (one.open = true)));
  return at;
}

const tab = (at, name) => at.page.getByRole('tab', { name });

test('the accessibility tree names every control, and has the parts as regions', async () => {
  const at = await inUse();
  const session = await at.context.newCDPSession(at.page);
  for (const name of ['Tools', 'Resources', 'Prompts']) {
    await tab(at, name).click();
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const seen = nodes.filter(({ ignored }) => !ignored);
    const roleOf = (node) => node.role?.value;
    const nameOf = (node) => node.name?.value ?? '';
    const controls = ['button', 'textbox', 'searchbox', 'spinbutton', 'combobox', 'radio', 'checkbox', 'tab', 'link', 'DisclosureTriangle'];
    const nameless = seen.filter((node) => controls.includes(roleOf(node)) && !nameOf(node).trim());
    assert.deepEqual(nameless.map(roleOf), []);
    assert.ok(seen.filter((node) => controls.includes(roleOf(node))).length > 15);
    const regions = seen.filter((node) => roleOf(node) === 'region').map(nameOf);
    for (const part of ['Connection', 'Session', 'What the server offers', 'Messages']) {
      assert.ok(regions.includes(part), `${part} of ${regions}`);
    }
    assert.ok(seen.some((node) => roleOf(node) === 'tabpanel' && nameOf(node).startsWith(name)));
    assert.equal(seen.filter((node) => roleOf(node) === 'main').length, 1);
  }
  await at.end();
});

test('Tab reaches every control once around, and shows where it is', async () => {
  const at = await inUse();
  await at.page.locator('#roots-text').fill('/home/me');
  await at.page.evaluate(() => {
    document.activeElement?.blur();
    scrollTo(0, 0);
  });
  const wanted = await at.page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')];
    const reachable = all.filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility() && one.closest('[hidden]') === null);
    // Of radio buttons, one.
    const once = reachable.filter((one) => one.type !== 'radio' || one.checked);
    once.forEach((one, i) => (one.dataset.stop = i));
    return once.length;
  });
  const seen = new Set();
  const unseen = [];
  for (let i = 0; i < wanted * 2 && seen.size < wanted; ++i) {
    await at.page.keyboard.press('Tab');
    const { stop, shown, what } = await at.page.evaluate(() => {
      const focus = document.activeElement;
      const rings = [focus, focus.nextElementSibling, focus.parentElement];
      const shown = rings.some((one) => {
        const { outlineStyle, outlineWidth } = one ? getComputedStyle(one) : {};
        return outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2;
      });
      return { stop: focus.dataset.stop, shown, what: focus.outerHTML.slice(0, 100) };
    });
    if (stop === undefined) continue;
    seen.add(stop);
    if (!shown) unseen.push(what);
  }
  assert.equal(seen.size, wanted);
  assert.deepEqual(unseen, [], 'the focus cannot be seen');
  await at.end();
});

/** Runs in the page: texts whose contrast is below what WCAG 2.2 asks for (AA). */
function lowContrast() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.unshift(rgba(getComputedStyle(one).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const low = [];
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || !element.checkVisibility() || element.closest('.hidden, script, title, .skip, button:disabled')) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const bar = svg && element.classList.contains('inside') ? element.parentElement.querySelector('.bar') : undefined;
    const below = bar ? rgba(getComputedStyle(bar).fill).slice(0, 3) : ground(element);
    const color = over(rgba(svg ? style.fill : style.color), below);
    const [light, dark] = [luminance(color), luminance(below)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    ++looked;
    if (contrast < 4.5) low.push(`${contrast.toFixed(2)} ${text.data.trim().slice(0, 40)}`);
  }
  return { looked, low };
}

for (const colorScheme of ['light', 'dark']) {
  test(`all text has contrast, ${colorScheme}`, async () => {
    const at = await inUse({ colorScheme });
    for (const name of ['Tools', 'Resources', 'Prompts']) {
      await tab(at, name).click();
      if (name === 'Tools') await at.openAll();
      await at.page.mouse.move(0, 0);
      await at.page.waitForTimeout(200); // colours of buttons change slowly
      const { looked, low } = await at.page.evaluate(lowContrast);
      assert.ok(looked > 20);
      assert.deepEqual(low, []);
    }
    await at.disconnect();
    await at.page.locator('input[name=target][value=other]').check();
    await at.page.getByRole('button', { name: 'Connect', exact: true }).click();
    await at.page.waitForTimeout(200);
    assert.deepEqual((await at.page.evaluate(lowContrast)).low, []);
    await at.end();
  });
}

test('who wants no motion gets none', async () => {
  const at = await inUse({ reducedMotion: 'reduce' });
  const moving = await at.page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionProperty !== 'none').length,
  );
  assert.equal(moving, 0);
  await at.end();
});

for (const colorScheme of ['light', 'dark']) {
  test(`360 px are enough for all parts, ${colorScheme}`, async () => {
    const at = await Visit.start(browser.browser, server.url, {
      viewport: { width: 360, height: 740 },
      colorScheme,
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    });
    const fits = async (what) => {
      const over = await at.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${what}: ${over} px too wide`);
    };
    const shot = async (name) => {
      await fits(name);
      await at.shot(`small-${colorScheme}-${name}`);
    };
    await at.page.locator('input[name=target][value=other]').check();
    await at.page.getByRole('button', { name: 'Connect', exact: true }).click();
    await shot('other');
    await at.connect({ target: 'page' });
    await at.call('create_basket');
    await at.page.locator('#store summary').click();
    await at.page.locator('.record').first().waitFor();
    await at.page.locator('#store').scrollIntoViewIfNeeded();
    await shot('store');
    await at.disconnect();
    await at.connect();
    await at.page.locator('#roots summary').click();
    await at.page.locator('#timeline summary').first().click();
    await at.call('slow_count', { to: 5, delay_ms: 20 });
    await at.page.locator('#timeline').scrollIntoViewIfNeeded();
    await at.page.locator('#timeline-frame').focus();
    await at.page.keyboard.press('Home');
    await at.page.locator('#timeline-table summary').click();
    await shot('timeline');
    await tab(at, 'Resources').click();
    const card = at.page.locator('[data-resource="demo://shelf"]');
    await card.getByRole('button', { name: 'Read' }).click();
    await card.locator('.answer').waitFor();
    await shot('resources');
    await tab(at, 'Prompts').click();
    await at.page.locator('[data-prompt] input').fill('soup');
    await at.page.getByRole('button', { name: 'Get' }).click();
    await shot('prompts');
    await tab(at, 'Tools').click();
    await at.call('create_basket');
    await at.call('add_item', { item: 'Pears', quantity: 3 });
    await at.press('end_basket', 'Call');
    await at.page.getByRole('dialog').waitFor();
    await shot('question');
    await at.page.keyboard.press('Escape');
    await at.end();
  });
}
