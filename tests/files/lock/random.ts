/** Slices of made-up workspaces in every format, against what can be reached in a plain graph. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { byCodeUnit } from '../../../core/base/order.ts';
import { normalRel } from '../../../core/base/paths.ts';
import { readLock } from '../../../core/files/lock/formats.ts';
import type { Member } from '../../../core/files/lock/lock.ts';

/** An installed thing is `name@version`; what it depends on has a higher number. */
interface World {
  readonly installed: ReadonlyMap<string, readonly string[]>;
  readonly members: readonly {
    readonly name: string;
    readonly needs: readonly string[];
    /** Packages of the workspace, and whether it needs them only for its own development. */
    readonly links: readonly (readonly [name: string, isDev: boolean])[];
  }[];
}

const NAMES = ['p0', '@s/p1', 'p2', 'p3', '@s/p4'];
const VERSIONS = ['1.0.0', '2.0.0'];
const MEMBERS = ['w0', '@s/w1', 'w2', 'w3'];
const versionOf = (id: string): string => id.slice(id.indexOf('@', 1) + 1);
const nameOf = (id: string): string => id.slice(0, id.indexOf('@', 1));
const folderOf = (name: string): string => `packages/${name.replace('@s/', '')}`;

/** At most one version of each of these names. */
const needsAmong = (names: readonly string[]): fc.Arbitrary<readonly string[]> =>
  fc
    .tuple(...names.map((name) => fc.option(fc.constantFrom(...VERSIONS.map((version) => `${name}@${version}`)))))
    .map((ids) => ids.filter((id) => id !== null));

const worlds: fc.Arbitrary<World> = fc.record({
  installed: fc.tuple(...NAMES.flatMap((_, at) => VERSIONS.map(() => needsAmong(NAMES.slice(at + 1))))).map((needs) => {
    const ids = NAMES.flatMap((name) => VERSIONS.map((version) => `${name}@${version}`));
    return new Map(ids.map((id, at) => [id, needs[at] ?? []]));
  }),
  members: fc
    .tuple(...MEMBERS.map(() => fc.tuple(needsAmong(NAMES), fc.subarray([...MEMBERS]), fc.subarray([...MEMBERS]))))
    .map((all) =>
      all.map(([needs, links, dev], at) => ({
        name: MEMBERS[at] ?? '',
        needs,
        links: links
          .filter((name) => name !== MEMBERS[at])
          .map((name): readonly [string, boolean] => [name, dev.includes(name)]),
      })),
    ),
});

/** Everything that a member can load. */
function reached({ installed, members }: World, start: string): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const take = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const next of installed.get(id) ?? []) take(next);
  };
  const visit = (name: string, isOwn: boolean): void => {
    const key = `${name} ${isOwn}`;
    if (seen.has(key)) return;
    seen.add(key);
    const member = members.find((one) => one.name === name);
    for (const id of member?.needs ?? []) take(id);
    for (const [next, isDev] of member?.links ?? []) if (isOwn || !isDev) visit(next, false);
  };
  visit(start, true);
  return [...found].sort(byCodeUnit);
}

const table = <T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> =>
  Object.fromEntries(entries);
const ranges = (ids: readonly string[]) => table(ids.map((id) => [nameOf(id), versionOf(id)]));

function manifestOf({ needs, links }: World['members'][number], range: string) {
  const linked = (dev: boolean) => links.filter(([, isDev]) => isDev === dev).map(([name]) => [name, range] as const);
  return { dependencies: { ...ranges(needs), ...table(linked(false)) }, devDependencies: table(linked(true)) };
}

/** Every thing at a place of its own below the member that it is there for. */
function places(world: World, step: (from: string, name: string) => string, at: (member: string) => string) {
  const found = new Map<string, string>();
  const put = (from: string, id: string): void => {
    const place = step(from, nameOf(id));
    found.set(place, id);
    for (const next of world.installed.get(id) ?? []) put(place, next);
  };
  for (const { name, needs } of world.members) for (const id of needs) put(at(name), id);
  return [...found];
}

const FORMATS: Readonly<Record<string, (world: World) => string>> = {
  'package-lock.json': (world) => {
    const own = world.members.map((one) => [folderOf(one.name), manifestOf(one, '*')] as const);
    const links = MEMBERS.map((name) => [`node_modules/${name}`, { link: true, resolved: folderOf(name) }] as const);
    const all = places(world, (from, name) => `${from}/node_modules/${name}`, folderOf).map(
      ([place, id]) =>
        [place, { version: versionOf(id), dependencies: ranges(world.installed.get(id) ?? []) }] as const,
    );
    return JSON.stringify({ packages: { '': {}, ...table<object>([...own, ...links, ...all]) } });
  },
  'pnpm-lock.yaml': ({ installed, members }) => {
    const importers = members.map(({ name, needs, links }) => {
      const linked = (dev: boolean) =>
        table(
          links
            .filter(([, isDev]) => isDev === dev)
            .map(([other]) => [other, { version: `link:../${folderOf(other).slice('packages/'.length)}` }]),
        );
      const own = table(needs.map((id) => [nameOf(id), { version: versionOf(id) }]));
      return [folderOf(name), { dependencies: { ...own, ...linked(false) }, devDependencies: linked(true) }] as const;
    });
    const packages = table([...installed.keys()].map((id) => [id, { resolution: { integrity: id } }]));
    const snapshots = table([...installed].map(([id, needs]) => [id, { dependencies: ranges(needs) }]));
    const all = { '.': {}, ...table(importers) };
    return JSON.stringify({ lockfileVersion: '9.0', importers: all, packages, snapshots });
  },
  'yarn.lock': ({ installed }) =>
    [...installed]
      .map(([id, needs]) => {
        const below = needs.map((need) => `\n    "${nameOf(need)}" "${versionOf(need)}"`);
        return `"${id}":\n  version "${versionOf(id)}"${below.length === 0 ? '' : `\n  dependencies:${below.join('')}`}\n`;
      })
      .join('\n'),
  'yarn.lock of yarn 4': ({ installed, members }) => {
    const things = [...installed].map(([id, needs]) => {
      const resolution = `${nameOf(id)}@npm:${versionOf(id)}`;
      const dependencies = table(needs.map((need) => [nameOf(need), `npm:${versionOf(need)}`]));
      return [resolution, { version: versionOf(id), resolution, dependencies }] as const;
    });
    const own = members.map((one) => {
      const { dependencies, devDependencies } = manifestOf(one, 'workspace:*');
      const place = `${one.name}@workspace:${folderOf(one.name)}`;
      const all = { ...dependencies, ...devDependencies };
      return [`${one.name}@workspace:*, ${place}`, { version: '0', resolution: place, dependencies: all }] as const;
    });
    const root = ['root@workspace:.', { version: '0', resolution: 'root@workspace:.' }] as const;
    return `__metadata: {version: 8}\n${[root, ...own, ...things].map(([key, entry]) => `${JSON.stringify(key)}: ${JSON.stringify(entry)}\n`).join('')}`;
  },
  'bun.lock': (world) => {
    const workspaces = world.members.map(
      (one) => [folderOf(one.name), { name: one.name, ...manifestOf(one, 'workspace:*') }] as const,
    );
    const links = MEMBERS.map((name) => [name, [`${name}@workspace:${folderOf(name)}`]] as const);
    const all = places(
      world,
      (from, name) => `${from}/${name}`,
      (name) => name,
    ).map(
      ([place, id]) => [place, [id, '', { dependencies: ranges(world.installed.get(id) ?? []) }, 'sha512-x']] as const,
    );
    const packages = table<readonly unknown[]>([...links, ...all]);
    return JSON.stringify({ lockfileVersion: 1, workspaces: { '': {}, ...table<object>(workspaces) }, packages });
  },
};

/** What manifests say. */
function membersOf({ members }: World): readonly Member[] {
  const root = { name: '//', folder: normalRel('.'), requests: [], passedOn: [], forced: [], patches: {} };
  const others = members.map((one): Member => {
    const { dependencies, devDependencies } = manifestOf(one, '*');
    const requests = [...Object.entries(dependencies), ...Object.entries(devDependencies)];
    const folder = normalRel(folderOf(one.name));
    return { ...root, name: one.name, folder, requests, passedOn: Object.keys(dependencies) };
  });
  return [root, ...others];
}

for (const [format, write] of Object.entries(FORMATS)) {
  test(`${format}: a slice is what can be reached`, () => {
    fc.assert(
      fc.property(worlds, (made) => {
        const asked = new Set(made.members.flatMap(({ name }) => reached(made, name)));
        // Lock files hold what somebody asks for.
        const world = { ...made, installed: new Map([...made.installed].filter(([id]) => asked.has(id))) };
        const path = normalRel(format.replace(/ .*/, ''));
        const around = { members: membersOf(world), fileAt: () => undefined };
        const { slice, trouble } = readLock(path, write(world), around);
        assert.is(trouble, undefined);
        for (const { name } of world.members) {
          const lines = slice(normalRel(folderOf(name))).split('\n');
          const ids = lines.flatMap((line) => {
            const [thing = '', version] = line.split('\t');
            return thing === '' || version === 'link' ? [] : [`${thing}@${version}`];
          });
          assert.equal([...new Set(ids)].sort(byCodeUnit), reached(world, name));
        }
      }),
      { numRuns: 60 },
    );
  });
}

test.run();
