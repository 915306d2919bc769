// The page: each view by its text and roles, and what can be done with it, clicked.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openPage, scrollsSideways, seriousFaults } from './browser.mjs';
import { startDashboard } from './dashboard.mjs';
import { hostileTable } from './world.mjs';

export async function pageTests({ world, browser, shots, attempt }) {
  const dashboard = await startDashboard(world);
  const page = await openPage(browser, dashboard.url);
  const text = (id) => page.locator(id).innerText();
  const ready = () => page.waitForFunction(() => !document.getElementById('refresh').disabled);
  const shot = (name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  const answered = (words) => page.waitForFunction((part) => document.querySelector('#ask pre')?.textContent.includes(part), words);
  const choose = async (name) => {
    await page.getByRole('button', { name, exact: true }).first().click();
    await page.waitForFunction(() => document.querySelector('#compared p, #compared table') && !/Comparing/.test(document.getElementById('compared').textContent));
  };
  await ready();

  await attempt('The token is gone from the address at once, and a reload goes on', async () => {
    assert.equal(page.url(), `${dashboard.origin}/`);
    await page.reload();
    await ready();
    assert.match(await text('#summary'), /of \d databases in order/);
  });

  await attempt('The answer names each database, how it stands and what to do', async () => {
    assert.match(await text('#summary'), /Needs attention|Backups are failing/);
    const items = await page.getByRole('region', { name: 'Am I backed up?' }).getByRole('listitem').allInnerTexts();
    const of = (name) => items.find((item) => item.includes(name)) ?? assert.fail(`${name} is missing: ${items.join(' | ')}`);
    assert.match(of('shop.db'), /backed up[\s\S]*Run its schedule now/);
    assert.match(of('notes.db'), /lost most of its content/);
    assert.match(of('archive.db'), /damaged[\s\S]*`backup-plugin-db verify` says how/);
    assert.match(of('global.db'), /Nothing backs it up[\s\S]*Set up a schedule/);
  });

  await attempt('The timeline tells the kinds of days by sign and in words', async () => {
    const words = await page.locator('.strip').evaluateAll((strips) => strips.map((strip) => strip.getAttribute('aria-label')));
    assert.ok(words.some((label) => /1 day damaged/.test(label)), words.join(' | '));
    assert.ok(words.some((label) => /shrunk/.test(label)), words.join(' | '));
    assert.ok(words.some((label) => /kept from before a loss/.test(label)), words.join(' | '));
    assert.ok(words.some((label) => /\d days verified/.test(label)), words.join(' | '));
  });

  await attempt('Days on which a backup was due and nothing ran are missed, and a safety copy has its day', async () => {
    const row = page.locator('.tl').filter({ hasText: 'garden/garden.db' });
    assert.match(await row.locator('.strip').getAttribute('aria-label'),
      /^The last \d+ days: 1 day kept from before a restore, 4 days missed or failed, 3 days verified$/);
    assert.match(await row.locator('.strip').textContent(), /^ +●–––●–◇$/);
    assert.match(await text('#legend'), /◇ kept from before a restore[\s\S]*– missed or failed/);
    const { missed } = world.call('backup_status', {}).databases.find(({ source }) => source === world.garden);
    const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    assert.deepEqual(missed, [`${day(5)}/${day(3)}`, day(1)]);
    for (const label of await page.locator('.tl').filter({ hasText: 'shop/shop.db' }).locator('.strip').evaluateAll((all) => all.map((one) => one.ariaLabel))) {
      assert.ok(!/missed/.test(label), label);
    }
  });

  await attempt('What would come back is told for each table, and a name that is markup stays a name', async () => {
    await choose('notes/notes.db');
    await page.getByRole('button', { name: 'Later' }).click();
    await page.getByText('holds what this snapshot holds').waitFor();
    await page.getByRole('button', { name: 'Earlier' }).click();
    const table = page.getByRole('table').filter({ hasText: 'Only then' });
    await table.getByText('Show rows').first().waitFor();
    const rows = await table.getByRole('row').allInnerTexts();
    assert.ok(rows.some((row) => /^notes[\s\S]*3\s+412\s+409\s+0\s+1/.test(row)), rows.join(' | '));
    assert.ok(rows.some((row) => row.includes(hostileTable)), rows.join(' | '));
    await table.getByText('Show rows').first().click();
    await table.getByText('title: note <b>4</b>').first().waitFor();
    assert.equal(await page.locator('main img, main b').count(), 0);
    assert.equal(await page.evaluate(() => globalThis.hit), undefined);
  });

  await attempt('Size and rows are drawn, and told', async () => {
    assert.match(await page.locator('#trend svg').getAttribute('aria-label'), /rows \(dashes\) from 417 to/);
  });

  await attempt('Proof tells full checks, drills, room and what it would survive', async () => {
    const proof = await text('#proof');
    assert.match(proof, /notes\.db[\s\S]*(today|days? ago)[\s\S]*Backups, [\d.]+ [GMTk]+B free/);
    assert.match(proof, /✓ yes[\s\S]*✗ no/);
  });

  await attempt('The log tells runs and failures, and failures alone', async () => {
    await page.getByLabel('Failures only').check();
    const failed = await page.locator('#runs li').allInnerTexts();
    assert.ok(failed.length > 0 && failed.every((run) => /failed/.test(run)), failed.join(' | '));
    assert.ok(failed.some((run) => /verify[\s\S]*archive\.db/.test(run)), failed.join(' | '));
    await page.getByLabel('Failures only').uncheck();
    assert.match(await text('#runs'), /snapshot[\s\S]*notes\.db/);
  });

  await attempt('No serious fault of access, light and dark, and no sideways scrolling at any width', async () => {
    for (const [colorScheme, width] of [['light', 1280], ['dark', 768], ['light', 360], ['dark', 360], ['dark', 1280]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.getByRole('button', { name: 'Refresh' }).click();
      await ready();
      assert.equal(await scrollsSideways(page), false, `at ${width}`);
      assert.deepEqual(await seriousFaults(page), [], `${colorScheme} at ${width}`);
      await shot(`page-${colorScheme}-${width}`);
    }
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 1280, height: 900 });
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), 'auto');
  });

  await attempt('The keyboard alone leads to a comparison', async () => {
    await page.getByRole('button', { name: 'notes/notes.db', exact: true }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Database' }).focus();
    const before = await text('#which');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Earlier');
    await page.keyboard.press('Enter');
    await page.waitForFunction((was) => document.getElementById('which').textContent !== was, before);
    await page.locator('#compared table, #compared p.ok').first().waitFor();
    await page.getByRole('slider', { name: 'Snapshot' }).press('ArrowRight');
    await page.waitForFunction((was) => document.getElementById('which').textContent === was, before);
  });

  await attempt('A snapshot taken in a shell shows without a reload, and takes nobody\'s place or focus', async () => {
    await choose('garden/garden.db');
    const before = await text('#choice .path');
    const button = page.getByRole('button', { name: 'Restore to a new file' });
    await button.focus();
    const runs = await page.locator('#runs li').count();
    world.fillTable(world.garden, 'bed', 4);
    world.call('snapshot_db', { source: world.garden, destination: world.destination, label: 'by-hand' });
    await page.waitForFunction((count) => document.querySelectorAll('#runs li').length > count, runs);
    assert.match(await page.locator('#runs li').first().innerText(), /done[\s\S]*snapshot[\s\S]*garden\.db/);
    await ready();
    assert.equal(await text('#choice .path'), before);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Restore to a new file');
    await page.getByRole('button', { name: 'Later' }).click();
    await page.waitForFunction((was) => document.querySelector('#choice .path').textContent !== was, before);
  });

  await attempt('A hidden page asks for nothing, and one that is looked at again asks at once', async () => {
    const asked = [];
    page.on('request', (request) => asked.push(request));
    const see = (hidden) => page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: is });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
    await see(true);
    asked.length = 0;
    await page.waitForTimeout(12_000);
    assert.deepEqual(asked.map((request) => request.postData()), []);
    const back = page.waitForRequest((request) => /"list_runs"/.test(request.postData() ?? ''), { timeout: 2_000 });
    await see(false);
    await back;
    await page.evaluate(() => { delete document.hidden; });
  });

  await attempt('A restore to a new file is previewed, clicked, and there', async () => {
    await choose('notes/notes.db');
    await page.getByRole('button', { name: 'Restore to a new file' }).click();
    const target = join(dirname(world.notes), 'as-it-was.db');
    await page.getByRole('textbox', { name: 'New file' }).fill(target);
    assert.equal(await page.getByRole('button', { name: 'Restore', exact: true }).isDisabled(), true);
    await page.getByRole('button', { name: 'Preview' }).click();
    await answered('Would restore');
    assert.equal(existsSync(target), false);
    await shot('restore-preview');
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await answered('Restored ');
    assert.equal(world.rows(target, 'notes'), 412);
    assert.equal(world.rows(world.notes, 'notes'), 3);
    await page.getByRole('button', { name: 'Close' }).click();
    await ready();
  });

  await attempt('What fails is told in the dialog, and nothing is done', async () => {
    await page.getByRole('button', { name: 'Restore to a new file' }).click();
    await page.getByRole('textbox', { name: 'New file' }).fill(world.notes);
    await page.getByRole('button', { name: 'Preview' }).click();
    await answered('conflict');
    assert.equal(await page.getByRole('button', { name: 'Restore', exact: true }).isDisabled(), true);
    await page.keyboard.press('Escape');
  });

  await attempt('Lost rows come back by a click after their preview', async () => {
    await choose('notes/notes.db');
    await page.getByRole('button', { name: 'Bring back 409 rows' }).click();
    await answered('would be put back');
    assert.equal(world.rows(world.notes, 'notes'), 3);
    await page.getByRole('button', { name: 'Bring them back' }).click();
    await answered('To undo');
    assert.match(await text('#ask pre'), /`backup-plugin-db restore-rows [^`]*--undo /);
    assert.equal(world.rows(world.notes, 'notes'), 412);
    await page.getByRole('button', { name: 'Close' }).click();
    await ready();
  });

  await attempt('A snapshot, a full check and a run of a schedule, each by its own click', async () => {
    const listed = () => readdirSync(world.destination, { recursive: true }).filter((name) => name.endsWith('.db')).length;
    const before = listed();
    await page.locator('#databases li').filter({ hasText: 'notes.db' }).getByRole('button', { name: 'Take a snapshot' }).click();
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.waitForFunction(() => document.querySelector('#ask pre').className === 'ok');
    await page.getByRole('button', { name: 'Close' }).click();
    await ready();
    assert.ok(listed() >= before);
    await page.getByRole('button', { name: 'Check it in full' }).click();
    await page.getByRole('button', { name: 'Check it', exact: true }).click();
    await answered('verified');
    await page.getByRole('button', { name: 'Close' }).click();
    await ready();
    await page.locator('#databases li').filter({ hasText: 'shop.db' }).getByRole('button', { name: 'Run its schedule now' }).click();
    await page.getByRole('button', { name: 'Run it now' }).click();
    await answered('shop');
    await page.waitForFunction(() => document.querySelector('#ask pre').className === 'ok');
    await page.getByRole('button', { name: 'Close' }).click();
    await ready();
  });

  await attempt('A live database is replaced by a command to copy, never by the page', async () => {
    await page.getByRole('button', { name: /^Replace the live database/ }).click();
    assert.match(await text('#ask pre'), /^backup-plugin-db restore '.*' --in-place$/);
    await page.getByRole('button', { name: 'Close' }).click();
  });

  await attempt('A long call shows how far it is, and a cancelled one ends on the server, too', async () => {
    const large = world.path('code/large/large.db');
    const fill = async (rows) => {
      world.sql(large, `CREATE TABLE IF NOT EXISTS blob(id INTEGER PRIMARY KEY, value BLOB);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) INSERT INTO blob(value) SELECT randomblob(1000) FROM n`);
      world.snapshot(large, 0, { verify: 'none' });
      await page.getByRole('button', { name: 'Refresh' }).click();
      await ready();
      await page.getByRole('combobox', { name: 'Database' }).selectOption({ label: 'large/large.db' });
    };
    const begin = async () => {
      await page.getByRole('button', { name: 'Check it in full' }).click();
      await page.getByRole('button', { name: 'Check it', exact: true }).click();
      await page.waitForFunction(() => document.querySelector('progress').value > 0);
    };
    const checks = () => world.call('list_runs', { source: large, kind: 'verify' }).runs.length;
    const check = async () => {
      const before = checks(), begun = Date.now();
      await begin();
      await answered('verified');
      const took = Date.now() - begun;
      assert.equal(checks(), before + 1);
      await page.getByRole('button', { name: 'Close' }).click();
      await ready();
      return took;
    };
    await fill(60000);
    let took = await check();
    if (took < 2000) {  // on a quick machine it would be over before the click
      await fill(400000);
      took = await check();
    }
    const before = checks();
    let ended = 0;  // before the click came
    for (; ended < 10; ++ended) {
      await begin();
      await page.getByRole('button', { name: /^(Cancel|Close)$/ }).click();
      assert.equal(await page.getByRole('dialog').count(), 0);
      await page.waitForTimeout(2 * took);  // by then one that went on would stand in the history
      if (checks() === before + ended) break;
    }
    assert.ok(ended < 10, 'each of ten checks went on after its Cancel');
  });

  await attempt('The browser had nothing to complain of', () => {
    assert.deepEqual(page.complaints, []);
  });

  await attempt('When its server has ended the page says how to start it again', async () => {
    await dashboard.stop();
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Start it again: backup-plugin-db dashboard').waitFor();
  });
  await page.context().close();
}
