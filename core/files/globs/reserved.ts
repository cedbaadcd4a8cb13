/** Folders that no pattern reaches into unless it names them. */

const RESERVED: readonly string[] = ['node_modules', '.git', '.fleche', '.fleche-pack'];
const RESERVED_STEP = /(?:^|\/)(?:node_modules|\.git|\.fleche|\.fleche-pack)(?:\/|$)/;
/** What their names begin with. */
const RESERVED_NAME = /node_modules|\.git|\.fleche/;

/** Whether folders of this name are passed over by patterns that do not name them. */
export function isReserved(name: string): boolean {
  return RESERVED.includes(name);
}

const NONE: readonly string[] = [];

/** Those among the steps of a path. */
export function reservedSteps(path: string): readonly string[] {
  return RESERVED_STEP.test(path) ? path.split('/').filter(isReserved) : NONE;
}

/** Those that a pattern names. */
export function reservedNames(pattern: string): readonly string[] {
  return RESERVED_NAME.test(pattern) ? pattern.split(/[/{},()|]/).filter(isReserved) : NONE;
}
