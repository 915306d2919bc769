// The skill's walkthrough by the TypeScript SDK's client, from nothing to a proven restore:
//   node walkthrough.mjs PROGRAM FOLDER
// FOLDER is an empty folder that becomes the user's home. Runs inside a cron sandbox (run.sh).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [program, home] = process.argv.slice(2).map((name) => path.resolve(name));
const backups = path.join(home, 'Backups');
const environment = { PATH: process.env.PATH, HOME: home, USER: os.userInfo().username, TZ: 'UTC' };

const sql = (file, text) =>
  execFileSync('sqlite3', [file, text], { encoding: 'utf8', timeout: 20_000 }).trim();
const say = (step, text) => console.log(`${step.padEnd(12)} ${text}`);

function makeDatabase(file, notes) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  sql(file, `PRAGMA journal_mode=wal;
    CREATE TABLE notes(id TEXT PRIMARY KEY, content TEXT NOT NULL);
    CREATE VIRTUAL TABLE notes_fts USING fts5(content, content='notes', content_rowid='rowid');
    CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
      INSERT INTO notes_fts(rowid, content) VALUES (new.rowid, new.content); END;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${notes})
      INSERT INTO notes SELECT 'n' || i, 'note number ' || i FROM n;`);
  return file;
}

// Known to Claude by its settings, known by a session's transcript, and found by name only.
function furnishHome() {
  const files = {
    global: makeDatabase(path.join(home, '.claude/orchestrator/global.db'), 40),
    app: makeDatabase(path.join(home, 'code/my app/.orchestrator/project.db'), 400),
    shop: makeDatabase(path.join(home, 'work/shop/.orchestrator/project.db'), 300),
    research: makeDatabase(path.join(home, 'code/research/notes.sqlite'), 200),
  };
  const app = path.join(home, 'code/my app');
  fs.writeFileSync(path.join(home, '.claude.json'), JSON.stringify({ projects: { [app]: {} } }));
  const shop = path.join(home, 'work/shop');
  const transcripts = path.join(home, '.claude/projects', shop.replaceAll(/[^a-zA-Z0-9]/g, '-'));
  fs.mkdirSync(transcripts, { recursive: true });
  fs.writeFileSync(
    path.join(transcripts, '11111111-2222-3333-4444-555555555555.jsonl'),
    JSON.stringify({ type: 'user', cwd: shop, message: { role: 'user', content: 'hello' } }) + '\n');
  fs.mkdirSync(backups);
  return files;
}

async function connect() {
  const client = new Client(
    { name: 'walkthrough', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(
    new StdioClientTransport({ command: program, args: ['serve'], env: environment }));
  const call = async (name, args = {}) => {
    const result = await client.callTool({ name, arguments: args });
    assert.ok(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
    return result.structuredContent;
  };
  const refused = async (name, args = {}) => {
    const result = await client.callTool({ name, arguments: args });
    assert.ok(result.isError, `${name} should have refused`);
    return result.content[0].text;
  };
  return { client, call, refused };
}

const search = { folder: ['~/code'], pattern: ['*.sqlite'] };

async function discover(call, files) {
  const found = await call('discover_databases', search);
  assert.deepEqual(found.databases.map((d) => d.path).sort(), Object.values(files).sort());
  assert.equal(found.uncovered, 4);
  assert.ok(found.complete);
  for (const database of found.databases) say('discover', `${database.kind}  ${database.path}`);
  assert.equal((await call('backup_status')).status, 'attention');
}

async function install(call, files) {
  const snapshots = new Set();
  for (const [name, source] of Object.entries(files)) {
    const label = name === 'global' ? {} : { label: name };
    const installed = await call('install_schedule', {
      source, destination: backups, name, ...label, scheduler: 'cron', keep_daily: 14 });
    assert.equal(installed.name, name);
    assert.equal(installed.run.verdict, 'verified');
    assert.ok(fs.existsSync(installed.run.snapshot), installed.run.snapshot);
    snapshots.add(installed.run.snapshot);
    const proof = await call('verify_snapshot', { source, destination: backups, level: 'full' });
    assert.equal(proof.verdict, 'verified');
    say('install', `${name}: ${proof.snapshot}`);
  }
  assert.equal(snapshots.size, 4, 'two databases of one file name share a snapshot');
  assert.equal((await call('list_schedules')).schedules.length, 4);
  assert.equal((await call('discover_databases', search)).uncovered, 0);
  const status = await call('backup_status');
  assert.equal(status.status, 'ok', JSON.stringify(status, null, 1));
  say('status', status.summary);
}

async function emptyOne(call, files) {
  sql(files.app, 'DELETE FROM notes; DELETE FROM notes_fts; VACUUM;');
  await call('run_schedule', { name: 'app' });
  const status = await call('backup_status');
  assert.notEqual(status.status, 'ok');
  const entry = status.databases.find((d) => d.source === files.app);
  assert.equal(entry.status, 'attention');
  assert.ok(entry.problems.some((p) => /lost most of its content: 0 rows now, 400 in/.test(p)),
    JSON.stringify(entry.problems));
  say('alarm', entry.problems.join(' '));
  for (const other of status.databases) {
    if (other.source !== files.app) assert.equal(other.status, 'ok', other.source);
  }
}

async function bringBack(call, refused, files) {
  const list = await call('list_snapshots', { destination: backups, source: files.app });
  const previews = await Promise.all(list.snapshots.map((s) =>
    call('restore_snapshot', { snapshot: s.path, in_place: true, dry_run: true })));
  const full = previews.find((p) => p.rows.notes.then === 400);
  assert.ok(full, `no snapshot with the rows: ${JSON.stringify(list)}`);
  assert.equal(full.rows.notes.now, 0);
  const args = { snapshot: full.snapshot, in_place: true };
  assert.match(await refused('restore_snapshot', args), /confirm/);
  const restored = await call('restore_snapshot', { ...args, confirm: true });
  assert.equal(restored.verdict, 'verified');
  assert.equal(sql(files.app, 'SELECT count(*) FROM notes'), '400');
  assert.equal(sql(files.app, "SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'number'"), '400');
  assert.equal(sql(files.app, 'PRAGMA journal_mode'), 'wal');
  say('restore', `${full.snapshot}; undo: ${restored.undo}`);

  execFileSync('sh', ['-c', restored.undo], { env: environment, timeout: 60_000 });
  assert.equal(sql(files.app, 'SELECT count(*) FROM notes'), '0');
  await call('restore_snapshot', { ...args, confirm: true });
  assert.equal(sql(files.app, 'SELECT count(*) FROM notes'), '400');
  say('undo', 'the printed command brought the emptied database back, and it was restored again');
}

async function explain(call, files) {
  const before = await call('backup_status');
  const entry = before.databases.find((d) => d.source === files.app);
  assert.ok(entry.problems.some((p) => /lost most of its content/.test(p)));
  assert.ok(entry.problems.some((p) => /Since then it was restored/.test(p)));
  say('status', entry.problems.join(' ') || before.summary);
  await call('run_schedule', { name: 'app' });
  const after = await call('backup_status');
  assert.equal(after.status, 'ok', JSON.stringify(after, null, 1));
  say('status', after.summary);
}

const files = furnishHome();
const { client, call, refused } = await connect();
await discover(call, files);
await install(call, files);
await emptyOne(call, files);
await bringBack(call, refused, files);
await explain(call, files);
for (const { name } of (await call('list_schedules')).schedules) {
  await call('remove_schedule', { name, confirm: true });
}
assert.deepEqual((await call('list_schedules')).schedules, []);
await client.close();
console.log('The walkthrough is complete.');
