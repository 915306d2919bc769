// A host of MCP Apps, as small as may be: connects to the server behind /mcp, calls backup_status and
// shows its app. What it sees is kept in `host`. Bundled by app_in_host.mjs.
import { AppBridge, getToolUiResourceUri, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const APP_TYPE = 'text/html;profile=mcp-app';
const wanted = new URLSearchParams(location.search);
const host = (globalThis.host = { calls: [], messages: [], heights: [], ready: false });

document.documentElement.dataset.theme = wanted.get('theme') ?? 'light';

const client = new Client({ name: 'test-host', version: '1' }, {
  capabilities: { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [APP_TYPE] } } },
  ...(wanted.get('era') === 'modern' && { versionNegotiation: { mode: 'auto' } }),
});
await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', location.href)));
host.protocol = client.getNegotiatedProtocolVersion?.();
host.extensions = client.getServerCapabilities()?.extensions;

const { tools } = await client.listTools();
host.visibility = Object.fromEntries(tools.map((tool) => [tool.name, tool._meta?.ui?.visibility]));
const entry = tools.find((tool) => tool.name === 'backup_status');
host.uri = getToolUiResourceUri(entry);
host.listed = (await client.listResources()).resources.find((resource) => resource.uri === host.uri);
const [page] = (await client.readResource({ uri: host.uri })).contents;
host.page = page;

const sandbox = document.createElement('iframe');
sandbox.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-forms');
const proxied = new Promise((done) => {
  addEventListener('message', function hear({ source, data }) {
    if (source !== sandbox.contentWindow || data?.method !== 'ui/notifications/sandbox-proxy-ready') return;
    removeEventListener('message', hear);
    done();
  });
});
sandbox.src = `http://${location.hostname}:${Number(location.port) + 1}/sandbox.html`;
document.getElementById('app').append(sandbox);
await proxied;

const bridge = new AppBridge(client, { name: 'test-host', version: '1' },
  { serverTools: {}, serverResources: {}, message: { text: {} }, openLinks: {}, logging: {} },
  { hostContext: { theme: wanted.get('theme') ?? 'light', displayMode: 'inline', availableDisplayModes: ['inline', 'fullscreen'],
    locale: 'en-GB', timeZone: 'UTC', toolInfo: { tool: entry } } });
bridge.onmessage = async (params) => {
  host.messages.push(params);
  return {};
};
bridge.onrequestdisplaymode = async ({ mode }) => {
  return { mode };
};
bridge.onsizechange = ({ height }) => {
  host.heights.push(height);
  if (height) sandbox.style.height = `${height}px`;
};
const initialized = new Promise((done) => { bridge.oninitialized = done; });
// In the place of the bridge's own, which does the same and tells nobody.
const calling = () => {
  bridge.oncalltool = (params, { signal }) => {
    host.calls.push(params);
    return client.callTool(params, { signal });
  };
};
await bridge.connect(new PostMessageTransport(sandbox.contentWindow, sandbox.contentWindow));
calling();
await bridge.sendSandboxResourceReady({ html: page.text });
await initialized;
// Hears of changes of that resource, and hands on what it hears.
host.follow = async (uri) => {
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    host.heard = params.uri;
    return bridge.notification({ method: 'notifications/resources/updated', params: { uri: params.uri } });
  });
  if (wanted.get('era') === 'modern') await client.listen({ resourceSubscriptions: [uri] });
  else await client.subscribeResource({ uri });
};
await bridge.sendToolInput({ arguments: {} });
await bridge.sendToolResult(await client.callTool({ name: 'backup_status', arguments: {} }));
host.ready = true;
