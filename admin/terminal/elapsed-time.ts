import type { AdminEdges } from '../edges.ts';

/** Shows on a terminal what is running and for how many seconds, until the work has ended. */
export async function withElapsedTime<T>(what: string, work: Promise<T>, edges: AdminEdges): Promise<T> {
  if (edges.columns === undefined) return work;
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  const settled = work.then(end, end);
  const start = edges.now();
  while (!ended && !edges.interrupted.aborted) {
    const seconds = Math.round((edges.now() - start) / 1000);
    edges.writeError(`\r\u001b[2K${what} …${seconds === 0 ? '' : ` ${seconds} s`}`);
    await Promise.race([settled, edges.sleep(1000)]);
  }
  edges.writeError('\r\u001b[2K');
  return work;
}
