// "I deleted five notes and wrote seven since": two tool calls by the TypeScript SDK bring the five
// back, while one program commits every 50 ms and another has the database open.
//   rescue.mjs PROGRAM SCRATCH_FOLDER
// A writer's process: rescue.mjs --write DATABASE
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const NOTES = 1505;
const COMMIT_EVERY_MS = 50;
const BUSY_TIMEOUT_MS = 5000;

// The first user's schema, as its migrations left it.
const SCHEMA = `
CREATE TABLE migrations(version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL);
CREATE TABLE notes(id TEXT PRIMARY KEY, type TEXT NOT NULL, content TEXT NOT NULL, context TEXT,
  keywords TEXT, tags TEXT, source TEXT, confidence TEXT DEFAULT 'medium', last_validated TEXT,
  resolved INTEGER DEFAULT 0, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, status TEXT,
  signal REAL DEFAULT 0, source_session TEXT, code_refs TEXT);
CREATE INDEX idx_notes_type ON notes(type);
CREATE VIRTUAL TABLE notes_fts USING fts5(content, context, keywords, content='notes',
  content_rowid='rowid', tokenize='porter unicode61');
CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
  INSERT INTO notes_fts(rowid, content, context, keywords)
  VALUES (new.rowid, new.content, new.context, new.keywords); END;
CREATE TRIGGER notes_ad AFTER DELETE ON notes BEGIN
  INSERT INTO notes_fts(notes_fts, rowid, content, context, keywords)
  VALUES ('delete', old.rowid, old.content, old.context, old.keywords); END;
CREATE TRIGGER notes_au AFTER UPDATE ON notes BEGIN
  INSERT INTO notes_fts(notes_fts, rowid, content, context, keywords)
  VALUES ('delete', old.rowid, old.content, old.context, old.keywords);
  INSERT INTO notes_fts(rowid, content, context, keywords)
  VALUES (new.rowid, new.content, new.context, new.keywords); END;
CREATE TABLE links(id TEXT PRIMARY KEY,
  from_note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  to_note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  relationship TEXT NOT NULL, strength TEXT DEFAULT 'moderate', created_at TEXT NOT NULL);
CREATE INDEX idx_links_from ON links(from_note_id);
CREATE INDEX idx_links_to ON links(to_note_id);
CREATE UNIQUE INDEX idx_links_unique_edge ON links(from_note_id, to_note_id, relationship);
CREATE TABLE embeddings(note_id TEXT PRIMARY KEY REFERENCES notes(id) ON DELETE CASCADE,
  vector BLOB NOT NULL, model TEXT NOT NULL, embedded_at TEXT NOT NULL);
CREATE TABLE note_chunks(note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  chunk_index INTEGER NOT NULL, vector BLOB NOT NULL, model TEXT NOT NULL,
  embedded_at TEXT NOT NULL, PRIMARY KEY (note_id, chunk_index));
CREATE TABLE session_log(id TEXT PRIMARY KEY, session_id TEXT NOT NULL, note_id TEXT NOT NULL,
  surfaced_at TEXT NOT NULL, turn_number INTEGER, delivery_type TEXT NOT NULL);
`;

const day = "'2026-11-01T10:00:00Z'";
const FILL = `
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${NOTES})
INSERT INTO notes(id, type, content, keywords, created_at, updated_at)
  SELECT 'n' || i, 'decision', 'Decided to use approach number ' || i || ' for the importer',
         'word' || i, ${day}, ${day} FROM n;
INSERT INTO links SELECT 'l' || rowid, id, 'n' || (rowid * 7 % ${NOTES} + 1), 'related', 'strong',
  ${day} FROM notes WHERE rowid % 3 = 0 OR rowid <= 5;
INSERT INTO embeddings SELECT id, randomblob(1536), 'minilm', ${day} FROM notes;
INSERT INTO note_chunks SELECT id, 0, randomblob(384), 'minilm', ${day} FROM notes
  WHERE rowid % 2 = 0;
COMMIT;
`;

function open(path) {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA foreign_keys = ON; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return database;
}

// As the session's hooks write: a row of a log, every 50 ms, until standard input ends.
function write(path) {
  const database = open(path);
  const insert = database.prepare(
    `INSERT INTO session_log VALUES (?, 's', 'n700', ${day}, ?, 'hook')`);
  const told = { commits: 0, errors: [], longest_ms: 0 };
  const timer = setInterval(() => {
    const begun = performance.now();
    try {
      insert.run(`${process.pid}-${told.commits}`, told.commits);
      told.commits += 1;
    } catch (error) {
      told.errors.push(String(error));
    }
    told.longest_ms = Math.max(told.longest_ms, performance.now() - begun);
  }, COMMIT_EVERY_MS);
  console.log('ready');
  process.stdin.on('end', () => {
    clearInterval(timer);
    database.close();
    console.log(JSON.stringify(told));
  });
  process.stdin.resume();
}

async function startWriter(path) {
  const child = spawn(process.execPath, ['--no-warnings', fileURLToPath(import.meta.url), '--write',
    path], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  const ended = new Promise((resolve) => child.on('close', () => resolve(said)));
  await new Promise((resolve) => child.stdout.on('data', (data) => {
    said += data;
    resolve();
  }));
  return async () => {
    child.stdin.end();
    return JSON.parse((await ended).split('\n')[1]);
  };
}

class Rescue {
  constructor(program, scratch) {
    this.program = program;
    this.home = join(scratch, 'rescue');
    this.live = join(this.home, 'my app', '.orchestrator', 'project.db');
    this.destination = join(this.home, 'Backups');
    mkdirSync(this.destination, { recursive: true });
    mkdirSync(join(this.home, 'my app', '.orchestrator'), { recursive: true });
    this.server = open(this.live);  // as the plugin's server: open all the time
    this.server.exec(`PRAGMA journal_mode = wal; ${SCHEMA} ${FILL}`);
  }

  async connect() {
    const client = new Client({ name: 'rescue', version: '1.0.0' });
    await client.connect(new StdioClientTransport({ command: this.program, args: ['serve'],
      env: { PATH: process.env.PATH, HOME: this.home, LANG: 'C.UTF-8' } }));
    this.client = client;
  }

  async call(name, args) {
    const result = await this.client.callTool({ name, arguments: { source: this.live, ...args } });
    assert.ok(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
    return result.structuredContent;
  }

  count(sql) {
    return Object.values(this.server.prepare(sql).get())[0];
  }

  // A digest of every row but the writer's.
  content() {
    const digest = createHash('sha256');
    for (const table of ['notes', 'links', 'embeddings', 'note_chunks']) {
      for (const row of this.server.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).iterate()) {
        for (const value of Object.values(row)) {
          digest.update(value instanceof Uint8Array ? value : JSON.stringify(value));
        }
      }
    }
    return digest.digest('hex');
  }

  checkWhole() {
    assert.equal(this.count('PRAGMA integrity_check'), 'ok');
    assert.deepEqual(this.server.prepare('PRAGMA foreign_key_check').all(), []);
    this.server.exec("INSERT INTO notes_fts(notes_fts, rank) VALUES('integrity-check', 1)");
  }

  hits(word) {
    return this.count(`SELECT count(*) FROM notes_fts WHERE notes_fts MATCH '${word}'`);
  }

  lose(condition) {
    this.server.exec(`DELETE FROM notes WHERE ${condition}`);
  }

  // Deleted by mistake, and what was written since.
  loseFive() {
    this.lose("id IN ('n1','n2','n3','n4','n5')");
    for (let i = 1; i <= 7; i += 1) {
      this.server.exec(`INSERT INTO notes(id, type, content, created_at, updated_at)
        VALUES('new${i}', 'task', 'written since, number ${i}', ${day}, ${day})`);
    }
  }

  async putBackFive() {
    const before = { links: this.count('SELECT count(*) FROM links'), all: this.content() };
    this.loseFive();
    const lost = this.content();
    assert.ok(this.count('SELECT count(*) FROM links') < before.links, 'links went with them');
    const found = await this.call('find_lost_rows', { tables: ['notes'] });
    assert.equal(found.lost, 5);
    assert.match(found.tables[0].rows[0].row, /approach number 1 for the importer/);
    const done = await this.call('restore_rows', { tables: ['notes'], confirm: true });
    assert.equal(done.left_total, 0);
    assert.deepEqual(done.warnings, []);
    assert.equal(this.count('SELECT count(*) FROM notes'), NOTES + 7);
    assert.equal(this.count('SELECT count(*) FROM links'), before.links);
    assert.equal(this.count('SELECT count(*) FROM embeddings'), NOTES);
    assert.equal(this.count('SELECT count(*) FROM note_chunks'), Math.floor(NOTES / 2));
    assert.deepEqual([this.hits('word3'), this.hits('since')], [1, 7]);
    this.checkWhole();
    const again = await this.call('restore_rows', { tables: ['notes'], confirm: true });
    assert.equal(again.rows, 0);
    const text = await this.client.callTool({ name: 'find_lost_rows',
      arguments: { source: this.live, tables: ['notes'] } });
    assert.match(text.content[0].text, /Nothing is missing/);
    const undone = await this.call('restore_rows', { undo: done.undo, confirm: true });
    assert.equal(undone.left_total, 0);
    assert.equal(undone.rows, done.rows);
    assert.equal(this.content(), lost);
    assert.deepEqual([this.hits('word3'), this.hits('since')], [0, 7]);
    this.checkWhole();
    await this.call('restore_rows', { tables: ['notes'], confirm: true });
    this.lose("id LIKE 'new%'");
    assert.equal(this.content(), before.all);
    return `${done.rows} rows put back, of them 5 notes`;
  }

  async putBackAll(snapshot) {
    const before = this.content();
    this.lose('true');
    const begun = performance.now();
    const done = await this.call('restore_rows', { snapshot, tables: ['notes'], confirm: true });
    const took = performance.now() - begun;
    assert.equal(this.content(), before);
    assert.equal(this.hits('word1234'), 1);
    this.checkWhole();
    return `${done.rows} rows put back in ${took.toFixed(0)} ms`;
  }
}

async function main(program, scratch) {
  const rescue = new Rescue(program, scratch);
  await rescue.connect();
  const { snapshot } = await rescue.call('snapshot_db', { destination: rescue.destination });
  const stop = await startWriter(rescue.live);
  console.log(await rescue.putBackFive());
  console.log(await rescue.putBackAll(snapshot));
  const told = await stop();
  assert.deepEqual(told.errors, []);
  assert.ok(told.commits > 5, `${told.commits} commits`);
  console.log(`the writer: ${told.commits} commits, the longest ${told.longest_ms.toFixed(0)} ms`);
  await rescue.client.close();
  rescue.server.close();
}

if (process.argv[2] === '--write') write(process.argv[3]);
else await main(process.argv[2], process.argv[3]);
