/**
 * CloudFormation's reads are eventually consistent: a read may show a stack as it was some seconds ago, and the
 * status and the events are read from different copies, so that either may be behind the other.
 */
import type { EventRecord, StackRecord, Stacks, StackView } from './records.ts';

/** Returns the time up to which one read knows what has happened. */
export function readTime({ now, lag }: Stacks): number {
  return lag === undefined ? now() : now() - Math.floor(lag.random() * lag.maxMs);
}

/** Returns the stack as one read shows it; undefined when that read does not know it yet. */
export function viewAt(stack: StackRecord, timeMs: number, stacks: Stacks): StackView | undefined {
  const earlier = stack.earlier.find(({ untilMs }) => untilMs > timeMs);
  return earlier === undefined ? currentView(stack, stacks) : earlier.view;
}

export function currentView(stack: StackRecord, stacks: Stacks): StackView {
  const { status, reason, changedAt, operations } = stack;
  return { status, reason, changedAt, outputs: stacks.outputs(stack), operations: [...operations] };
}

/** Returns the events that one read shows, oldest first. */
export function eventsAt({ events }: StackRecord, timeMs: number): EventRecord[] {
  return events.filter(({ at }) => at.getTime() <= timeMs);
}
