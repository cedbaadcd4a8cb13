/**
 * Marks the calls of fleche's own wrappers in a module as free of side effects, so that a task which is memoised at the
 * top of a file does not count for the task beside it. The marked text is for digests only: it is never run, and line
 * numbers in it are not those of the file.
 */
import type { Loader, transform } from 'esbuild';

/** What a module imports fleche as. */
export const OWN_NAME = 'fleche';

/** Exports whose calls do nothing but make a value. */
const PURE = new Set(['fleche', 'file', 'tree', 'glob', 'digest', 'D']);

const MENTION = /['"]fleche['"]/;
/** The forms in which esbuild prints an import. */
const NAMED = /import\{([^{}"'`]*)\}from"fleche";/g;
const NAMESPACE = /import\*as ([\w$]+) from"fleche";/g;
/** Plain comparisons that would be read as type arguments when the printed text is read as TypeScript again. */
const LIKE_TYPE_ARGUMENTS = /[\w$\])]<[^;{}()]*>\(/;

/**
 * The text with local stand-ins for the wrappers it imports. A wrapper that travels through another module, or through
 * a variable, is not found: then an edit of one task counts for its neighbours too, which costs a run at most.
 */
export async function markPure(text: string, loader: Loader, convert: typeof transform): Promise<string> {
  if (!MENTION.test(text)) return text;
  let printed: string;
  try {
    const { code } = await convert(text, {
      loader,
      jsx: 'preserve',
      minifyWhitespace: true,
      legalComments: 'none',
      charset: 'utf8',
      target: 'esnext',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, experimentalDecorators: true } },
    });
    printed = code;
  } catch {
    // A syntax error: the build of the plain text tells of it, with its place.
    return text;
  }
  if (LIKE_TYPE_ARGUMENTS.test(printed)) return text;
  const marked = printed.replace(NAMED, (_, names: string) => standIns(names));
  return [...marked.matchAll(NAMESPACE)].reduce((code, [, local = '']) => markMembers(code, local), marked);
}

/** Stands in a local function for each pure import: what is declared in the same file, esbuild believes. */
function standIns(names: string): string {
  let clause = '';
  let functions = '';
  for (const name of names.split(',')) {
    const [imported = '', local = imported] = name.split(' as ');
    if (!PURE.has(imported)) {
      clause += `${name},`;
      continue;
    }
    clause += `${imported} as fleche_${local},`;
    functions += `/* @__NO_SIDE_EFFECTS__ */function ${local}(...args){return fleche_${local}(...args)}`;
  }
  return `import{${clause}}from"${OWN_NAME}";${functions}`;
}

function markMembers(code: string, namespace: string): string {
  const calls = new RegExp(`(?<![\\w$.])${namespace.replaceAll('$', '\\$&')}\\.(?:${[...PURE].join('|')})\\(`, 'g');
  return code.replace(calls, '/* @__PURE__ */ $&');
}
