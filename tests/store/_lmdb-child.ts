/** Run as a process by the tests of the LMDB stores: `_lmdb-child.ts <what> <root> …`. */
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { sha256 } from '../../core/base/hash.ts';
import { type LmdbStores, openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { openLeases } from '../../core/store/lmdb/lmdb-leases.ts';
import { aKey, aRecord, resultBlob, resultBytes } from './_record.ts';

const [what, root = '', ...rest] = argv.slice(2);
const troubles: string[] = [];
const open = (folder: string): LmdbStores => openLmdb(folder, { onTrouble: (message) => void troubles.push(message) });
const print = (text: string): void => void writeSync(1, `${text}\n`);

/** Puts what a call with this salt leaves behind. */
function putCall({ values, calls }: LmdbStores, salt: string): void {
  values.put(resultBlob(salt), resultBytes(salt));
  values.alias(sha256(`result ${salt}`), resultBlob(salt));
  calls.put(aRecord({ salt }));
}

/** Large enough for a file of its own. */
function largeBytes(salt: string): Buffer {
  return Buffer.alloc(40_000, salt);
}

/** Puts calls without end, some with a large blob, and prints the salt of each when it has been flushed. */
function write(id: string): never {
  const stores = open(root);
  for (let index = 0; ; index++) {
    const salt = `${id}-${index}`;
    if (index % 5 === 0) {
      const bytes = largeBytes(salt);
      const blob = sha256(bytes);
      stores.values.put(blob, bytes);
      stores.calls.put(aRecord({ salt, result: { digest: sha256(`result ${salt}`), blob } }));
    } else {
      // Several, so that a commit that is cut in half would show.
      for (const part of ['', '/1', '/2', '/3']) putCall(stores, salt + part);
    }
    stores.flush();
    print(salt);
  }
}

/**
 * Opens caches that may be damaged: whatever was known before must be right or absent, and new things must be kept.
 * Prints a line for each.
 */
async function survive(roots: readonly string[], salts: readonly string[]): Promise<void> {
  const fresh = Array.from({ length: 50 }, (_, index) => `new ${index}`);
  const known = new Set([...salts, ...fresh].map(aKey));
  for (const folder of roots) {
    troubles.length = 0;
    const first = open(folder);
    let found = 0;
    for (const salt of salts) {
      const record = first.calls.get(aKey(salt));
      if (record !== undefined && JSON.stringify(record) !== JSON.stringify(aRecord({ salt })))
        throw new Error('wrong');
      const bytes = first.values.get(resultBlob(salt));
      if (bytes !== undefined && !resultBytes(salt).every((byte, at) => bytes[at] === byte)) throw new Error('wrong');
      const target = first.values.target(sha256(`result ${salt}`));
      if (target !== undefined && target !== resultBlob(salt)) throw new Error('wrong');
      if (record !== undefined && bytes !== undefined) found++;
    }
    for (const record of first.calls.find({ name: 'f' })) if (!known.has(record.key)) throw new Error('wrong');
    for (const salt of fresh) putCall(first, salt);
    first.flush();
    await first.close();
    const second = open(folder);
    const kept = fresh.filter((salt) => second.calls.get(aKey(salt)) !== undefined).length;
    await second.close();
    print(JSON.stringify({ folder, found, kept, troubles }));
  }
}

/** Puts until the disk is full and beyond, then makes room by removing `ballast`, and puts again. */
function fill(ballast: string): void {
  const stores = open(root);
  const { values, calls } = stores;
  putCall(stores, 'before');
  stores.flush();
  writeFileSync(ballast, Buffer.alloc(20 << 20));
  const salts = Array.from({ length: 1000 }, (_, index) => `${index}`);
  const sized = (salt: string): Buffer => Buffer.alloc(Number(salt) % 2 === 0 ? 30_000 : 60_000, `${salt} `);
  for (const salt of salts) {
    values.put(sha256(sized(salt)), sized(salt));
    calls.put(aRecord({ salt, result: { digest: sha256(salt), blob: sha256(sized(salt)) } }));
    if (Number(salt) % 7 === 0) stores.flush();
  }
  stores.flush();
  const lost = salts.filter((salt) => values.get(sha256(sized(salt))) === undefined);
  const wrong = salts.filter((salt) => {
    const bytes = values.get(sha256(sized(salt)));
    return bytes !== undefined && !sized(salt).equals(bytes);
  });
  rmSync(ballast);
  putCall(stores, 'after');
  stores.flush();
  print(
    JSON.stringify({
      troubles,
      wrong: wrong.length,
      before: calls.get(aKey('before')) !== undefined && values.get(resultBlob('before')) !== undefined,
      during: lost.length,
      after: calls.get(aKey('after')) !== undefined && values.get(resultBlob('after')) !== undefined,
    }),
  );
}

/** Takes leases while the disk has no room for them. */
function fillLeases(ballast: string): void {
  const leases = openLeases(root, {
    now: Date.now,
    ttlMs: 60_000,
    onTrouble: (message) => void troubles.push(message),
  });
  const file = openSync(ballast, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(1 << 16));
  } catch {
    closeSync(file);
  }
  const names = Array.from({ length: 3000 }, (_, index) => `${index}`);
  const taken = names.filter((name) => leases.acquire(name, () => false).kind === 'acquired');
  print(JSON.stringify({ taken: taken.length, held: leases.acquire('2999', () => false).kind, troubles }));
}

switch (what) {
  case 'fill leases':
    fillLeases(rest[0] ?? '');
    break;
  case 'fill':
    fill(rest[0] ?? '');
    break;
  case 'put': {
    const stores = open(root);
    for (const salt of rest) putCall(stores, salt);
    break;
  }
  case 'put and exit': {
    const stores = open(root);
    for (const salt of rest) putCall(stores, salt);
    exit(0);
    break;
  }
  case 'put and throw': {
    const stores = open(root);
    for (const salt of rest) putCall(stores, salt);
    throw new Error('on purpose');
  }
  case 'has': {
    const stores = open(root);
    for (const salt of rest) print(String(stores.calls.get(aKey(salt)) !== undefined));
    break;
  }
  case 'write':
    write(rest[0] ?? '');
    break;
  case 'survive':
    await survive(JSON.parse(root), rest);
    break;
}
