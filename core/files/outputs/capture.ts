/** Takes what a run wrote into the values store, as a tree. */
import { readlinkSync, realpathSync, type Stats, symlinkSync, unlinkSync } from 'node:fs';
import { isAbsolute, posix } from 'node:path';
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { escapes, folderOf, type RelPath, toRel } from '../../base/paths.ts';
import type { FileValueStore } from '../../store/values.ts';
import { isGone, lookAt } from '../look.ts';
import { settled } from '../states/contents.ts';
import { type PathState, stateOf } from '../states/path-states.ts';
import { isExecutable, type StatKey, sameKey, statKey } from '../states/stat-key.ts';
import type { TreeEntry } from '../trees/tree.ts';
import { escaping, type OutputSite } from './output-site.ts';
import { leadsOutside } from './restoration.ts';

/** An output as it goes into the tree, and what is remembered of it. */
export interface Captured {
  readonly entry: TreeEntry;
  readonly state: PathState;
}

/**
 * Takes one path in. `earlier` is what was known of it before the run. Undefined if it is gone. Throws
 * `OUTPUT_UNREADABLE`, and `OUTPUT_ESCAPES` for a link that leads outside the project.
 */
export function capture(
  site: OutputSite,
  path: RelPath,
  earlier: PathState | undefined,
  values: FileValueStore,
): Captured | undefined {
  const place = site.place(path);
  try {
    const at = site.clock();
    const stats = lookAt(place);
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return captureLink(site, path);
    if (stats.isDirectory()) return { entry: { kind: 'dir', path }, state: stateOf(path, 'dir') };
    const take = (before: Stats): { digest: Digest; after: StatKey | undefined } => {
      const same = earlier?.trusted === true && earlier.key !== null && sameKey(earlier.key, before);
      const { digest } = values.putFile(place, same ? (earlier.digest ?? undefined) : undefined);
      const after = lookAt(place);
      return { digest, after: after === undefined ? undefined : statKey(after) };
    };
    const content = settled(place, site.clock, take, { stats, at });
    if (content === undefined) return undefined;
    const { key, digest } = content;
    const entry: TreeEntry = { kind: 'file', path, executable: isExecutable(key), digest, size: key.size };
    return { entry, state: { path, kind: 'file', ...content, target: '' } };
  } catch (error) {
    if (isGone(error)) return undefined;
    if (error instanceof FlecheError || systemCode(error) === undefined) throw error;
    throw new FlecheError('OUTPUT_UNREADABLE', `cannot read the output ${path}: ${messageOf(error)}`, {
      hint: 'Let the task make it readable, or leave it out of the outputs with "!".',
      cause: error,
    });
  }
}

/** Throws `OUTPUT_UNREADABLE` for a path at which something stands that is neither file, folder nor link. */
export function refuseOdd(site: OutputSite, path: RelPath | undefined): void {
  const stats = path === undefined ? undefined : lookAt(site.place(path));
  if (path === undefined || stats === undefined) return;
  const what = stats.isFIFO() ? 'pipe' : stats.isSocket() ? 'socket' : 'device';
  throw new FlecheError(
    'OUTPUT_UNREADABLE',
    `outputs of task "${site.task}": ${path} is a ${what}, which cannot be kept`,
    {
      hint: `Let the task remove it when it ends, or leave it out of the outputs: "!${path}".`,
    },
  );
}

/**
 * A link that is absolute and leads inside is made relative, on disk too: its text would name a folder of this machine,
 * and what is restored elsewhere must be what was captured here.
 */
function captureLink(site: OutputSite, path: RelPath): Captured {
  const place = site.place(path);
  let target = readlinkSync(place);
  if (isAbsolute(target)) {
    const inside = [site.root, realpathSync(site.root)].map((root) => toRel(root, target)).find((end) => !escapes(end));
    if (inside !== undefined) {
      target = posix.relative(folderOf(path), inside);
      unlinkSync(place);
      symlinkSync(target, place);
    }
  }
  if (leadsOutside(path, target)) {
    throw escaping(
      site.task,
      `${path} is a link to ${target}, outside the project`,
      'Link to something below the root.',
    );
  }
  return {
    entry: { kind: 'link', path, target, digest: null, executable: false },
    state: stateOf(path, 'link', target),
  };
}
