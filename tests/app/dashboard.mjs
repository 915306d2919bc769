// The command `dashboard`, started as its user does.
import { spawn } from 'node:child_process';

// Resolves once the address is printed. `stop` waits for the end.
export function startDashboard(world, { flags = ['--no-open'], environment = {} } = {}) {
  return new Promise((resolve, reject) => {
    const server = spawn(world.program, ['dashboard', ...flags], { env: { ...world.environment, ...environment } });
    let said = '';
    const ended = new Promise((done) => server.on('exit', done));
    const timer = setTimeout(() => reject(new Error(`no address within 30 s: ${said}`)), 30_000);
    const hear = (data) => {
      said += data;
      const at = said.match(/http:\/\/127\.0\.0\.1:(\d+)\/#t=(\w+)/);
      if (!at || !said.includes('\n', at.index)) return;
      clearTimeout(timer);
      resolve({ server, url: at[0], origin: `http://127.0.0.1:${at[1]}`, port: Number(at[1]), token: at[2], ended,
        said: () => said,
        stop: () => {
          server.kill('SIGTERM');
          return ended;
        } });
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    ended.then((code) => reject(new Error(`exit ${code}: ${said}`)));
  });
}
