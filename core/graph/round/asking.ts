/**
 * Asks the question of a task: gathers its fingerprint from what is declared and from what its upstream produced. The same
 * code serves a run, a plan and an explanation. Reads the workspace and writes nothing to it.
 */
import { digest } from '../../base/digest.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { toAbs } from '../../base/paths.ts';
import { fingerprint, part } from '../../call/fingerprint.ts';
import { ITEMS } from '../../call/item-name.ts';
import { installedVersion } from '../../files/code/packages.ts';
import { type Globs, globsOf } from '../../files/globs/globs.ts';
import { makeTree, type Tree, type TreeEntry } from '../../files/trees/tree.ts';
import { treeBytes } from '../../files/trees/tree-lines.ts';
import type { Part } from '../../store/record.ts';
import type { CodeClosure } from '../code/code.ts';
import { keyedEnv } from '../commands/environment.ts';
import { type FoundItems, ItemCalls } from '../foreach/item-calls.ts';
import { ItemList } from '../foreach/item-list.ts';
import type { FoundArg } from '../tasks/found-arg.ts';
import { Generated } from '../tasks/generated.ts';
import type { Products } from '../tasks/products.ts';
import type { Foreach, Installed, Task, TaskArg } from '../tasks/task.ts';
import type { ItemQuestions, Surroundings, TaskCall } from '../tasks/task-call.ts';
import { inputPatterns } from '../tasks/whole-folders.ts';
import { storedDigest } from './stored-digest.ts';

/** Asks for one task. `products` has the product of everything the task needs, directly or through others. */
export async function callOf(task: Task, products: Products, around: Surroundings): Promise<TaskCall> {
  const asked = new Asking(task, products, around);
  asked.option('task', task.name);
  asked.option('dir', task.dir);
  asked.option('outputs', task.foreach?.outputs ?? task.outputs);
  if (task.discovered !== undefined) asked.option('tells', [task.discovered.form, task.discovered.file]);
  const code = await asked.body();
  asked.text('runtime', 'runtime', around.runtime);
  for (const [name, value] of keyedEnv(task.env, around.env))
    asked.parts.push(part('env', `env:${name}`, digest(value)));
  for (const tool of task.tools) asked.tool(tool);
  if (task.installed !== undefined) asked.installed(task.installed);
  if (task.inputs.length > 0) {
    const { listed, taken } = inputPatterns(task, around.graph, around.writers);
    asked.files('inputs', listed, taken);
  }
  asked.args();
  for (const need of task.needs) asked.upstream(need);
  const items = task.foreach === undefined ? undefined : asked.items(task.foreach);
  const { parts, key } = fingerprint(asked.parts);
  return {
    task,
    ...(items === undefined ? {} : { items }),
    globs: { outputs: asked.outputs },
    parts,
    key,
    code,
    args: asked.found,
    blobs: asked.blobs,
    reads: asked.reads,
    isSure: asked.isSure,
    isOpen: task.discovered !== undefined,
    get dependsOn() {
      const links = asked.links.flatMap((links) => links());
      const locks = task.installed === undefined ? [] : around.lock.paths;
      return { paths: [...locks, ...(code?.consulted ?? [])], folders: code?.folders ?? [], links };
    },
    changedInputs: () => asked.checks.flatMap((check) => check()),
  };
}

/** A text, and the blob that has it. */
interface Text {
  readonly digest: Digest;
  readonly blob: Digest;
  readonly bytes: () => Uint8Array;
}

function textOf(text: string): Text {
  const bytes = encode(text);
  return { digest: digest(text), blob: sha256(bytes), bytes: () => bytes };
}

/** Those of the parts of all tasks, which have many in common. */
const texts = new WeakMap<Surroundings, Map<string, Text>>();

/** The parts of one question while they are gathered. */
class Asking {
  readonly parts: Part[] = [];
  readonly blobs = new Map<Digest, () => Uint8Array>();
  readonly found = new Map<string, FoundArg>();
  readonly reads = new Map<string, readonly TreeEntry[]>();
  readonly checks: (() => readonly RelPath[])[] = [];
  readonly links: (() => readonly RelPath[])[] = [];
  readonly outputs: Globs;
  readonly #task: Task;
  readonly #products: Products;
  readonly #around: Surroundings;
  #generated: Generated | undefined;

  constructor(task: Task, products: Products, around: Surroundings) {
    this.#task = task;
    this.#products = products;
    this.#around = around;
    this.outputs = globsOf(task.outputs);
  }

  option(name: string, value: unknown): void {
    this.parts.push(part(name === 'task' ? 'identity' : 'option', name, digest(value)));
  }

  /** A part whose text can be shown again. */
  text(kind: Part['kind'], name: string, text: string): void {
    const known = texts.get(this.#around) ?? new Map<string, Text>();
    texts.set(this.#around, known);
    const found = known.get(text) ?? textOf(text);
    known.set(text, found);
    this.blobs.set(found.blob, found.bytes);
    this.parts.push(part(kind, name, found.digest, found.blob));
  }

  #keep(bytes: Uint8Array): Digest {
    const blob = sha256(bytes);
    this.blobs.set(blob, () => bytes);
    return blob;
  }

  async body(): Promise<CodeClosure | null> {
    const { body } = this.#task;
    if (body.kind === 'command') {
      this.text('command', 'command', body.command);
      if (body.stdin?.kind === 'text') this.text('option', 'stdin', body.stdin.text);
      if (body.stdin?.kind === 'file') this.#present(body.stdin.path, this.files('stdin', [body.stdin.path]));
      return null;
    }
    const bindings = Object.entries(body.args).map(([name, source]) =>
      source.kind === 'from' ? [name, source.task] : [name],
    );
    this.option('function', [body.module, body.export, bindings]);
    const closure = await this.#around.code.closure(body.module, body.export);
    this.parts.push(part('code', 'code', closure.digest));
    return closure;
  }

  tool(name: string): void {
    const version = installedVersion(toAbs(this.#around.root, this.#task.dir), name);
    if (version === undefined) {
      throw new FlecheError(
        'TOOL_NOT_FOUND',
        `task "${this.#task.name}" names the tool "${name}", which is not installed`,
        {
          at: this.#task.at,
          hint: `Install the npm package "${name}", or remove it from tools.`,
        },
      );
    }
    this.text('tool', `tool:${name}`, version);
  }

  installed({ folder, manifests }: Installed): void {
    const digest = this.#keep(Buffer.from(manifests));
    this.parts.push(part('lock', 'packages', digest, digest));
    const slice = this.#around.lock.slice(folder);
    if (slice === undefined) return;
    const { text, listing } = slice;
    this.parts.push(part('lock', 'lock', slice.digest, slice.digest));
    this.blobs.set(slice.digest, () => Buffer.from(text()));
    this.checks.push(() => listing.changes());
  }

  /** `taken` are the patterns for what upstream tasks write. */
  files(name: string, patterns: readonly string[], taken: readonly string[] = patterns): Tree {
    const tree = this.#list(patterns, taken);
    this.blobs.set(tree.digest, () => treeBytes(tree));
    this.parts.push(part('files', name, tree.digest, tree.digest));
    return tree;
  }

  /** Whether all that was listed was listed knowing what others write. */
  get isSure(): boolean {
    return this.#generated?.isSure ?? true;
  }

  /**
   * What the patterns match, as it will be when the upstream is in place: the workspace without anything upstream tasks
   * write, plus what their products say they wrote, and what links among that lead to.
   */
  #list(patterns: readonly string[], taken: readonly string[]): Tree {
    this.#generated ??= new Generated(this.#task, this.#products, this.#around);
    const generated = this.#generated;
    const globs = globsOf(taken);
    const written = generated.matching(globs);
    const ends = Generated.ends(written.flatMap(([, entries]) => entries)).filter((end) => !globs.matches(end));
    if (ends.length > 0) {
      const named = [...new Set(ends)].map((end) => end.replace(/^!/, './!'));
      return this.#list([...patterns, ...named], [...taken, ...named]);
    }
    let before: (() => ReadonlySet<RelPath>) | undefined;
    const listing = this.#around.workspace.inputs(patterns, (path) =>
      before === undefined ? generated.hides(path) : generated.hidesAfter(path, before),
    );
    const { tree } = listing;
    let paths: ReadonlySet<RelPath> | undefined;
    before = () => {
      paths ??= new Set(tree.entries.map(({ path }) => path));
      return paths;
    };
    this.checks.push(() => listing.changes());
    this.links.push(() => listing.links);
    this.#requireEdges(globsOf(patterns), tree);
    for (const [task, entries] of written) this.#read(task, entries);
    return written.length === 0 ? tree : makeTree([...tree.entries, ...written.flatMap(([, entries]) => entries)]);
  }

  #read(task: string, entries: readonly TreeEntry[]): void {
    const known = this.reads.get(task);
    this.reads.set(task, known === undefined ? entries : makeTree([...known, ...entries]).entries);
  }

  /** Looks at each list of paths once: the answer is remembered for as long as list and graph stay the same. */
  #requireEdges({ bases, patterns }: Globs, tree: Tree): void {
    const { state, writers, graph } = this.#around;
    const own = this.#task.name;
    if (writers.near(bases).every(({ name }) => name === own || graph.isUpstream(name, own))) return;
    const name = `edges/${digest([own, patterns])}`;
    const seen = Buffer.from(sha256(`${tree.digest}${writers.digest}`), 'hex');
    const known = state.get(name);
    if (known !== undefined && seen.equals(known)) return;
    writers.requireEdges(
      this.#task,
      tree.entries.map(({ path }) => path),
    );
    state.put(name, seen);
  }

  upstream(need: string): void {
    const { value, outputs, result } = this.#products.of(need);
    if (outputs !== null) this.reads.set(need, outputs.entries);
    const blob = value?.blob ?? outputs?.digest ?? null;
    this.parts.push(part('upstream', `need:${need}`, result ?? digest(null), blob));
  }

  /** What the task is done for, one at a time. To be called last: its items share what was asked before. */
  items(foreach: Foreach): ItemQuestions {
    const { of } = foreach;
    const list = new ItemList(this.#task, foreach, this.#products, this.#around);
    // What an item writes may be named after where it lies below that.
    if (list.base !== undefined) this.option('base', list.base);
    const checks = [...this.checks];
    const own = of.kind === 'from' && !of.isNeeded ? `need:${of.task}` : undefined;
    const shared = this.parts.filter(({ name }) => name !== own);
    const find = this.#finder(of, list);
    return new ItemCalls(this.#task, foreach, { shared, changed: () => checks.flatMap((check) => check()), find });
  }

  /** Notes what the items are, and gives what finds them: as a rule nobody wants to know. */
  #finder(of: Foreach['of'], list: ItemList): () => FoundItems {
    switch (of.kind) {
      case 'values':
        this.parts.push(part('argument', ITEMS, digest(of.values, ITEMS), this.#keep(encode(of.values))));
        return () => list.values(of.values);
      case 'files': {
        const tree = this.files(ITEMS, of.patterns);
        return () => list.files(tree.entries);
      }
      case 'from':
        this.option(ITEMS, of.task);
        return () => list.made(of.task);
    }
  }

  /** Finds the arguments of a function task. */
  args(): void {
    const { body } = this.#task;
    if (body.kind === 'command') return;
    for (const [name, source] of Object.entries(body.args)) this.found.set(name, this.#arg(name, source));
  }

  #arg(name: string, source: TaskArg): FoundArg {
    switch (source.kind) {
      case 'value':
        return this.#value(name, source.value);
      case 'env':
        return this.#value(name, this.#around.env[source.name] ?? source.default);
      case 'file':
        return { kind: 'file', tree: this.#present(source.path, this.files(`arg:${name}`, [source.path])) };
      case 'glob':
        return { kind: 'files', tree: this.files(`arg:${name}`, source.patterns) };
      case 'from': {
        const { value, outputs } = this.#products.of(source.task);
        if (value !== null) return { kind: 'stored', blob: value.blob };
        return { kind: 'tree', tree: outputs ?? makeTree([]) };
      }
      case 'digest': {
        const { value, blob } = storedDigest(source.prefix, this.#around.values, this.#task);
        this.parts.push(part('argument', `arg:${name}`, value, blob));
        return { kind: 'stored', blob };
      }
    }
  }

  #value(name: string, value: unknown): FoundArg {
    this.parts.push(part('argument', `arg:${name}`, digest(value, `args.${name}`), this.#keep(encode(value))));
    return { kind: 'value', value };
  }

  #present(path: RelPath, tree: Tree): Tree {
    const entry = tree.entries.find((entry) => entry.path === path);
    if (entry !== undefined && entry.kind !== 'absent') return tree;
    throw new FlecheError('INPUT_UNREADABLE', `${path} does not exist`, {
      at: this.#task.at,
      hint: `Task "${this.#task.name}" takes this file as an argument or as its standard input.`,
    });
  }
}
