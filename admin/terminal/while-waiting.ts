import type { AdminIo } from '../io.ts';

/** What a person at a terminal sees of what takes a while: what it is and for how long, until it has ended. */
export async function whileWaiting<T>(what: string, work: Promise<T>, io: AdminIo): Promise<T> {
  if (io.columns === undefined) return work;
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  const settled = work.then(end, end);
  const start = io.now();
  while (!ended && !io.interrupted.aborted) {
    const seconds = Math.round((io.now() - start) / 1000);
    io.writeError(`\r\u001b[2K${what} …${seconds === 0 ? '' : ` ${seconds} s`}`);
    await Promise.race([settled, io.sleep(1000)]);
  }
  io.writeError('\r\u001b[2K');
  return work;
}
