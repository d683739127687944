/**
 * `npm run test:sdks`: every AWS tool and SDK that this machine can run gets credentials through
 * `credential_process` and through the container endpoint, with more and less life left.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findClients, type MissingClient } from './clients.ts';
import { CALLS, startLaboratory, type Way } from './measure.ts';
import { LIVES, page, type Row } from './page.ts';

const HELP = `npm run test:sdks: AWS tools and SDKs against the sandbox, each as it finds credentials by itself.

Usage: npm run test:sdks -- [options]
  --quick      with 21 minutes of life left alone
  --write      write docs/interoperability.md
  -h, --help   print this help

What it needs is downloaded and built in build/sdks. What this machine cannot run is named.
Exit status: 0; 1 when a call failed.
`;

const WAYS: readonly Way[] = ['credential_process', 'container endpoint'];
const PAGE = fileURLToPath(new URL('../../../../docs/interoperability.md', import.meta.url));
/** With as much life as the daemon gives at least, an SDK asks once for each process. */
const ENOUGH_MINUTES = 16;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    write: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const found = findClients();
const missing = found.filter((client): client is MissingClient => 'missing' in client);
const lives = values.quick ? [21] : LIVES;
const rows: Row[] = [];
const problems = missing
  .filter(({ broken }) => broken)
  .map(({ name, missing: reason }) => `${name}: ${reason}`);
const laboratory = await startLaboratory();
try {
  for (const client of found) {
    if ('missing' in client) continue;
    for (const way of WAYS) {
      const results: [number, Awaited<ReturnType<typeof laboratory.measure>>][] = [];
      for (const minutes of lives) {
        const measured = await laboratory.measure(client, way, minutes);
        results.push([minutes, measured]);
        const place = `${client.name} ${client.version}, ${way}, ${minutes} min`;
        if (measured.succeeded < CALLS)
          problems.push(`${place}: ${measured.problem ?? 'no ARN of the role'}`);
        const most = client.oneCallEach ? CALLS : 1;
        if (minutes >= ENOUGH_MINUTES && measured.asked > most)
          problems.push(`${place}: asked ${measured.asked} times for ${CALLS} calls`);
      }
      rows.push({ client, way, results: new Map(results) });
      const figures = results.map(
        ([minutes, { asked, succeeded }]) => `${minutes} min: ${asked} (${succeeded})`,
      );
      process.stdout.write(`${client.name} ${client.version}, ${way}\n  ${figures.join('   ')}\n`);
    }
  }
} finally {
  await laboratory.close();
}
for (const { name, missing: reason } of missing) process.stdout.write(`not run: ${name} (${reason})\n`);
process.stdout.write('figures: how often it asked for credentials (calls that succeeded)\n');
for (const problem of problems) process.stdout.write(`\nfailed: ${problem}\n`);
if (values.write) writeFileSync(PAGE, page(rows, missing));
process.exit(problems.length > 0 ? 1 : 0);
