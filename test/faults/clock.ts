/**
 * Loaded into the daemon with `node --import`: its wall clock is off by what the file named in FAULTS_CLOCK
 * says, in milliseconds, read at each look. Monotonic clocks and timers stay as they are, as when a person
 * or NTP sets the clock of a running machine.
 */
import { readFileSync } from 'node:fs';

const TrueDate = Date;
const file = process.env.FAULTS_CLOCK ?? '';

function now(): number {
  let offset = 0;
  try {
    offset = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // No file: the clock is right.
  }
  return TrueDate.now() + offset;
}

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, values: unknown[], newTarget) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget) as object,
  apply: () => new TrueDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
