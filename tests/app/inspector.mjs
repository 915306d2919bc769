// The App in other people's host: the Inspector, by its command line and drawn in its page.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startServer } from './app_in_host.mjs';
import { openPage } from './browser.mjs';

const launcher = join(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json'), '../clients/launcher/build/index.js');

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

// Resolves when its page can be had.
async function startInspector(port, sandbox) {
  const inspector = spawn(process.execPath, [launcher, '--web'], { detached: true, env: { ...process.env, HOST: '127.0.0.1', CLIENT_PORT: String(port),
    MCP_SANDBOX_PORT: String(sandbox), MCP_AUTO_OPEN_ENABLED: 'false', MCP_INSPECTOR_API_TOKEN: 'T' } });
  for (let tries = 0; tries < 300; tries += 1) {
    if (await fetch(`http://127.0.0.1:${port}/`).then(({ ok }) => ok, () => false)) return inspector;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the Inspector does not start');
}

export async function inspectorTests({ world, browser, shots, attempt }) {
  const { server, url } = await startServer(world);

  await attempt('The Inspector sees the app in both eras', () => {
    for (const era of ['modern', 'legacy']) {
      const seen = spawnSync(process.execPath, [launcher, '--cli', '--transport', 'http', '--server-url', url, '--protocol-era', era,
        '--method', 'tools/call', '--tool-name', 'backup_status', '--app-info', '--format', 'json', '-q'], { encoding: 'utf8', timeout: 60_000 });
      assert.equal(seen.status, 0, seen.stderr);
      const { appInfo } = JSON.parse(seen.stdout);
      assert.equal(appInfo.hasApp, true);
      assert.equal(appInfo.resourceMimeType, 'text/html;profile=mcp-app');
      assert.equal(appInfo.prefersBorder, true);
    }
  });

  await attempt('The Inspector draws the app', async () => {
    const port = await freePort();
    const inspector = await startInspector(port, await freePort());
    try {
      const page = await openPage(browser, `http://127.0.0.1:${port}/?serverUrl=${encodeURIComponent(url)}&transport=http&autoConnect=T&openApp=backup_status&appArgs=e30`);
      await page.getByRole('button', { name: 'Open App' }).first().click({ timeout: 60_000 });
      let app;
      for (let tries = 0; tries < 300 && !app; tries += 1) {
        await page.waitForTimeout(100);
        for (const frame of page.frames().slice(1)) {
          if (await frame.locator('#summary').innerText({ timeout: 100 }).then((text) => /in order/.test(text), () => false)) app = frame;
        }
      }
      assert.ok(app, 'no frame has the answer');
      await app.locator('.strip').first().waitFor();
      await page.screenshot({ path: join(shots, 'inspector.png') });
      await page.context().close();
    } finally {
      process.kill(-inspector.pid);
    }
  });
  server.kill('SIGTERM');
}
