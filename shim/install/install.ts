import { mkdirSync } from 'node:fs';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isOutputClosed } from '../program/errors.ts';
import { runProgram } from '../program/run-program.ts';
import { formatJson } from '../terminal/format.ts';
import { planAwsConfig } from './aws-config.ts';
import { planAwsCredentials } from './aws-credentials.ts';
import { planClaudeSettings } from './claude-settings.ts';
import { planCleanup } from './cleanup.ts';
import { planCommandLink } from './command-link.ts';
import { planConfigFile } from './config-file.ts';
import { planDaemon } from './daemon-service.ts';
import { acquireInstallLock } from './install-lock.ts';
import { INSTALL_HELP, type InstallOptions, parseInstallOptions } from './install-options.ts';
import { type InstallChange, type InstallPlan, manualStepAfter } from './install-plan.ts';
import {
  createReport,
  formatClosing,
  formatHeading,
  formatItems,
  type InstallReport,
} from './install-report.ts';
import { type Package, readPackage } from './package.ts';
import { checkDiskSpace, findInstallFolder, toInstallError } from './preflight.ts';
import { planCurrentVersion, planProgramFiles, planProgramLinks } from './program-files.ts';
import { runSelfCheck } from './self-check.ts';

/** Exit status of an installation that leaves something for the user to do. */
const LEFT_TO_DO = 3;

/** The installer: `install.sh` starts it once it has found a Node.js. */
async function main(started: ShimEdges): Promise<number> {
  const options = parseInstallOptions(started);
  if (!options) {
    await started.writeOut(INSTALL_HELP);
    return 0;
  }
  const pack = readPackage(started.buildFolder);
  const edges = {
    ...started,
    installation: findInstallFolder(started),
    writeOut: (text: string) => writeWhileRead(started, text),
  };
  const plan = await planInstallation(edges, pack, options).catch((thrown: unknown) => {
    throw toInstallError(thrown, 'what is there cannot be looked at');
  });
  const report = createReport(edges, pack, plan, options);
  if (!options.json) await edges.writeOut(formatHeading(edges, report));
  if (!options.dryRun) await applyPlan(edges, plan, report, options);
  const checked = options.dryRun ? undefined : await runSelfCheck(edges, pack.config.names);
  report.checks = checked?.findings ?? [];
  report.next = checked?.next ?? null;
  const problems = report.checks.filter(({ outcome }) => outcome === 'problem').length;
  await edges.writeOut(options.json ? formatJson(report) : formatClosing(report, checked));
  return report.leftToDo.length + problems > 0 ? LEFT_TO_DO : 0;
}

/** Plans every part, each after the parts it depends on. Planning changes nothing. */
async function planInstallation(
  edges: ShimEdges,
  pack: Package,
  { service }: InstallOptions,
): Promise<InstallPlan> {
  const { installation } = edges;
  const programs = planProgramFiles(installation, pack);
  if (programs.changes.length > 0) checkDiskSpace(installation, pack);
  const plans = [
    programs,
    planConfigFile(installation, pack),
    planCurrentVersion(installation, programs.version),
    planProgramLinks(installation, pack),
    planCommandLink(edges),
    planAwsConfig(edges, pack.config),
    planAwsCredentials(edges, pack.config),
    planClaudeSettings(edges, pack.settings, pack.config.names),
    await planDaemon(edges, programs.version, service),
    planCleanup(edges, programs.version),
  ];
  return {
    changes: plans.flatMap(({ changes }) => changes),
    manualSteps: plans.flatMap(({ manualSteps }) => manualSteps),
  };
}

/**
 * Applies the changes in order, under the lock of the installation. A change that is not essential and fails
 * becomes a manual step of the report.
 *
 * @throws CcwbError if an essential change fails, or on a signal.
 */
async function applyPlan(
  edges: ShimEdges,
  plan: InstallPlan,
  report: InstallReport,
  { json }: InstallOptions,
): Promise<void> {
  if (plan.changes.length === 0) return;
  const lock = lockInstallation(edges);
  try {
    for (const change of plan.changes) {
      if (edges.interrupted.aborted) throw interruptedError();
      const notes = await applyChange(change, report);
      report.notes.push(...notes);
      if (!json) await edges.writeOut(formatItems([change.text, ...notes]));
    }
  } finally {
    lock.release();
  }
}

function lockInstallation(edges: ShimEdges): { release(): void } {
  try {
    mkdirSync(edges.installation, { recursive: true, mode: 0o700 });
    return acquireInstallLock(edges);
  } catch (thrown) {
    throw toInstallError(thrown, 'nothing was installed');
  }
}

async function applyChange(
  { text, essential, apply }: InstallChange,
  report: InstallReport,
): Promise<readonly string[]> {
  try {
    return (await apply()) ?? [];
  } catch (thrown) {
    const error = toInstallError(thrown, text);
    if (essential) throw error;
    report.leftToDo.push(manualStepAfter(text, asCcwbError(thrown instanceof CcwbError ? thrown : error)));
    return ['not done, see below'];
  }
}

/** Writes to standard output. The installation goes on if the reader of a pipe has gone. */
async function writeWhileRead({ writeOut }: ShimEdges, text: string): Promise<void> {
  await writeOut(text).catch((error: unknown) => {
    if (!isOutputClosed(error)) throw error;
  });
}

function interruptedError(): CcwbError {
  return new CcwbError('ERR_INTERRUPTED', 'interrupted; what worked before still works', 'run it again');
}

await runProgram('./install.sh', main);
