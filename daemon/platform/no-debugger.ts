/**
 * Evaluated before every other file of the daemon and of its child: whoever connects to Node's debugger owns
 * the process and its secrets.
 *
 * SIGUSR1 opens it on a local port until there is a handler. A signal that came before that is carried out
 * a little later, on a thread of Node's own; --inspect has opened it already. Hence the looks that follow.
 */
import inspector from 'node:inspector';

/** How often it is looked whether a debugger has opened, and for how long after the start. */
const LOOK_MS = 50;
const LOOKS = 100;

process.on('SIGUSR1', () => {});

const timer = setInterval(closeDebugger, LOOK_MS).unref();
let left = LOOKS;
closeDebugger();

function closeDebugger(): void {
  if (inspector.url() !== undefined) inspector.close();
  left -= 1;
  if (left === 0) clearInterval(timer);
}
