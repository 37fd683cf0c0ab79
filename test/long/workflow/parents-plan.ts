export const CHILDREN_PER_PARENT = 10;

/** What child `index` of a parent is called with, and returns. */
export function childOf(parent: number, index: number): number {
  return parent * CHILDREN_PER_PARENT + index;
}
