/** What stands at the paths of a workspace, as a model of it has it. Pure. */

/** What stands at a path. */
export type Thing =
  | { readonly kind: 'file'; readonly text: string; readonly executable: boolean }
  | { readonly kind: 'link'; readonly target: string };

/** By path. */
export type Things = ReadonlyMap<string, Thing>;

export function plainFile(text: string, executable = false): Thing {
  return { kind: 'file', text, executable };
}

/** What is in a folder itself, in the order of the shell. */
export function directlyIn(things: Things, folder: string): readonly string[] {
  return below(things, folder).filter((path) => !path.slice(folder.length + 1).includes('/'));
}

/** Everything below a folder. */
export function below(things: Things, folder: string): readonly string[] {
  return [...things.keys()]
    .filter((path) => path.startsWith(`${folder}/`))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** What a path shows to a task that reads it, links followed one step, which is all there is. */
export function followed(things: Things, path: string): Extract<Thing, { kind: 'file' }> | undefined {
  const thing = things.get(path);
  if (thing?.kind !== 'link') return thing;
  const target = things.get(path.slice(0, path.lastIndexOf('/') + 1) + thing.target);
  return target?.kind === 'file' ? target : undefined;
}

/** All that an answer may depend on of a path that is an input. */
export function shown(things: Things, path: string): unknown {
  const thing = things.get(path);
  if (thing?.kind !== 'link') return [path, thing ?? null];
  return [path, thing.target, followed(things, path) ?? null];
}
