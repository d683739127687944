/**
 * Closes Node's debugger: any program that connects to it controls the process and its secrets. Evaluated
 * before every other file of the daemon and of its child.
 *
 * Until there is a handler, SIGUSR1 opens the debugger on a local port. Node acts on an earlier signal a little
 * later, on its own thread, and --inspect has opened the debugger already. So it is checked repeatedly.
 */
import inspector from 'node:inspector';

/** Interval and number of the checks for an open debugger after the start. */
const CHECK_MS = 50;
const CHECKS = 100;

process.on('SIGUSR1', () => {});

const timer = setInterval(closeDebugger, CHECK_MS).unref();
let left = CHECKS;
closeDebugger();

function closeDebugger(): void {
  if (inspector.url() !== undefined) inspector.close();
  left -= 1;
  if (left === 0) clearInterval(timer);
}
