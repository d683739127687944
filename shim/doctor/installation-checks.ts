import { accessSync, constants, lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import { quoteTypedWord } from '../../common/shell-quote.ts';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { isProgram } from '../sign-in/browser.ts';
import { shortPath } from '../terminal/format.ts';
import type { ShimCheck } from './check.ts';

const PROGRAMS = ['credential-process', 'otel-helper', 'bedrock-auth', 'bedrock-authd'];
const FILES = [
  'daemon/index.js',
  'daemon/keyring-child.js',
  'shim/credential-process.js',
  'shim/otel-helper.js',
];

/** Checks every file that the programs need, and their Node.js. */
export const installation: ShimCheck = ({ edges }) => {
  const folder = edges.installation;
  const missing = [
    ...PROGRAMS.filter((name) => !isProgram(join(folder, name))),
    ...FILES.filter((name) => !isReadable(join(folder, name))),
  ];
  const where = shortPath(folder, edges.env.HOME);
  if (missing.length > 0) {
    return [problem(`${where} lacks ${missing.join(', ')}`, 'run install.sh of the package again')];
  }
  return [ok(`${where}, version ${BUILD_VERSION}, Node.js ${process.versions.node}`)];
};

/** Checks that config.json exists and each profile in it can be used. */
export const config: ShimCheck = ({ edges, config: loaded, configProblem, profiles }) => {
  if (configProblem) return [problem(configProblem.message, configProblem.fix)];
  if (!loaded) return [];
  const where = shortPath(loaded.path, edges.env.HOME);
  const found: Finding[] = [...loaded.invalid].map(([name, error]) =>
    problem(error.message, error.fix, name),
  );
  if (profiles.length > 0) found.unshift(ok(`${where}: ${profiles.map(({ name }) => name).join(', ')}`));
  if (loaded.unknownFields.length > 0) {
    const fields = loaded.unknownFields.map(escapeControlCharacters).join(', ');
    found.push(warning(`fields that nothing reads: ${fields}`, `correct or remove them in ${where}`));
  }
  return found;
};

/** Checks that the log and the audit log can be written, and that other users cannot read them. */
export const logs: ShimCheck = ({ edges }) => {
  const folder = dirname(edges.paths.audit);
  const where = shortPath(folder, edges.env.HOME);
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return [skipped(`${where} is not there yet`)];
  if (!stat.isDirectory()) return [problem(`${where} is no folder`, `rm ${quoteTypedWord(folder)}`)];
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    return [problem(`${where} cannot be written`, `chmod u+rwx ${quoteTypedWord(folder)}`)];
  }
  const audit = lstatSync(edges.paths.audit, { throwIfNoEntry: false });
  const foreign = audit && (!audit.isFile() || audit.uid !== process.getuid?.());
  if (foreign) {
    return [
      warning('the audit log is no file of yours: not written', `rm ${quoteTypedWord(edges.paths.audit)}`),
    ];
  }
  if (audit && audit.mode & 0o077) {
    const fix = `chmod 600 ${quoteTypedWord(edges.paths.audit)}`;
    return [warning('the audit log is open to others: not written', fix)];
  }
  return [ok(where)];
};

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
