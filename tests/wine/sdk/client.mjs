// The TypeScript SDK as a client of the program for Windows: connects, calls, closes.
//   client.mjs '{"url": …} or {"command": …, "args": […], "env": {…}}' SOURCE DESTINATION CALLS
// Prints one line of JSON: the tools' names, what the last snapshot came to, times in ms.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from
  '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [way, source, destination, calls] = process.argv.slice(2);
const { url, ...started } = JSON.parse(way);
const transport = url
  ? new StreamableHTTPClientTransport(new URL(url))
  : new StdioClientTransport({ ...started, stderr: 'inherit' });
const client = new Client({ name: 'wine', version: '1.0.0' });

async function timed(work) {
  const begin = performance.now();
  const value = await work();
  return [Math.round((performance.now() - begin) * 100) / 100, value];
}

async function call(name, args, options) {
  const result = await client.callTool({ name, arguments: args }, undefined, options);
  if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
  return result.structuredContent;
}

const [connect_ms] = await timed(() => client.connect(transport));
const { tools } = await client.listTools();
let progress = 0;
const onprogress = () => { progress += 1; };
const [snapshot_ms, taken] = await timed(
  () => call('snapshot_db', { source, destination }, { onprogress }));
const verified = await call('verify_snapshot', { snapshot: taken.snapshot });
const listed = await call('list_snapshots', { destination });
const refused = await client.callTool({ name: 'snapshot_db',
  arguments: { source: 'Z:\\nowhere\\at all.db', destination } });
const [pings_ms] = await timed(async () => {
  for (let i = 0; i < Number(calls); i += 1) await client.ping();
});
const [together_ms] = await timed(() => Promise.all(
  Array.from({ length: Number(calls) }, () => call('list_snapshots', { destination }))));
const [close_ms] = await timed(() => client.close());
console.log(JSON.stringify({
  tools: tools.map((tool) => tool.name), snapshot: taken.snapshot, verdict: taken.verdict,
  verified: verified.verdict, snapshots: listed.snapshots?.length ?? listed.total,
  refused: refused.isError === true, progress, connect_ms, snapshot_ms,
  ping_ms: pings_ms / Number(calls), list_ms: together_ms / Number(calls), close_ms,
}));
