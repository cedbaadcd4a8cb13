/**
 * The loader by which webpack and Rspack run a transform: they name loaders by file. What it does is in its options.
 */

/** A loader's context, as far as it is needed here. */
export interface LoaderContext {
  /** The module's file, absolute. */
  readonly resourcePath: string;
  async(): (error: unknown, code?: string, map?: unknown) => void;
  getOptions(): LoaderOptions;
  addDependency(path: string): void;
  addContextDependency(path: string): void;
  addMissingDependency(path: string): void;
  emitWarning(warning: Error): void;
  cacheable(isCacheable: boolean): void;
  getResolve(options: object): (folder: string, request: string) => Promise<string | false>;
}

export interface LoaderOptions {
  /** Names the options in the identity of a module, so that other ones make another module. */
  readonly ident: string;
  readonly transform: (loader: LoaderContext, code: string) => Promise<Loaded>;
}

export interface Loaded {
  readonly code: string;
  /** Undefined leaves the map that there is. */
  readonly map: string | object | undefined;
}

// biome-ignore lint/style/noDefaultExport: it is how loaders are found
export default function load(this: LoaderContext, code: string, before: unknown): void {
  const callback = this.async();
  this.getOptions()
    .transform(this, code)
    .then(({ code: made, map }) => callback(null, made, map ?? (made === code ? before : undefined)), callback);
}
