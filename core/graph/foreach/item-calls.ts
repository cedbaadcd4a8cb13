/**
 * The questions of the items of one task: what they have in common, which is the task's own question without its list of
 * items, and the item. So what order the items are in, and which others there are, is in none of them.
 */
import { FlecheError } from '../../base/errors.ts';
import type { RelPath } from '../../base/paths.ts';
import { keyOfText, partText } from '../../call/fingerprint.ts';
import { ITEM, itemName } from '../../call/item-name.ts';
import { expandBraces } from '../../files/globs/braces.ts';
import { Globs } from '../../files/globs/globs.ts';
import type { Part } from '../../store/record.ts';
import { type Discovered, type Foreach, neededOf, type Task, type TaskBody } from '../tasks/task.ts';
import type { ItemCall, ItemQuestions, PathDependencies, TaskCall } from '../tasks/task-call.ts';
import type { Item } from './item.ts';
import { commandWithVariables, patternFor } from './placeholders.ts';

/** The items that were found, in their order: `places` has one for each element of a list, where equal ones are one item. */
export interface FoundItems {
  readonly items: readonly Item[];
  readonly places: readonly number[] | undefined;
}

/** What the question of a task tells of its items. */
interface ItemSource {
  /** The parts that every item's question has. */
  readonly shared: readonly Part[];
  /** Paths that all items read and that are no longer what their questions say. */
  readonly changed: () => readonly RelPath[];
  readonly find: () => FoundItems;
}

export class ItemCalls implements ItemQuestions {
  readonly #task: Task;
  readonly #foreach: Foreach;
  readonly #source: ItemSource;
  #whole: TaskCall | undefined;
  #calls: readonly ItemCall[] | undefined;
  #found: FoundItems | undefined;
  #owners: ReadonlyMap<string, ItemCall> | undefined;

  constructor(task: Task, foreach: Foreach, source: ItemSource) {
    this.#task = task;
    this.#foreach = foreach;
    this.#source = source;
  }

  of(asked: TaskCall): readonly ItemCall[] {
    // What was discovered is added to the question of each item by itself.
    const whole = asked.declared ?? asked;
    if (this.#calls !== undefined && this.#whole === whole) return this.#calls;
    const body = bodyOf(this.#task.body);
    const prefix = this.#source.shared.map(({ name, digest }) => partText(name, digest)).join('');
    const calls = this.#items().items.map((item) => this.#call(item, whole, body, prefix));
    this.#whole = whole;
    this.#owners = this.#distinct(calls);
    this.#calls = calls;
    return calls;
  }

  places(): readonly number[] {
    const { items, places } = this.#items();
    return places ?? items.map((_, at) => at);
  }

  ownerOf(path: RelPath): ItemCall | undefined {
    return this.#owners?.get(path);
  }

  #items(): FoundItems {
    this.#found ??= this.#source.find();
    return this.#found;
  }

  #call(item: Item, whole: TaskCall, body: TaskBody, prefix: string): ItemCall {
    const { shared, changed } = this.#source;
    const { outputs: templates } = this.#foreach;
    const { foreach: _, ...task } = this.#task;
    let patterns: readonly string[] | undefined;
    const outputs = (): readonly string[] => {
      patterns ??= templates.map((template) => patternFor(template, item.fields, item.name));
      return patterns;
    };
    return {
      item,
      whole,
      task: {
        ...task,
        name: itemName(task.name, item.name),
        body: body.kind === 'command' ? withItem(body, item) : body,
        get outputs() {
          return outputs();
        },
        ...(task.discovered && { discovered: reportFor(task.discovered, item) }),
      },
      globs: new ItemGlobs(templates, neededOf({ ...task, outputs: templates }), item),
      get parts() {
        return [...shared, item.part];
      },
      key: keyOfText(shared.length + 1, prefix + partText(item.part.name, item.part.digest)),
      code: whole.code,
      args: new Map([...whole.args, [ITEM, item.arg]]),
      blobs: item.blobs,
      reads: whole.reads,
      isSure: whole.isSure,
      isOpen: task.discovered !== undefined,
      dependsOn: NOTHING,
      changedInputs: changed,
    };
  }

  /** The paths that items declare by name, with who does. */
  #distinct(calls: readonly ItemCall[]): ReadonlyMap<string, ItemCall> {
    const owners = new Map<string, ItemCall>();
    if (this.#foreach.outputs.length === 0 && (this.#task.discovered?.file ?? null) === null) return owners;
    for (const call of calls) {
      const { outputs, discovered } = call.task;
      for (const pattern of [...outputs, ...(discovered?.file ? [discovered.file] : [])]) {
        if (pattern.startsWith('!')) continue;
        const other = owners.get(pattern);
        if (other !== undefined && other !== call) throw this.overlap(other, call, pattern);
        owners.set(pattern, call);
      }
    }
    return owners;
  }

  overlap(one: ItemCall, other: ItemCall, path: string): FlecheError {
    const [a, b] = [one, other].map(({ item }) => `"${item.name}"`);
    return new FlecheError('CONFIG_OVERLAP', `items ${a} and ${b} of task "${this.#task.name}" both write ${path}`, {
      at: this.#foreach.at,
      hint: 'Tell their outputs apart, such as with {dir} or {key}.',
    });
  }
}

/** Patterns of what one item writes, made when they are asked for. */
class ItemGlobs {
  readonly #all: readonly string[];
  readonly #needed: readonly string[];
  readonly #item: Item;
  #outputs: Globs | undefined;

  constructor(all: readonly string[], needed: readonly string[], item: Item) {
    this.#all = all;
    this.#needed = needed;
    this.#item = item;
  }

  get outputs(): Globs {
    this.#outputs ??= this.#globs(this.#all);
    return this.#outputs;
  }

  get needed(): Globs {
    return this.#globs(this.#needed);
  }

  /** A bracket in the name of an item means itself. */
  #globs(templates: readonly string[]): Globs {
    const { fields, name } = this.#item;
    const isPlain = Object.values(fields).some((text) => /[[\](){}|]/.test(text));
    const words = isPlain ? templates.flatMap(expandBraces) : templates;
    const patterns = words.map((template) => patternFor(template, fields, name));
    return new Globs(patterns, isPlain);
  }
}

/** What an item has in common with others counts for its task. */
const NOTHING: PathDependencies = { paths: [], folders: [], links: [] };

/** Where an item tells what it read. */
function reportFor({ form, file }: Discovered, { fields, name }: Item): Discovered {
  return { form, file: file === null ? null : (patternFor(file, fields, name) as RelPath) };
}

function bodyOf(body: TaskBody): TaskBody {
  return body.kind === 'command' ? { ...body, command: commandWithVariables(body.command).command } : body;
}

function withItem(body: TaskBody & { readonly kind: 'command' }, item: Item): TaskBody {
  return {
    ...body,
    get variables() {
      return item.variables;
    },
  };
}
