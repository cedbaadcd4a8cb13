/**
 * Files by which compilers are configured, in the folder of a module and those above it: up to the root, and beyond it to
 * the top of the workspace. TypeScript's count with those that they extend, others
 * with the packages that they name. Other files that configurations import are not followed.
 */
import { dirname, join } from 'node:path';
import { type Digest, digest, readTsconfig, toAbs } from '../../core/index.ts';
import { type Machine, relativeTo, textDigest, textOf } from '../machine.ts';
import { Packages } from '../packages.ts';
import { finds } from './settings.ts';

/** Of the usual compilers: Babel, browserslist, MDX, PostCSS, Svelte, SVGR, SWC, Tailwind and their like. */
export const USUAL: RegExp =
  /^(?:package\.json|browserslist|\.(?:babel|browserslist|postcss|svgr|svgo|swc)rc(?:\.\w+)?|(?:babel|linaria|mdx|panda|postcss|svelte|svgo|svgr|swc|tailwind|uno|unocss|windi|wyw-in-js)\.config\.\w+)$/;
/** Environment variables that such compilers read. */
export const USUAL_ENV: readonly string[] = ['BABEL_ENV', 'BROWSERSLIST', 'BROWSERSLIST_ENV'];

const TYPESCRIPT = /^(?:ts|js)config[\w.-]*\.json$/;
/** Members of a manifest that say nothing to a compiler. */
const ASIDE = new Set(
  [
    'name version description keywords license author contributors funding homepage repository bugs private files bin man',
    'scripts dependencies devDependencies peerDependencies peerDependenciesMeta optionalDependencies publishConfig',
  ].flatMap((names) => names.split(' ')),
);
const NONE = digest('no configurations');
const QUOTED = /["'`]([^"'`\n]{1,200})["'`]/g;

export class Configurations {
  readonly #root: string;
  readonly #machine: Machine;
  readonly #names: RegExp;
  readonly #packages: Packages;
  /** What files say, by their names and contents. */
  readonly #said = new Map<string, Digest>();
  /** The configurations among the names in a folder. */
  readonly #among = new WeakMap<readonly string[], readonly string[]>();

  /** `names`: which files count beside TypeScript's. Of manifests only what can matter does. */
  constructor(root: string, machine: Machine, names: RegExp = USUAL) {
    this.#root = root;
    this.#machine = machine;
    this.#names = names;
    this.#packages = new Packages(root);
  }

  /** What they say for modules of a folder. */
  above(folder: string): Digest {
    return this.#machine.recently(`configurations above ${folder}`, () => {
      const own = this.#in(folder);
      const parent = dirname(folder);
      const above = parent === folder ? NONE : this.above(parent);
      return own.length === 0 ? above : textDigest([own, above]);
    });
  }

  #in(folder: string): readonly (readonly [path: string, Digest])[] {
    const names = this.#isWithin(folder)
      ? this.#configurations(this.#machine.names(folder))
      : ['jsconfig.json', 'tsconfig.json'].filter((name) => this.#machine.hasFile(join(folder, name)));
    return names.map((name) => {
      const path = join(folder, name);
      return [relativeTo(this.#root, path), TYPESCRIPT.test(name) ? this.#typescript(path) : this.#saying(path, name)];
    });
  }

  #configurations(names: readonly string[]): readonly string[] {
    let found = this.#among.get(names);
    if (found === undefined) {
      found = names.filter((name) => TYPESCRIPT.test(name) || finds(this.#names, name));
      this.#among.set(names, found);
    }
    return found;
  }

  /** What a file says to a compiler, worked out once for each state of its contents. */
  #saying(path: string, name: string): Digest {
    const content = this.#machine.content(path);
    const known = this.#said.get(`${name} ${content}`);
    if (known !== undefined) return known;
    const text = textOf(path) ?? '';
    const found = (name === 'package.json' ? manifest(text) : undefined) ?? this.#compiler(content, text);
    // It may have changed since it was digested.
    if (this.#machine.content(path) === content) this.#said.set(`${name} ${content}`, found);
    return found;
  }

  /** What it says, and what is installed of the packages that it names. */
  #compiler(content: Digest, text: string): Digest {
    const words = [...text.matchAll(QUOTED)].map(([, word = '']) => word);
    const named = this.#packages.named(words);
    return named === undefined ? content : textDigest([content, named]);
  }

  #isWithin(folder: string): boolean {
    const top = this.#machine.recently('top of the workspace', () => topOf(this.#root, this.#machine));
    return folder === top || folder.startsWith(`${top}/`) || folder.startsWith(`${top}\\`);
  }

  #typescript(path: string): Digest {
    const { files } = readTsconfig(toAbs(dirname(path), path), textOf);
    return textDigest(files.map((file) => [relativeTo(this.#root, file), this.#machine.content(file)]));
  }
}

/** The outermost folder that is a package or a repository; the root itself, if there is none above it. */
function topOf(root: string, machine: Machine): string {
  let top = root;
  for (let folder = root; dirname(folder) !== folder; folder = dirname(folder)) {
    const isTop = machine.hasFile(join(folder, 'package.json')) || machine.names(join(folder, '.git')).length > 0;
    if (isTop) top = folder;
  }
  return top;
}

/** Undefined for what is no manifest. */
function manifest(text: string): Digest | undefined {
  try {
    const members = JSON.parse(text) as object;
    return digest(Object.entries(members).filter(([name]) => !ASIDE.has(name)));
  } catch {
    return undefined;
  }
}
