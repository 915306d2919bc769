// The same bytes as an MCP App: in a host of our own, in both eras of the protocol.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { openPage, scrollsSideways, seriousFaults } from './browser.mjs';

const here = (name) => new URL(name, import.meta.url).pathname;
const APP_URI = 'ui://backup-plugin-db/dashboard.html';
const MAX_INLINE_HEIGHT = 500;
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self'; media-src 'self' data:; connect-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'none'";

export function startServer(world) {
  return new Promise((resolve, reject) => {
    const server = spawn(world.program, ['serve', '--http', '127.0.0.1:0', '--no-token'], { env: world.environment });
    let said = '';
    server.stderr.on('data', (data) => {
      said += data;
      const at = said.match(/Listening on (http\S+)/);
      if (at) resolve({ server, url: at[1] });
    });
    server.on('exit', (code) => reject(new Error(`exit ${code}: ${said}`)));
  });
}

// The host's page with the server's /mcp behind it, and on the next port the sandbox.
async function startHost(upstream) {
  const { outputFiles: [script] } = await build({ entryPoints: [here('host.mjs')], bundle: true, write: false, format: 'esm',
    platform: 'browser', external: ['react'], logLevel: 'error' });
  const pages = http.createServer(async (asked, answer) => {
    const path = asked.url.split('?')[0];
    if (path === '/') return answer.writeHead(200, { 'Content-Type': 'text/html' }).end(readFileSync(here('host.html')));
    if (path === '/host.js') return answer.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script.contents);
    if (path !== '/mcp') return answer.writeHead(404).end();
    const headers = { ...asked.headers, host: new URL(upstream).host };
    delete headers.origin;
    const passed = http.request(upstream, { method: asked.method, headers }, (reply) => {
      answer.writeHead(reply.statusCode, reply.headers);
      reply.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    return asked.pipe(passed);
  });
  const sandbox = http.createServer((asked, answer) => answer.writeHead(200, { 'Content-Type': 'text/html',
    'Content-Security-Policy': POLICY, 'Cache-Control': 'no-store' }).end(readFileSync(here('sandbox.html'))));
  const listen = (server, port) => new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  for (let port = 3920; ; port += 2) {
    try {
      await listen(pages, port);
      await listen(sandbox, port + 1);
      return { url: `http://127.0.0.1:${port}/`, stop: () => [pages, sandbox].forEach((server) => server.closeAllConnections() ?? server.close()) };
    } catch (error) {
      pages.close();
      if (error.code !== 'EADDRINUSE' || port > 4000) throw error;
    }
  }
}

export async function appTests({ world, browser, shots, attempt }) {
  const { server, url } = await startServer(world);
  const host = await startHost(url);
  try {
    for (const era of ['modern', 'legacy']) await appIn(era, { world, browser, shots, attempt, host });
  } finally {
    host.stop();
    server.kill('SIGTERM');
  }
}

async function appIn(era, { world, browser, shots, attempt, host }) {
  const page = await openPage(browser, `${host.url}?era=${era}&theme=${era === 'modern' ? 'light' : 'dark'}`, { viewport: { width: era === 'modern' ? 720 : 420, height: 900 } });
  const seen = (part) => page.evaluate((key) => globalThis.host[key], part);
  let app;

  await attempt(`${era}: the server offers the app as hosts look for it`, async () => {
    await page.waitForFunction(() => globalThis.host?.ready, null, { timeout: 60_000 });
    assert.equal(await seen('protocol') ?? '2025-11-25', era === 'modern' ? '2026-07-28' : '2025-11-25');
    assert.deepEqual((await seen('extensions'))['io.modelcontextprotocol/ui'], { mimeTypes: ['text/html;profile=mcp-app'] });
    assert.equal(await seen('uri'), APP_URI);
    assert.equal((await seen('listed')).mimeType, 'text/html;profile=mcp-app');
    const given = await seen('page');
    assert.equal(given.uri, APP_URI);
    assert.equal(given.mimeType, 'text/html;profile=mcp-app');
    assert.deepEqual(given._meta.ui, { csp: {}, prefersBorder: true });
    assert.equal(given.text, readFileSync(here('../../dashboard/dashboard.html'), 'utf8'), 'app and page are the same bytes');
    const visibility = await seen('visibility');
    for (const name of ['install_schedule', 'remove_schedule', 'prune_snapshots', 'restore_all', 'ignore_database']) assert.deepEqual(visibility[name], ['model'], name);
  });

  await attempt(`${era}: the app shows the result that the host has, by the host's own policy`, async () => {
    app = page.frames().at(-1);
    await app.waitForFunction(() => document.querySelectorAll('.strip').length > 0);
    assert.match(await app.locator('#summary').innerText(), /of \d databases in order/);
    assert.equal(await app.locator('#proof').isVisible(), false);
    assert.equal(await app.evaluate(() => document.documentElement.dataset.theme), era === 'modern' ? 'light' : 'dark');
    assert.equal(await scrollsSideways(app), false);
    assert.deepEqual(await seriousFaults(app), []);
    await page.screenshot({ path: join(shots, `app-${era}.png`) });
  });

  await attempt(`${era}: what would come back opens in the place of the others`, async () => {
    await app.getByRole('button', { name: 'notes/notes.db' }).click();
    await app.getByRole('table').or(app.locator('#compared p.ok')).first().waitFor();
    assert.equal(await app.locator('#answer').isVisible(), false);
    assert.ok((await seen('calls')).some(({ name, arguments: args }) => name === 'restore_snapshot' && args.dry_run));
    await page.screenshot({ path: join(shots, `app-${era}-back.png`) });
  });

  await attempt(`${era}: inline it is never much higher than ${MAX_INLINE_HEIGHT} px`, async () => {
    await page.waitForTimeout(300);
    const heights = await seen('heights');
    assert.ok(heights.length > 0 && Math.max(...heights) <= MAX_INLINE_HEIGHT, heights.join(' '));
  });

  await attempt(`${era}: a restore to a new file through the host, and a replacement as a message`, async () => {
    const target = world.path(`code/notes/from-${era}.db`);
    await app.getByRole('button', { name: 'Restore to a new file' }).click();
    await app.getByRole('textbox', { name: 'New file' }).fill(target);
    await app.getByRole('button', { name: 'Preview' }).click();
    await app.getByText('Would restore').waitFor();
    await app.getByRole('button', { name: 'Restore', exact: true }).click();
    await app.getByText('Restored ').waitFor();
    assert.ok(world.rows(target, 'notes') > 0);
    await app.getByRole('button', { name: 'Close' }).click();
    await app.getByRole('button', { name: /ask the assistant/ }).first().click();
    await page.waitForFunction(() => globalThis.host.messages.length > 0);
    assert.match((await seen('messages'))[0].content[0].text, /Please restore .* in place/);
    assert.ok(!(await seen('calls')).some(({ arguments: args }) => args.in_place && !args.dry_run));
    await app.getByRole('button', { name: 'Back', exact: true }).click();
    assert.equal(await app.locator('#answer').isVisible(), true);
  });

  await attempt(`${era}: a snapshot taken in a shell has it look again, as the host hands on what the server tells`, async () => {
    const asked = (await seen('calls')).filter(({ name }) => name === 'backup_status').length;
    await page.evaluate((uri) => globalThis.host.follow(uri), `backup://snapshots/-/notes/${new Date().toISOString().slice(0, 10)}`);
    world.snapshot(world.notes, 0);
    await page.waitForFunction((before) => globalThis.host.calls.filter(({ name }) => name === 'backup_status').length > before, asked);
    assert.match(await seen('heard'), /^backup:\/\/snapshots\/-\/notes\//);
  });

  await attempt(`${era}: full screen has all views`, async () => {
    await app.getByRole('button', { name: 'Full screen' }).click();
    await app.locator('#proof').waitFor();
    assert.equal(await app.locator('#log').isVisible(), true);
  });

  await attempt(`${era}: the browser had nothing to complain of`, () => assert.deepEqual(page.complaints.filter((one) => /error|Content.Security/i.test(one)), []));
  await page.context().close();
}
