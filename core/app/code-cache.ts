/**
 * Loads one big CommonJS file and keeps its compiled code between runs: compiling it anew costs more than an answer from
 * the cache. Compiled code belongs to exactly this text, this Node, its flags and this machine's kind of processor;
 * whatever else is found is not used. Trouble with what is kept only costs time.
 *
 * Functions are compiled when they are first called, so what is kept grows with the first runs of each verb and is then
 * left alone. Loading it costs by its size, so it is kept apart for those who call the same over and over. What nobody has
 * added to for long is removed by who keeps something new. Parts of Node that cost time are loaded with the first file, not
 * with this module, which is on the way of `--version`.
 *
 * Node itself carries compiled code of its own parts, and that too belongs to V8's flags: whatever of Node is loaded after
 * one was changed is compiled from source. So they are changed when most is loaded.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemCode } from '../base/errors.ts';
import { readOwn } from '../store/own-file.ts';

interface LoadedCode {
  readonly exports: unknown;
  /**
   * To be called when what a run of this label usually loads is loaded, and its work begins: from now on V8 spends less on
   * what only pays in long runs. Code that is compiled then cannot be kept, so nothing changes in runs that add to it.
   */
  settle(label: string): void;
  /**
   * Keeps the code that is compiled by now, if code of this label (lower-case letters) was kept less than a few times.
   * Never throws.
   */
  keep(label: string): void;
}

/** How many runs of each label add to what is kept: one that works, one that answers, one that does some of both. */
const RUNS = 3;

/**
 * How much of a function has to run before V8 optimises it, in bytes of its compiled form; by default a fifteenth of that.
 * In a run that is over in a moment optimising costs more than it gives: with this one that has nothing to do takes an
 * eighth less processor time.
 */
const PATIENCE = '--interrupt-budget=1000000';
/**
 * By how much V8 widens the room for what is new when much of it lives on, from 1 MB to 16; by default it doubles it. Most of
 * what a run makes lives until it is over and is copied at every collection: with this one a run of a thousand tasks takes
 * a twentieth less processor time.
 */
const ROOM = '--semi-space-growth-factor=16';
/** The version of V8 that has these flags, that of Node 20: others complain aloud. */
const PATIENT = 11;

/**
 * Loads `file` (absolute), with compiled code from `folder`, or without if that is undefined; of that, what was kept for
 * calls of this `kind` (lower-case letters). The file is ASCII only, and one function in parentheses: of the names of a
 * CommonJS module, and of the file's URL. It can `require`, but not `import()`. Throws what the file throws.
 */
export function loadCode(file: string, folder: string | undefined, kind: string): LoadedCode {
  const require = createRequire(file);
  const { Script } = require('node:vm') as typeof import('node:vm');
  const { hash } = require('node:crypto') as typeof import('node:crypto');
  const v8 = require('node:v8') as typeof import('node:v8');
  const digest: Digest = (bytes) => hash('sha256', bytes);
  const text = readFileSync(file);
  const engine = `${process.version}-${process.arch}-${v8.cachedDataVersionTag().toString(16)}`;
  const place = folder === undefined ? undefined : join(folder, `${engine}-${digest(text)}-${kind}`);
  const kept = place === undefined ? NOTHING : readKept(place, digest);
  const script = new Script(text.toString('latin1'), { filename: file, cachedData: kept.code });
  const counts = script.cachedDataRejected === true ? {} : kept.counts;
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, file, dirname(file), pathToFileURL(file).href);
  const isKept = (label: string): boolean => place !== undefined && (counts[label] ?? 0) < RUNS;
  return {
    exports: module.exports,
    settle(label) {
      if (isKept(label) || Number.parseInt(process.versions.v8, 10) !== PATIENT) return;
      for (const flag of [PATIENCE, ROOM]) v8.setFlagsFromString(flag);
    },
    keep(label) {
      if (place === undefined || !isKept(label)) return;
      const count = counts[label] ?? 0;
      const code = script.createCachedData();
      writeKept(place, `${digest(code)} ${JSON.stringify({ ...counts, [label]: count + 1 })}\n`, code);
    },
  };
}

type Digest = (bytes: Uint8Array) => string;

interface Kept {
  /** How many runs of each label have added to the code. */
  readonly counts: Readonly<Record<string, number>>;
  readonly code: Buffer | undefined;
}

const NOTHING: Kept = { counts: {}, code: undefined };

/** One line, the digest of the code and the counts; then the code. V8 does not check the code it is given. */
function readKept(place: string, digestOf: Digest): Kept {
  try {
    const bytes = readOwn(place);
    const end = bytes.indexOf('\n');
    const [digest, counts = ''] = bytes.toString('latin1', 0, end).split(' ');
    const code = bytes.subarray(end + 1);
    if (end < 0 || digestOf(code) !== digest) return NOTHING;
    return { counts: JSON.parse(counts), code };
  } catch {
    // Not there, not readable or not whole: the source is compiled.
    return NOTHING;
  }
}

function writeKept(place: string, head: string, code: Buffer): void {
  const temporary = `${place}.${process.pid}`;
  try {
    makeFolder(dirname(place));
    writeFileSync(temporary, Buffer.concat([Buffer.from(head), code]));
    renameSync(temporary, place);
    removeOld(dirname(place), statSync(place).mtimeMs);
  } catch {
    // A folder that cannot be written: the next run compiles again.
  }
}

/**
 * A folder, with the two around it. What is further up is there, or is none of a user who is: and where folders cannot be
 * made, as in /proc, Node tries for ever to make all that lead there.
 */
function makeFolder(folder: string): void {
  for (const path of [dirname(dirname(folder)), dirname(folder), folder]) {
    try {
      mkdirSync(path);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Code of versions that are used no more. Of one that is, the next runs are compiled again. Folders are somebody else's. */
function removeOld(folder: string, now: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && now - statSync(path).mtimeMs > OLD) rmSync(path, { force: true });
  }
}

/** What was not written for so long, ms, is removed. */
const OLD = 30 * 24 * 60 * 60 * 1000;
