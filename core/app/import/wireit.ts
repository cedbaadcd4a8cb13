/**
 * wireit blocks of package.json files as a configuration. A fingerprint of wireit folds in those of all dependencies, so
 * what a task reaches through others is among its needs, unless it says `cascade: false`.
 */
import { posix } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { type Table, tableOf, textsOf } from '../../base/table.ts';
import { LOCK_FILES } from '../../files/lock/formats.ts';
import type { Draft, DraftTable } from './draft.ts';
import { commandOf, type Member, type Repository } from './repository.ts';
import { type LeftOutputs, leftOutputs } from './shared-outputs.ts';
import { type ImportedTask, keysOf, npmRemarks, variables } from './task-keys.ts';

const LOCKS: readonly string[] = ['package-lock.json'];
const SLICED: readonly string[] = LOCK_FILES;
/** A command that does nothing, in every shell. */
const NOTHING = 'exit 0';

/** A script of a package. */
interface Script {
  readonly owner: Member;
  readonly name: string;
}

/** What a script waits for, and what follows from that. */
interface Needs {
  readonly names: readonly string[];
  readonly inputs: readonly string[];
  readonly comments: readonly string[];
}

/** Throws `USAGE` if no script is run by wireit. */
export function fromWireit(repository: Repository): readonly Draft[] {
  return new Wireit(repository).drafts();
}

class Wireit {
  readonly #repository: Repository;
  readonly #members: readonly Member[];
  /** Scripts that are not of wireit and that others depend on. */
  readonly #plain = new Map<string, Script>();
  /** The first script that writes a pattern, by the pattern as it is seen from the root. */
  readonly #writers = new Map<string, string>();

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#members = [repository.root, ...repository.packages];
  }

  drafts(): readonly Draft[] {
    const { packages, workspace, root } = this.#repository;
    const scripts = this.#members.flatMap((owner) =>
      Object.keys(tableOf(owner.manifest['wireit'])).map((name) => ({ owner, name })),
    );
    if (scripts.length === 0) {
      throw new FlecheError('USAGE', 'no package.json here has a "wireit" block', {
        hint: 'Go to the root of the repository.',
      });
    }
    const tables = new Map<Member, DraftTable[]>(this.#members.map((one) => [one, []]));
    for (const script of scripts) tables.get(script.owner)?.push(this.#table(script));
    for (const script of this.#plain.values()) tables.get(script.owner)?.push(this.#plainTable(script));
    const defaults = scripts.filter(
      ({ owner, name }) => name === 'build' && (owner === root || workspace !== undefined),
    );
    const head: DraftTable[] = [
      { path: ['default'], keys: { tasks: defaults.length === 0 ? undefined : ['build'] } },
      ...(workspace === undefined ? [] : [{ path: ['workspace'], keys: { packages: workspace } }]),
    ];
    const comments = [
      'Made from the wireit blocks of package.json by fleche init --from wireit.',
      'wireit takes a script for done that writes none of its output; where that is a failure, call it "outputs".',
    ];
    const others = packages.flatMap((one): Draft[] => {
      const own = tables.get(one) ?? [];
      return own.length === 0 ? [] : [{ folder: one.folder, comments, tables: own }];
    });
    return [{ folder: '.', comments, tables: [...head, ...(tables.get(root) ?? [])] }, ...others];
  }

  #plainTable({ owner, name }: Script): DraftTable {
    const run = commandOf(owner, name, this.#repository.runsPreAndPost);
    return { path: ['tasks', name], comments: npmRemarks(run), keys: { run, cache: false } };
  }

  #table(script: Script): DraftTable {
    const task = this.#task(script);
    return { path: ['tasks', script.name], comments: task.comments, keys: keysOf(task) };
  }

  #blockOf({ owner, name }: Script): Table {
    return tableOf(tableOf(owner.manifest['wireit'])[name]);
  }

  #task(script: Script): ImportedTask {
    const block = this.#blockOf(script);
    const { owner } = script;
    const needs = this.#needsOf(script);
    const env = environmentOf(tableOf(block['env']));
    const command = typeof block['command'] === 'string' ? block['command'] : undefined;
    const files = block['files'] === undefined ? undefined : textsOf(block['files']);
    const service = block['service'];
    const isService = service === true || (typeof service === 'object' && service !== null);
    const locks = block['packageLocks'] === undefined ? LOCKS : textsOf(block['packageLocks']);
    const own = (files ?? []).map((pattern) => this.#rooted(pattern, owner));
    const inputs = [...new Set([...own, ...needs.inputs, ...this.#locks(owner, locks)])];
    const isGroup = this.#isGroup(script);
    const { workspace } = this.#repository;
    const ready = readyOf(service);
    const outputs = this.#outputsOf(script);
    return {
      run: isGroup ? NOTHING : env.prefix + command,
      needs: needs.names,
      inputs: isGroup || files === undefined ? [] : inputs,
      outputs: [],
      optional: outputs.patterns,
      env: env.names,
      passEnv: ['*'],
      cache: isGroup || (files !== undefined && outputs.isWhole),
      clean: block['clean'] !== false,
      persistent: isService,
      more: {
        lock: locks.length > 0 || workspace === undefined || isGroup ? undefined : false,
        ready: ready.text === undefined ? undefined : { log: ready.text },
      },
      comments: [
        ...needs.comments,
        ...outputs.comments,
        ...env.comments,
        ...npmRemarks(command ?? ''),
        ...(isGroup || files !== undefined || isService ? [] : ['Without "files" wireit always runs it.']),
        ...(block['clean'] === 'if-file-deleted'
          ? ['No equal: clean = "if-file-deleted"; outputs are always cleaned.']
          : []),
        ...(ready.pattern === undefined ? [] : [`No equal: readyWhen with the pattern ${ready.pattern}.`]),
        ...(block['allowUsuallyExcludedPaths'] === true ? ['Not taken over: allowUsuallyExcludedPaths.'] : []),
      ],
    };
  }

  #outputsOf({ owner, name }: Script): LeftOutputs {
    const own = nameFor({ owner, name }, this.#repository.root);
    const written = textsOf(this.#blockOf({ owner, name })['output']).map((pattern) => this.#rooted(pattern, owner));
    return leftOutputs(written, (pattern) => {
      const place = pattern.startsWith('//') ? pattern : `${owner.folder}/${pattern}`;
      const writer = this.#writers.get(place) ?? own;
      this.#writers.set(place, writer);
      return writer === own ? undefined : writer;
    });
  }

  /** A pattern of a package, which may begin with `/` for its folder and lead outside of it. */
  #rooted(pattern: string, { folder }: Member): string {
    const negation = pattern.startsWith('!') ? '!' : '';
    const path = posix.normalize(pattern.slice(negation.length).replace(/^\/+/, ''));
    if (!path.startsWith('../')) return negation + path;
    const fromRoot = posix.join(folder, path);
    return negation + (fromRoot.startsWith('../') ? path : `//${fromRoot}`);
  }

  /**
   * Lock files beside the package and in the folders above it, but for that of a workspace: of it the key has what concerns
   * the package.
   */
  #locks({ folder }: Member, names: readonly string[]): readonly string[] {
    const found: string[] = [];
    for (let at: string = folder; ; at = posix.dirname(at)) {
      for (const name of names) {
        const isSliced = at === '.' && this.#repository.workspace !== undefined && SLICED.includes(name);
        if (isSliced || !this.#repository.has(`${at}/${name}`)) continue;
        found.push(at === folder ? name : `//${posix.join(at, name)}`);
      }
      if (at === '.') return found;
    }
  }

  #needsOf(script: Script): Needs {
    const names = new Set<string>();
    const inputs: string[] = [];
    const seen = new Set<string>();
    const comments: string[] = [];
    // A script without a command reads nothing of what it waits for.
    const isGroup = this.#isGroup(script);
    const visit = (at: Script, isOwn: boolean): void => {
      const written = this.#blockOf(at)['dependencies'];
      for (const one of Array.isArray(written) ? written : []) {
        const table = typeof one === 'string' ? { script: one } : tableOf(one);
        const reference = String(table['script'] ?? '');
        const cascades = table['cascade'] !== false;
        if (!isOwn && !cascades) continue;
        const meant = this.#meant(reference, at.owner);
        if (meant === undefined) {
          if (isOwn) comments.push(`Left out, for there is no such script: ${reference}.`);
          continue;
        }
        if (isOwn && !cascades) comments.push(`No equal: cascade: false of ${reference}; its outputs count here.`);
        const name = nameFor(meant, script.owner);
        if (seen.has(name) || (meant.owner === script.owner && meant.name === script.name)) continue;
        seen.add(name);
        // What a script without a command reaches has been named, and itself it makes nothing.
        if (isOwn || !this.#isGroup(meant)) names.add(name);
        if (cascades && this.#isGroup(meant)) inputs.push(...this.#filesOf(meant, script.owner));
        if (Object.keys(this.#blockOf(meant)).length === 0)
          this.#plain.set(`${meant.owner.folder}#${meant.name}`, meant);
        if (cascades && !isGroup) visit(meant, false);
      }
    };
    visit(script, true);
    return { names: [...names], inputs, comments };
  }

  /** The files of a script without a command, which are those of whoever depends on it. */
  #filesOf(script: Script, seenFrom: Member): readonly string[] {
    return textsOf(this.#blockOf(script)['files']).map((written) => {
      const pattern = this.#rooted(written, script.owner);
      if (script.owner === seenFrom || /^!?\/\//.test(pattern)) return pattern;
      const negation = pattern.startsWith('!') ? '!' : '';
      return `${negation}//${posix.join(script.owner.folder, pattern.slice(negation.length))}`;
    });
  }

  #isGroup(script: Script): boolean {
    const block = this.#blockOf(script);
    return Object.keys(block).length > 0 && typeof block['command'] !== 'string';
  }

  /** `build`, or `../other:build`. */
  #meant(reference: string, owner: Member): Script | undefined {
    const [, path, script = ''] = /^(\.{1,2}\/.*?|\.{1,2}):(.+)$/.exec(reference) ?? [];
    const folder = path === undefined ? owner.folder : posix.join(owner.folder, path).replace(/(?<=.)\/$/, '');
    const name = path === undefined ? reference : script;
    const found = this.#members.find((one) => one.folder === folder);
    if (found === undefined) return undefined;
    const isThere = found.scripts[name] !== undefined || name in tableOf(found.manifest['wireit']);
    return isThere ? { owner: found, name } : undefined;
  }
}

/** When a service may be used: the text that a line has to contain, or the pattern if it is more than a text. */
function readyOf(service: unknown): { readonly text?: string; readonly pattern?: string } {
  const pattern = tableOf(tableOf(service)['readyWhen'])['lineMatches'];
  if (typeof pattern !== 'string') return {};
  return /[\\^$.*+?()[\]{}|]/.test(pattern) ? { pattern } : { text: pattern };
}

function nameFor({ owner, name }: Script, seenFrom: Member): string {
  return owner === seenFrom ? name : `${owner.name}#${name}`;
}

/** Values that are set go in front of the command; for variables from outside, their defaults. */
function environmentOf(written: Table): {
  readonly names: readonly string[];
  readonly prefix: string;
  readonly comments: readonly string[];
} {
  const external: string[] = [];
  let prefix = '';
  for (const [name, value] of Object.entries(written)) {
    const table = tableOf(value);
    if (typeof value === 'string') prefix += `export ${name}=${shellQuoted(value)}; `;
    else if (table['external'] === true) {
      external.push(name);
      const standard = table['default'];
      if (typeof standard === 'string') {
        prefix += `[ -n "\${${name}+x}" ] || export ${name}=${shellQuoted(standard)}; `;
      }
    }
  }
  const { names, comments } = variables(external);
  return { names, prefix, comments };
}

function shellQuoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
