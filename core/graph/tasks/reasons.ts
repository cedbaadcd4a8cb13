/** From differing fingerprint parts to the leaf causes a person can act on. */
import { decode } from '../../base/decode.ts';
import { digest } from '../../base/digest.ts';
import type { Digest } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { PartChange } from '../../call/explain.ts';
import { diffTreeTexts, type PathChange } from '../../files/trees/tree-diff.ts';
import type { Part } from '../../store/record.ts';
import type { Reason } from './outcome.ts';

/** Reads a blob that a part names: from the store, or from what the present call is about to put there. */
export type ReadBlob = (digest: Digest) => Uint8Array | undefined;

const UNSET = digest(undefined);

type Change = 'added' | 'removed' | 'changed';

/** The reasons behind changed parts, in their order. Never empty for a change, even if its details are gone. */
export function reasonsOf(changes: readonly PartChange[], read: ReadBlob): readonly Reason[] {
  return changes.flatMap((change) => reasonsOfPart(change, read));
}

function reasonsOfPart(change: PartChange, read: ReadBlob): readonly Reason[] {
  const kind: Change = change.past === null ? 'added' : change.present === null ? 'removed' : 'changed';
  const name = change.name.slice(change.name.indexOf(':') + 1);
  switch (change.kind) {
    case 'files':
      return fileReasons(change, name, kind, read);
    case 'env':
      return [{ kind: 'env', name, change: envChange(change) }];
    case 'upstream':
      return [{ kind: 'upstream', task: name, change: kind }];
    case 'argument':
      return [{ kind: 'argument', name, change: kind }];
    case 'tool':
      return [{ kind: 'tool', name, from: textOf(change.past, read), to: textOf(change.present, read) }];
    case 'lock':
      return packageReasons(change, read);
    case 'runtime':
      return [{ kind: 'runtime', from: textOf(change.past, read), to: textOf(change.present, read) }];
    case 'command':
      return [{ kind: 'command' }];
    case 'code':
      return [{ kind: 'code' }];
    case 'identity':
    case 'option':
      return [{ kind: 'option', name: change.name }];
  }
}

/** A declared variable that is unset has a part all the same, but for a person it is not there. */
function envChange({ past, present }: PartChange): Change {
  if (past === null || past.digest === UNSET) return 'added';
  return present === null || present.digest === UNSET ? 'removed' : 'changed';
}

function fileReasons(change: PartChange, name: string, kind: Change, read: ReadBlob): readonly Reason[] {
  const paths = pathChanges(bytesOf(change.past, read), bytesOf(change.present, read));
  if (paths.length > 0) return paths.map(({ path, change: how }) => ({ kind: 'file', path, change: how }));
  return [
    change.name.startsWith('arg:') ? { kind: 'argument', name, change: kind } : { kind: 'option', name: change.name },
  ];
}

/** The packages that are installed in another version, that are new, or that are gone. */
function packageReasons({ name, past, present }: PartChange, read: ReadBlob): readonly Reason[] {
  const [before, now] = [versionsIn(blobOf(past, read)), versionsIn(blobOf(present, read))];
  const names = [...new Set([...before.keys(), ...now.keys()])].sort(byCodeUnit);
  const changed = names.filter((one) => before.get(one) !== now.get(one));
  // The same versions in other places, or of other content.
  if (changed.length === 0 || before.size === 0 || now.size === 0) return [{ kind: 'option', name }];
  return changed.map((one) => ({ kind: 'tool', name: one, from: before.get(one) ?? null, to: now.get(one) ?? null }));
}

/** Versions by package, of lines that begin with both. */
function versionsIn(text: string | undefined): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const line of text?.split('\n') ?? []) {
    const [name = '', version = ''] = line.split('\t');
    const other = versions.get(name);
    if (name !== '') versions.set(name, other === undefined || other === version ? version : `${other}, ${version}`);
  }
  return versions;
}

function bytesOf(part: Part | null, read: ReadBlob): Uint8Array | undefined {
  return part?.blob == null ? undefined : read(part.blob);
}

function blobOf(part: Part | null, read: ReadBlob): string | undefined {
  const bytes = bytesOf(part, read);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

function pathChanges(past: Uint8Array | undefined, present: Uint8Array | undefined): readonly PathChange[] {
  try {
    return past === undefined || present === undefined ? [] : diffTreeTexts(past, present);
  } catch {
    // A tree of another format version: the change is real, its paths can no longer be told.
    return [];
  }
}

function textOf(part: Part | null, read: ReadBlob): string | null {
  const bytes = part?.blob == null ? undefined : read(part.blob);
  try {
    const value = bytes === undefined ? null : decode(bytes);
    return value === null || value === undefined ? null : String(value);
  } catch {
    // As above: an encoding of another version.
    return null;
  }
}
