/**
 * The calls of a task that is done for each of many items: one of the task as a whole, and one of each item, which is named
 * after both. The question of an item is that of the task with the item in place of the list of items.
 */

/** The part of a question that is the item. */
export const ITEM = 'item';
/** The part of the question of the task as a whole that is the list of items. */
export const ITEMS = 'foreach';

/** The name of an item's call. `task` has no bracket in its name. */
export function itemName(task: string, item: string): string {
  return `${task}[${item}]`;
}

/** The task of an item's call; undefined for any other name. */
export function taskOfItem(name: string): string | undefined {
  const at = name.indexOf('[');
  return at > 0 && name.endsWith(']') ? name.slice(0, at) : undefined;
}
