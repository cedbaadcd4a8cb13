/**
 * Trees from elsewhere: what must hold of one before anything of it is written. Stricter than what a task may write on
 * one system, because it must mean the same on all of them, and because whoever made it may want to write somewhere else.
 * Modes, devices and the like cannot be said in a tree at all.
 */
import { posix } from 'node:path';
import { isDigest } from '../../base/hash.ts';
import type { Tree } from './tree.ts';

interface TreeLimits {
  readonly maxEntries: number;
  /** Of all files together, bytes. */
  readonly maxBytes: number;
}

/** Names of devices on Windows, whatever comes behind a dot. */
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;
/** What cannot stand in a name on Windows, or is not seen by people. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\\:*?"<>|\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/;
/** Folders that are not for outputs: what is put there is run, or believed. */
const PRIVATE = /^(?:\.git|git~\d+|\.fleche)$/;
/** Most names: nothing in them means anything anywhere. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}(?<![.])$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII is what is looked for
const ASCII = /^[\u0000-\u007f]*$/;
const MAX_NAME = 255;
const MAX_PATH = 4096;

/** What is wrong with a tree of outputs that was made elsewhere, in a few words; undefined for one that may be used. */
export function faultOfTree({ entries }: Tree, { maxEntries, maxBytes }: TreeLimits): string | undefined {
  if (entries.length > maxEntries) return 'too many entries';
  let bytes = 0;
  /** Every path and folder by its folded form: on many systems two that fold alike are one. */
  const spelled = new Map<string, string>();
  const solid = new Set<string>();
  const folders = new Set<string>();
  /** What is wrong with a path, whose folders are looked at when they are first met. */
  const faultOf = (path: string): string | undefined => {
    const end = path.lastIndexOf('/');
    if (end >= 0) {
      const folder = path.slice(0, end);
      if (solid.has(folder)) return 'a path below a file';
      const fault = folders.has(folder) ? undefined : faultOf(folder);
      if (fault !== undefined) return fault;
      folders.add(folder);
    }
    const fault = faultOfStep(path.slice(end + 1));
    if (fault !== undefined) return fault;
    const form = folded(path);
    if ((spelled.get(form) ?? path) !== path) return 'a name that differs only in case';
    spelled.set(form, path);
    return undefined;
  };
  for (const entry of entries) {
    const { path } = entry;
    if (entry.kind === 'absent') return `an absent path: ${path}`;
    const fault = path.length > MAX_PATH ? 'a path that is too long' : faultOf(path);
    if (fault !== undefined) return `${fault}: ${path}`;
    if (entry.kind !== 'dir') solid.add(path);
    if (entry.kind === 'link' && leaves(path, entry.target)) return `a link that leads outside: ${path}`;
    if (entry.kind === 'file') {
      if (!Number.isSafeInteger(entry.size) || !isDigest(entry.digest)) return `a size: ${path}`;
      bytes += entry.size;
    }
  }
  return bytes > maxBytes ? 'too large' : undefined;
}

function folded(path: string): string {
  return ASCII.test(path) ? path.toLowerCase() : path.normalize('NFC').toLowerCase().normalize('NFC');
}

function faultOfStep(step: string): string | undefined {
  if (DEVICES.test(step)) return 'the name of a device';
  if (PLAIN.test(step)) return undefined;
  if (step === '' || step === '.' || step === '..') return 'a path that leaves its folder';
  if (FORBIDDEN.test(step) || !step.isWellFormed()) return 'a name with a character that not every system has';
  if (/[. ]$/.test(step)) return 'a name that ends with a dot or a space';
  if (PRIVATE.test(step.normalize('NFKC').toLowerCase())) return 'a folder that is not for outputs';
  if (Buffer.byteLength(step) > MAX_NAME) return 'a name that is too long';
  return undefined;
}

/** A link in outputs may lead to what stands in the project, by a relative path. */
function leaves(path: string, target: string): boolean {
  if (target === '' || FORBIDDEN.test(target) || posix.isAbsolute(target)) return true;
  const to = posix.join(posix.dirname(path), target);
  return to === '..' || to.startsWith('../') || to.split('/').some((step) => PRIVATE.test(step.toLowerCase()));
}
