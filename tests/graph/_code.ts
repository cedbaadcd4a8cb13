/** The code of functions, found without remembering anything. */
import type { AbsPath, RelPath } from '../../core/base/paths.ts';
import { type CodeClosure, CodeIndex } from '../../core/graph/code/code.ts';
import { MemoryStateStore } from '../../core/store/memory.ts';

/** The closure of an export as of now. */
export function closureOf(root: AbsPath, module: RelPath, name: string): Promise<CodeClosure> {
  return new CodeIndex(root, new MemoryStateStore(), () => 0).closure(module, name);
}
