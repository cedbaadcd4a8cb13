/** Machines that share a cache: each with stores of its own and a tier in front of a common server. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { type LocalSide, sideOfStores } from '../../../core/call/shared/local-side.ts';
import { SharedTier, type TierOptions } from '../../../core/call/shared/shared-tier.ts';
import { makeTree, type TreeEntry, treeText } from '../../../core/files/trees/tree.ts';
import { ArrivingValues } from '../../../core/store/arriving.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import type { RemoteStore } from '../../../core/store/remote/remote.ts';
import { Signer, Verifier } from '../../../core/store/remote/signing.ts';
import { aKey, aRecord } from '../../store/_record.ts';

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function keyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** The key of the trusted jobs. */
export const TRUSTED: KeyPair = keyPair();

export interface MachineUnderTest {
  readonly values: MemoryValueStore;
  readonly calls: MemoryCallStore;
  readonly side: LocalSide;
  readonly tier: SharedTier;
  readonly troubles: string[];
  /** What is in the files that came and are still to be put into place. */
  readonly spares: () => readonly Digest[];
  /** Sends an answer and waits until it was sent. */
  readonly push: (record: CallRecord) => Promise<void>;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** `stores`: those that the machine has already. */
export function machine(
  store: RemoteStore,
  options: Partial<TierOptions> = {},
  stores: Pick<MachineUnderTest, 'values' | 'calls'> = { values: new MemoryValueStore(), calls: new MemoryCallStore() },
): MachineUnderTest {
  const { values, calls } = stores;
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  folders.push(folder);
  let made = 0;
  const side = sideOfStores(
    new ArrivingValues(values, { path: () => join(folder, String(made++)), isNear: true }),
    calls,
  );
  const troubles: string[] = [];
  const tier = new SharedTier({
    name: 'team',
    store,
    namespace: 'trusted',
    reads: true,
    writes: true,
    verifier: new Verifier([TRUSTED.publicKey]),
    signer: new Signer(TRUSTED.privateKey),
    producer: null,
    require: false,
    maxAnswer: 1 << 30,
    secrets: async () => [],
    onTrouble: (message) => troubles.push(message),
    now: () => performance.now(),
    width: 8,
    exitMs: 10_000,
    ...options,
  });
  const push = async (record: CallRecord): Promise<void> => {
    tier.push(record, side);
    await tier.flush(60_000);
  };
  const spares = (): readonly Digest[] => readdirSync(folder).map((name) => sha256(readFileSync(join(folder, name))));
  return { values, calls, side, tier, troubles, spares, push };
}

export type Contents = Readonly<Record<string, string | Uint8Array>>;

/** Keeps files as a task's outputs, and gives the record of the task. */
export function taskRecord(
  { values }: Pick<MachineUnderTest, 'values'>,
  salt: string,
  contents: Contents,
  more: readonly TreeEntry[] = [],
): CallRecord {
  const files = Object.entries(contents).map(([path, content]): TreeEntry => {
    const bytes = Buffer.from(content);
    values.put(sha256(bytes), bytes);
    return { kind: 'file', path: path as RelPath, executable: false, digest: sha256(bytes), size: bytes.length };
  });
  const tree = makeTree([...files, ...more]);
  values.put(tree.digest, Buffer.from(treeText(tree.entries)));
  const log = Buffer.from(`made ${salt}\n`);
  values.put(sha256(log), log);
  return aRecord({
    salt,
    key: aKey(salt),
    kind: 'task',
    name: 'build',
    parts: [],
    result: null,
    outputs: tree.digest,
    log: sha256(log),
  });
}

/** Digests of the files of a record's outputs. */
export function fileDigests(contents: Contents): readonly Digest[] {
  return Object.values(contents).map((content) => sha256(Buffer.from(content)));
}

/** Asks for an answer with all its contents, as a machine does that puts outputs in place. Whether it has them. */
export async function receive(at: MachineUnderTest, record: CallRecord, contents: Contents): Promise<boolean> {
  if (!(await at.tier.ask(record.key, at.side))) return false;
  return at.tier.bring(record.key, fileDigests(contents), at.side, 'place');
}

/** Many files, small ones and some larger than what is packed, that can hardly be compressed. */
export function manyFiles(count: number, salt = ''): Contents {
  const size = (at: number): number => (at % 50 === 7 ? 150_000 : 200 + ((at * 37) % 3000));
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`out/f${at}.txt`, noise(`${salt}${at}`, size(at))]),
  );
}

/** Always the same for one seed. */
function noise(seed: string, length: number): string {
  return createHash('shake256', { outputLength: length }).update(seed).digest('base64').slice(0, length);
}
