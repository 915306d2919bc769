#!/usr/bin/env node
// Starts the program for this system, which npm has put beside this package, and ends as it ends.
'use strict';
const { spawn } = require('node:child_process');

const program = process.platform === 'win32' ? 'backup-plugin-db.exe' : 'backup-plugin-db';
const system = `backup-plugin-db-${process.platform}-${process.arch}`;
let path;
try {
  path = require.resolve(`${system}/bin/${program}`);
} catch {
  console.error(`backup-plugin-db: there is no program for ${process.platform} on ${process.arch} here.`);
  console.error(`If this system is one of ${Object.keys(require('../package.json').optionalDependencies).join(', ')}:`);
  console.error('npm was told to leave out optional packages; install again without --omit=optional.');
  process.exit(1);
}
const child = spawn(path, process.argv.slice(2), { stdio: 'inherit', windowsHide: true });
// A terminal sends its ^C to both; and a second one would end a snapshot at once.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`backup-plugin-db: ${path} cannot be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (!signal) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
