/** `fleche lineage`: what a file or call was made of, back to sources, variables and code; or what was made of it. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Key, sha256 } from '../../base/hash.ts';
import { toRel } from '../../base/paths.ts';
import { Cache } from '../../call/caches/cache.ts';
import type { InvalidatedCall } from '../../call/caches/invalidation.ts';
import { expandKey, mayBeDigest } from '../../call/prefix.ts';
import type { CallRecord } from '../../store/record.ts';
import { Ancestry, type CallNode, type Origin } from '../ancestry.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { taskHint, taskNamed } from '../selection/targets.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { harmless } from '../terminal/text.ts';

const SHORT_DIGEST = 12;
/** Files of one part that are named one by one. */
const MOST_FILES = 12;

export async function lineage(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const word = invocation.args[0] ?? '';
    const write = invocation.flag('forward') ? forward : backward;
    machine.stdout.write(await write(word, project, context));
    return EXIT.done;
  } finally {
    await project.close();
  }
}

async function backward(word: string, project: Project, { invocation, machine }: VerbContext): Promise<string> {
  const { calls, values } = project.stores();
  const ancestry = new Ancestry(calls, values);
  const record = await recordOf(word, project, machine.cwd, ancestry);
  const node = ancestry.of(record);
  if (invocation.flag('json')) return `${JSON.stringify({ type: 'lineage', direction: 'back', call: node })}\n`;
  const lines: string[] = [];
  const view = new View(lines, styleFor(machine.stdout), project.now(), invocation.flag('all'));
  view.call(node, '', '');
  return lines.map((line) => `${line}\n`).join('');
}

async function recordOf(word: string, project: Project, cwd: string, ancestry: Ancestry): Promise<CallRecord> {
  const { calls, values } = project.stores();
  const task = taskNamed(word, project);
  if (task !== undefined) {
    for (const record of calls.find({ kind: 'task', name: task })) if (record.failure === null) return record;
    throw new FlecheError('CALL_UNKNOWN', `task "${task}" has no record`, { hint: `Run it: fleche run ${task}` });
  }
  const place = resolve(cwd, word);
  const isThere = statSync(place, { throwIfNoEntry: false })?.isFile() === true;
  const path = toRel(project.root, place);
  const maker = ancestry.makerOf(path, isThere ? sha256(readFileSync(place)) : undefined);
  if (maker !== undefined) return maker;
  if (isThere) {
    const earlier = ancestry.makerOf(path, undefined);
    throw new FlecheError('CALL_UNKNOWN', `no call on file made ${path} as it is now`, {
      hint:
        earlier === undefined
          ? `See what was made of it: fleche lineage --forward ${word}`
          : `It was written by ${earlier.kind} "${earlier.name}" and changed since.`,
    });
  }
  const key = mayBeDigest(word) ? await expandKey(new Cache(values, calls), word) : undefined;
  const record = key === undefined ? undefined : calls.get(key);
  if (record !== undefined) return record;
  throw new FlecheError('CALL_UNKNOWN', `no call is on file under ${word}`, {
    hint: taskHint(word, project) ?? 'Name a task, a file, or a key as `run --json` prints it.',
  });
}

/** What invalidating it would take along is what was made of it. */
async function forward(word: string, project: Project, { invocation, machine }: VerbContext): Promise<string> {
  const { calls, values } = project.stores();
  const task = taskNamed(word, project);
  const place = resolve(machine.cwd, word);
  const isFile = task === undefined && statSync(place, { throwIfNoEntry: false })?.isFile() === true;
  const what =
    task !== undefined
      ? { name: task, kind: 'task' as const }
      : isFile
        ? { file: toRel(project.root, place), content: sha256(readFileSync(place)) }
        : word;
  const made = await new Cache(values, calls).invalidate(what, { dryRun: true });
  if (invocation.flag('json')) {
    return `${JSON.stringify({ type: 'lineage', direction: 'forward', calls: made.calls })}\n`;
  }
  const lines: string[] = [];
  const view = new View(lines, styleFor(machine.stdout), project.now(), true);
  const ancestry = new Ancestry(calls, values);
  const wrote = (key: Key): boolean => {
    const outputs = typeof what === 'object' && 'file' in what ? (calls.get(key)?.outputs ?? null) : null;
    return outputs !== null && ancestry.entriesOf(outputs).some(({ path }) => path === toRel(project.root, place));
  };
  for (const call of made.calls) view.dependent(call, '', wrote(call.key) ? ', which wrote it' : '');
  return lines.map((line) => `${line}\n`).join('');
}

/** Writes trees with branches. */
class View {
  readonly #lines: string[];
  readonly #style: Style;
  readonly #now: number;
  readonly #all: boolean;

  constructor(lines: string[], style: Style, now: number, all: boolean) {
    this.#lines = lines;
    this.#style = style;
    this.#now = now;
    this.#all = all;
  }

  call(node: CallNode, first: string, rest: string): void {
    const { key, kind, name, module, filed, failed, origins } = node;
    const age = formatDuration(Math.max(0, this.#now - filed));
    const where = module === null ? '' : ` of ${harmless(module)}`;
    const state = failed ? ', failed' : origins === null ? ', see above' : `, ${age} ago`;
    const note = this.#style.dim(`${kind}${where} ${key.slice(0, SHORT_DIGEST)}${state}`);
    this.#lines.push(`${first}${this.#style.bold(harmless(name))} ${note}`);
    const shown = origins ?? [];
    for (const [at, origin] of shown.entries()) {
      const isLast = at === shown.length - 1;
      this.#origin(origin, `${rest}${isLast ? '└ ' : '├ '}`, `${rest}${isLast ? '  ' : '│ '}`);
    }
  }

  #origin({ kind, name, digest, files, call }: Origin, first: string, rest: string): void {
    const { dim } = this.#style;
    if (call !== null) {
      const by = kind === 'argument' ? `argument ${harmless(name)}: ` : '';
      return this.call(call, first + by, rest);
    }
    const short = dim(digest.slice(0, SHORT_DIGEST));
    if (files.length === 0) {
      const label = kind === name ? kind : `${kind === 'upstream' ? 'task' : kind} ${harmless(name)}`;
      this.#lines.push(`${first}${label} ${short}`);
      return;
    }
    this.#lines.push(`${first}${harmless(name)} ${dim(`${files.length} ${files.length === 1 ? 'file' : 'files'}`)}`);
    const named = this.#all ? files : files.slice(0, MOST_FILES);
    for (const file of named) {
      const content = file.kind === 'absent' ? 'not there' : (file.digest?.slice(0, SHORT_DIGEST) ?? file.kind);
      this.#lines.push(`${rest}  ${harmless(file.path)} ${dim(content)}`);
    }
    if (named.length < files.length)
      this.#lines.push(`${rest}  ${dim(`and ${files.length - named.length} more; --all`)}`);
  }

  dependent({ kind, name, key, through, dependents }: InvalidatedCall, indent: string, note = ''): void {
    const by = through === null ? '' : ` by ${harmless(through)}`;
    this.#lines.push(
      `${indent}${harmless(name)} ${this.#style.dim(`${kind} ${key.slice(0, SHORT_DIGEST)}${by}${note}`)}`,
    );
    for (const dependent of dependents) this.dependent(dependent, `${indent}  `);
  }
}
