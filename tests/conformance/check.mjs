// Runs the suite's requirement sets and skills scenarios against a URL and counts every check in
// the results it leaves behind, so that a failure cannot hide behind "not scored".
//   check.mjs URL OUTPUT_FOLDER
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [url, out] = process.argv.slice(2);
const suite = join(
  here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const nothing = join(out, 'nothing-expected.yml');
mkdirSync(out, { recursive: true });
writeFileSync(nothing, 'server: []\n');

// What the pinned suite checks of this fixture at least; fewer mean that checks went missing.
const runs = [
  { name: '2025-11-25', args: ['--requirements', '2025-11-25'], checks: 84 },
  { name: '2026-07-28', args: ['--requirements', '2026-07-28'], checks: 197 },
  { name: 'skills', scenarios: ['sep-2640-skills-enumeration', 'sep-2640-skills-directory',
                                'sep-2640-skills-manifest'], checks: 45 },
];

function* checkFiles(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* checkFiles(path);
    else if (name === 'checks.json') yield path;
  }
}

function runSuite(args, folder) {
  const result = spawnSync(
    process.execPath, [suite, 'server', '--url', url, ...args, '-o', folder],
    { encoding: 'utf8', timeout: 240_000 });
  writeFileSync(join(folder, 'output.txt'), `${result.stdout}\n${result.stderr}`);
  return result.status;
}

function attempt(run) {
  const folder = join(out, run.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const codes = run.scenarios
    ? run.scenarios.map((scenario) => runSuite(['--scenario', scenario], folder))
    : [runSuite([...run.args, '--expected-failures', nothing], folder)];
  const count = { SUCCESS: 0, FAILURE: 0, WARNING: 0, SKIPPED: 0, INFO: 0 };
  let scenarios = 0;
  for (const path of checkFiles(folder)) {
    scenarios += 1;
    for (const check of JSON.parse(readFileSync(path, 'utf8'))) {
      count[check.status] += 1;
      if (check.status === 'FAILURE' || check.status === 'WARNING') {
        console.log(`${check.status} ${path}: ${check.id}: ${check.errorMessage ?? ''}`);
      }
    }
  }
  const passed = codes.every((code) => code === 0) && count.FAILURE === 0 &&
    count.WARNING === 0 && count.SUCCESS >= run.checks;
  console.log(`${passed ? 'passed' : 'FAILED'} ${run.name}: ${scenarios} scenarios, ` +
    `${count.SUCCESS} checks passed (at least ${run.checks}), ${count.FAILURE} failed, ` +
    `${count.WARNING} warnings, ${count.SKIPPED} skipped; exit ${codes.join(', ')}`);
  return passed;
}

// The suite has deadlines of its own (800 ms for a subscription), which a busy machine can miss:
// a set that fails is run once more, and both runs are printed.
let bad = false;
for (const run of runs) {
  if (!attempt(run) && !attempt(run)) bad = true;
}
process.exit(bad ? 1 : 0);
