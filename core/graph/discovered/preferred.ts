/** Which files esbuild prefers to which. Pure. */
import { posix } from 'node:path';

/** Extensions that esbuild adds to a name without one, in its order. */
const EXTENSIONS: readonly string[] = ['.tsx', '.ts', '.jsx', '.js', '.css', '.json'];

/**
 * What stands before the file that the import of a path led to, in the order in which esbuild looks; all that it looks
 * for if the file is none of that.
 */
export function preferred(
  path: string,
  found: string,
): { readonly others: readonly string[]; readonly isFound: boolean } {
  const [, stem, kind = ''] = /^(.*)\.([mc]?)jsx?$/.exec(path) ?? [];
  const index = posix.join(path, 'index');
  const order = [
    path,
    ...EXTENSIONS.map((extension) => path + extension),
    ...(stem === undefined ? [] : [`${stem}.${kind}ts`, `${stem}.tsx`]),
    posix.join(path, 'package.json'),
    ...EXTENSIONS.map((extension) => index + extension),
  ];
  const at = order.indexOf(posix.normalize(found));
  return { others: at < 0 ? order : order.slice(0, at), isFound: at >= 0 };
}
