import { join } from 'node:path';
import { NETWORK_SETTING_NAMES } from '../../common/network-settings.ts';
import type { StatusReply } from '../../protocol/api.ts';
import { type Config, loadConfig, type ProfileConfig, profileNamed } from '../../protocol/config.ts';
import { asCcwbError, type CcwbError } from '../../protocol/errors.ts';
import type { Probe } from '../../protocol/probe.ts';
import { daemonEnvironment, installedService } from '../daemon/start-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { startFilter } from '../program/processes.ts';
import type { DiscoveryResult, DoctorContext } from './check.ts';
import { readClaudeSettings } from './claude-checks.ts';
import { readDiscovery } from './network-checks.ts';

/**
 * Creates the context of the checks for one run. `end` ends the programs started for it.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN for a profile that config.json does not have.
 */
export function createDoctorContext(
  edges: ShimEdges,
  only: string | undefined,
): DoctorContext & { end(): void } {
  const { config, configProblem } = readConfig(edges);
  const profiles =
    config && only !== undefined ? named(config, only) : [...(config?.profiles.values() ?? [])];
  const prober = startProber(edges);
  const discoveries = new Map<string, Promise<DiscoveryResult>>();
  const claude = once(() => readClaudeSettings(edges));
  const context = {
    edges,
    config,
    configProblem,
    profiles,
    status: once(() => askStatus(edges)),
    probe: prober.probe,
    discovery: (profile: ProfileConfig) => {
      const { issuer } = profile.identityProvider;
      const known = discoveries.get(issuer) ?? readDiscovery(issuer, prober.probe);
      discoveries.set(issuer, known);
      return known;
    },
    claudeSettings: claude,
    end: prober.end,
  };
  return context;
}

function readConfig({ paths }: ShimEdges): Pick<DoctorContext, 'config' | 'configProblem'> {
  try {
    return { config: loadConfig(paths.config), configProblem: undefined };
  } catch (error) {
    return { config: undefined, configProblem: asCcwbError(error) };
  }
}

/**
 * Returns the profile of that name. Empty if its fields are wrong, which the check of config.json reports.
 */
function named(config: Config, name: string): ProfileConfig[] {
  if (config.invalid.has(name)) return [];
  return [profileNamed(config, name)];
}

async function askStatus({ daemon }: ShimEdges): Promise<StatusReply | CcwbError> {
  try {
    return await daemon.ask<StatusReply>({ route: 'status' });
  } catch (error) {
    return asCcwbError(error);
  }
}

/** Starts the daemon's program as a prober, with the environment of a daemon started now. */
function startProber(edges: ShimEdges): { probe: DoctorContext['probe']; end(): void } {
  const entry = join(edges.installation, 'daemon', 'index.js');
  const waiting = new Map<string, ((probe: Probe) => void)[]>();
  const asked = new Map<string, Promise<Probe>>();
  let ended = false;
  const filter = once(() =>
    startFilter(process.execPath, [entry, '--probe'], proberEnvironment(edges), {
      line: (line) => {
        const result = JSON.parse(line) as Probe;
        for (const settle of waiting.get(result.url) ?? []) settle(result);
        waiting.delete(result.url);
      },
      end: () => {
        ended = true;
        for (const [url, settles] of waiting) for (const settle of settles) settle(notProbed(url));
      },
    }),
  );
  return {
    probe: (url) => {
      const known = asked.get(url);
      if (known) return known;
      const probing = new Promise<Probe>((resolve) => {
        const { write } = filter();
        if (ended) return resolve(notProbed(url));
        waiting.set(url, [resolve]);
        write(url);
      });
      asked.set(url, probing);
      return probing;
    },
    end: () => {
      if (asked.size > 0) filter().end();
    },
  };
}

function notProbed(url: string): Probe {
  return { url, code: 'ERR_INSTALL_INCOMPLETE', message: 'the daemon of this installation does not run' };
}

/** Returns the environment of the prober. A service does not see the proxies of this shell. */
function proberEnvironment(edges: ShimEdges): Record<string, string> {
  const environment = daemonEnvironment(edges.env);
  if (!installedService(edges)) return environment;
  const names: readonly string[] = NETWORK_SETTING_NAMES.flatMap((name) => [name, name.toLowerCase()]);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
