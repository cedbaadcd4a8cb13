/** Trees that must not be put into any workspace, as their texts. */
import { sha256 } from '../../core/base/hash.ts';
import { TREE_HEADER } from '../../core/files/trees/tree.ts';

const CONTENT = sha256('content');

function file(path: string, size: number | string = 7): string {
  return `f ${CONTENT} ${size} ${JSON.stringify(path)}\n`;
}

function link(path: string, target: string): string {
  return `l - ${JSON.stringify(target)} ${JSON.stringify(path)}\n`;
}

const LINES: Readonly<Record<string, string>> = {
  'an absolute path': file('/etc/passwd'),
  'a path that leaves the root': file('../evil'),
  'a path that leaves and comes back': file('out/../../evil'),
  'a path with a step that is nothing': file('out//evil'),
  'a path with a step that stays': file('out/./evil'),
  'an empty path': file(''),
  'a NUL': file('out/a\0b'),
  'a line break': file('out/a\nb'),
  'a backslash': file('out\\..\\evil'),
  'a drive': file('C:/evil'),
  'a drive in the middle': file('out/C:/evil'),
  'a stream of a file': file('out/a.txt:evil'),
  'the folder of git': file('.git/hooks/post-checkout'),
  'the folder of git in other letters': file('sub/.GIT/config'),
  'the folder of git by its short name': file('GIT~1/config'),
  'the folder of git with a letter nobody sees': file('.g\u200cit/config'),
  'the cache itself': file('.fleche/db-1/data.mdb'),
  'a device': file('out/NUL'),
  'a device with an ending': file('out/com1.txt'),
  'a device with a foreign digit': file('out/COM¹'),
  'a dot at the end': file('out/evil.'),
  'a space at the end': file('out/evil '),
  'a name without an end': file(`out/${'x'.repeat(300)}`),
  'two names that differ in case': file('out/A.txt') + file('out/a.txt'),
  'two folders that differ in case': file('Out/a.txt') + file('out/b.txt'),
  'two names that differ in composition': file('out/e\u0301.txt') + file('out/\u00e9.txt'),
  'one name twice': file('out/a.txt') + file('out/a.txt'),
  'names out of order': file('out/b.txt') + file('out/a.txt'),
  'a file below a file': file('out/a') + file('out/a/b'),
  'a file below a link': link('out/a', 'b') + file('out/a/b'),
  'a link to an absolute path': link('out/a', '/etc/passwd'),
  'a link that leads outside': link('out/a', '../../evil'),
  'a link that leads outside by a detour': link('out/a', 'b/../../../evil'),
  'a link with a backslash': link('out/a', '..\\..\\evil'),
  'a link to nothing': link('out/a', ''),
  'a link into the folder of git': link('out/a', '../.git/config'),
  'a path that is not there': 'a "out/a"\n',
  'a mode that no file has': `s ${CONTENT} 7 "out/a"\n`,
  'a size that is none': file('out/a', '-1'),
  'a size beyond counting': file('out/a', '99999999999999999999'),
  'more than an answer may have': file('out/a', '9007199254740991'),
  'no line at all': 'out/a\n',
};

/** What a text must not be, and the text. */
export const CORPUS: readonly { readonly name: string; readonly text: string }[] = [
  ...Object.entries(LINES).map(([name, lines]) => ({ name, text: TREE_HEADER + lines })),
  { name: 'another version', text: `fleche-tree 9\n${file('out/a')}` },
  { name: 'no end of the last line', text: TREE_HEADER + file('out/a').trimEnd() },
];
