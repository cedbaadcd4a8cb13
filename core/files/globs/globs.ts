/**
 * Ordered patterns over relative paths: the last pattern that speaks of a path decides, `!` takes away. Knows nothing of
 * disks, so whether `app/[id]` is meant as written or as a glob is not asked: both readings hold.
 */
import { byCodeUnit } from '../../base/order.ts';
import { isWithin, type RelPath } from '../../base/paths.ts';
import { reservedSteps } from './reserved.ts';
import { compileRule, type Rule } from './rule.ts';

/**
 * A pattern list. `*`, `?`, `[…]`, `**`, braces and extended globs work as in bash, with these rules: dotfiles match;
 * a pattern that matches a folder covers everything below it; brackets, parentheses and braces may also mean themselves;
 * `node_modules`, `.git`, `.fleche` and `.fleche-pack` are matched only by patterns that name them; a leading `!` always
 * takes away; a leading `/` means the root; `\` is a separator; `../` leads outside the root.
 */
export class Globs {
  /** The patterns in normal form, in order, with their `!`; they mean the same when given again. */
  readonly patterns: readonly string[];
  /** Positive patterns without magic that no later pattern takes away, sorted. */
  readonly literals: readonly RelPath[];
  /** Paths and folders at or below which everything lies that can match, sorted; `.` is the root. */
  readonly bases: readonly RelPath[];
  /** Last pattern first. */
  readonly #rules: readonly Rule[];

  /** With `isPlain` brackets, parentheses and braces mean nothing but themselves. Throws as `compileRule`. */
  constructor(patterns: readonly string[], isPlain = false) {
    const rules = patterns.map((pattern) => compileRule(pattern, isPlain));
    const literals: string[] = [];
    const bases: string[] = [];
    for (const { takes, text, readings } of rules) {
      if (!takes) continue;
      if (readings.every((one) => one.kind === 'path' && one.path === text)) literals.push(text);
      for (const one of readings) bases.push(one.kind === 'path' ? one.path : one.base);
    }
    this.#rules = rules.toReversed();
    this.patterns = rules.map(({ takes, text }) => (takes ? text.replace(/^!/, './!') : `!${text}`));
    const hasNegative = rules.some(({ takes }) => !takes);
    this.literals = sorted(literals).filter((path) => !hasNegative || this.matches(path));
    this.bases = sorted(bases);
  }

  /** Whether the last pattern that speaks of `path` takes it. */
  matches(path: RelPath): boolean {
    for (const rule of this.#rules) {
      // Most paths are asked of rules that do not speak of them.
      if (!rule.test(path)) continue;
      if (!rule.takes || reservedSteps(path).every((name) => rule.names.includes(name))) return rule.takes;
    }
    return false;
  }

  /** Whether a walk has to look into `folder`; false only if nothing below it can match. */
  enters(folder: RelPath): boolean {
    const reserved = reservedSteps(folder);
    for (const rule of this.#rules) {
      if (!rule.takes && rule.test(folder)) return false;
      if (rule.takes && reserved.every((name) => rule.names.includes(name)) && rule.leads(folder)) return true;
    }
    return false;
  }

  /** Whether `folder` belongs to what the patterns describe: it matches, or is a base, or lies below one. */
  governs(folder: RelPath): boolean {
    return this.bases.some((base) => isWithin(base, folder)) || this.matches(folder);
  }
}

const shared = new WeakMap<readonly string[], Globs>();

/** The globs of a list that does not change, made once for as long as the list is there. Throws like the constructor. */
export function globsOf(patterns: readonly string[]): Globs {
  const known = shared.get(patterns);
  if (known !== undefined) return known;
  const globs = new Globs(patterns);
  shared.set(patterns, globs);
  return globs;
}

function sorted(paths: readonly string[]): readonly RelPath[] {
  if (paths.length < 2) return paths as readonly RelPath[];
  return ([...new Set(paths)] as RelPath[]).sort(byCodeUnit);
}
