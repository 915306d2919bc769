// Sends what each file holds to Node's HTTP server (llhttp) and compares its requests with ours.
//   second_reader.mjs TELL_REQUESTS FOLDER…
// What we take, Node must take as the same request. What we refuse, Node may take only for a reason
// that stands in `stricter`; what we take, it may refuse only for one that stands in `looser`.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';

const [tell, ...folders] = process.argv.slice(2);
const PATIENCE_MS = 5_000;
const FILES_AT_ONCE = 100;

// Our refusals of what Node takes: each is a sentence of http_headers.cpp or http_connection.cpp.
const stricter = [
  /came twice$/,  // fields that steer the request; Node joins them or keeps the first
  /^Content-Length is missing$/,  // 411: a POST says how long it is
  /^Transfer-Encoding may only be chunked$/,
  /^The body must not be compressed$/,
  /^Expect may only be 100-continue$/,
  /^Malformed request: the body is not in chunks/,  // extensions, more than 8 digits, trailers
  /the request target is neither a path nor a URL$/,  // "*", "a:80", a fragment, bytes beyond ASCII
  /the request target and Host name two hosts$/,
  /the first line is no request line$/,  // blank lines before it
  /the version is neither HTTP\/1.1 nor HTTP\/1.0$/,
  /HTTP\/1.0 has no Transfer-Encoding$/,
  /a header line does not end in CR and LF$/,
  /holds control characters$/,
  /^The body is larger than/,
  /more than 100 header fields$/,
  /^The header fields are longer than/,
];
// Node's refusals of what we take.
const looser = new Set([
  'HPE_INVALID_METHOD',  // any token is a method to us, and gets 405
  'HPE_PAUSED_H2_UPGRADE',
]);

let heard = [];
const server = createServer({ maxHeaderSize: 64 << 10, requireHostHeader: false });
const take = (request, response) => {
  const reading = { method: request.method, url: request.url, raw: request.rawHeaders, body: null };
  heard.push(reading);
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    reading.body = Buffer.concat(parts).toString('hex');
    response.end();
  });
  request.on('error', () => {});
};
server.on('request', take);
server.on('checkContinue', take);
server.on('checkExpectation', take);
server.on('clientError', (error, socket) => {
  heard.push({ refused: error.code });
  socket.destroy();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

function nodeReading(bytes) {
  heard = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Node did not close in time')), PATIENCE_MS);
    const socket = connect(server.address().port, '127.0.0.1', () => socket.end(bytes));
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');
const pathOf = (url) => url.replace(/^https?:\/\/[^/]*/i, '').replace(/\?.*$/s, '') || '/';

const has = (request, name) => request.fields
  .some(([field]) => Buffer.from(field, 'hex').toString('latin1').toLowerCase() === name);
// We answer a request whose body we do not want, and close.
const closesAfter = (request) => request !== undefined && request.method !== 'POST' &&
  (has(request, 'content-length') || has(request, 'transfer-encoding'));

// Why the two readings differ; nothing where they agree or the difference is known.
function difference(ours, nodes) {
  for (let i = 0; i < Math.max(ours.length, nodes.length); i += 1) {
    const [our, node] = [ours[i], nodes[i]];
    const why = our?.why === undefined ? '' : Buffer.from(our.why, 'hex').toString('latin1');
    const refusedByNode = node === undefined || node.refused !== undefined || node.body === null;
    if (our === undefined || our.refused !== undefined) {
      if (refusedByNode) return null;  // cut off, refused by both, or nothing more
      if (our === undefined && closesAfter(ours[i - 1])) return null;
      if (our !== undefined && stricter.some((known) => known.test(why))) return null;
      return our === undefined ? `Node alone sees ${node.method} ${node.url}`
                               : `Node takes what we refuse: ${why}`;
    }
    if (refusedByNode) {
      if (ours.slice(0, i + 1).some((one) => has(one, 'upgrade'))) return null;  // Node hangs up
      return looser.has(node?.refused) ? null : `Node refuses what we take: ${node?.refused}`;
    }
    if (our.method !== node.method) return `methods ${our.method} and ${node.method}`;
    if (our.path !== pathOf(node.url)) return `paths ${our.path} and ${node.url}`;
    if (our.method === 'POST' && our.body !== node.body) return 'two bodies';
    const fields = our.fields.flat().join(' ');
    if (fields !== node.raw.map(hex).join(' ')) return 'other header fields';
  }
  return null;
}

const files = folders.flatMap((folder) => readdirSync(folder).sort().map((name) => join(folder, name)));
let differing = 0, taken = 0;
for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
  const told = execFileSync(tell, files.slice(at, at + FILES_AT_ONCE),
    { encoding: 'latin1', maxBuffer: 1 << 30 });
  for (const line of told.trim().split('\n')) {
    const { file, requests } = JSON.parse(line);
    const nodes = await nodeReading(readFileSync(file));
    taken += requests.filter((request) => request.refused === undefined).length;
    const found = difference(requests, nodes);
    if (found === null) continue;
    differing += 1;
    console.log(`${file}: ${found}`);
  }
}
server.close();
console.log(`${files.length} files, ${taken} requests taken by us, ${differing} read differently`);
process.exit(differing === 0 && files.length > 0 ? 0 : 1);
