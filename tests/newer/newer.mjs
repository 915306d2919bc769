// Databases of a newer SQLite: backed up, checked as far as the program's own SQLite can, and
// brought back byte for byte; never called damaged.
//   node newer.mjs PROGRAM SCRATCH
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import init from "@sqlite.org/sqlite-wasm";

const [program, scratch] = process.argv.slice(2);
const TIMEOUT_MS = 60_000;
const DAMAGED = 9; // the exit code

const TABLE = "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT);";
const ROWS =
  "INSERT INTO t(x) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40)" +
  " SELECT 'row ' || i FROM n;";

// Name, with the version that brought the feature, and what makes it. `counted`: whether table t
// can be counted by whoever cannot read the feature.
const FEATURES = [
  ["raise-3.47", true, TABLE + ROWS +
    "CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT raise(ABORT, 'row ' || old.id); END"],
  ["aggregate-order-3.44", true, TABLE + ROWS +
    "CREATE VIEW v AS SELECT group_concat(x, ',' ORDER BY id DESC) FROM t"],
  ["string-agg-3.44", true, TABLE + ROWS + "CREATE VIEW v AS SELECT string_agg(x, ',') FROM t"],
  ["octet-length-3.43", true,
    "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT, n INT AS (octet_length(x)));" + ROWS],
  ["concat-ws-3.44", true, TABLE + ROWS + "CREATE INDEX i ON t(concat_ws('-', x, id))"],
  ["json-valid-flags-3.45", true, TABLE + ROWS +
    "CREATE TABLE j(x BLOB DEFAULT (jsonb('{}')) CHECK (json_valid(x, 8))); " +
    "INSERT INTO j DEFAULT VALUES"],
  ["digit-separators-3.46", false,
    "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT, n INT DEFAULT 1_000);" + ROWS],
  ["two-argument-iif-3.48", true, TABLE + ROWS +
    "CREATE TABLE o(id INTEGER PRIMARY KEY, x, y AS (iif(id > 3, x)) STORED);" +
    "INSERT INTO o(x) SELECT x FROM t; CREATE INDEX i ON o(y)"],
  ["unistr-3.50", true, TABLE + ROWS + "CREATE INDEX i ON t(unistr(x))"],
  ["timediff-3.43", true, TABLE + ROWS +
    "CREATE VIEW v AS SELECT timediff('2024-01-01', '2023-01-01'), unixepoch('now', 'subsec')"],
  ["median-3.51", true, TABLE + ROWS + "CREATE VIEW v AS SELECT median(id) FROM t"],
  ["dropped-not-null-3.53", true,
    "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT NOT NULL);" + ROWS +
    "ALTER TABLE t ALTER COLUMN x DROP NOT NULL; INSERT INTO t(x) VALUES (NULL)"],
  ["fts5-contentless-delete-3.43", true, TABLE + ROWS +
    "CREATE VIRTUAL TABLE f USING fts5(a, content='', contentless_delete=1);" +
    "INSERT INTO f(rowid, a) SELECT id, x FROM t; DELETE FROM f WHERE rowid = 1"],
  ["fts5-contentless-unindexed-3.47", true, TABLE + ROWS +
    "CREATE VIRTUAL TABLE f USING fts5(a, b UNINDEXED, content='', contentless_unindexed=1);" +
    "INSERT INTO f(rowid, a, b) SELECT id, x, x FROM t"],
  ["fts5-locale-3.47", true, TABLE + ROWS +
    "CREATE VIRTUAL TABLE f USING fts5(a, locale=1);" +
    "INSERT INTO f SELECT fts5_locale('de', x) FROM t"],
  ["fts5-secure-delete-3.42", true, TABLE + ROWS +
    "CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f SELECT x FROM t;" +
    "INSERT INTO f(f, rank) VALUES ('secure-delete', 1); DELETE FROM f WHERE rowid < 9"],
  ["fts5-trigram-diacritics-3.45", true, TABLE + ROWS +
    "CREATE VIRTUAL TABLE f USING fts5(a, tokenize='trigram remove_diacritics 1');" +
    "INSERT INTO f SELECT x FROM t"],
];

function ours(...words) {
  const home = path.join(scratch, "home");
  const env = { PATH: process.env.PATH, HOME: home };
  for (const kind of ["CONFIG", "DATA", "STATE", "CACHE"]) {
    env[`XDG_${kind}_HOME`] = path.join(home, kind);
  }
  const run = spawnSync(program, words, { env, encoding: "utf8", timeout: TIMEOUT_MS });
  if (run.error) throw run.error;
  return { code: run.status, text: run.stdout + run.stderr, out: run.stdout };
}

function check(holds, what) {
  if (!holds) throw new Error(what);
}

// The bytes of a file that this SQLite wrote. Not of one in memory: that has no version in it.
function make(sqlite3, name, sql) {
  const db = new sqlite3.oo1.DB(`/${name}.db`, "c");
  db.exec(sql);
  const bytes = sqlite3.capi.sqlite3_js_db_export(db);
  db.close();
  return Buffer.from(bytes);
}

function tryFeature(name, counted, bytes, version) {
  const source = path.join(scratch, "live", `${name}.db`);
  const destination = path.join(scratch, "backups");
  fs.writeFileSync(source, bytes);
  const taken = ours("snapshot", "--source", source, "--destination", destination, "--json");
  check(taken.code === 0, `the snapshot ended with ${taken.code}: ${taken.text}`);
  const result = JSON.parse(taken.out);
  check(["verified", "inconclusive"].includes(result.verdict), `verdict ${result.verdict}`);
  const warnings = result.warnings.join(" ");
  if (result.verdict === "inconclusive") {
    check(warnings.includes(`SQLite ${version} wrote this database last; this program has `),
      `the reason is not told: ${warnings}`);
  }
  check(result.rows.t >= 40 || (!counted && result.rows.t === undefined),
    `rows ${JSON.stringify(result.rows)}`);
  check(!warnings.includes("lost most"), warnings);
  const full = ours("verify", "--snapshot", result.snapshot, "--level", "full");
  check(full.code !== DAMAGED && !full.text.includes("failed  "), full.text);
  fs.rmSync(source);
  const back = ours("restore", "--snapshot", result.snapshot, "--in-place", "--confirm");
  check(back.code === 0, `the restore ended with ${back.code}: ${back.text}`);
  check(fs.readFileSync(source).equals(bytes), "what came back is not what was there");
  return result.verdict;
}

const sqlite3 = await init({ print: () => {}, printErr: console.error });
const version = sqlite3.version.libVersion;
for (const folder of ["live", "backups"]) fs.mkdirSync(path.join(scratch, folder));
let faults = 0;
for (const [name, counted, sql] of FEATURES) {
  try {
    const verdict = tryFeature(name, counted, make(sqlite3, name, sql), version);
    console.log(`ok ${name}: ${verdict}`);
  } catch (error) {
    ++faults;
    console.log(`FAULT ${name}: ${error.message}`);
  }
}
console.log(`${FEATURES.length} features of SQLite ${version}, ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
