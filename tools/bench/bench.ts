/**
 * `npm run bench`: how long a caller waits for `credential-process`, beside `/bin/true` and a bare Node.js
 * started the same way in the same run. Ratios are what counts; milliseconds depend on the machine.
 */
import { parseArgs } from 'node:util';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { freePort } from '../support/free-port.ts';
import { type Installation, install } from '../support/installation.ts';
import { type Figures, measure, table } from './measure.ts';
import { OTEL_BUDGET_MS, otelHelperFigures } from './otel-helper.ts';
import { STORM, stormFigures } from './storm.ts';

const HELP = `npm run bench: times the hot path beside /bin/true and a bare Node.js, interleaved in one run.

Usage: npm run bench -- [options]
  --rounds N   rounds of each measurement (default 60)
  --idle N     then leave the daemon alone for N minutes and say what that cost (default 0: do not)
  --json       print the figures as JSON
  -h, --help   print this help
`;

/** Most times /bin/true that one call, and thirteen at once, may take: the budget of the hot path. */
const BUDGET = { one: 12, thirteen: 4 } as const;

/** Most that ten idle minutes should cost: CPU time, and memory at their end. An aim, not a limit. */
const IDLE_AIM = { cpuMsInTenMinutes: 300, rssMb: 70 } as const;

/** Each round of these takes seconds, so there are fewer. */
const SLOW_ROUNDS = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '60' },
    idle: { type: 'string', default: '0' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const rounds = wholeNumber('--rounds', values.rounds, 1);
const idleMinutes = wholeNumber('--idle', values.idle, 0);

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  process.stderr.write(
    `bench: ${flag} ${text}: allowed are whole numbers from ${least} (ERR_USAGE)\n  fix: run npm run bench -- --help\n`,
  );
  process.exit(2);
}

const redirectPort = await freePort();
const sandbox = await startSandbox({ provider: { redirectPorts: [redirectPort] } });
const home = await install({
  profiles: { ClaudeCode: sandbox.profile({ redirect_port: redirectPort }) },
  browser: 'signs-in',
});
try {
  const first = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  if (first.status !== 0) throw new Error(first.stderr);
  await report(home);
} finally {
  await home.remove();
  await sandbox.close();
}

async function report(installed: Installation): Promise<void> {
  const commands = {
    '/bin/true': '/bin/true',
    'credential-process': `${installed.program('credential-process')} --profile ClaudeCode`,
    'node -e 0': `${process.execPath} -e 0`,
  };
  const one = await measure(commands, 1, rounds, installed.env);
  const storm = await measure(commands, STORM, rounds, installed.env);
  const ratios = { one: ratio(one), thirteen: ratio(storm) };
  const { rssKb, cpuMs, upMs } = await daemonCost(installed);
  const idle = idleMinutes > 0 ? await idleCost(installed) : undefined;
  const otelHelper = await otelHelperFigures(installed, sandbox, Math.min(rounds, 4 * SLOW_ROUNDS));
  const storms = await stormFigures(installed, sandbox, Math.min(rounds, SLOW_ROUNDS));
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ rounds, one, thirteen: storm, ratios, budget: BUDGET, otelHelper, storms, daemon: { rssKb, cpuMs, upMs }, idle }, null, 2)}\n`,
    );
    return;
  }
  process.stdout.write(`${rounds} rounds, each started through /bin/sh -c; milliseconds\n\n`);
  table('one at a time', one);
  table(`${STORM} at once`, storm);
  table('otel-helper', otelHelper);
  table(`${STORM} credential-process`, storms);
  verdict('one credential-process', ratios.one, BUDGET.one);
  verdict(`${STORM} at once`, ratios.thirteen, BUDGET.thirteen);
  const slowest = Math.max(...otelHelper.map(({ medianMs }) => medianMs));
  const word = slowest < OTEL_BUDGET_MS ? 'within' : 'OVER';
  process.stdout.write(
    `otel-helper at its slowest: ${slowest.toFixed(0)} ms in the median, ${word} the budget of ${OTEL_BUDGET_MS} ms\n`,
  );
  process.stdout.write(
    `\ndaemon after these calls: ${Math.round(rssKb / 1024)} MB resident, ${cpuMs} ms of CPU time in ${Math.round(upMs / 1000)} s\n`,
  );
  if (!idle) return;
  process.stdout.write(
    `idle for ${idleMinutes} min: ${idle.cpuMs} ms of CPU time (aim: ${IDLE_AIM.cpuMsInTenMinutes} in ten minutes), then ${Math.round(idle.rssKb / 1024)} MB resident (aim: ${IDLE_AIM.rssMb}), of which ${Math.round(idle.ownKb / 1024)} MB its own\n`,
  );
}

/** Measures an idle daemon with a session: its ticks, and refreshes that fall due. */
async function idleCost(
  installed: Installation,
): Promise<{ minutes: number; cpuMs: number; rssKb: number; ownKb: number }> {
  const before = await daemonCost(installed);
  await new Promise((resolve) => setTimeout(resolve, idleMinutes * 60_000));
  const after = await daemonCost(installed);
  return {
    minutes: idleMinutes,
    cpuMs: after.cpuMs - before.cpuMs,
    rssKb: after.rssKb,
    ownKb: after.ownKb,
  };
}

/** Reads the kernel's counters of the daemon since its start. Linux only; zeros elsewhere. */
async function daemonCost(
  installed: Installation,
): Promise<{ rssKb: number; ownKb: number; cpuMs: number; upMs: number }> {
  const { daemon } = await installed.status();
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8').catch(() => '');
  const stat = await readFile(`/proc/${daemon.pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rssKb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
    // Without the pages of Node.js itself, which all its processes share.
    ownKb: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0),
    // Fields 14 and 15 of proc(5), in clock ticks of 10 ms.
    cpuMs: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10,
    upMs: Date.now() - Date.parse(daemon.startedAt),
  };
}

function ratio([base, own]: readonly Figures[]): number {
  return base && own ? own.medianMs / base.medianMs : Number.NaN;
}

function verdict(what: string, measured: number, budget: number): void {
  const word = measured <= budget ? 'within' : 'OVER';
  process.stdout.write(`${what}: ${measured.toFixed(1)} x /bin/true, ${word} the budget of ${budget}\n`);
}
