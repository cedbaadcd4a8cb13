/**
 * The list of folders in `pnpm-workspace.yaml`, which is read at every start: the two forms in which people write it are
 * understood without a parser for all of YAML.
 */
import { readFileSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { parseYaml } from '../../files/yaml.ts';

/** The patterns under `packages`, or undefined if there is no such file or list, or it cannot be read. */
export function readPnpmWorkspace(file: string): readonly string[] | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return packagesIn(text) ?? listIn(text);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

const COMMENT = /^\s*(?:#.*)?$/;
/** A text in quotes, or one without any character that means something to YAML. */
const TEXT = /^(?:'((?:[^']|'')*)'|"([^"\\]*)"|([^\s'"#&*!|>%@`[\]{},:-][^#'"&|>%@`{}[\],:]*?))\s*(?:\s#.*)?$/;

/** Undefined for what is no list of texts. */
function packagesIn(yaml: string): readonly string[] | undefined {
  const lines = yaml.replace(/^\ufeff/, '').split(/\r?\n/);
  const start = lines.findIndex((line) => /^packages\s*:/.test(line));
  if (start < 0) return undefined;
  const rest = (lines[start] ?? '').replace(/^packages\s*:\s*/, '');
  const flow = /^\[(.*)\]\s*(?:#.*)?$/.exec(rest);
  if (flow !== null) return textsOf((flow[1] ?? '').split(',').filter((item) => item.trim() !== ''));
  if (!COMMENT.test(rest)) return undefined;
  const items: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (COMMENT.test(line)) continue;
    const item = /^\s*-\s+(.*)$/.exec(line);
    if (item !== null) items.push(item[1] ?? '');
    else if (/^\S/.test(line)) break;
    else return undefined;
  }
  return textsOf(items);
}

/** The same as any YAML may say it. */
function listIn(yaml: string): readonly string[] | undefined {
  try {
    const [file] = parseYaml(yaml);
    const list = typeof file === 'object' && file !== null && 'packages' in file ? file.packages : undefined;
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : undefined;
  } catch {
    // What is not YAML names no packages, which is told by who asks for them.
    return undefined;
  }
}

function textsOf(items: readonly string[]): readonly string[] | undefined {
  const texts = items.map((item) => {
    const match = TEXT.exec(item.trim());
    return match === null ? undefined : (match[1]?.replaceAll("''", "'") ?? match[2] ?? match[3]);
  });
  const known = texts.filter((text) => text !== undefined);
  return known.length === texts.length ? known : undefined;
}
