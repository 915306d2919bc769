// Who gets nothing from the page's server: without its token, by another name, from another page, as
// another user. And that the token stays where it belongs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { openPage } from './browser.mjs';
import { startDashboard } from './dashboard.mjs';

const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'backup_status', arguments: {},
  _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'stranger', version: '1' } } } });

// Past fetch, which would not let us set these headers.
function request(port, { path = '/mcp', method = 'POST', headers = {}, token } = {}) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ agent: false, host: '127.0.0.1', port, path, method, headers: {
      'Content-Type': 'application/json', Accept: 'application/json', 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call',
      'Mcp-Name': 'backup_status', ...(token && { Authorization: `Bearer ${token}` }), ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (data) => { text += data; });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

export async function securityTests({ world, browser, attempt }) {
  const dashboard = await startDashboard(world);
  const { port, token, origin } = dashboard;
  const refused = async (what, wanted, options) => {
    const answer = await request(port, options);
    assert.equal(answer.status, wanted, `${what}: ${answer.status} ${answer.text}`);
    assert.ok(!/Backups|\.db|notes|shop|home/.test(answer.text), `${what} is told: ${answer.text}`);
  };

  await attempt('Strangers are refused, and told nothing', async () => {
    assert.equal((await request(port, { token })).status, 200);
    await refused('no token', 401, {});
    await refused('a wrong token', 401, { token: `${token.slice(0, -1)}${token.endsWith('0') ? 1 : 0}` });
    await refused('a token in the address', 401, { path: `/mcp?t=${token}` });
    for (const Host of ['evil.example', `evil.example:${port}`, `localhost:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, `[::1]:${port}`]) {
      await refused(`Host ${Host}`, 403, { token, headers: { Host } });
      await refused(`the page by Host ${Host}`, 403, { path: '/', method: 'GET', headers: { Host } });
    }
    for (const Origin of ['null', 'https://evil.example', `http://localhost:${port}`, `http://127.0.0.1:${port + 1}`, `https://127.0.0.1:${port}`]) {
      await refused(`Origin ${Origin}`, 403, { token, headers: { Origin } });
    }
    for (const site of ['cross-site', 'same-site', 'none']) {
      await refused(`a request from ${site}`, 403, { token, headers: { 'Sec-Fetch-Site': site } });
    }
    await refused('the page for another page to read', 403, { path: '/', method: 'GET', headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' } });
    await refused('the page in a frame', 403, { path: '/', method: 'GET', headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' } });
    await refused('a preflight', 403, { method: 'OPTIONS', headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' } });
    for (const path of ['/health', '/favicon.ico', '/index.html', '/mcp/']) await refused(path, 404, { path, method: 'GET', token });
    await refused('another method', 405, { path: '/', method: 'PUT' });
  });

  await attempt('The page bears the headers that keep strangers out', async () => {
    const { status, headers, text } = await request(port, { path: '/', method: 'GET' });
    assert.equal(status, 200);
    assert.match(headers['content-security-policy'], /^default-src 'none'; script-src 'sha256-[^;]+'; style-src 'sha256-[^;]+'; connect-src 'self'/);
    for (const part of ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) {
      assert.ok(headers['content-security-policy'].includes(part), part);
    }
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.ok(text.length <= 40_000 && text.startsWith('<!doctype html>'));
  });

  await attempt('Tools that the page must not call are not there', async () => {
    const answer = await request(port, { token, headers: { 'Mcp-Method': 'tools/call' } });
    assert.equal(answer.status, 200);
    const page = await openPage(browser, dashboard.url);
    const words = await page.evaluate(async () => {
      const said = [];
      for (const name of ['install_schedule', 'remove_schedule', 'prune_snapshots', 'restore_all', 'ignore_database']) {
        said.push(await tool(name).then(() => 'done', (error) => error.message));  // eslint-disable-line no-undef
      }
      return said;
    });
    for (const said of words) assert.match(said, /Unknown tool/);
    await page.context().close();
  });

  await attempt('A page of another origin can neither call, read, frame nor script it', async () => {
    const foreign = http.createServer((asked, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>x</title>'));
    await new Promise((done) => foreign.listen(0, '127.0.0.1', done));
    const page = await openPage(browser, `http://127.0.0.1:${foreign.address().port}/`);
    const outcomes = await page.evaluate(async ({ origin, token, body }) => {
      const attempts = { };
      const fails = (promise) => promise.then((got) => (got.type === 'opaque' ? `opaque ${got.status}` : `got ${got.status}`), () => 'refused');
      attempts.call = await fails(fetch(`${origin}/mcp`, { method: 'POST', body, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } }));
      attempts.simple = await fails(fetch(`${origin}/mcp`, { method: 'POST', body, mode: 'no-cors' }));
      attempts.read = await fails(fetch(`${origin}/`));
      const loads = (node) => new Promise((done) => {
        node.onload = () => done('loaded');
        node.onerror = () => done('refused');
        document.body.append(node);
      });
      attempts.script = await loads(Object.assign(document.createElement('script'), { src: `${origin}/` }));
      attempts.image = await loads(Object.assign(document.createElement('img'), { src: `${origin}/` }));
      const frame = document.createElement('iframe');
      frame.src = `${origin}/`;
      await loads(frame);
      attempts.frame = await Promise.resolve().then(() => frame.contentWindow.document && 'readable').catch(() => 'refused');
      return attempts;
    }, { origin, token, body });
    foreign.close();
    for (const what of ['call', 'simple', 'read', 'script', 'image', 'frame']) assert.equal(outcomes[what], 'refused', `${what}: ${JSON.stringify(outcomes)}`);
    await page.context().close();
  });

  await attempt('In the page itself nothing foreign runs or loads', async () => {
    const page = await openPage(browser, dashboard.url);
    const outcomes = await page.evaluate(async () => {
      const violated = [];
      document.addEventListener('securitypolicyviolation', (event) => violated.push(event.effectiveDirective));
      let markup = false;
      let evaluated = false;
      // Later, for what the driver itself runs is not bound by the policy.
      await new Promise((done) => setTimeout(() => {
        const script = document.createElement('script');
        try { script.textContent = 'window.hit = 1'; } catch { /* Trusted Types */ }
        document.body.append(script);
        try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.hit=1">'); } catch { markup = true; }
        try { (0, eval)('window.hit = 1'); } catch { evaluated = true; }
        done();
      }));
      const image = document.createElement('img');
      image.src = 'https://evil.example/x.png';
      document.body.append(image);
      const sent = await fetch('https://evil.example/').then(() => 'sent', () => 'refused');
      const form = document.createElement('form');
      form.action = 'https://evil.example/';
      document.body.append(form);
      form.submit();
      await new Promise((done) => setTimeout(done, 300));
      return { hit: globalThis.hit, markup, evaluated, sent, violated, at: location.pathname };
    });
    assert.equal(outcomes.hit, undefined);
    assert.ok(outcomes.markup && outcomes.evaluated, JSON.stringify(outcomes));
    assert.equal(outcomes.sent, 'refused');
    for (const directive of ['img-src', 'connect-src', 'form-action']) assert.ok(outcomes.violated.includes(directive), JSON.stringify(outcomes));
    await page.context().close();
  });

  await attempt('The token is in no file but its own, in no argument, log or Referer', async () => {
    const own = join(world.home, '.local/state/backup-plugin-db/dashboard.html');
    assert.equal(statSync(own).mode & 0o777, 0o600);
    assert.ok(readFileSync(own, 'utf8').includes(token));
    for (const file of filesBelow(world.home)) {
      if (file !== own) assert.ok(!readFileSync(file).includes(token), file);
    }
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        // Chromium's own helpers are told addresses by pipes.
        assert.ok(!words.includes(token), `process ${pid}: ${words}`);
      } catch (error) {
        if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
      }
    }
    const seen = [];
    const page = await openPage(browser);
    page.on('request', (asked) => seen.push(asked));
    await page.goto(dashboard.url);
    await page.waitForFunction(() => !document.getElementById('refresh').disabled);
    assert.ok(seen.length > 1);
    for (const asked of seen) {
      const headers = await asked.allHeaders();
      assert.ok(!(headers.referer ?? '').includes(token));
      assert.ok(!asked.url().split('#')[0].includes(token));
    }
    await page.context().close();
  });

  if (process.getuid() === 0) {
    await attempt('Another user of this machine gets nothing', async () => {
      const as = (command) => spawnSync('su', ['-s', '/bin/sh', 'nobody', '-c', command], { encoding: 'utf8' });
      const call = as(`curl -s -m 10 -X POST -H 'Content-Type: application/json' -H 'MCP-Protocol-Version: 2026-07-28' -d '${body}' ${origin}/mcp`);
      assert.match(call.stdout, /bearer token is needed/);
      const own = join(world.home, '.local/state/backup-plugin-db/dashboard.html');
      chmodSync(join(world.home, '..'), 0o755);  // so that the file's own mode is what counts
      assert.notEqual(as(`cat '${own}'`).status, 0);
    });
  }

  await attempt('A second start finds the first', async () => {
    const second = spawnSync(world.program, ['dashboard', '--no-open'], { env: world.environment, encoding: 'utf8', timeout: 20_000 });
    assert.equal(second.status, 0, second.stderr);
    assert.ok(second.stdout.includes(dashboard.url), second.stdout);
  });

  await attempt('The browser gets a file, and where there is none people get words', async () => {
    const folder = join(world.home, 'fake-bin');
    const words = join(world.home, 'opened');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\nprintf '%s\\n' "$@" >'${words}'\n`, { mode: 0o755 });
    const run = (environment) => spawnSync(world.program, ['dashboard'], { env: { ...world.environment, PATH: `${folder}:${process.env.PATH}`, ...environment }, encoding: 'utf8', timeout: 20_000 });
    assert.match(run({}).stdout, /No browser can be opened from here/);
    const far = run({ SSH_CONNECTION: '10.0.0.1 5000 10.0.0.2 22', DISPLAY: ':0' });
    assert.match(far.stdout, new RegExp(`ssh -N -L ${port}:127\\.0\\.0\\.1:${port} `));
    assert.equal(existsSync(words), false);
    assert.ok(!/No browser/.test(run({ DISPLAY: ':0' }).stdout));
    const isWritten = () => existsSync(words) && readFileSync(words, 'utf8').endsWith('\n');
    for (let tries = 0; tries < 50 && !isWritten(); tries += 1) await new Promise((done) => setTimeout(done, 100));
    const opened = readFileSync(words, 'utf8').trim();
    assert.ok(opened.endsWith('dashboard.html') && !opened.includes(token), opened);
    const page = await openPage(browser, `file://${opened}`);
    await page.waitForURL(`${origin}/`);
    await page.waitForFunction(() => !document.getElementById('refresh').disabled);
    await page.context().close();
  });

  await attempt('With its end the address file is gone', async () => {
    assert.equal(await dashboard.stop(), 0);
    assert.equal(existsSync(join(world.home, '.local/state/backup-plugin-db/dashboard.html')), false);
  });
}
