// Chromium with a fresh profile, and what its pages complain of.
import { chromium } from 'playwright-core';
import { createRequire } from 'node:module';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });

// A page whose messages, errors and refused loads are collected in `complaints`.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'UTC', locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.complaints = [];
  page.on('console', (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => page.complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    page.complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  if (url) await page.goto(url);
  return page;
}

// Serious and critical findings of axe. `frame` may lie in a page of another origin.
export async function seriousFaults(frame) {
  const source = (await import('node:fs')).readFileSync(axePath, 'utf8');
  // By the driver's own way into the page: its policy runs no script of ours.
  await frame.evaluate(source);
  const found = await frame.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).slice(0, 5).join(', ')}`);
}

export const scrollsSideways = (frame) =>
  frame.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
