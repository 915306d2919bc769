// Makes the picture of the dashboard that README shows: a home as many are, in a browser window.
//   node picture.mjs PROGRAM FILE.png      wants Chromium and pngquant
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, openPage } from './browser.mjs';
import { startDashboard } from './dashboard.mjs';
import { World } from './world.mjs';

const [program, file] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'picture-'));
const world = new World(program, scratch);

function furnish() {
  mkdirSync(world.destination, { recursive: true });
  world.fakeScheduler();
  for (let day = 45; day >= 1; day -= 1) {
    world.fillTable(world.shop, 'orders', 3 + day % 4);
    world.snapshot(world.shop, day, { label: 'shop' });
    world.fillTable(world.notes, 'notes', 9 + day % 3);
    world.snapshot(world.notes, day, { label: 'notes' });
  }
  world.sql(world.notes, 'DELETE FROM notes WHERE id > 12');
  for (const [name, source] of [['shop', world.shop], ['notes', world.notes]]) {
    world.call('install_schedule', { name, source, destination: world.destination, label: name, time: '04:07', scheduler: 'cron', confirm: true });
  }
}

const browser = await launch();
let dashboard;
try {
  furnish();
  dashboard = await startDashboard(world);
  const page = await openPage(browser, dashboard.url, { viewport: { width: 820, height: 1180 } });
  await page.waitForFunction(() => !document.getElementById('refresh').disabled);
  await page.waitForFunction(() => document.querySelector('#compared table'));
  await page.evaluate((home) => {
    for (const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); walk.nextNode();) {
      walk.currentNode.textContent = walk.currentNode.textContent.replaceAll(home, '/home/ada');
    }
  }, world.home);
  await page.screenshot({ path: file });
  execFileSync('pngquant', ['--force', '--speed', '1', '--output', file, '64', file]);
} finally {
  await dashboard?.stop();
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}
