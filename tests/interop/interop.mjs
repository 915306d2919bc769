// Tries backup-plugin-db with other people's clients and checks every structured result with ajv.
//   interop.mjs PROGRAM SCRATCH_FOLDER
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from
  '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from
  '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';

const [program, scratch] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const home = join(scratch, 'home');
const destination = join(home, 'backups');
const source = join(home, 'data', 'shop.db');
const environment = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' };
const identity = { name: 'interop', version: '1.0.0' };

let failures = 0;
async function attempt(name, work) {
  try {
    const note = await work();
    console.log(`passed  ${name}${note ? `: ${note}` : ''}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${error?.stack ?? error}`);
  }
}
function must(condition, what) {
  if (!condition) throw new Error(what);
}

function prepare() {
  mkdirSync(destination, { recursive: true });
  mkdirSync(join(home, 'data'));
  const database = new DatabaseSync(source);
  database.exec('CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT); BEGIN');
  const insert = database.prepare('INSERT INTO item(name) VALUES (?)');
  for (let i = 0; i < 1000; i += 1) insert.run(`item ${i}`);
  database.exec('COMMIT');
  database.close();
  // Schedules must stay in the scratch folder: a crontab of our own, and no systemd.
  const fake = (name, script) =>
    writeFileSync(join(home, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  fake('crontab', `table=${home}/table
case "$1" in
  -l) cat "$table" 2>/dev/null || { echo "no crontab for user" >&2; exit 1; } ;;
  -r) rm -f "$table" ;;
  *) cat >"$table" ;;
esac`);
  fake('systemctl', 'exit 1');
  // Copies off this machine go to another folder of it.
  writeFileSync(join(home, 'rclone.conf'), `[away]\ntype = alias\nremote = ${join(home, 'away')}\n`);
  environment.RCLONE_CONFIG = join(home, 'rclone.conf');
  environment.BPD_CRONTAB = join(home, 'crontab');
  environment.BPD_SYSTEMCTL = join(home, 'systemctl');
}

function startHttp(extraEnvironment = {}, extraFlags = []) {
  return new Promise((resolve, reject) => {
    const server = spawn(program, ['serve', '--http', '127.0.0.1:0', ...extraFlags],
      { env: { ...environment, ...extraEnvironment } });
    let said = '';
    const timer = setTimeout(() => reject(new Error(`no address within 30 s: ${said}`)), 30_000);
    server.stderr.on('data', (data) => {
      said += data;
      const at = said.match(/Listening on (http\S+)/);
      if (at) {
        clearTimeout(timer);
        resolve({ server, url: at[1] });
      }
    });
    server.on('exit', (code) => reject(new Error(`exit ${code}: ${said}`)));
  });
}

// Every structuredContent must fit the tool's outputSchema, and be there where one is promised.
class OutputChecks {
  constructor() {
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.checked = new Set();
  }
  learn(tools) {
    this.validators = new Map(tools.map(
      (tool) => [tool.name, tool.outputSchema && this.ajv.compile(tool.outputSchema)]));
  }
  check(name, result) {
    const validate = this.validators.get(name);
    if (result.isError || !validate) return;
    must(result.structuredContent !== undefined, `${name} returned no structuredContent`);
    must(validate(result.structuredContent),
      `${name}: ${this.ajv.errorsText(validate.errors)}: ${JSON.stringify(result)}`);
    this.checked.add(name);
  }
}
const outputs = new OutputChecks();

async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  outputs.check(name, result);
  return result;
}

// A snapshot, and what a user does with it: through each client.
async function tour(client) {
  const { tools } = await client.listTools();
  outputs.learn(tools);
  const taken = await call(client, 'snapshot_db', { source, destination });
  must(!taken.isError, JSON.stringify(taken));
  must(taken.structuredContent.verdict === 'verified', JSON.stringify(taken.structuredContent));
  must(taken.content.at(-1).text.includes(taken.structuredContent.snapshot),
    'the text block does not tell what structuredContent does');
  const listed = await call(client, 'list_snapshots', { destination });
  must(JSON.stringify(listed.structuredContent).includes('shop-'), JSON.stringify(listed));
  const refused = await client.callTool({ name: 'snapshot_db', arguments: { source: 5 } });
  must(refused.isError, 'a wrong argument is an error the model sees');
  return { tools, taken };
}

// Calls every tool there is with arguments that lead to a result, so that ajv sees each shape.
async function everyTool(client) {
  outputs.checked.clear();
  const { tools, taken } = await tour(client);
  const snapshot = taken.structuredContent.snapshot;
  const calls = {
    snapshot_db: [{ source, destination, dry_run: true }, { source, destination, verify: 'none' },
                  { source, destination, verify: 'full', keep_last: 3, label: 'shop' }],
    list_snapshots: [{ destination, source }, { destination: join(home, 'nowhere') }, {}],
    verify_snapshot: [{ snapshot }, { source, destination, level: 'full', compare_source: true }],
    restore_snapshot: [{ snapshot, target: join(home, 'restored.db') },
                       { snapshot, in_place: true, dry_run: true },
                       { source, destination, drill: true }],
    restore_all: [{ destination, dry_run: true }],
    find_lost_rows: [{ source, destination, changed: true }, { source, snapshot }],
    restore_rows: [{ source, destination, tables: ['item'], dry_run: true },
                   { source, destination, tables: ['item'], confirm: true }],
    prune_snapshots: [{ source, destination, keep_last: 1 },
                      { source, destination, retain_days: 1, dry_run: false }],
    backup_status: [{}, { brief: true }, { destination, rows: true }],
    discover_databases: [{}, { destination }, { folder: [home], pattern: ['*.db'] }],
    install_schedule: [{ source, destination, scheduler: 'cron', dry_run: true },
                       { source, destination, scheduler: 'cron', name: 'interop',
                         run_now: false },
                       { source, destination, scheduler: 'cron', name: 'away', label: 'away',
                         offsite: 'away:claude', run_now: false }],
    list_schedules: [{}],
    list_runs: [{}, { source, kind: 'snapshot', limit: 2 }, { failed: true }],
    run_schedule: [{ name: 'interop' }, { name: 'away' }],
    copy_offsite: [{ dry_run: true }, { schedule: ['away'] }],
    remove_schedule: [{ name: 'interop', confirm: true }, { name: 'away', confirm: true }],
    ignore_database: [{ path: source }, { path: source, ignored: false }],
  };
  const present = new Set(tools.map((tool) => tool.name));
  const refusals = [];
  for (const [name, list] of Object.entries(calls)) {
    for (const args of present.has(name) ? list : []) {
      const result = await call(client, name, args);
      if (result.isError) refusals.push(`${name}: ${result.content[0].text}`);
    }
  }
  const unchecked = [...present].filter((name) => !outputs.checked.has(name));
  must(unchecked.length === 0, `no result of ${unchecked.join(', ')}: ${refusals.join('; ')}`);
  return `${tools.length} tools listed, results checked with ajv: ` +
    [...outputs.checked].sort().join(', ');
}

async function viaV1(transport, work) {
  const client = new ClientV1(identity, { capabilities: {} });
  await client.connect(transport);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function viaV2(transport, mode, era, work) {
  const versionNegotiation = { mode: /^\d/.test(mode) ? { pin: mode } : mode };
  const client = new ClientV2(identity, { versionNegotiation });
  await client.connect(transport);
  try {
    must(client.getProtocolEra() === era, `era ${client.getProtocolEra()}, wanted ${era}`);
    return await work(client);
  } finally {
    await client.close();
  }
}

// A client that declares elicitation is asked for what is missing.
async function asked(transport) {
  const client = new ClientV1(identity, { capabilities: { elicitation: {} } });
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
  let questions = 0;
  client.setRequestHandler(ElicitRequestSchema, async (request) => {
    questions += 1;
    const [field] = Object.keys(request.params.requestedSchema.properties);
    return { action: 'accept', content: { [field]: destination } };
  });
  await client.connect(transport);
  try {
    await client.listTools();
    const result = await call(client, 'snapshot_db', { source });
    must(!result.isError, JSON.stringify(result));
    must(questions === 1, `asked ${questions} times`);
  } finally {
    await client.close();
  }
}

// Over HTTP tools keep to the user's home unless --allow says otherwise.
async function keepsToHome(client) {
  const outside = join(scratch, 'outside.db');
  new DatabaseSync(outside).close();
  const result = await client.callTool(
    { name: 'snapshot_db', arguments: { source: outside, destination } });
  must(result.isError && /permission_denied/.test(result.content[0].text),
    JSON.stringify(result));
}

async function demandsToken() {
  const token = 'a-token-for-the-interop-test';
  const { server: guarded, url: where } = await startHttp({ BACKUP_PLUGIN_DB_TOKEN: token });
  try {
    const refused = await fetch(where, { method: 'POST', body: '{}' });
    must(refused.status === 401, `status ${refused.status} without the token`);
    const requestInit = { headers: { Authorization: `Bearer ${token}` } };
    await viaV2(new HttpV2(new URL(where), { requestInit }), '2026-07-28', 'modern',
      (client) => client.listTools());
  } finally {
    guarded.kill('SIGTERM');
  }
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args,
    { encoding: 'utf8', env: environment, cwd: home, timeout: 60_000, ...options });
  return { code: result.status, output: `${result.stdout}${result.stderr}`,
           stdout: result.stdout };
}

function inspectorOutput(target, era, ...args) {
  const path = require.resolve('@modelcontextprotocol/inspector/package.json');
  const launcher = join(path, '../clients/launcher/build/index.js');
  const result = run(process.execPath,
    [launcher, '--cli', ...target, '--protocol-era', era, '--format', 'json', '-q', ...args]);
  must(result.code === 0, `exit ${result.code}: ${result.output}`);
  return JSON.parse(result.stdout);
}
const inspector = (...args) => inspectorOutput(...args).result;

function inspect(target, era) {
  const { tools } = inspector(target, era, '--method', 'tools/list');
  must(tools.some((tool) => tool.name === 'snapshot_db'), 'snapshot_db is not listed');
  const result = inspector(target, era, '--method', 'tools/call', '--tool-name', 'list_snapshots',
    '--tool-arg', `destination=${destination}`);
  must(Array.isArray(result.content), JSON.stringify(result));
  const { appInfo } = inspectorOutput(target, era, '--method', 'tools/call', '--tool-name',
    'backup_status', '--app-info');
  must(appInfo?.hasApp && appInfo.resourceMimeType === 'text/html;profile=mcp-app',
    `no app: ${JSON.stringify(appInfo)}`);
}

function claude(...args) {
  const path = require.resolve('@anthropic-ai/claude-code/package.json');
  const binary = join(path, `../../claude-code-${process.platform}-${process.arch}/claude`);
  chmodSync(binary, 0o755);
  return run(binary, args,
    { env: { ...environment, DISABLE_AUTOUPDATER: '1', CLAUDE_CONFIG_DIR: join(home, '.claude') } });
}

function claudeConnects(url) {
  for (const args of [['local-backups', '--', program, 'serve'],
                      ['-t', 'http', 'http-backups', url]]) {
    const added = claude('mcp', 'add', '-s', 'user', ...args);
    must(added.code === 0, added.output);
  }
  const { output } = claude('mcp', 'list');
  for (const name of ['local-backups', 'http-backups']) {
    const line = output.split('\n').find((text) => text.startsWith(`${name}:`)) ?? output;
    must(/Connected/.test(line) && !/Failed/.test(line), line);
  }
  return output.split('\n').filter((line) => /Connected/.test(line)).length + ' connected';
}

prepare();
writeFileSync(join(home, 'readme.txt'), 'not a database\n');
const stdio = { command: program, args: ['serve'], env: environment };
const { server, url } = await startHttp({}, ['--no-token', '--allow-calls']);

await attempt('SDK v1 over stdio', () => viaV1(new StdioV1(stdio), async (c) => void await tour(c)));
await attempt('SDK v1 over HTTP',
  () => viaV1(new HttpV1(new URL(url)), async (c) => void await tour(c)));
for (const [mode, era] of [['legacy', 'legacy'], ['auto', 'modern'], ['2026-07-28', 'modern']]) {
  await attempt(`SDK v2 (${mode}) over stdio`,
    () => viaV2(new StdioV2(stdio), mode, era, async (c) => void await tour(c)));
  await attempt(`SDK v2 (${mode}) over HTTP`,
    () => viaV2(new HttpV2(new URL(url)), mode, era, async (c) => void await tour(c)));
}
await attempt('every tool, results against outputSchema, 2025-11-25',
  () => viaV1(new HttpV1(new URL(url)), everyTool));
await attempt('every tool, results against outputSchema, 2026-07-28',
  () => viaV2(new HttpV2(new URL(url)), '2026-07-28', 'modern', everyTool));
await attempt('snapshot_db asks for its destination over stdio', () => asked(new StdioV1(stdio)));
await attempt('snapshot_db asks for its destination over HTTP',
  () => asked(new HttpV1(new URL(url))));
await attempt("over HTTP tools keep to the user's home",
  () => viaV1(new HttpV1(new URL(url)), keepsToHome));
await attempt('a bearer token is demanded where one is set', demandsToken);
for (const era of ['legacy', 'modern']) {
  await attempt(`Inspector (${era}) over stdio`, () => inspect([program, 'serve'], era));
  await attempt(`Inspector (${era}) over HTTP`, () => inspect([url, '--transport', 'http'], era));
}
await attempt('Claude Code over stdio and HTTP', () => claudeConnects(url));

await attempt('the HTTP server stops on SIGTERM', async () => {
  const ended = new Promise((resolve) => server.on('exit', (code) => resolve(code)));
  server.kill('SIGTERM');
  must(await ended === 0, 'it must exit with 0');
});
console.log(failures === 0 ? 'All clients agree.' : `${failures} failed.`);
process.exit(failures === 0 ? 0 : 1);
