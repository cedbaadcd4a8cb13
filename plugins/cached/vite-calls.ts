/**
 * Calls of `load` and `transform` of one plugin for Vite, Rolldown and Rollup: what each depends on, and in which order
 * they came. A call for part of a module (`a.vue?vue&type=style`) depends on what was answered for the whole, and is kept
 * with it.
 */
import { digest, type Part, sha256 } from '../../core/index.ts';
import { relativeTo } from '../machine.ts';
import { RecordedContext } from './context.ts';
import { type Form, type HookCall, Hooks } from './hooks.ts';
import { plainMap } from './plain.ts';
import { Recording, recordings } from './recording.ts';
import { type Session, Sessions } from './sessions.ts';
import { type CachedOptions, isExcluded, partOf, rootOf } from './settings.ts';
import { type ConfigParts, configParts } from './vite-config.ts';

export type Hook = (this: unknown, ...args: readonly unknown[]) => unknown;
export type HookName = 'load' | 'transform';

/** One call, as the bundler makes it. */
interface Asked {
  readonly hook: HookName;
  /** Undefined for `load`. */
  readonly code: string | undefined;
  readonly id: string;
  /** The file behind the module, absolute if there is one. */
  readonly file: string;
  /** The id relative to the root. */
  readonly module: string;
  readonly options: unknown;
}

export class ModuleCalls {
  hooks: Hooks;
  /** The configuration of Vite, or the options of another bundler. */
  config: object | undefined;
  readonly #plugin: string;
  readonly #settings: CachedOptions;
  readonly #identity: readonly Part[];
  /** Why no call of this plugin is cached. */
  readonly #obstacle: string | undefined;
  readonly #sessions = new Sessions();
  /** The latest: those of most modules are the same. */
  #arguments: { readonly text: string; readonly part: Part } | undefined;

  constructor(plugin: string, settings: CachedOptions, identity: readonly Part[], obstacle: string | undefined) {
    this.#plugin = plugin;
    this.#settings = settings;
    this.#identity = identity;
    this.#obstacle = obstacle;
    this.hooks = new Hooks(plugin, settings, rootOf(settings), FORM);
  }

  /** Takes the bundler's root, where none is set. */
  settle(root: string): void {
    if (this.#settings.root === undefined && root !== this.hooks.root)
      this.hooks = new Hooks(this.#plugin, this.#settings, root, FORM);
  }

  /** A file changed: the plugin has to know of it what it would know without the cache. */
  changed(file: string): Promise<void> {
    this.hooks.machine.renew();
    return this.#sessions.catchUpWith(file);
  }

  async call(hook: HookName, inner: Hook, context: object, args: readonly unknown[]): Promise<unknown> {
    const { hooks } = this;
    const asked = askedOf(hook, args, hooks.root);
    const config = configParts(context, this.config, hooks.root, hooks.machine);
    const session = this.#settings.stateless === true ? undefined : this.#sessions.of(config.environment, asked.file);
    const host = new RecordedContext(context, hooks.root);
    const run = (on: object, recording: Recording): Promise<unknown> =>
      recordings.run(recording, () => Reflect.apply(inner, on, args));
    const known = this.#known(asked, config, session);
    const made = await hooks.call({
      ...known,
      hook,
      module: asked.module,
      host,
      make: async (recording) => {
        if (session?.isBehind === true) await session.catchUp();
        return run(known.obstacle === undefined ? host.noting(recording) : context, recording);
      },
    });
    session?.done(hook, asked.id, made, () => run(host.silent(), new Recording(hooks.root, hooks.machine, false)));
    return made.value;
  }

  /** What is known of a call before it is made. */
  #known(
    asked: Asked,
    config: ConfigParts,
    session: Session | undefined,
  ): Pick<HookCall, 'obstacle' | 'file' | 'question' | 'holds'> {
    const { machine, surroundings } = this.hooks;
    const { hook, id, file, module, code, options } = asked;
    let obstacle = this.#obstacle ?? (isExcluded(this.#plugin, this.#settings, module) ? 'it is excluded' : undefined);
    let content: ReturnType<typeof machine.fileContent>;
    const parts: Part[] = [];
    try {
      const whole = session?.whole(id);
      // A part is answered by what the plugin found when it was asked for the whole, a moment ago.
      content =
        whole === undefined
          ? machine.fileContent(file)
          : machine.recently(`file ${file}`, () => machine.fileContent(file));
      if (content === undefined) obstacle ??= 'there is no file behind the module';
      else if (obstacle === undefined) {
        if (whole !== undefined) {
          const told = JSON.stringify([hook, module, plainOptions(options), content, code === undefined]);
          const question = { whole, asked: sha256(told + (code ?? '')) };
          return { obstacle, file, question, holds: () => true };
        }
        parts.push(
          ...this.#identity,
          ...config.parts,
          ...surroundings.parts(file),
          partOf('identity', 'module', digest(module)),
          this.#argumentsPart(options),
          ...(code === undefined ? [] : [partOf('argument', 'code', digest(code))]),
          partOf('files', 'file', content),
          partOf('identity', 'before', session?.before(hook, id) ?? NOTHING),
        );
        obstacle = session?.obstacle(hook, id, parts);
      }
    } catch (error) {
      obstacle = `what it depends on cannot be read: ${String(error)}`;
    }
    return {
      obstacle,
      file: content === undefined ? undefined : file,
      question: parts,
      holds: () => surroundings.hold(file, parts),
    };
  }

  #argumentsPart(options: unknown): Part {
    const text = JSON.stringify(plainOptions(options)) ?? '';
    if (this.#arguments?.text !== text) this.#arguments = { text, part: partOf('identity', 'arguments', sha256(text)) };
    return this.#arguments.part;
  }
}

const NOTHING = sha256('');

function askedOf(hook: HookName, args: readonly unknown[], root: string): Asked {
  const [code, id, options] =
    hook === 'load' ? [undefined, String(args[0]), args[1]] : [String(args[0]), String(args[1]), args[2]];
  const end = id.search(/[?#]/);
  const file = end < 0 ? id : id.slice(0, end);
  return { hook, code, id, file, module: relativeTo(root, file) + id.slice(file.length), options };
}

/** What a hook is told beside code and id: the members that are plain. */
function plainOptions(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return options;
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options))
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) plain[name] = value;
  return plain;
}

/** Under which name the text of a source map that was an object is kept. */
const MAP_TEXT = 'map as text';

/** Results with their source map as text, which is read and written many times faster than its members are. */
const FORM: Form = {
  keep: (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const { map, ...rest } = value as { readonly map?: unknown };
    if (typeof map !== 'object' || map === null) return value;
    return { ...rest, [MAP_TEXT]: JSON.stringify(plainMap(map)) };
  },
  restore: (kept) => {
    if (typeof kept !== 'object' || kept === null || !(MAP_TEXT in kept)) return kept;
    const { [MAP_TEXT]: map, ...rest } = kept;
    return { ...rest, map: JSON.parse(String(map)) };
  },
};
