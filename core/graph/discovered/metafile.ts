/**
 * Metafiles of esbuild (`--metafile=…`): the files that went into a build, and the names that would have led elsewhere had
 * they been there. Modules that plugins make up are no files; what a plugin reads by itself is not in the metafile. Pure.
 */
import { posix } from 'node:path';
import { broken, type Import, looked, type Mention, type Mentions, read } from './mention.ts';
import { preferred } from './preferred.ts';

interface Input {
  readonly imports?: readonly { readonly path: string; readonly original?: string; readonly external?: boolean }[];
}

export function readMetafile(text: string): Mentions {
  const inputs = inputsOf(text);
  if (inputs === undefined) return broken('is not a metafile of esbuild');
  const mentions = new Map<string, Mention>();
  const mapped: Import<string>[] = [];
  const add = (mention: Mention): void => {
    // A name that plugins give to what they make up.
    if (mention.path.includes('\0')) return;
    if (mention.isRead || !mentions.has(mention.path)) mentions.set(mention.path, mention);
  };
  for (const [name, { imports = [] }] of Object.entries(inputs)) {
    for (const mention of mentionsOf(name)) add(mention);
    if (!isFile(name)) continue;
    for (const { path, original, external } of imports) {
      if (original === undefined || external === true) continue;
      if (/^\.{1,2}(?:\/|$)/.test(original)) {
        for (const other of preferred(posix.join(posix.dirname(name), original), path).others) add(looked(other));
      } else if (isFile(path)) mapped.push({ from: name, specifier: original, found: path });
    }
  }
  return { kind: 'read', mentions: [...mentions.values()], imports: mapped };
}

function inputsOf(text: string): Readonly<Record<string, Input>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('inputs' in parsed) || !('outputs' in parsed))
      return undefined;
    const { inputs } = parsed;
    return typeof inputs === 'object' && inputs !== null ? (inputs as Readonly<Record<string, Input>>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a name is a path, without a namespace in front (`C:` is none) or a query behind. */
function isFile(name: string): boolean {
  return !/^[^/\\:]{2,}:/.test(name) && !/^<.*>$/.test(name) && !/[?#]/.test(name);
}

function mentionsOf(name: string): readonly Mention[] {
  if (isFile(name)) return [read(name)];
  // Switched off by the field "browser" of a package.json: it decides by being there.
  const [, namespace = '', rest = name] = /^([^/\\:]{2,}):(.*)$/s.exec(name) ?? [];
  if (namespace === '(disabled)') return [looked(rest)];
  if (namespace !== '' || /^<.*>$/.test(name)) return [];
  return [looked(name), looked(name.replace(/[?#].*$/s, ''))];
}
