// Tries backup-plugin-db with more of other people's clients and bridges: each connects, lists the
// tools, asks for the status and takes a snapshot, where it can do that without a model.
//   more_clients.mjs PROGRAM SCRATCH_FOLDER
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as aiSdk2 from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport as AiStdio2 } from '@ai-sdk/mcp/mcp-stdio';
import * as aiSdk1 from 'ai-sdk-mcp-1';
import { Experimental_StdioMCPTransport as AiStdio1 } from 'ai-sdk-mcp-1/mcp-stdio';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const PATIENCE_MS = 60_000;
const [program, scratch] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const home = join(scratch, 'home');
const destination = join(home, 'backups');
const source = join(home, 'data', 'shop.db');
// XDG_CONFIG_HOME and such of the caller must not reach the clients.
const environment = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' };
const stdio = { command: program, args: ['serve'], env: environment };
const file = (name, path) => join(require.resolve(`${name}/package.json`), '..', path);

let failures = 0;
async function attempt(name, work) {
  try {
    console.log(`passed  ${name}: ${await work()}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${error?.stack ?? error}`);
  }
}
function must(condition, what) {
  if (!condition) throw new Error(what);
}

// Starts a process that serves, and waits for what it says.
function start(command, args, said) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: environment, cwd: home });
    let text = '';
    const timer = setTimeout(() => reject(new Error(`not up in time: ${text}`)), PATIENCE_MS);
    const hear = (data) => {
      text += data;
      const found = text.match(said);
      if (!found) return;
      clearTimeout(timer);
      resolve({ found, stop: () => new Promise((done) => {
        child.on('exit', done);
        child.kill('SIGTERM');
      }) });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => reject(new Error(`exit ${code}: ${text}`)));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Bridges say that they listen before they do.
async function answers(port) {
  const deadline = Date.now() + PATIENCE_MS;
  const reached = () => new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
  while (!await reached()) {
    must(Date.now() < deadline, `nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// What a user does: `call` gives a tool's result, as text of any kind.
async function tour(names, call) {
  must(names.some((name) => name.endsWith('snapshot_db')), `listed: ${names}`);
  const status = await call('backup_status', {});
  must(/Backups: |"status"/.test(status), status);
  const taken = await call('snapshot_db', { source, destination });
  must(/verified/.test(taken) && /shop-\d{4}/.test(taken), taken);
  return `${names.length} tools, a status, a snapshot`;
}

const textOf = (result) => JSON.stringify(result).replaceAll('\\"', '"');

async function aiSdk({ createMCPClient }, transport) {
  const client = await createMCPClient({ transport });
  try {
    const tools = await client.tools();
    const options = { toolCallId: '1', messages: [] };
    return await tour(Object.keys(tools),
      async (name, args) => textOf(await tools[name].execute(args, options)));
  } finally {
    await client.close();
  }
}

// The destination is asked for.
async function aiSdkAsked({ createMCPClient, ElicitationRequestSchema }, url) {
  const client = await createMCPClient(
    { transport: { type: 'http', url }, capabilities: { elicitation: {} } });
  try {
    let questions = 0;
    client.onElicitationRequest(ElicitationRequestSchema, async (request) => {
      questions += 1;
      const [field] = Object.keys(request.params.requestedSchema.properties);
      return { action: 'accept', content: { [field]: destination } };
    });
    const tools = await client.tools();
    const result = textOf(await tools.snapshot_db.execute({ source },
      { toolCallId: '1', messages: [] }));
    must(questions === 1 && /verified/.test(result), `asked ${questions} times: ${result}`);
    return 'asked once, answered, a snapshot';
  } finally {
    await client.close();
  }
}

async function langchain(server) {
  const client = new MultiServerMCPClient({ mcpServers: { backup: server } });
  try {
    const tools = await client.getTools();
    return await tour(tools.map((tool) => tool.name), async (name, args) =>
      textOf(await tools.find((tool) => tool.name === name).invoke(args)));
  } finally {
    await client.close();
  }
}

async function sdk(transport) {
  const client = new Client({ name: 'interop', version: '1.0.0' }, { capabilities: {} });
  await client.connect(transport);
  try {
    const { tools } = await client.listTools();
    return await tour(tools.map((tool) => tool.name),
      async (name, args) => textOf(await client.callTool({ name, arguments: args })));
  } finally {
    await client.close();
  }
}

// A bridge that speaks stdio to us and HTTP to its clients.
async function bridged(script, args, said) {
  const port = await freePort();
  const bridge = await start(process.execPath, [script, ...args(port)], said);
  try {
    await answers(port);
    return await sdk(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)));
  } finally {
    await bridge.stop();
  }
}

// Codex's own server lists and calls tools without a model.
async function codex() {
  const folder = join(home, '.codex');
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.toml'),
    `[mcp_servers.backup]\ncommand = "${program}"\nargs = ["serve"]\n`);
  const child = spawn(process.execPath, [file('@openai/codex', 'bin/codex.js'), 'app-server'],
    { env: environment, cwd: home });
  const awaited = new Map();
  let rest = '', complaints = '';
  child.stderr.on('data', (data) => { complaints += data; });
  child.stdout.on('data', (data) => {
    const lines = (rest + data).split('\n');
    rest = lines.pop();
    for (const message of lines.filter((line) => line.trim()).map((line) => JSON.parse(line))) {
      awaited.get(message.id)?.(message);
    }
  });
  let last = 0;
  const ask = (method, params) => new Promise((resolve, reject) => {
    const id = last += 1;
    const timer = setTimeout(() => reject(new Error(`${method}: no answer: ${complaints}`)),
      PATIENCE_MS);
    awaited.set(id, (message) => {
      clearTimeout(timer);
      if (message.error) reject(new Error(`${method}: ${JSON.stringify(message.error)}`));
      else resolve(message.result);
    });
    child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
  });
  try {
    await ask('initialize', { clientInfo: { name: 'interop', version: '1.0.0' } });
    child.stdin.write('{"method":"initialized"}\n');
    const { thread } = await ask('thread/start', {});
    const { data } = await ask('mcpServerStatus/list', { threadId: thread.id });
    const tools = Object.keys(data.find((server) => server.name === 'backup').tools);
    return await tour(tools, async (tool, args) => textOf(await ask('mcpServer/tool/call',
      { threadId: thread.id, server: 'backup', tool, arguments: args })));
  } finally {
    child.kill('SIGKILL');
  }
}

function connects(command, args) {
  const result = spawnSync(command, args,
    { encoding: 'utf8', env: environment, cwd: home, timeout: PATIENCE_MS });
  const output = `${result.stdout}${result.stderr}`;
  must(result.status === 0 && /backup\b.*connected/i.test(output) && !/fail/i.test(output),
    `exit ${result.status}: ${output}`);
  return 'connects (calls need a model)';
}

function gemini() {
  mkdirSync(join(home, '.gemini'));
  writeFileSync(join(home, '.gemini', 'settings.json'), JSON.stringify(
    { mcpServers: { backup: { command: program, args: ['serve'] } } }));
  writeFileSync(join(home, '.gemini', 'trustedFolders.json'),
    JSON.stringify({ [home]: 'TRUST_FOLDER' }));
  return connects(process.execPath, [file('@google/gemini-cli', 'bundle/gemini.js'), 'mcp', 'list']);
}

function opencode() {
  writeFileSync(join(home, 'opencode.json'), JSON.stringify({ autoupdate: false,
    mcp: { backup: { type: 'local', command: [program, 'serve'], enabled: true } } }));
  return connects(file('opencode-linux-x64', 'bin/opencode'), ['mcp', 'list']);
}

mkdirSync(destination, { recursive: true });
mkdirSync(join(home, 'data'));
const database = new DatabaseSync(source);
database.exec('CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT)');
database.exec("INSERT INTO item(name) VALUES ('one'), ('two')");
database.close();

const http = await start(program, ['serve', '--http', '127.0.0.1:0', '--no-token'],
  /Listening on (http\S+)/);
const url = http.found[1];
await attempt('@ai-sdk/mcp 2 over stdio', () => aiSdk(aiSdk2, new AiStdio2(stdio)));
await attempt('@ai-sdk/mcp 2 over HTTP', () => aiSdk(aiSdk2, { type: 'http', url }));
await attempt('@ai-sdk/mcp 2 is asked over HTTP', () => aiSdkAsked(aiSdk2, url));
await attempt('@ai-sdk/mcp 1.0.46 over stdio', () => aiSdk(aiSdk1, new AiStdio1(stdio)));
await attempt('@ai-sdk/mcp 1.0.46 over HTTP', () => aiSdk(aiSdk1, { type: 'http', url }));
await attempt('@ai-sdk/mcp 1.0.46 is asked over HTTP', () => aiSdkAsked(aiSdk1, url));
await attempt('@langchain/mcp-adapters over stdio',
  () => langchain({ transport: 'stdio', ...stdio }));
await attempt('@langchain/mcp-adapters over HTTP', () => langchain({ transport: 'http', url }));
await attempt('mcp-remote: stdio to our HTTP', () => sdk(new StdioClientTransport(
  { command: process.execPath, args: [file('mcp-remote', 'dist/proxy.js'), url], env: environment,
    stderr: 'ignore' })));
await attempt('supergateway: HTTP to our stdio', () => bridged(
  file('supergateway', 'dist/index.js'), (port) => ['--stdio', `'${program}' serve`,
    '--outputTransport', 'streamableHttp', '--port', String(port)], /Listening on port/i));
await attempt('supergateway: HTTP to our stdio, with sessions', () => bridged(
  file('supergateway', 'dist/index.js'), (port) => ['--stdio', `'${program}' serve`, '--stateful',
    '--outputTransport', 'streamableHttp', '--port', String(port)], /Listening on port/i));
await attempt('supergateway: stdio to our HTTP', () => sdk(new StdioClientTransport(
  { command: process.execPath, args: [file('supergateway', 'dist/index.js'), '--streamableHttp', url],
    env: environment, stderr: 'ignore' })));
await attempt('mcp-proxy: HTTP to our stdio', () => bridged(
  file('mcp-proxy', 'dist/bin/mcp-proxy.mjs'), (port) => ['--host', '127.0.0.1', '--port',
    String(port), '--server', 'stream', '--', program, 'serve'], /starting server|listening/i));
await http.stop();
await attempt('Codex', codex);
await attempt('Gemini CLI', gemini);
if (process.arch === 'x64') await attempt('opencode', opencode);
console.log(failures === 0 ? 'All clients agree.' : `${failures} failed.`);
process.exit(failures === 0 ? 0 : 1);
