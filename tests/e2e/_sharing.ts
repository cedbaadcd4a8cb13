/** The caches of a checkout that shares one with others. */

/** A cache of its own, and behind it the shared one that `lines` describe; together they are `team`. */
export function sharing(lines: readonly string[]): string {
  return `[caches.local]
type = "Lmdb"

[caches.shared]
${lines.join('\n')}

[caches.team]
stack = ["local", "shared"]
`;
}

/** A folder as a shared cache to which anybody may add. */
export function folderLines(folder: string): readonly string[] {
  return ['type = "Directory"', `root = ${JSON.stringify(folder)}`, 'mode = "read-write"', 'unsigned = true'];
}
