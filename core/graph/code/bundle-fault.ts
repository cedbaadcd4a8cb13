/** What is wrong with code that cannot be bundled, as an error with its place and a hint. */
import { join } from 'node:path';
import type { BuildFailure } from 'esbuild';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { ENTRY, type Entry, LOADERS } from './bundle-reader.ts';

export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}

/** The first fault of a failed build, `CODE_UNRESOLVED`. */
export async function faultOf(failure: BuildFailure, root: AbsPath, entries: readonly Entry[]): Promise<FlecheError> {
  const [fault] = failure.errors;
  if (fault === undefined)
    return new FlecheError('CODE_UNRESOLVED', messageOf(failure), {
      hint: 'esbuild could not bundle it; what it says is above.',
      cause: failure,
    });
  const { location, text } = fault;
  const entry = location?.file.startsWith(`${ENTRY}:`)
    ? entries[Number(location.file.slice(ENTRY.length + 1))]
    : undefined;
  if (entry !== undefined) return entryFault(text, failure, root, entry);
  const more = failure.errors.length > 1 ? ` (and ${failure.errors.length - 1} more)` : '';
  return new FlecheError('CODE_UNRESOLVED', text + more, {
    at: location === null ? undefined : { file: location.file, line: location.line, column: location.column + 1 },
    hint: hintFor(text),
    cause: failure,
  });
}

/** A fault of what was asked for, not of what is written somewhere. */
async function entryFault(text: string, cause: BuildFailure, root: AbsPath, entry: Entry): Promise<FlecheError> {
  if (text.startsWith('No matching export')) {
    return new FlecheError('CODE_UNRESOLVED', `${entry.module} has no export "${entry.export}"`, {
      hint: suggest(entry.export, await exportsOf(root, entry.module)),
      cause,
    });
  }
  if (text.startsWith('Could not resolve')) {
    return new FlecheError('CODE_UNRESOLVED', `there is no module ${entry.module}`, {
      hint: 'Its path is relative to the project root.',
      cause,
    });
  }
  return new FlecheError('CODE_UNRESOLVED', `${entry.module}: ${text}`, { hint: hintFor(text), cause });
}

function hintFor(text: string): string | undefined {
  if (text.startsWith('No loader is configured')) {
    return `Code can import ${Object.keys(LOADERS).join(' ')}; pass other files as arguments.`;
  }
  if (!text.startsWith('Could not resolve')) return undefined;
  return /"\.{0,2}\//.test(text) ? 'There is no such file.' : 'Is the package installed?';
}

/** What a module exports, as far as can be told. */
async function exportsOf(root: AbsPath, module: RelPath): Promise<readonly string[]> {
  const { build } = await import('esbuild');
  const name = 'exports.js';
  try {
    const { metafile } = await build({
      entryPoints: [join(root, module)],
      absWorkingDir: root,
      outfile: name,
      bundle: true,
      packages: 'external',
      write: false,
      metafile: true,
      format: 'esm',
      logLevel: 'silent',
    });
    return metafile.outputs[name]?.exports ?? [];
  } catch {
    // Nothing more to say than that the export is missing.
    return [];
  }
}
