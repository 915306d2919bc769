// Looks at the dashboard in Chromium, as a page and as an MCP App.
//   app.mjs PROGRAM SCRATCH_FOLDER SHOTS_FOLDER
import { launch } from './browser.mjs';
import { appTests } from './app_in_host.mjs';
import { figures } from './figures.mjs';
import { inspectorTests } from './inspector.mjs';
import { pageTests } from './page.mjs';
import { securityTests } from './security.mjs';
import { World } from './world.mjs';

const [program, scratch, shots] = process.argv.slice(2);
let failures = 0;
async function attempt(name, work) {
  const begun = Date.now();
  try {
    const note = await work();
    console.log(`passed  ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)${note ? `: ${note}` : ''}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${error?.stack ?? error}`);
  }
}

const world = new World(program, scratch);
world.prepare();
const browser = await launch();
try {
  for (const group of [pageTests, securityTests, appTests, inspectorTests, figures]) {
    await group({ world, browser, shots, attempt });
  }
} finally {
  await browser.close();
}
console.log(failures === 0 ? 'all passed' : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
