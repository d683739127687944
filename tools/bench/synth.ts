/**
 * `npm run bench:synth`: how long a whole profile's templates take, in a process that has loaded nothing yet,
 * as `ccwb deploy` makes them. The aim is under 5 s.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AIM_MS = 5_000;
const ROUNDS = 5;

const CONFIG = { provider_domain: 'company.okta.com', client_id: 'c', identity_pool_id: 'us-east-1:0' };
const SETTINGS = {
  bedrock: { models: ['anthropic.claude-*'] },
  accessGroups: { claim: 'groups', groups: ['claude'] },
  audit: {},
  monitoring: {
    network: { type: 'new', tasks: 'private' },
    domain: { name: 'otel.company.example', hostedZoneId: 'Z0123456789ABC' },
    alarms: { tokensPerHour: 50_000_000, dailyCostUsd: 500, bedrockErrorsPerHour: 100 },
    analytics: { glacierAfterDays: 90, resultsDays: 7 },
  },
};

const SCRIPT = `
  const at = (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}).href);
  const { parseConfig, profileNamed } = await at('../../protocol/config.js');
  const profile = profileNamed(parseConfig(${JSON.stringify(JSON.stringify({ P: CONFIG }))}, ''), 'P');
  const { planStacks } = await at('../../admin/deploy/synth.js');
  const settings = { globalInference: true, infraFile: process.argv[1] };
  for (const { id, template } of planStacks(undefined, profile, settings)) {
    process.stdout.write(id + ' ' + JSON.stringify(template).length + ' bytes\\n');
  }
`;

const folder = mkdtempSync(join(tmpdir(), 'ccwb-bench-'));
try {
  const infraFile = join(folder, 'infra.json');
  writeFileSync(infraFile, JSON.stringify(SETTINGS));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, infraFile], {
      encoding: 'utf8',
    });
    times.push(performance.now() - start);
    if (child.status !== 0) throw new Error(child.stderr);
    if (round === 0) process.stdout.write(child.stdout);
  }
  const [least, ...more] = times.sort((a, b) => a - b);
  const most = more.at(-1) ?? 0;
  process.stdout.write(
    `${least?.toFixed(0)} to ${most.toFixed(0)} ms of ${ROUNDS} runs; aim: under ${AIM_MS} ms\n`,
  );
  if (most >= AIM_MS) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
