/** Builds of Vite as one call: its modules, its configuration and what plugins watch are what was read. */
import { dirname, join, resolve } from 'node:path';
import type { InlineConfig, Plugin, ResolvedConfig } from 'vite';
import { digest, FlecheError } from '../../core/index.ts';
import { partOf } from '../cached/settings.ts';
import { workingFolder } from '../machine.ts';
import { Packages } from '../packages.ts';
import { type BuildInputs, packageOfFile } from './inputs.ts';
import { type BuildReport, type BuildSettings, filesIn, optionsPart, wholeBuild } from './whole-build.ts';

/**
 * A build that is made only if something that it read, or would read now, is not as it was; Vite is not even loaded then.
 * Everything that the package depends on counts, because the configuration can use it. Rejects as the build does; with
 * `USAGE` for plugins in `config` itself without `settings.identity`.
 */
export async function buildWithVite(config: InlineConfig = {}, settings: BuildSettings = {}): Promise<BuildReport> {
  const root = resolve(config.root ?? workingFolder());
  const { plugins = [], logLevel: _, customLogger: __, ...told } = config;
  if (plugins.length > 0 && settings.identity === undefined) {
    throw new FlecheError('USAGE', 'the plugins of a build have to be told from others', {
      hint: 'Give settings.identity, to be changed with their code or options; or put them into vite.config.',
    });
  }
  return wholeBuild({
    name: 'vite build',
    root,
    settings,
    usualEnv: 'production',
    parts: [
      partOf('tool', 'bundler', digest(new Packages(root).identity('vite')?.text ?? null)),
      optionsPart({ ...told, root: '.' }, root),
    ],
    make: async (inputs) => {
      const { build } = await import('vite');
      const noting = new Noting(inputs, root);
      await build({ ...config, root, plugins: [...plugins, noting.plugin] });
      return noting.output();
    },
  });
}

/** Hooks that say what they read by having it watched. */
const READING = ['buildStart', 'resolveId', 'load', 'transform'] as const;

type Hook = (this: object, ...args: unknown[]) => unknown;

/** Has a hook of a plugin say to `note` what it says to the bundler. */
function notePaths(plugin: object, name: string, note: (path: string) => void): void {
  const hook: unknown = Reflect.get(plugin, name);
  const inner: unknown = typeof hook === 'object' && hook !== null && 'handler' in hook ? hook.handler : hook;
  if (typeof inner !== 'function') return;
  const noting: Hook = function (...args) {
    const context = new Proxy(this, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        if (member !== 'addWatchFile') return typeof value === 'function' ? value.bind(target) : value;
        return (path: string) => {
          note(path);
          Reflect.apply(value as Hook, target, [path]);
        };
      },
    });
    return Reflect.apply(inner, context, args);
  };
  Reflect.set(plugin, name, inner === hook ? noting : { ...(hook as object), handler: noting });
}

class Noting {
  readonly #inputs: BuildInputs;
  readonly #root: string;
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #warnings: string[] = [];
  #config: ResolvedConfig | undefined;

  constructor(inputs: BuildInputs, root: string) {
    this.#inputs = inputs;
    this.#root = root;
  }

  get plugin(): Plugin {
    const noting = this;
    return {
      name: 'fleche:build',
      enforce: 'post',
      sharedDuringBuild: true,
      configResolved: (config) => noting.#resolved(config),
      buildEnd() {
        for (const id of this.getModuleIds()) {
          const imported = this.getModuleInfo(id);
          noting.#module(id, [...(imported?.importedIds ?? []), ...(imported?.dynamicallyImportedIds ?? [])]);
        }
      },
      onLog(level, log) {
        if (level === 'warn') noting.#warnings.push(log.message);
      },
      writeBundle({ dir }, bundle) {
        const folder = resolve(noting.#root, dir ?? 'dist');
        noting.#folders.add(folder);
        for (const name of Object.keys(bundle)) noting.#files.add(join(folder, name));
      },
    };
  }

  #resolved(config: ResolvedConfig): void {
    this.#config = config;
    const inputs = this.#inputs;
    inputs.installed(this.#root);
    for (const file of config.configFileDependencies) inputs.module(resolve(this.#root, file));
    // The first of these that is there is the configuration.
    for (const end of ['js', 'mjs', 'ts', 'cjs', 'mts', 'cts']) inputs.file(join(this.#root, `vite.config.${end}`));
    for (const prefix of [config.envPrefix ?? 'VITE_'].flat()) inputs.environments(prefix);
    const { envDir } = config;
    for (const name of ['.env', '.env.local', `.env.${config.mode}`, `.env.${config.mode}.local`]) {
      if (typeof envDir === 'string') inputs.file(join(envDir, name));
    }
    if (config.publicDir !== '') inputs.file(config.publicDir);
    for (const plugin of config.plugins)
      for (const hook of READING) notePaths(plugin, hook, (path) => inputs.file(path));
  }

  #module(id: string, imported: readonly string[]): void {
    const file = id.replace(/[?#].*$/s, '');
    if (id.startsWith('\0') || file.startsWith('virtual:')) return;
    this.#inputs.module(file);
    for (const other of imported) {
      const name = packageOfFile(other);
      if (name !== undefined && packageOfFile(file) !== name) this.#inputs.package(name, dirname(file));
    }
  }

  output(): { files: readonly string[]; whole: string | undefined; warnings: readonly string[] } {
    const [folder, other] = this.#folders;
    const empties = this.#config?.build.emptyOutDir !== false && other === undefined;
    const whole = folder !== undefined && empties && folder.startsWith(`${this.#root}/`) ? folder : undefined;
    const copied = filesIn(this.#config?.publicDir ?? '').flatMap((file) =>
      [...this.#folders].map((to) => join(to, file.slice((this.#config?.publicDir ?? '').length))),
    );
    const files = whole === undefined ? [...this.#files, ...copied] : filesIn(whole);
    return { files, whole, warnings: this.#warnings };
  }
}
