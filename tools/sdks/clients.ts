import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { awsCli, pythonWithBoto3 } from '../support/find-tool.ts';
import { buildGo, buildJava, buildRust, installPython, javaScriptSdkVersion } from './toolchains.ts';

/** A tool or SDK that makes calls to AWS with the credentials it finds by itself. */
export type Client = {
  name: string;
  version: string;
  /** A program that makes one call each time it runs, instead of several in one process. */
  oneCallEach: boolean;
  /** It reads `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`; older clients take the token itself. */
  readsTokenFile: boolean;
  command(endpoint: string, calls: number): readonly [file: string, ...args: string[]];
};

/** A client this machine cannot run, with the reason. `broken`: its toolchain exists, but the build failed. */
export type MissingClient = { name: string; missing: string; broken: boolean };

const CALLER_IDENTITY = fileURLToPath(new URL('./caller-identity.js', import.meta.url));

const BOTO3 = `
import boto3, sys
client = boto3.client('sts', endpoint_url=sys.argv[1])
for _ in range(int(sys.argv[2])):
    print(client.get_caller_identity()['Arn'])
`;

/** Returns every client, and builds into build/sdks those that need a build. */
export function findClients(): (Client | MissingClient)[] {
  const python = installPython();
  return [
    awsCli
      ? commandLine(awsCli, false)
      : { name: 'AWS CLI of the distribution', missing: 'no /usr/bin/aws', broken: false },
    'missing' in python
      ? { name: 'AWS CLI v1', ...python }
      : commandLine(`${python.directory}/bin/aws`, true),
    pythonWithBoto3
      ? boto3('boto3 of the distribution', pythonWithBoto3, false)
      : { name: 'boto3 of the distribution', missing: 'no boto3 for /usr/bin/python3', broken: false },
    'missing' in python
      ? { name: 'boto3', ...python }
      : boto3('boto3', `${python.directory}/bin/python`, true),
    javaScript(),
    built('SDK for Go v2', buildGo()),
    built('SDK for Java v2', buildJava()),
    built('SDK for Rust', buildRust()),
  ];
}

export function javaScript(): Client {
  const version = javaScriptSdkVersion();
  return library('SDK for JavaScript v3', { version }, [process.execPath, CALLER_IDENTITY]);
}

type BuildResult = { version: string; command: readonly [string, ...string[]] } | Omit<MissingClient, 'name'>;

function built(name: string, result: BuildResult): Client | MissingClient {
  return 'missing' in result ? { name, ...result } : library(name, result, result.command);
}

function library(
  name: string,
  { version }: { version: string },
  command: readonly [string, ...string[]],
): Client {
  return {
    name,
    version,
    oneCallEach: false,
    readsTokenFile: true,
    command: (endpoint, calls) => [...command, endpoint, String(calls)],
  };
}

export function boto3(name: string, python: string, readsTokenFile: boolean): Client {
  const version = spawnSync(python, ['-c', 'import boto3; print(boto3.__version__)'], { encoding: 'utf8' });
  const client = library(name, { version: version.stdout.trim() }, [python, '-c', BOTO3]);
  return { ...client, readsTokenFile };
}

export function commandLine(file: string, readsTokenFile: boolean): Client {
  const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  const version = /aws-cli\/(\S+)/.exec(stdout)?.[1] ?? 'unknown';
  return {
    name: `AWS CLI v${version.split('.')[0]}`,
    version,
    oneCallEach: true,
    readsTokenFile,
    command: (endpoint) => {
      const call = ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'];
      return [file, ...call, '--endpoint-url', endpoint];
    },
  };
}
