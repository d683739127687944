import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import type { ChosenProfile } from '../profiles/chosen-profile.ts';
import { paragraph } from '../terminal/text.ts';
import { callModel, findModels } from './bedrock.ts';
import { checkRole, getCredentials, identify } from './credentials.ts';
import { chooseDeployment, type Expected, expectedOf } from './expected.ts';
import { checkDoctor, checkStatus } from './health.ts';
import { createUserFiles, install, type Snapshot } from './install.ts';
import { findPackage, thisPlatform, unpack } from './package-under-test.ts';
import { createInstalledPrograms } from './programs.ts';
import { signOut, uninstall } from './removal.ts';
import { formatResultTable } from './result-table.ts';
import { signInAsUser } from './sign-in.ts';
import { removeStaleFolders } from './stale-folders.ts';
import { createTrialRun, done, type StepReport, type TrialRun, type TrialStep } from './steps.ts';
import { checkCollector, getHeaders } from './telemetry.ts';
import type { TrialFlags } from './trial-flags.ts';
import { createTrialFolders, type OwnedTrialFolders } from './trial-folders.ts';

/** The form that `ccwb test --json` prints. */
export type TestReport = {
  readonly profile: string | null;
  readonly outcome: 'ok' | 'failed';
  readonly steps: readonly StepReport[];
};

/**
 * Runs `ccwb test`.
 *
 * @throws CcwbError ERR_TEST_FAILED when any step failed, ERR_INTERRUPTED
 */
export async function testPackage(flags: TrialFlags, edges: AdminEdges): Promise<void> {
  thisPlatform();
  checkTimeout(flags.timeout);
  const chosen = chooseDeployment(flags, edges);
  await removeStaleFolders(edges);
  const folders = await createTrialFolders(edges.env);
  const run = createTrialRun(edges);
  const cleanUp = (): Promise<unknown> => run.step('clean-up', [], () => remove(folders), { always: true });
  let name: string | undefined;
  try {
    name = await runSteps(flags, chosen, folders, run, edges);
  } finally {
    await cleanUp();
  }
  report(run.rows, name ?? chosen?.profile.name, flags, edges);
}

/** The longest allowed wait for a sign-in, in seconds. */
const MOST_SECONDS = 3_600;

/** @throws CcwbError ERR_USAGE */
function checkTimeout(timeout: string): void {
  if (/^[1-9]\d*$/.test(timeout) && Number(timeout) <= MOST_SECONDS) return;
  const message = `--timeout is ${JSON.stringify(timeout)}; allowed: seconds from 1 to ${MOST_SECONDS}`;
  throw new CcwbError('ERR_USAGE', message, 'run ccwb test --help');
}

/** Runs every step in the order of their dependencies. @returns the name of the profile, once known. */
async function runSteps(
  flags: TrialFlags,
  chosen: ChosenProfile | undefined,
  folders: OwnedTrialFolders,
  run: TrialRun,
  edges: AdminEdges,
): Promise<string | undefined> {
  let before: Snapshot = new Map();
  const programs = createInstalledPrograms(folders, edges);
  const found = await run.step('package', [], async () => {
    const value = await findPackage(flags, chosen?.profile.name, folders, edges);
    return { value, detail: value.origin };
  });
  const unpacked = await run.step('archive', [found], async (value) => {
    const pack = await unpack(value, folders, edges);
    const expected = expectedOf(pack, chosen, flags, edges);
    return { value: { pack, expected }, detail: describe(expected) };
  });
  const installed = await run.step('installation', [unpacked], async ({ pack, expected }) => {
    before = createUserFiles(folders);
    return { value: expected, detail: await install(pack, folders, edges) };
  });
  const name = nameOf(unpacked);

  const signedIn = await run.step(
    'sign-in',
    [installed],
    async ({ profile }) => {
      const user = await signInAsUser(profile.name, flags, folders, edges);
      return { value: { user }, detail: user === undefined ? 'signed in' : `as ${user}` };
    },
    { speaks: true },
  );
  const credentials = await run.step('credentials', [installed, signedIn], ({ profile }) =>
    getCredentials(profile.name, programs, edges),
  );
  const caller = await run.step('identity', [credentials, installed], (keys, expected) =>
    identify(keys, expected, edges),
  );
  await run.step('role', [caller, signedIn, installed], (who, { user }, expected) =>
    checkRole(who, user, expected),
  );
  for (const region of regionsOf(unpacked)) {
    const models = await run.step(`models ${region}`, [caller], (who) => findModels(who, region, edges));
    await run.step(`invoke ${region}`, [caller, installed], async (who, expected) => {
      if (!flags.api) return { skipped: 'only with --api: it costs a few tokens' };
      return callModel(who, region, 'value' in models ? models.value : undefined, expected, edges);
    });
  }
  const headers = await run.step('telemetry', [installed, signedIn], ({ profile }) =>
    getHeaders(profile.name, programs, edges),
  );
  await run.step('collector', [headers, installed], (given, expected) =>
    checkCollector(expected, given, edges),
  );
  await run.step('status', [installed, signedIn], ({ profile }) =>
    checkStatus(profile.name, programs, edges),
  );
  await run.step('doctor', [installed], ({ profile }) => checkDoctor(profile.name, programs, edges));
  const always = { always: true };
  await run.step('sign-out', [installed], ({ profile }) => signOut(profile.name, programs), always);
  await run.step('uninstall', [installed], () => uninstall(before, folders, programs), always);
  return name;
}

function nameOf(unpacked: TrialStep<{ expected: Expected }>): string | undefined {
  return 'value' in unpacked ? unpacked.value.expected.profile.name : undefined;
}

/** Returns the regions to test. They are unknown without a package, so one row stands for all. */
function regionsOf(unpacked: TrialStep<{ expected: Expected }>): readonly string[] {
  return 'value' in unpacked ? unpacked.value.expected.regions : ['in all regions'];
}

function describe({ profile, outdated }: Expected): string {
  const { name, identityProvider } = profile;
  const what = `profile ${name}, ${identityProvider.issuer}`;
  if (outdated.length === 0) return what;
  return `${what}; older than the profile, which has another ${outdated.join(', ')} now: ccwb package`;
}

async function remove(folders: OwnedTrialFolders) {
  await folders.remove();
  return done('no program and no file is left');
}

/** @throws CcwbError ERR_TEST_FAILED, ERR_INTERRUPTED */
function report(
  rows: readonly StepReport[],
  profile: string | undefined,
  flags: TrialFlags,
  edges: AdminEdges,
): void {
  const failed = rows.filter(({ result }) => result === 'failed');
  const outcome = failed.length > 0 || edges.interrupted.aborted ? 'failed' : 'ok';
  const printed: TestReport = { profile: profile ?? null, outcome, steps: rows };
  if (flags.json) edges.writeOut(`${JSON.stringify(printed, undefined, 2)}\n`);
  else edges.writeOut(`\n${formatResultTable(rows, edges)}`);
  if (edges.interrupted.aborted && rows.at(-1)?.result === 'ok') {
    throw new CcwbError('ERR_INTERRUPTED', 'interrupted; nothing is left of the test', 'run it again');
  }
  const [first] = failed;
  if (first) {
    const names = failed.map(({ step }) => step).join(', ');
    const fix =
      failed.length === 1 ? (first.fix ?? '') : 'do what the table says of each, the first one first';
    throw new CcwbError('ERR_TEST_FAILED', `${failed.length} of ${rows.length} steps failed: ${names}`, fix);
  }
  const skipped = rows.filter(({ result }) => result === 'skipped').length;
  const rest = skipped === 0 ? '' : `; ${skipped} ${skipped === 1 ? 'was' : 'were'} skipped`;
  edges.writeError(
    paragraph(`\nThe package works: ${rows.length - skipped} steps went well${rest}.`, edges.columns),
  );
}
