import type { StackEvent } from './cloudformation-types.ts';

/** Pages of events read at once at most: a stack's whole history may be long, and is not needed. */
const MAX_PAGES = 50;

/**
 * Returns the events after one that is known, oldest first; without a known event all of them.
 *
 * This read is eventually consistent. It may come from a copy that does not have the known event yet; then it has
 * nothing new.
 *
 * @param pages with the newest event first.
 */
export async function eventsAfter(
  pages: AsyncIterable<readonly StackEvent[]>,
  known: StackEvent | undefined,
): Promise<readonly StackEvent[]> {
  const found: StackEvent[] = [];
  let read = 0;
  for await (const page of pages) {
    const index = page.findIndex(({ id }) => id === known?.id);
    if (index >= 0) return [...found, ...page.slice(0, index)].reverse();
    const oldest = page.at(-1);
    if (known && oldest && oldest.at < known.at) return [];
    found.push(...page);
    read += 1;
    if (read === MAX_PAGES) return found.reverse();
  }
  return known === undefined ? found.reverse() : [];
}
