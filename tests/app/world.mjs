// A home with databases in every state that the page tells apart, made by the program itself.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export const hostileTable = '"><img src=x onerror=window.hit=1>';
const hostileName = '<img src=x onerror=window.hit=1>.db';
const DAY_MS = 86_400_000;

export class World {
  constructor(program, scratch) {
    this.program = program;
    this.home = join(scratch, 'home');
    this.destination = join(this.home, 'Backups');
    this.path = (name) => join(this.home, name);
    this.notes = this.path('code/notes/notes.db');
    this.shop = this.path('code/shop/shop.db');
    this.rotten = this.path('code/old/archive.db');
    this.hostile = this.path(`code/odd/${hostileName}`);
    this.uncovered = this.path('.claude/orchestrator/global.db');
    this.garden = this.path('code/garden/garden.db');
    this.environment = { PATH: process.env.PATH, HOME: this.home, LANG: 'C.UTF-8', TZ: 'UTC' };
  }

  // Runs a tool as a model would call it; its structured result.
  call(tool, args) {
    const run = spawnSync(this.program, ['call', tool, JSON.stringify(args)], { env: this.environment, encoding: 'utf8' });
    if (run.status !== 0 && !run.stdout) throw new Error(`${tool}: ${run.stderr}`);
    return JSON.parse(run.stdout);
  }

  sql(path, text) {
    mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path);
    try {
      return /^select/i.test(text) ? database.prepare(text).all() : database.exec(text);
    } finally {
      database.close();
    }
  }
  rows(path, table) {
    return this.sql(path, `SELECT count(*) AS n FROM "${table.replaceAll('"', '""')}"`)[0].n;
  }

  fillTable(path, table, count) {
    const name = `"${table.replaceAll('"', '""')}"`;
    this.sql(path, `CREATE TABLE IF NOT EXISTS ${name}(id INTEGER PRIMARY KEY, title TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO ${name}(title) SELECT 'note <b>' || i || '</b>' FROM n`);
  }

  // A snapshot that seems to have been taken so many days ago.
  snapshot(source, daysAgo, extra = {}) {
    const then = new Date(Date.now() - daysAgo * DAY_MS);
    const taken = this.call('snapshot_db', { source, destination: this.destination, date: then.toISOString().slice(0, 10), ...extra });
    if (daysAgo > 0) {
      const manifest = JSON.parse(readFileSync(taken.manifest, 'utf8'));
      manifest.taken_at = manifest.verified_at = `${then.toISOString().slice(0, 19)}Z`;
      writeFileSync(taken.manifest, JSON.stringify(manifest, null, 2));
    }
    return taken.snapshot;
  }

  // Has the history say that all runs of it so far began so many days ago.
  ran(source, daysAgo) {
    this.sql(join(this.home, '.local/state/backup-plugin-db/history.db'),
      `UPDATE runs SET started_ms = started_ms - ${daysAgo * DAY_MS}, finished_ms = finished_ms - ${daysAgo * DAY_MS}
       WHERE source = '${source}' AND started_ms > ${Date.now() - DAY_MS / 2}`);
  }

  // A crontab of our own, so that schedules stay in the scratch folder.
  fakeScheduler() {
    const fake = (name, script) => writeFileSync(this.path(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    fake('crontab', `table=${this.home}/table
case "$1" in
  -l) cat "$table" 2>/dev/null || { echo "no crontab for user" >&2; exit 1; } ;;
  -r) rm -f "$table" ;;
  *) cat >"$table" ;;
esac`);
    fake('systemctl', 'exit 1');
    this.environment.BPD_CRONTAB = this.path('crontab');
    this.environment.BPD_SYSTEMCTL = this.path('systemctl');
  }

  prepare() {
    rmSync(this.home, { recursive: true, force: true });
    mkdirSync(this.destination, { recursive: true });
    this.fakeScheduler();
    // Nothing ran on four days of its schedule; and it was restored today. The history begins with it.
    this.fillTable(this.garden, 'bed', 7);
    for (const days of [6, 2]) {
      this.lastGarden = this.snapshot(this.garden, days, { label: 'garden' });
      this.ran(this.garden, days);
    }
    this.call('install_schedule', { name: 'garden', source: this.garden, destination: this.destination, label: 'garden', time: '00:00', scheduler: 'cron', confirm: true });
    const job = join(this.home, '.config/backup-plugin-db/jobs/garden.json');
    writeFileSync(job, readFileSync(job, 'utf8').replace(/("scheduled_since": )"[^"]*"/, `$1"${new Date(Date.now() - 10 * DAY_MS).toISOString().slice(0, 19)}Z"`));
    this.fillTable(this.garden, 'bed', 2);
    this.call('restore_snapshot', { snapshot: this.lastGarden, in_place: true, confirm: true });
    // Kept as it should be, by a schedule.
    this.fillTable(this.shop, 'item', 50);
    for (const days of [3, 2, 1]) this.snapshot(this.shop, days, { label: 'shop' });
    this.call('install_schedule', { name: 'shop', source: this.shop, destination: this.destination, label: 'shop', time: '04:07', scheduler: 'cron', confirm: true });
    // Has lost most of its rows, and a snapshot has them.
    this.fillTable(this.notes, 'notes', 412);
    this.fillTable(this.notes, hostileTable, 5);
    for (const days of [4, 3, 2]) this.snapshot(this.notes, days);
    this.sql(this.notes, `DELETE FROM notes WHERE id > 3; DELETE FROM "${hostileTable.replaceAll('"', '""')}" WHERE id > 2;
      UPDATE notes SET title = 'other' WHERE id = 2`);
    this.lossy = this.snapshot(this.notes, 0);
    // Its only snapshot has rotted.
    this.fillTable(this.rotten, 'old', 2000);
    const rotten = this.snapshot(this.rotten, 1);
    const bytes = readFileSync(rotten);
    bytes.fill(0x5a, 4096, 12_288);
    writeFileSync(rotten, bytes);
    this.call('verify_snapshot', { snapshot: rotten });
    // A path that is markup.
    this.fillTable(this.hostile, 'rows', 9);
    this.snapshot(this.hostile, 1);
    // Known to the program, and kept by nothing.
    this.fillTable(this.uncovered, 'projects', 4);
  }
}
