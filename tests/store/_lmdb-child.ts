/** Run as a process by the tests of the LMDB stores: `_lmdb-child.ts <what> <root> …`. */
import { writeSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { sha256 } from '../../core/base/hash.ts';
import { type LmdbStores, openLmdb } from '../../core/store/lmdb.ts';
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
export function largeBytes(salt: string): Buffer {
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
    for (const record of first.calls.find({ name: 'f' }))
      if (!salts.some((salt) => aKey(salt) === record.key)) throw new Error('wrong');
    for (let index = 0; index < 50; index++) putCall(first, `new ${index}`);
    first.flush();
    await first.close();
    const second = open(folder);
    let kept = 0;
    for (let index = 0; index < 50; index++) if (second.calls.get(aKey(`new ${index}`)) !== undefined) kept++;
    await second.close();
    print(JSON.stringify({ folder, found, kept, troubles }));
  }
}

switch (what) {
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
