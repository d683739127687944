/** A file of the service, at the path where the service manager looks for it. */
export type ServiceFile = { path: string; text: string };

export type ServiceState = {
  /** True if the service starts when the user logs in. */
  enabled: boolean;
  /** Process id of the daemon that the service manager has started; undefined if it does not run. */
  pid: number | undefined;
  /** True if the next connection to the socket starts the daemon. Then even a status request would start it. */
  listening: boolean;
};

/** The service manager of this user. Each call succeeds or fails within {@link MANAGER_TIMING}. */
export type ServiceManager = {
  name: 'systemd' | 'launchd';
  /** The command that shows why something failed. */
  diagnoseCommand: string;
  /** @throws CcwbError ERR_INSTALL_INCOMPLETE; ERR_SERVICE_FAILED for a folder that the files cannot name. */
  files(): ServiceFile[];
  /** Checks the disk only, without a call to the service manager. */
  isInstalled(): boolean;
  /** @throws CcwbError ERR_SERVICE_UNAVAILABLE if the service manager is missing or does not answer. */
  checkAvailable(): Promise<void>;
  readState(): Promise<ServiceState>;
  /** Loads new and changed files, and starts the service with each login from now on. */
  enable(): Promise<void>;
  start(): Promise<void>;
  /** Requests a start for a caller that waits and can start the daemon otherwise. Does not throw. */
  requestStart(): Promise<void>;
  stop(): Promise<void>;
  /** Stops the service and removes all of its files, also after a partial installation. */
  remove(): Promise<void>;
  /** True if the service keeps running after the user's last logout; undefined if the platform has no such setting. */
  isLingering(): boolean | undefined;
};

/** Time limits in milliseconds. */
export const MANAGER_TIMING = {
  /** One call: loading all units again takes a moment on a slow disk. */
  orderMs: 10_000,
  /** Stopping: longer than TimeoutStopSec of the unit, because the daemon may wait for a provider. */
  stopMs: 40_000,
  /** Accepting a request to start, while a caller waits. */
  wakeMs: 2_000,
} as const;
